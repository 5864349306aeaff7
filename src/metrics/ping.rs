//! Reachability for Prometheus: each host and service as it is now, and what the prober has counted.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{self, MetricType};

use super::vitals::{counter, family};
use crate::ping::live::{Board, HostNow, ServiceNow, Vitals};
use crate::ping::state::Phase;

/// Reads the board at each scrape.
pub struct PingCollector(pub Arc<Board>);

/// A value of a host.
type OfHost = fn(&HostNow) -> Option<f64>;
/// A value of a service.
type OfService = fn(&ServiceNow) -> Option<f64>;

/// A family with one series a host, and its reading.
const HOSTS: [(&str, &str, OfHost); 4] = [
    ("netroom_host_up", "Whether the host answers probes: 0 also when something on the way to it is dead.", |host| match host.phase {
        Phase::Unknown => None,
        Phase::Up | Phase::Suspect { .. } => Some(1.0),
        Phase::Down | Phase::Behind(_) => Some(0.0),
    }),
    ("netroom_host_unreachable", "Whether the host is out of reach because something on the way to it is dead.", |host| {
        (host.phase != Phase::Unknown).then(|| f64::from(matches!(host.phase, Phase::Behind(_))))
    }),
    ("netroom_host_loss_ratio", "The share of the last round's probes that nobody answered.", |host| {
        let (_, round) = host.last.as_ref()?;
        round.is_measured().then(|| round.loss_percent() / 100.0)
    }),
    ("netroom_host_rtt_seconds", "The median round-trip time of the last round.", |host| {
        Some(host.last.as_ref()?.1.spread()?.median_ns / 1e9)
    }),
];

/// A family with one series a service, and its reading.
const SERVICES: [(&str, &str, OfService); 3] = [
    ("netroom_service_up", "Whether the service passes its checks.", |service| service.is_down.map(|is_down| f64::from(!is_down))),
    ("netroom_service_duration_seconds", "How long the last check took, when it passed.", |service| Some(service.took_ms? / 1e3)),
    ("netroom_service_certificate_days", "Days until the service's certificate ends.", |service| {
        Some(service.certificate.as_ref()?.days as f64)
    }),
];

impl Collector for PingCollector {
    /// None: the names are all ours.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let hosts = self.0.hosts();
        let services: Vec<(&HostNow, ServiceNow)> = hosts
            .iter()
            .flat_map(|host| host.info.services.iter().filter_map(move |info| Some((host, self.0.service(info.id)?))))
            .collect();
        let mut families = own(&self.0.vitals());
        for (name, help, reading) in HOSTS {
            let series =
                hosts.iter().filter_map(|host| Some((vec![("host", &*host.info.name), ("site", &*host.info.site)], reading(host)?)));
            families.push(family(name, help, MetricType::GAUGE, series.collect()));
        }
        for (name, help, reading) in SERVICES {
            let labels = |host: &HostNow, service: &ServiceNow| (Arc::clone(&host.info.name), Arc::clone(&service.info.name));
            let known: Vec<_> = services.iter().filter_map(|(host, service)| Some((labels(host, service), reading(service)?))).collect();
            let series = known.iter().map(|((host, name), value)| (vec![("host", &**host), ("service", &**name)], *value)).collect();
            families.push(family(name, help, MetricType::GAUGE, series));
        }
        families.retain(|family| !family.get_metric().is_empty());
        families
    }
}

/// What holds for all together.
fn own(vitals: &Vitals) -> Vec<proto::MetricFamily> {
    let counts = &vitals.counts;
    let results = [
        ("answered", counts.answered),
        ("lost", counts.lost),
        ("refused", counts.refused),
        ("unmeasured", counts.unmeasured),
        ("duplicate", counts.duplicates),
        ("late", counts.late),
        ("strange", counts.strange),
    ];
    let results = results.map(|(word, count)| (vec![("result", word)], count as f64)).to_vec();
    let drops = vitals.sockets.iter().map(|socket| socket.drops).sum();
    vec![
        counter("netroom_ping_probes_sent_total", "Probes sent.", counts.sent),
        family("netroom_ping_probes_total", "Probes and replies by what became of them.", MetricType::COUNTER, results),
        counter("netroom_ping_socket_drops_total", "Times at which our own socket was seen to have thrown messages away.", drops),
        counter("netroom_ping_shed_total", "Rounds and findings that nobody took in time.", vitals.shed),
        family(
            "netroom_monitor_blind",
            "Whether this machine itself is cut off: then nobody else is accused.",
            MetricType::GAUGE,
            vec![(Vec::new(), f64::from(vitals.is_blind))],
        ),
    ]
}
