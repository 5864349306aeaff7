//! Who is being asked now. One conversation per device, checked where conversations are submitted, so that the caller
//! learns it at once.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ids::SLOTS;
use crate::snmp::job::SubmitError;

/// The addresses that have a conversation.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<HashSet<SocketAddr>>);

impl Gate {
    /// Takes the place of a device.
    pub(super) fn enter(&self, peer: SocketAddr) -> Result<(), SubmitError> {
        let mut inside = self.inside();
        if inside.len() >= SLOTS {
            return Err(SubmitError::Full);
        }
        if inside.insert(peer) { Ok(()) } else { Err(SubmitError::Busy) }
    }

    /// Gives the place of a device back.
    pub(super) fn leave(&self, peer: SocketAddr) {
        self.inside().remove(&peer);
    }

    fn inside(&self) -> MutexGuard<'_, HashSet<SocketAddr>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The form of an address in which it can be compared with where datagrams come from.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match SocketAddr::new(address.ip().to_canonical(), address.port()) {
        SocketAddr::V6(mut v6) => {
            if let SocketAddr::V6(given) = address {
                v6.set_scope_id(given.scope_id());
            }
            SocketAddr::V6(v6)
        }
        v4 @ SocketAddr::V4(_) => v4,
    }
}
