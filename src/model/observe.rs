//! What the SNMP room saw, with its time: handed upwards by value, judged by nobody yet.

use std::sync::Arc;

use super::{DeviceId, DeviceText, Gap, IfIndex, METRICS, Timestamp};

/// The system group of a device (SNMPv2-MIB).
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct SystemInfo {
    /// sysDescr.
    pub descr: DeviceText,
    /// sysObjectID in dotted form, empty when not given.
    pub object_id: String,
    /// sysName.
    pub name: DeviceText,
    /// sysLocation.
    pub location: DeviceText,
    /// sysContact.
    pub contact: DeviceText,
}

/// One row of ifTable and ifXTable without its counters, as the device gave it. `None` is "not given", never 0.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InterfaceRow {
    /// ifIndex.
    pub if_index: u32,
    /// ifName.
    pub if_name: Option<DeviceText>,
    /// ifDescr.
    pub if_descr: Option<DeviceText>,
    /// ifAlias.
    pub if_alias: Option<DeviceText>,
    /// ifType.
    pub if_type: Option<u32>,
    /// ifPhysAddress, raw octets.
    pub phys_address: Option<Vec<u8>>,
    /// ifSpeed in bits per second (saturates at 4,294,967,295).
    pub if_speed: Option<u64>,
    /// ifHighSpeed in units of 10^6 bits per second (some devices send bits per second).
    pub if_high_speed: Option<u64>,
    /// ifMtu in octets.
    pub if_mtu: Option<u32>,
    /// ifAdminStatus.
    pub admin: Option<u8>,
    /// ifOperStatus.
    pub oper: Option<u8>,
    /// ifLastChange, sysUpTime ticks.
    pub last_change: Option<u32>,
    /// ifConnectorPresent.
    pub connector: Option<bool>,
    /// dot3StatsDuplexStatus.
    pub duplex: Option<u8>,
}

/// How wide a counter was that a value came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Width {
    /// Counter64 (the HC columns).
    #[default]
    Bits64,
    /// Counter32: wraps at 2^32.
    Bits32,
}

/// The counters of one port in one poll.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CounterRow {
    /// ifIndex of the row.
    pub if_index: IfIndex,
    /// sysUpTime (hundredths of a second) in the PDU that carried the octets of this row.
    pub uptime_ticks: u32,
    /// When that PDU arrived (kernel receive stamp).
    pub received: Timestamp,
    /// Values by [`super::PortMetric::index`]; `None` is "absent".
    pub values: [Option<u64>; METRICS],
    /// Bit i set: value i came from a 32-bit counter.
    pub narrow: u16,
    /// ifAdminStatus in this poll: 1 up, 2 down (shut by an administrator), 3 testing.
    pub admin: Option<u8>,
    /// ifCounterDiscontinuityTime, where the device has it.
    pub discontinuity: Option<u32>,
}

impl CounterRow {
    /// The width of the counter behind the value at `index`.
    pub const fn width(&self, index: usize) -> Width {
        if self.narrow >> index & 1 == 1 { Width::Bits32 } else { Width::Bits64 }
    }
}

/// What a device said about itself and its ports at an identity read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inventory {
    /// The system group.
    pub system: SystemInfo,
    /// snmpEngineTime in seconds, where the device has it.
    pub engine_time: Option<u32>,
    /// All rows of ifTable/ifXTable, in the device's order.
    pub interfaces: Vec<InterfaceRow>,
}

/// One poll of a device: the fruit of one turn of the schedule.
#[derive(Clone, PartialEq, Debug)]
pub struct PollRound {
    /// Whose poll.
    pub device: DeviceId,
    /// When this turn was due (wall clock).
    pub due: Timestamp,
    /// When the first request left and the last answer came.
    pub started: Timestamp,
    /// See `started`.
    pub finished: Timestamp,
    /// sysUpTime ticks of the first answer; `None` when nothing was answered.
    pub uptime_ticks: Option<u32>,
    /// snmpEngineTime in seconds, where polled: tells the 497-day wrap of sysUpTime from a restart.
    pub engine_time: Option<u32>,
    /// Smoothed round-trip time in microseconds.
    pub rtt_us: Option<u32>,
    /// A fresh identity read, when this turn made one.
    pub inventory: Option<Arc<Inventory>>,
    /// Rows that came in.
    pub rows: Vec<CounterRow>,
    /// Why rows are missing: `None` when the poll is whole.
    pub gap: Option<Gap>,
    /// One readable sentence about the failure for logs and pages, in English, without secrets.
    pub detail: Option<Arc<str>>,
}

impl PollRound {
    /// A round at `now` that brought nothing.
    pub const fn empty(device: DeviceId, now: Timestamp) -> Self {
        Self {
            device,
            due: now,
            started: now,
            finished: now,
            uptime_ticks: None,
            engine_time: None,
            rtt_us: None,
            inventory: None,
            rows: Vec::new(),
            gap: None,
            detail: None,
        }
    }
}
