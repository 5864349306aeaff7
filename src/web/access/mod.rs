//! Who asks: from the cookie of a session, a bearer token, or nobody; and whether that may have what it asks for.
//!
//! [`identify`] stands before every handler and makes a [`Caller`]; [`Gate`]s stand before each row of the table of
//! routes. What is in no row is refused.

mod caller;
mod cookie;
mod gate;
mod origin;

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ipnet::IpNet;

use crate::accounts::Accounts;

pub(crate) use caller::Caller;
pub(crate) use cookie::{forget, remember};
pub use gate::protect;
pub(crate) use gate::{Gate, guard, identify};
pub use origin::Peer;

/// What the configuration says about access.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessRules {
    /// Whether somebody who has not logged in may look.
    pub anonymous: bool,
    /// The proxies whose word about the client is taken.
    pub proxies: Vec<IpNet>,
}

/// Accounts and rules.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) accounts: Option<Arc<Accounts>>,
    rules: ArcSwap<AccessRules>,
}

impl Access {
    /// Everybody may look, nobody can log in: for pages without a database.
    pub(crate) fn open() -> Self {
        Self { accounts: None, rules: ArcSwap::from_pointee(AccessRules { anonymous: true, proxies: Vec::new() }) }
    }

    pub(crate) fn new(accounts: Arc<Accounts>, rules: AccessRules) -> Self {
        Self { accounts: Some(accounts), rules: ArcSwap::from_pointee(rules) }
    }

    pub(crate) fn set_rules(&self, rules: AccessRules) {
        self.rules.store(Arc::new(rules));
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.rules.load().proxies.iter().any(|net| net.contains(&address))
    }
}
