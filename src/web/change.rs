//! What changed lately: states of devices and ports compared from one look at the live table to the next.
//! A bounded ring; the journal keeps the past for good, this is for the page.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::model::{DeviceId, Gap, PortId, Timestamp};
use crate::ports::live::{DeviceLive, DeviceState, Live, PortState};

/// How many changes are kept.
const KEPT: usize = 200;
/// A device's start time, told from its uptime, may wander by so much without a restart.
const BOOT_SLACK_MS: u64 = 120_000;

/// Something that changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// When it was seen.
    pub at: Timestamp,
    /// The device.
    pub device: Arc<str>,
    /// The port, for changes of a port.
    pub port: Option<Arc<str>>,
    /// The port's ifAlias at that time.
    pub alias: Option<Arc<str>>,
    /// What it was.
    #[serde(flatten)]
    pub what: What,
}

/// What changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A device's state.
    Device {
        /// Before.
        from: DeviceState,
        /// Now.
        to: DeviceState,
        /// Why, when it is not up.
        gap: Option<Gap>,
    },
    /// A device started anew.
    Restarted,
    /// A port's state.
    Port {
        /// Before.
        from: PortState,
        /// Now.
        to: PortState,
    },
}

/// The last changes, newest first.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    ring: VecDeque<Change>,
    seen: HashMap<DeviceId, Arc<DeviceLive>>,
    /// The last known state of ports: a device that is away for a while must not hide what changed meanwhile.
    ports: HashMap<PortId, PortState>,
}

impl Changes {
    /// Compares the table with what was seen before.
    pub(crate) fn observe(&self, live: &Live, now: Timestamp) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for cell in live.devices().iter() {
            inner.device(cell.load(), now);
        }
    }

    /// The newest changes.
    pub(crate) fn latest(&self, most: usize) -> Vec<Change> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.ring.iter().take(most).cloned().collect()
    }

    /// The newest changes of one device, or of one of its ports.
    pub(crate) fn of(&self, device: &str, port: Option<&str>, most: usize) -> Vec<Change> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |change: &&Change| {
            &*change.device == device && port.is_none_or(|port| change.port.as_deref() == Some(port) || change.port.is_none())
        };
        inner.ring.iter().filter(wanted).take(most).cloned().collect()
    }
}

impl Inner {
    fn device(&mut self, next: Arc<DeviceLive>, now: Timestamp) {
        let id = next.label.id;
        let Some(last) = self.seen.get(&id).cloned() else {
            self.remember_ports(&next, None);
            self.seen.insert(id, next);
            return;
        };
        if Arc::ptr_eq(&last, &next) {
            return;
        }
        let at = next.health.last_poll.unwrap_or(now);
        let (from, to) = (last.health.state, next.health.state);
        if from != to && from != DeviceState::Unknown {
            let gap = next.health.gap;
            self.push(Change { at, device: Arc::clone(&next.label.name), port: None, alias: None, what: What::Device { from, to, gap } });
        }
        if let (Some(before), Some(after)) = (last.health.booted, next.health.booted)
            && after.millis().saturating_sub(before.millis()) > i64::try_from(BOOT_SLACK_MS).unwrap_or(i64::MAX)
        {
            self.push(Change { at, device: Arc::clone(&next.label.name), port: None, alias: None, what: What::Restarted });
        }
        self.remember_ports(&next, Some(at));
        self.seen.insert(id, next);
    }

    fn remember_ports(&mut self, device: &DeviceLive, tell: Option<Timestamp>) {
        for port in device.ports.iter().filter(|port| port.state != PortState::Unknown) {
            let before = self.ports.insert(port.identity.id, port.state);
            if let (Some(at), Some(from)) = (tell, before)
                && from != port.state
            {
                self.push(Change {
                    at,
                    device: Arc::clone(&device.label.name),
                    port: Some(Arc::clone(&port.identity.name)),
                    alias: Some(port.identity.alias.shared()).filter(|alias| !alias.is_empty()),
                    what: What::Port { from, to: port.state },
                });
            }
        }
    }

    fn push(&mut self, change: Change) {
        self.ring.truncate(KEPT - 1);
        self.ring.push_front(change);
    }
}
