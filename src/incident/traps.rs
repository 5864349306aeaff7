//! What a notification means for the incidents: pure, over the live table's snapshot of the device that sent it.
//!
//! A trap says that something happened, not that it still is so: its rules are hearsay (`family`), and the poll that comes
//! after it has the last word.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Evidence, Fact, Finding, Severity, Subject, Timestamp, Verdict};
use crate::ports::live::{DeviceLive, Live, PortLive};
use crate::snmp::trap::{Standard, Trap};

/// A port is down, says its device: linkDown.
pub const LINK_DOWN: &str = "trap-link-down";
/// A device has started anew: coldStart, warmStart.
pub const COLD_START: &str = "trap-cold-start";
/// Somebody asks a device with wrong credentials: authenticationFailure.
pub const AUTHENTICATION: &str = "trap-authentication-failure";
/// A device has shut a port by itself.
pub const ERR_DISABLED: &str = "trap-err-disabled";

/// ifAdminStatus down(2): an administrator has shut the port, which is no fault.
const SHUT: u8 = 2;

/// How long after the last one of a kind that nobody takes back (authenticationFailure) it counts as over.
pub const QUIET: Duration = Duration::from_secs(15 * 60);

/// Devices that were asked with wrong credentials, until nobody has done so for [`QUIET`].
#[derive(Debug, Default)]
pub struct Guesses(HashMap<Subject, Timestamp>);

impl Guesses {
    /// Notes a finding, if it is of that kind.
    pub fn note(&mut self, finding: &Finding) {
        if *finding.rule == *AUTHENTICATION {
            self.0.insert(finding.subject.clone(), finding.at);
        }
    }

    /// Goes on with those that were raised before a restart.
    pub fn assume(&mut self, rule: &str, subject: Subject, now: Timestamp) {
        if rule == AUTHENTICATION {
            self.0.insert(subject, now);
        }
    }

    /// What is over now.
    pub fn over(&mut self, now: Timestamp) -> Vec<Finding> {
        let over = self.0.extract_if(|_, last| now.since(*last) >= QUIET);
        over.map(|(subject, _)| Finding {
            rule: AUTHENTICATION.into(),
            subject,
            verdict: Verdict::Cleared,
            at: now,
            cause: None,
            evidence: Evidence::new(),
        })
        .collect()
    }
}

/// The device that a notification came from: by the address that it is polled at.
pub fn sender(live: &Live, source: IpAddr) -> Option<Arc<DeviceLive>> {
    let cells = live.devices();
    cells.iter().find(|cell| cell.load().label.address.ip().to_canonical() == source).map(|cell| cell.load())
}

/// What to tell the engine; nothing for what has no meaning here, or for a port that nobody wants to hear of.
pub fn finding(trap: &Trap, device: &DeviceLive, severity_of: impl Fn(&DeviceLive, &PortLive) -> Option<Severity>) -> Option<Finding> {
    let name = &device.label.name;
    let on_device = |rule: &str, verdict| Some(told(rule, Subject::Device(Arc::clone(name)), verdict, trap));
    match trap.standard? {
        Standard::ColdStart | Standard::WarmStart => on_device(COLD_START, Verdict::Raised(Severity::Minor)),
        Standard::AuthenticationFailure => on_device(AUTHENTICATION, Verdict::Raised(Severity::Info)),
        what @ (Standard::LinkDown | Standard::LinkUp | Standard::ErrDisabled) => {
            let port = port(trap, device)?;
            let severity = severity_of(device, port)?;
            let (rule, verdict) = match what {
                Standard::LinkUp => (LINK_DOWN, Verdict::Cleared),
                Standard::LinkDown if trap.admin == Some(SHUT) => (LINK_DOWN, Verdict::Cleared),
                Standard::LinkDown => (LINK_DOWN, Verdict::Raised(severity)),
                _ => (ERR_DISABLED, Verdict::Raised(severity)),
            };
            Some(told(rule, Subject::Port(Arc::clone(name), Arc::clone(&port.identity.name)), verdict, trap))
        }
    }
}

/// The port that it is about: by ifIndex, and where the device gives a name that fits no port there, by the name.
fn port<'a>(trap: &Trap, device: &'a DeviceLive) -> Option<&'a PortLive> {
    let named = |port: &&PortLive| {
        trap.if_name.as_ref().is_none_or(|name| *name.as_str() == *port.identity.name || name.as_str() == port.identity.descr.as_str())
    };
    let by_index = device.ports.iter().find(|port| Some(port.identity.if_index.0) == trap.if_index);
    by_index.filter(named).or_else(|| device.ports.iter().find(|port| trap.if_name.is_some() && named(port))).or(by_index)
}

fn told(rule: &str, subject: Subject, verdict: Verdict, trap: &Trap) -> Finding {
    let evidence = Evidence::from([
        ("trap".to_owned(), Fact::Text(trap.name.clone())),
        ("source".to_owned(), Fact::Text(trap.source.to_string())),
        ("version".to_owned(), Fact::Count(u64::from(trap.version))),
    ]);
    Finding { rule: rule.into(), subject, verdict, at: trap.received, cause: None, evidence }
}

#[cfg(test)]
#[path = "traps_tests.rs"]
mod tests;
