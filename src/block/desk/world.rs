//! What the desk needs of the house: eyes, hands, and what the configuration says. The daemon gives it; tests give a small one.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::block::gate::{Permit, Place, Rail};
use crate::block::shield::Suspect;
use crate::block::{Case, Observation, Order, Spot};
use crate::config::block::BlockSettings;
use crate::model::{Finding, Timestamp};

/// Where a machine sits, with everything that the gate asks about the place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Located {
    /// Everything that a line of the protected may name.
    pub suspect: Suspect,
    /// The port; `None` when nobody knows.
    pub spot: Option<Spot>,
    /// Its site, empty when none.
    pub site: Arc<str>,
    /// What the tables and the live question tell of it.
    pub place: Option<Place>,
    /// dot1dBasePort, where the bridge tells it.
    pub base_port: Option<u32>,
    /// How many ports the switch has.
    pub ports: usize,
    /// How long one round of readings of the tables takes.
    pub round: Duration,
}

/// What was done: what was there before, and what was read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// Before.
    pub before: Observation,
    /// After.
    pub after: Observation,
}

/// The house, as the desk sees it.
pub trait World: Send + Sync {
    /// What the configuration says now.
    fn settings(&self) -> Arc<BlockSettings>;
    /// Finds a machine, and asks its switch at once.
    fn locate(&self, case: &Case) -> impl Future<Output = Located> + Send;
    /// Looks at a port by its names, and asks its switch at once; without a spot when there is none.
    fn port(&self, device: &str, port: &str) -> impl Future<Output = Located> + Send;
    /// Whether the tables show a machine elsewhere than at a place, after a moment: costs nothing.
    fn has_moved(&self, case: &Case) -> bool;
    /// Whether it is protected, and by what.
    fn protected(&self, suspect: &Suspect, now: Timestamp) -> Vec<Rail>;
    /// Whether the calendar of the office forbids blocks without a person there now.
    fn frozen(&self, located: &Located, now: Timestamp) -> Option<Rail>;
    /// Reads the place of an order.
    fn observe(&self, order: &Order) -> impl Future<Output = Result<Observation, String>> + Send;
    /// Carries an order out: the only way in which anything is changed.
    fn apply(&self, permit: Permit) -> impl Future<Output = Result<Done, String>> + Send;
    /// The exact objects and values that an order means.
    fn varbinds(&self, order: &Order, now: Option<&Observation>) -> Vec<String>;
    /// Tells the incidents.
    fn tell(&self, finding: Finding) -> impl Future<Output = ()> + Send;
    /// The clock on the wall.
    fn now(&self) -> Timestamp;
}
