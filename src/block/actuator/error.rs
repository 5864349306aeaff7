//! Why an order was not carried out, or a place not read: what, where, and what to do about it.

use std::sync::Arc;

use thiserror::Error;

use crate::block::Spot;
use crate::snmp::ask::QuestionError;
use crate::snmp::poll::walk::Cut;
use crate::snmp::set::SetError;

/// Why it is not done, or not known.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ActError {
    /// The permit's time is over.
    #[error("the permission for \"{order}\" has run out before it could be used; nothing was sent")]
    Expired {
        /// What was permitted.
        order: String,
    },
    /// The configuration does not have it.
    #[error("there is no {kind} \"{name}\" in the configuration any more; nothing was sent")]
    NotConfigured {
        /// `device`, `gateway` ...
        kind: &'static str,
        /// Its name.
        name: Arc<str>,
    },
    /// Nobody has said by which right it may be changed.
    #[error(
        "{device} may only be read: give its [[device]] a line write_user = \"KEY\" (SNMPv3), or write_community_file = \"...\", \
         by which the device lets itself be changed"
    )]
    ReadOnly {
        /// Which.
        device: Arc<str>,
    },
    /// It did not say what is there.
    #[error("{device} did not say what is there ({why}); {}", if *.was_set { "whether it was changed is not known" } else { "nothing was set" })]
    Silent {
        /// Which.
        device: Arc<str>,
        /// Why not.
        why: QuestionError,
        /// Whether a SET was on its way already.
        was_set: bool,
    },
    /// A table came in part.
    #[error("{device} did not give {table} whole ({cut}); nothing was set")]
    Broken {
        /// Which.
        device: Arc<str>,
        /// The table.
        table: &'static str,
        /// Why.
        cut: Cut,
    },
    /// The index stands for another port now.
    #[error("{spot} has another number by now: {told} is what the device calls it; nothing was set, the port must be located again")]
    OtherPort {
        /// Which was meant.
        spot: Spot,
        /// What the device says.
        told: String,
    },
    /// The device does not have what is to be set, or does not show it.
    #[error("{spot} has no {object} that could be read, so nothing was set: take another way of blocking there")]
    Absent {
        /// Which port.
        spot: Spot,
        /// The object.
        object: &'static str,
    },
    /// The device said no, or it is not known what it did.
    #[error(transparent)]
    Set(#[from] SetError),
}
