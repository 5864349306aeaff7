//! Notifications that devices send by themselves: traps and informs of v1, v2c and v3.
//!
//! The walk of one: [`receiver`] takes datagrams in batches → `gate` holds floods of one source back → [`decode`] (or
//! [`crate::snmp::v3`] for its own form) reads it → its sender must be allowed ([`Senders`]) → an inform is answered →
//! [`kind`] says what happened → a [`Trap`] goes upwards through a bounded queue. What is not taken is counted by its reason.

pub mod decode;
mod engine;
mod gate;
pub mod kind;
pub mod receiver;
mod stats;

use std::collections::HashMap;
use std::net::IpAddr;

pub use engine::{Engine, EngineError};
pub use gate::Limit;
pub use kind::Standard;
pub use receiver::{Handle, Options, start};
pub use stats::{Refused, Stats};

use super::job::Secret;
use super::message::Version;
use crate::model::{DeviceText, Timestamp};

/// One notification that was taken.
#[derive(Clone, PartialEq, Debug)]
pub struct Trap {
    /// When it arrived (kernel receive stamp).
    pub received: Timestamp,
    /// Whose it is: who sent it, or the agent that a forwarded v1 trap names.
    pub source: IpAddr,
    /// The version: 1, 2 (v2c) or 3.
    pub version: u8,
    /// What it means, when it means something here.
    pub standard: Option<Standard>,
    /// snmpTrapOID in dotted form, or the name of a standard notification.
    pub name: String,
    /// sysUpTime of the sender, hundredths of a second.
    pub uptime_ticks: Option<u32>,
    /// ifIndex of the port it is about.
    pub if_index: Option<u32>,
    /// ifName, or ifDescr, when it carries one.
    pub if_name: Option<DeviceText>,
    /// ifAdminStatus, when it carries one: 2 is shut by an administrator.
    pub admin: Option<u8>,
    /// ifOperStatus, when it carries one.
    pub oper: Option<u8>,
    /// Whether it was an inform, and was answered.
    pub is_inform: bool,
}

/// Who may send by community: configured devices with their own, and anybody with one of a list.
#[derive(Clone, Debug, Default)]
pub struct Senders {
    /// The community of each device, by its address.
    pub devices: HashMap<IpAddr, Secret>,
    /// Communities that are taken from every address.
    pub anywhere: Vec<Secret>,
}

impl Senders {
    fn admit(&self, source: IpAddr, community: &[u8]) -> bool {
        let fits = |secret: &Secret| secret.expose() == community;
        self.devices.get(&source).is_some_and(fits) || self.anywhere.iter().any(fits)
    }
}

const fn number(version: Version) -> u8 {
    match version {
        Version::V1 => 1,
        Version::V2c => 2,
    }
}

#[cfg(test)]
mod tests;
