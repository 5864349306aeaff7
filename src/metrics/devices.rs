//! The series of each device, small enough for `/metrics`: whether it answers, how fast, since when it runs, its ports by
//! state. What is not known has no line.

use std::sync::Arc;

use crate::model::Timestamp;
use crate::ports::live::{DeviceLive, DeviceState, Live, PortState};

use super::text::{Form, Type, head, label_value};

/// The value of a device at a time.
type Reading = fn(&DeviceLive, Timestamp) -> Option<f64>;

/// A family with one series a device.
const FAMILIES: [(&str, &str, Reading); 6] = [
    ("netroom_device_up", "Whether the device answers: 1 also when its last poll has holes.", |device, _| match device.health.state {
        DeviceState::Unknown => None,
        DeviceState::Up | DeviceState::Degraded => Some(1.0),
        DeviceState::Down => Some(0.0),
    }),
    ("netroom_device_poll_complete", "Whether the last poll of the device brought everything.", |device, _| match device.health.state {
        DeviceState::Unknown => None,
        DeviceState::Up => Some(1.0),
        DeviceState::Degraded | DeviceState::Down => Some(0.0),
    }),
    ("netroom_device_uptime_seconds", "How long the device has been running, by its sysUpTime.", |device, now| {
        let answers = matches!(device.health.state, DeviceState::Up | DeviceState::Degraded);
        device.health.booted.filter(|_| answers).map(|booted| now.since(booted).as_secs_f64().round())
    }),
    ("netroom_device_rtt_seconds", "Smoothed round-trip time of the device's SNMP answers.", |device, _| {
        let answers = matches!(device.health.state, DeviceState::Up | DeviceState::Degraded);
        device.health.rtt_us.filter(|_| answers).map(|rtt| f64::from(rtt) / 1e6)
    }),
    ("netroom_device_poll_duration_seconds", "How long the last poll of the device took.", |device, _| {
        device.health.poll_ms.map(|ms| f64::from(ms) / 1e3)
    }),
    ("netroom_device_last_answer_timestamp_seconds", "When the device last answered anything.", |device, _| {
        device.health.last_answer.map(|at| at.millis() as f64 / 1e3)
    }),
];

/// The text of all devices in the classic form.
pub fn expose(live: &Live, now: Timestamp) -> Vec<u8> {
    let devices: Vec<Arc<DeviceLive>> = live.devices().iter().map(|cell| cell.load()).collect();
    let names: Vec<Vec<u8>> = devices
        .iter()
        .map(|device| {
            let mut name = Vec::with_capacity(device.label.name.len());
            label_value(&mut name, &device.label.name);
            name
        })
        .collect();
    let mut out = Vec::with_capacity(1024 + devices.len() * 1024);
    info(&mut out, &devices, &names);
    for (family, help, reading) in FAMILIES {
        head(&mut out, Form::Classic, family, Type::Gauge, help);
        for (device, name) in devices.iter().zip(&names) {
            if let Some(value) = reading(device, now) {
                line(&mut out, family, name, b"", value);
            }
        }
    }
    let family = "netroom_device_ports";
    head(&mut out, Form::Classic, family, Type::Gauge, "Ports of the device by state.");
    for (device, name) in devices.iter().zip(&names) {
        for (state, word) in STATES {
            let count = device.ports.iter().filter(|port| port.state == state).count();
            line(&mut out, family, name, word.as_bytes(), count as f64);
        }
    }
    out
}

/// The states of ports and their words in labels.
pub(super) const STATES: [(PortState, &str); 4] =
    [(PortState::Up, "up"), (PortState::Down, "down"), (PortState::Shut, "shut"), (PortState::Unknown, "unknown")];

fn info(out: &mut Vec<u8>, devices: &[Arc<DeviceLive>], names: &[Vec<u8>]) {
    let family = "netroom_device_info";
    head(out, Form::Classic, family, Type::Info, "What the device is called and is, by its labels; always 1.");
    for (device, name) in devices.iter().zip(names) {
        let label = &device.label;
        let address = label.address.to_string();
        let system = device.system.as_deref();
        out.extend_from_slice(family.as_bytes());
        out.extend_from_slice(b"{device=\"");
        out.extend_from_slice(name);
        for (key, value) in [
            ("address", address.as_str()),
            ("site", &label.site),
            ("zone", label.zone.word()),
            ("sysname", system.map_or("", |system| system.name.as_str())),
            ("sysdescr", system.map_or("", |system| system.descr.as_str())),
            ("syslocation", system.map_or("", |system| system.location.as_str())),
            ("sysobjectid", system.map_or("", |system| system.object_id.as_str())),
        ] {
            out.extend_from_slice(b"\",");
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(b"=\"");
            label_value(out, value);
        }
        out.extend_from_slice(b"\"} 1\n");
    }
}

fn line(out: &mut Vec<u8>, family: &str, device: &[u8], state: &[u8], value: f64) {
    out.extend_from_slice(family.as_bytes());
    out.extend_from_slice(b"{device=\"");
    out.extend_from_slice(device);
    if !state.is_empty() {
        out.extend_from_slice(b"\",state=\"");
        out.extend_from_slice(state);
    }
    out.extend_from_slice(format!("\"}} {value}\n").as_bytes());
}
