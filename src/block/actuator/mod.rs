//! The hands of the blocking room: they carry out what a [`Permit`] allows, and look at what is there. Nothing else in the
//! house changes anything in the network.
//!
//! Each hand reads before, changes once, and reads back; whether the change has taken place is what was read back, not what
//! the device answered. An answer that is lost is looked for in the device and never asked for by setting again.

mod error;
mod objects;
mod port;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::error::ActError;
pub use self::objects::varbinds;
use super::desk::Done;
use super::{Observation, Order, Permit, Spot};
use crate::model::clock;
use crate::snmp::job::{Target, Transport};

/// How a device is reached: to look, and to change something.
#[derive(Clone, PartialEq, Debug)]
pub struct Access {
    /// As it is polled.
    pub read: Arc<Target>,
    /// As it is changed; the same name and address with credentials of their own. `None` when nobody may.
    pub write: Option<Arc<Target>>,
}

/// Everything that can be reached, as the configuration says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reach {
    /// Devices.
    pub devices: Vec<Access>,
}

/// The hands. Made anew when the configuration changes; that costs nothing.
pub struct Actuators {
    transport: Arc<dyn Transport>,
    devices: BTreeMap<Arc<str>, Access>,
}

/// One hand at one device.
struct Hand<'a> {
    transport: &'a dyn Transport,
    target: &'a Arc<Target>,
}

impl Actuators {
    /// Over this transport, to what the configuration names.
    pub fn new(transport: Arc<dyn Transport>, reach: Reach) -> Self {
        let devices = reach.devices.into_iter().map(|access| (Arc::clone(&access.read.name), access)).collect();
        Self { transport, devices }
    }

    /// Whether a device may be changed at all.
    pub fn may_write(&self, device: &str) -> bool {
        self.devices.get(device).is_some_and(|access| access.write.is_some())
    }

    /// Looks at the place of an order; changes nothing.
    ///
    /// # Errors
    /// Why it is not known what is there.
    pub async fn observe(&self, order: &Order) -> Result<Observation, ActError> {
        let spot = spot(order)?;
        let access = self.device(&spot.device)?;
        Hand { transport: &*self.transport, target: &access.read }.look(order, spot).await
    }

    /// Carries out what is permitted, once. What came of it stands in [`Done::after`]: a device that takes a change and does
    /// not make it is no error here.
    ///
    /// # Errors
    /// Why it was not done, or why that is not known.
    pub async fn apply(&self, permit: Permit) -> Result<Done, ActError> {
        if !permit.is_valid(clock::wall()) {
            return Err(ActError::Expired { order: permit.order().to_string() });
        }
        let spot = spot(permit.order())?.clone();
        let access = self.device(&spot.device)?;
        let target = access.write.as_ref().ok_or_else(|| ActError::ReadOnly { device: Arc::clone(&spot.device) })?;
        Hand { transport: &*self.transport, target }.carry_out(permit, &spot).await
    }

    fn device(&self, name: &Arc<str>) -> Result<&Access, ActError> {
        self.devices.get(name).ok_or_else(|| ActError::NotConfigured { kind: "device", name: Arc::clone(name) })
    }
}

/// The exact change that an order means, line by line, as it is shown before anybody says yes.
pub fn lines(order: &Order, now: Option<&Observation>) -> Vec<String> {
    varbinds(order, now).iter().map(ToString::to_string).collect()
}

/// The port of an order, for the hands that work on ports.
fn spot(order: &Order) -> Result<&Spot, ActError> {
    let missing = |kind, name: &Arc<str>| Err(ActError::NotConfigured { kind, name: Arc::clone(name) });
    match order {
        Order::PortAdmin { spot, .. } | Order::Pvid { spot, .. } | Order::Alias { spot, .. } | Order::Power { spot, .. } => Ok(spot),
        Order::Filter { gateway, .. } => missing("gateway", gateway),
        Order::Session { nas, .. } => missing("RADIUS client", nas),
        Order::Script { name, .. } => missing("script", name),
    }
}
