//! The permit: the only thing that moves an actuator. It can be made in this module's parent only, which is the gate.

use crate::block::{CaseId, Order};
use crate::model::Timestamp;

/// Leave to carry out one order for one case, for a short time. It is used up by being used: it cannot be copied.
#[derive(PartialEq, Eq, Debug)]
pub struct Permit {
    order: Order,
    case: CaseId,
    valid_until: Timestamp,
}

impl Permit {
    /// Only the gate gives leave.
    pub(super) const fn new(order: Order, case: CaseId, valid_until: Timestamp) -> Self {
        Self { order, case, valid_until }
    }

    /// What may be done.
    pub const fn order(&self) -> &Order {
        &self.order
    }

    /// For which case.
    pub const fn case(&self) -> CaseId {
        self.case
    }

    /// Until when. What was true when leave was given may not be true any more after it.
    pub const fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// Whether it still counts.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        now <= self.valid_until
    }
}
