//! Who did what: kept while the frames are made, written beside them.

use std::collections::HashSet;
use std::net::IpAddr;

use super::town::Town;

/// How many first contacts are kept of one offender.
const KEPT: usize = 3_000;

/// A machine that does wrong.
#[derive(Clone, Debug)]
pub(crate) struct Offender {
    pub(crate) host: usize,
    pub(crate) ip: IpAddr,
    pub(crate) mac: [u8; 6],
    /// What it is, for people: `local 20/s port 445`.
    pub(crate) shape: String,
    /// Kinds that name it rightly.
    pub(crate) kinds: &'static [&'static str],
    /// Whether it spreads over TCP, so that contacts count, and how many it makes a second.
    pub(crate) tcp: Option<f64>,
    pub(crate) scanner: bool,
    /// Another machine that may be named in its place: of two with one address nobody can say whose it is.
    pub(crate) double: Option<usize>,
    /// Times of its first contacts in seconds; of other kinds of its acts.
    pub(crate) contacts: Vec<f64>,
    seen: HashSet<(IpAddr, u16)>,
}

/// All that is true.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    pub(crate) offenders: Vec<Offender>,
    /// Machines with peer-to-peer programs: a label, not a fault.
    pub(crate) p2p: Vec<usize>,
}

impl Truth {
    /// Begins an offender; its number is for [`Self::contact`].
    pub(crate) fn begin(&mut self, town: &Town, host: usize, shape: String, kinds: &'static [&'static str]) -> usize {
        let machine = &town.hosts[host];
        self.offenders.push(Offender {
            host,
            ip: IpAddr::V4(machine.ip),
            mac: machine.mac,
            shape,
            kinds,
            tcp: None,
            scanner: false,
            double: None,
            contacts: Vec::new(),
            seen: HashSet::new(),
        });
        self.offenders.len() - 1
    }

    /// An offender contacts somebody at `t`: counted once for each.
    pub(crate) fn contact(&mut self, offender: usize, t: f64, dst: IpAddr, port: u16) {
        let offender = &mut self.offenders[offender];
        if offender.contacts.len() < KEPT && offender.seen.insert((dst, port)) {
            offender.contacts.push(t);
        }
    }

    /// An offender acts at `t` in a way that has no targets to count.
    pub(crate) fn act(&mut self, offender: usize, t: f64) {
        let offender = &mut self.offenders[offender];
        if offender.contacts.len() < KEPT {
            offender.contacts.push(t);
        }
    }

    /// For the file beside a capture.
    pub(crate) fn json(&self, town: &Town) -> serde_json::Value {
        let mac = |mac: [u8; 6]| netroom::model::MacAddr(mac).to_string();
        let offenders: Vec<_> = self
            .offenders
            .iter()
            .map(|offender| {
                serde_json::json!({
                    "ip": offender.ip.to_string(),
                    "mac": mac(offender.mac),
                    "shape": offender.shape,
                    "kinds": offender.kinds,
                    "contacts": offender.contacts,
                })
            })
            .collect();
        let p2p: Vec<_> = self.p2p.iter().map(|host| town.hosts[*host].ip.to_string()).collect();
        serde_json::json!({ "offenders": offenders, "p2p": p2p })
    }
}
