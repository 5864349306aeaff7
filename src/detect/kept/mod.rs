//! What is seen of machines, as it outlives a restart and as `detect explain` reads it beside a daemon that runs: portraits, what
//! was learnt, and what is held. One file, `machines.json.gz`, written whole and put in place at once; it is a memory, not a
//! record, so a broken one is told, set aside, and begun anew.

pub mod store;

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::detection::{Detection, Machine, MachineKey};
use super::learn;
use super::portrait::Portrait;
use crate::model::Timestamp;

/// The form of the file. A higher one is of a newer netroom.
pub const VERSION: u32 = 1;

/// All that is kept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// See [`VERSION`].
    pub version: u32,
    /// When it was written.
    pub at: Timestamp,
    /// Every machine that is remembered.
    pub machines: Vec<Arc<Portrait>>,
    /// What was learnt.
    pub learnt: Vec<learn::Known>,
    /// What is held against whom.
    pub held: Vec<Arc<Detection>>,
}

impl Kept {
    /// The portrait of a machine by any of its addresses; of several that had an IP address the one that had it last.
    pub fn portrait(&self, key: MachineKey) -> Option<&Arc<Portrait>> {
        find(&self.machines, key)
    }

    /// What is held against a machine, by any of its addresses.
    pub fn held_against(&self, key: MachineKey) -> Vec<Arc<Detection>> {
        let own = self.portrait(key).map(|portrait| portrait.key);
        self.held.iter().filter(|detection| is_about(&detection.machine, key, own)).cloned().collect()
    }
}

/// Whether a machine has this address, or is known by `own`.
pub(super) fn is_about(machine: &Machine, key: MachineKey, own: Option<MachineKey>) -> bool {
    let keys = [machine.mac.map(MachineKey::Mac), machine.ip.map(MachineKey::Ip)];
    keys.into_iter().flatten().any(|one| one == key) || (own.is_some() && machine.key() == own)
}

/// The machine with this address. Of several that have had an IP address the one that had it last.
pub(super) fn find(machines: &[Arc<Portrait>], key: MachineKey) -> Option<&Arc<Portrait>> {
    let had = |portrait: &Arc<Portrait>| {
        let own = portrait.addresses.iter().find(|(ip, _): &&(IpAddr, _)| MachineKey::Ip(*ip) == key);
        own.map(|(_, at)| *at)
    };
    let by_key = machines.iter().find(|portrait| portrait.key == key);
    by_key.or_else(|| machines.iter().filter(|portrait| had(portrait).is_some()).max_by_key(|portrait| had(portrait)))
}
