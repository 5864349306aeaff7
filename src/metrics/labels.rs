//! The label text of ports, rendered once per identity and kept: most of the cost of an exposition is escaping.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{DeviceId, PortIdentity};
use crate::ports::live::{DeviceLabel, DeviceLive};

use super::text::label_value;

/// The `{device="..",ifindex="..",ifname=".."} ` of every port of a device, one after the other.
pub(super) struct DeviceText {
    /// Whose they are; the ports are compared by address, so the identities are held.
    label: Arc<DeviceLabel>,
    identities: Vec<Arc<PortIdentity>>,
    text: Vec<u8>,
    ends: Vec<u32>,
}

impl DeviceText {
    fn render(device: &DeviceLive) -> Self {
        let mut text = Vec::with_capacity(device.ports.len() * 56);
        let mut ends = Vec::with_capacity(device.ports.len());
        let mut name = Vec::new();
        label_value(&mut name, &device.label.name);
        for port in device.ports.iter() {
            text.extend_from_slice(b"{device=\"");
            text.extend_from_slice(&name);
            text.extend_from_slice(b"\",ifindex=\"");
            text.extend_from_slice(port.identity.if_index.0.to_string().as_bytes());
            text.extend_from_slice(b"\",ifname=\"");
            label_value(&mut text, &port.identity.name);
            text.extend_from_slice(b"\"} ");
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        text.shrink_to_fit();
        let identities = device.ports.iter().map(|port| Arc::clone(&port.identity)).collect();
        Self { label: Arc::clone(&device.label), identities, text, ends }
    }

    /// Whether this is still the text of these ports.
    fn is_of(&self, device: &DeviceLive) -> bool {
        let same_device = Arc::ptr_eq(&self.label, &device.label) || self.label.name == device.label.name;
        same_device
            && self.identities.len() == device.ports.len()
            && self.identities.iter().zip(device.ports.iter()).all(|(held, port)| {
                Arc::ptr_eq(held, &port.identity) || (held.if_index == port.identity.if_index && held.name == port.identity.name)
            })
    }

    /// The label text of the port at an index, with its braces and the blank that follows.
    pub(super) fn of(&self, index: usize) -> &[u8] {
        let end = self.ends.get(index).copied().unwrap_or(0) as usize;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0) as usize;
        self.text.get(start..end).unwrap_or_default()
    }
}

/// The texts of all devices that were asked for.
#[derive(Default)]
pub(super) struct LabelCache {
    devices: Mutex<HashMap<DeviceId, Arc<DeviceText>>>,
}

impl LabelCache {
    /// The text of a device's ports, rendered anew only when a port's name or number has changed.
    pub(super) fn text(&self, device: &DeviceLive) -> Arc<DeviceText> {
        let id = device.label.id;
        let held = self.devices.lock().unwrap_or_else(PoisonError::into_inner).get(&id).map(Arc::clone);
        if let Some(held) = held.filter(|text| text.is_of(device)) {
            return held;
        }
        let fresh = Arc::new(DeviceText::render(device));
        self.devices.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&fresh));
        fresh
    }

    /// Forgets devices that are not configured any more.
    pub(super) fn keep_only(&self, devices: &[Arc<DeviceLive>]) {
        let mut held = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() > devices.len() {
            held.retain(|id, _| devices.iter().any(|device| device.label.id == *id));
        }
    }
}
