//! `/metrics/ports`: the counters of all ports, written family by family straight from the live table in pieces of
//! 64 KiB. Nothing is copied but the text itself, and no more than one piece is in memory at a time.
//!
//! Labels are exactly `device`, `ifindex`, `ifname`; all that describes a port is in `netroom_port_info`, to be joined by
//! `* on (device, ifindex, ifname) group_left (alias) netroom_port_info`. A value that is absent has no line.

use std::sync::Arc;

use bytes::Bytes;

use crate::ports::live::{DeviceLive, Live, PortLive, PortState};

use super::families::{FAMILIES, Family, Value};
use super::labels::{DeviceText, LabelCache};
use super::text::{Form, Type, head, label_value, number};

/// How large a piece grows before it is handed on, octets.
pub const PIECE: usize = 64 * 1024;

/// Room for the longest line, so that a piece is not moved while it grows.
const LINE: usize = 2 * 1024;

/// Which ports are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Only the device with this name.
    pub device: Option<String>,
    /// Only devices of this site.
    pub site: Option<String>,
    /// Only ports whose state is up.
    pub up_only: bool,
}

/// The text of an exposition, piece by piece.
pub struct Exposition {
    devices: Vec<(Arc<DeviceLive>, Arc<DeviceText>)>,
    form: Form,
    up_only: bool,
    family: usize,
    device: usize,
    port: usize,
    ended: bool,
}

/// Keeps what is costly to render between two expositions.
#[derive(Default)]
pub struct Exposer {
    labels: LabelCache,
}

impl Exposer {
    /// The exposition of the live table as it is now.
    pub fn expose(&self, live: &Live, filter: &Filter, form: Form) -> Exposition {
        let all: Vec<Arc<DeviceLive>> = live.devices().iter().map(|cell| cell.load()).collect();
        self.labels.keep_only(&all);
        let wanted = |device: &DeviceLive| {
            filter.device.as_ref().is_none_or(|name| **name == *device.label.name)
                && filter.site.as_ref().is_none_or(|site| **site == *device.label.site)
        };
        let devices = all
            .into_iter()
            .filter(|device| wanted(device) && !device.ports.is_empty())
            .map(|device| {
                let text = self.labels.text(&device);
                (device, text)
            })
            .collect();
        Exposition { devices, form, up_only: filter.up_only, family: 0, device: 0, port: 0, ended: false }
    }
}

impl Iterator for Exposition {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let mut out = Vec::with_capacity(PIECE + LINE);
        while let Some(family) = FAMILIES.get(self.family) {
            if (self.device, self.port) == (0, 0) {
                head(&mut out, self.form, family.name, family.kind, family.help);
            }
            if !self.family(&mut out, family) {
                return Some(Bytes::from(out));
            }
            (self.family, self.device, self.port) = (self.family + 1, 0, 0);
        }
        self.ended = true;
        out.extend_from_slice(self.form.end());
        Some(Bytes::from(out))
    }
}

impl Exposition {
    /// Writes lines of a family; false when the piece is full before its end.
    fn family(&mut self, out: &mut Vec<u8>, family: &Family) -> bool {
        while let Some((device, text)) = self.devices.get(self.device) {
            while let Some(port) = device.ports.get(self.port) {
                if out.len() >= PIECE {
                    return false;
                }
                let wanted = port.state == PortState::Up || !self.up_only;
                let value = if wanted { shown(family, port) } else { None };
                if let Some(value) = value {
                    out.extend_from_slice(family.name.as_bytes());
                    let labels = text.of(self.port);
                    match family.value {
                        Value::Info => info(out, labels, device, port),
                        _ => out.extend_from_slice(labels),
                    }
                    number(out, value);
                    out.push(b'\n');
                }
                self.port += 1;
            }
            (self.device, self.port) = (self.device + 1, 0);
        }
        true
    }
}

/// The value to show. Of a port that is not there now (its device does not answer, or it has vanished) only what it is
/// called is told: its counters are old, and Prometheus shall see them end.
fn shown(family: &Family, port: &PortLive) -> Option<u64> {
    if port.state == PortState::Unknown && family.kind != Type::Info {
        return None;
    }
    family.value.of(port)
}

/// The labels with what describes the port behind them.
fn info(out: &mut Vec<u8>, labels: &[u8], device: &DeviceLive, port: &PortLive) {
    out.extend_from_slice(labels.strip_suffix(b"} ").unwrap_or(labels));
    let identity = &port.identity;
    for (name, value) in [
        (&b",alias=\""[..], identity.alias.as_str()),
        (b"\",descr=\"", identity.descr.as_str()),
        (b"\",site=\"", &device.label.site),
        (b"\",zone=\"", device.label.zone.word()),
    ] {
        out.extend_from_slice(name);
        label_value(out, value);
    }
    out.extend_from_slice(b"\",type=\"");
    number(out, u64::from(identity.if_type));
    out.extend_from_slice(b"\",mac=\"");
    if let Some(mac) = identity.mac {
        for (index, octet) in mac.0.iter().enumerate() {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            if index > 0 {
                out.push(b':');
            }
            for digit in [octet >> 4, octet & 15] {
                out.push(HEX.get(usize::from(digit)).copied().unwrap_or(b'0'));
            }
        }
    }
    out.extend_from_slice(b"\"} ");
}
