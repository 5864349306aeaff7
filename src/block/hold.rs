//! Holds: which cases keep which port in its state. The first captures what was there, the last gives exactly that back.
//! Pure; counted per port, so that two machines on one port do not break each other's release.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CaseId, Observation, Order};

/// A place that is held: the device, the port or address, and the kind of order.
pub type Key = (Arc<str>, String, &'static str);

/// One place that is held.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hold {
    /// What was set there.
    pub order: Order,
    /// What was there before the first case.
    pub original: Observation,
    /// Who holds it.
    pub cases: BTreeSet<CaseId>,
}

/// What the end of a case means for its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Given {
    /// It held nothing.
    Nothing,
    /// Others hold it still: nothing is set.
    Others(BTreeSet<CaseId>),
    /// It was the last: what was there goes back by this order; `None` where nothing can be put back.
    Last {
        /// What was left there.
        left: Order,
        /// What puts back what was there before.
        undo: Option<Order>,
    },
}

/// All places that are held.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Holds(BTreeMap<Key, Hold>);

impl Holds {
    /// The place of an order.
    pub fn key(order: &Order) -> Key {
        let place = match order {
            Order::Filter { address, .. } => address.to_string(),
            Order::Session { mac, .. } => mac.to_string(),
            Order::Script { name, mac, .. } => format!("{name} {mac:?}"),
            _ => order.spot().map(|spot| spot.if_name.to_string()).unwrap_or_default(),
        };
        (order.device().cloned().unwrap_or_default(), place, order.word())
    }

    /// From what was kept.
    pub fn new(holds: impl IntoIterator<Item = Hold>) -> Self {
        Self(holds.into_iter().map(|hold| (Self::key(&hold.order), hold)).collect())
    }

    /// What is held at the place of an order.
    pub fn at(&self, order: &Order) -> Option<&Hold> {
        self.0.get(&Self::key(order))
    }

    /// What a case holds.
    pub fn of(&self, case: CaseId) -> Option<&Hold> {
        self.0.values().find(|hold| hold.cases.contains(&case))
    }

    /// The hold on a port, of any kind.
    pub fn on_port(&self, device: &str, if_name: &str) -> Option<&Hold> {
        self.0.values().find(|hold| hold.order.spot().is_some_and(|spot| *spot.device == *device && *spot.if_name == *if_name))
    }

    /// How many ports of a device are held.
    pub fn on_device(&self, device: &str) -> usize {
        self.0.keys().filter(|(held, _, _)| **held == *device).count()
    }

    /// A case takes hold; what is there now counts only when it is the first.
    pub fn take(&mut self, case: CaseId, order: &Order, now: &Observation) -> &Hold {
        let hold =
            self.0.entry(Self::key(order)).or_insert_with(|| Hold { order: order.clone(), original: now.clone(), cases: BTreeSet::new() });
        hold.cases.insert(case);
        hold
    }

    /// What it would mean if a case let go.
    pub fn given(&self, case: CaseId) -> Given {
        let Some(hold) = self.of(case) else { return Given::Nothing };
        let others: BTreeSet<CaseId> = hold.cases.iter().copied().filter(|other| *other != case).collect();
        if others.is_empty() {
            Given::Last { left: hold.order.clone(), undo: hold.order.undo(&hold.original) }
        } else {
            Given::Others(others)
        }
    }

    /// A case lets go.
    pub fn give(&mut self, case: CaseId) {
        for hold in self.0.values_mut() {
            hold.cases.remove(&case);
        }
        self.0.retain(|_, hold| !hold.cases.is_empty());
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Hold> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::block::Spot;
    use crate::model::IfIndex;

    fn down(port: usize) -> Order {
        Order::PortAdmin { spot: Spot { device: "sw".into(), if_name: format!("Gi{port}").into(), if_index: IfIndex(1) }, up: false }
    }

    proptest! {
        /// Ports that begin in any state, cases that take and let go in any order: who lets go last restores the first state.
        #[test]
        fn the_last_gives_back_what_the_first_found(
            begin in prop::collection::vec(1_u8..=2, 3), steps in prop::collection::vec((any::<bool>(), 0_i64..6, 0_usize..3), 0..60),
        ) {
            let mut ports: Vec<u8> = begin.clone();
            let mut holds = Holds::default();
            for (takes, case, port) in steps {
                let id = CaseId(case);
                let admin = |ports: &[u8]| Observation { admin: Some(ports[port]), ..Observation::default() };
                if takes && holds.of(id).is_none() {
                    holds.take(id, &down(port), &admin(&ports));
                    ports[port] = 2;
                } else if !takes {
                    if let Given::Last { undo: Some(Order::PortAdmin { spot, up }), .. } = holds.given(id) {
                        let port: usize = spot.if_name.trim_start_matches("Gi").parse().unwrap();
                        ports[port] = if up { 1 } else { 2 };
                    }
                    holds.give(id);
                }
                for (n, first) in begin.iter().enumerate() {
                    let is_held = holds.on_port("sw", &format!("Gi{n}")).is_some();
                    prop_assert_eq!(ports[n], if is_held { 2 } else { *first });
                }
            }
        }
    }
}
