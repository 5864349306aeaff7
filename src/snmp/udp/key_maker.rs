//! A thread of its own for SNMPv3 keys: a millisecond and more for each device, which must not hold up the others.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

use super::core::Core;
use crate::snmp::v3::keys::{Keys, Recipe};

/// So many recipes wait in the thread's queue; more wait in the core.
const QUEUE: usize = 64;

type Order = (u16, u16, Recipe);
type Made = (u16, u16, Result<Keys, String>);

/// The thread's two ends.
pub(super) struct KeyMaker {
    orders: SyncSender<Order>,
    made: Receiver<Made>,
}

impl KeyMaker {
    /// Starts the thread. It ends when this is dropped.
    pub(super) fn start() -> io::Result<Self> {
        let (orders, incoming) = sync_channel::<Order>(QUEUE);
        let (outgoing, made) = sync_channel::<Made>(QUEUE);
        std::thread::Builder::new().name("snmp-keys".to_owned()).spawn(move || {
            for (slot, generation, recipe) in incoming {
                if outgoing.send((slot, generation, recipe.make())).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { orders, made })
    }

    /// Takes keys that are made, and hands over recipes as far as there is room.
    pub(super) fn exchange(&self, core: &mut Core, now: Instant) {
        for (slot, generation, keys) in self.made.try_iter() {
            core.keyed(slot, generation, keys, now);
        }
        while let Some(order) = core.recipes.pop_front() {
            match self.orders.try_send(order) {
                Ok(()) => {}
                Err(TrySendError::Full(order)) => {
                    core.recipes.push_front(order);
                    return;
                }
                Err(TrySendError::Disconnected((slot, generation, _))) => {
                    core.keyed(slot, generation, Err("the thread that makes keys has ended".to_owned()), now);
                }
            }
        }
    }
}
