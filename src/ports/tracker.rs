//! All devices: takes polls, gives back what they mean. Pure; the driver performs the effects.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::clocks::Moment;
use super::device::Device;
pub use super::device::Observed;
use super::live::{DeviceLabel, DeviceLive};
use super::roster::Shared;
use super::store::{Catalogue, PortRecord};
use crate::model::DeviceId;
use crate::model::observe::PollRound;
use crate::model::sample::DeviceSample;

/// What all polls so far have taught.
#[derive(Debug)]
pub struct Tracker {
    devices: HashMap<DeviceId, Device>,
    /// Ports of devices that are not configured now.
    others: HashMap<DeviceId, Vec<PortRecord>>,
    shared: Shared,
    /// The start of the steady clock.
    origin: Instant,
}

impl Tracker {
    /// With what the catalogue knows and no device yet. `origin` is any earlier reading of the steady clock.
    pub fn new(catalogue: Catalogue, origin: Instant) -> Self {
        let shared = Shared { last_port: catalogue.last_port, pool: catalogue.pool };
        Self { devices: HashMap::new(), others: catalogue.ports, shared, origin }
    }

    /// Takes the configured devices (start and reload). Devices that were there before keep all they know; the snapshots
    /// come back in the order of `labels`.
    pub fn set_devices(&mut self, labels: Vec<Arc<DeviceLabel>>) -> Vec<Arc<DeviceLive>> {
        let mut earlier = std::mem::take(&mut self.devices);
        let mut snapshots = Vec::with_capacity(labels.len());
        for label in labels {
            let id = label.id;
            let device = match earlier.remove(&id) {
                Some(mut device) => {
                    device.set_label(label);
                    device
                }
                None => Device::new(label, self.others.remove(&id).unwrap_or_default(), &mut self.shared),
            };
            snapshots.push(device.live());
            self.devices.insert(id, device);
        }
        self.others.extend(earlier.into_iter().map(|(id, device)| (id, device.into_records())));
        snapshots
    }

    /// Takes a poll. `None` when its device is not configured any more.
    pub fn observe(&mut self, round: &PollRound, now: Moment) -> Option<Observed> {
        Some(self.devices.get_mut(&round.device)?.observe(round, now, self.origin, &mut self.shared))
    }

    /// The highest port number given so far.
    pub const fn last_port(&self) -> u32 {
        self.shared.last_port
    }

    /// Tells that a sample of an earlier [`Observed`] did not reach the disk.
    pub fn not_stored(&mut self, sample: &DeviceSample) {
        if let Some(device) = self.devices.get_mut(&sample.device) {
            device.not_stored(sample);
        }
    }
}

#[cfg(test)]
mod tests;
