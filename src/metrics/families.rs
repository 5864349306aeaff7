//! The families of a port, in one table: name, help, where the value comes from.

use crate::model::PortMetric;
use crate::ports::live::PortLive;

use super::text::Type;

/// One family of `/metrics/ports`.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Type,
    pub(super) value: Value,
}

/// Where a family's value comes from.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// A counter or state that is polled.
    Polled(PortMetric),
    /// The port's speed.
    Speed,
    /// ifAdminStatus.
    Admin,
    /// The descriptive labels.
    Info,
}

impl Value {
    /// The value of a port; `None` leaves the line out.
    pub(super) fn of(self, port: &PortLive) -> Option<u64> {
        match self {
            Self::Polled(metric) => port.counter(metric),
            Self::Speed => port.identity.speed_bps.map(|bits| bits / 8),
            Self::Admin => (port.identity.admin != 0).then_some(u64::from(port.identity.admin)),
            Self::Info => Some(1),
        }
    }
}

const fn counter(name: &'static str, metric: PortMetric, help: &'static str) -> Family {
    Family { name, help, kind: Type::Counter, value: Value::Polled(metric) }
}

/// All families, in the order of the exposition.
pub(super) const FAMILIES: [Family; 17] = [
    Family {
        name: "netroom_port_info",
        help: "What the port is called and is, by its labels; always 1.",
        kind: Type::Info,
        value: Value::Info,
    },
    counter("netroom_port_in_octets_total", PortMetric::InOctets, "Octets received (ifHCInOctets)."),
    counter("netroom_port_out_octets_total", PortMetric::OutOctets, "Octets sent (ifHCOutOctets)."),
    counter("netroom_port_in_unicast_packets_total", PortMetric::InUcast, "Unicast packets received."),
    counter("netroom_port_out_unicast_packets_total", PortMetric::OutUcast, "Unicast packets sent."),
    counter("netroom_port_in_multicast_packets_total", PortMetric::InMulticast, "Multicast packets received."),
    counter("netroom_port_out_multicast_packets_total", PortMetric::OutMulticast, "Multicast packets sent."),
    counter("netroom_port_in_broadcast_packets_total", PortMetric::InBroadcast, "Broadcast packets received."),
    counter("netroom_port_out_broadcast_packets_total", PortMetric::OutBroadcast, "Broadcast packets sent."),
    counter("netroom_port_in_errors_total", PortMetric::InErrors, "Received packets with errors (ifInErrors)."),
    counter("netroom_port_out_errors_total", PortMetric::OutErrors, "Packets not sent because of errors (ifOutErrors)."),
    counter("netroom_port_in_discards_total", PortMetric::InDiscards, "Received packets discarded without error (ifInDiscards)."),
    counter("netroom_port_out_discards_total", PortMetric::OutDiscards, "Packets not sent, discarded without error (ifOutDiscards)."),
    counter(
        "netroom_port_in_unknown_protocols_total",
        PortMetric::InUnknownProtos,
        "Received packets of an unsupported protocol (ifInUnknownProtos).",
    ),
    Family {
        name: "netroom_port_oper_status",
        help: "State of the port (ifOperStatus): 1 up, 2 down, 3 testing, 4 unknown, 5 dormant, 6 not present, 7 lower layer down.",
        kind: Type::Gauge,
        value: Value::Polled(PortMetric::OperStatus),
    },
    Family {
        name: "netroom_port_admin_status",
        help: "State that an administrator wants (ifAdminStatus): 1 up, 2 down, 3 testing.",
        kind: Type::Gauge,
        value: Value::Admin,
    },
    Family {
        // Octets, as the counters are: Prometheus' lint refuses bits.
        name: "netroom_port_speed_octets_per_second",
        help: "Speed of the port in octets per second (ifHighSpeed or ifSpeed, divided by 8).",
        kind: Type::Gauge,
        value: Value::Speed,
    },
];
