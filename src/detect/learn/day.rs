//! One day of one machine: whom it served, whom it watched, whose packets it passed on.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::net::IpAddr;

use super::{Role, SERVICES};
use crate::detect::portrait::{Service, Way};
use crate::model::{Evidence, Fact};

/// So many clients in a day make a server.
const CLIENTS: u32 = 8;
/// So many a resolver.
const ASKERS: u32 = 5;
/// So many a printer.
const PRINTING: u32 = 2;
/// So many that are watched make a monitor, when four of five answer.
const WATCHED: u32 = 16;
/// So many connections of each kind make a gateway that translates addresses.
const PASSED_ON: u32 = 5;
/// Ports where printers take jobs: raw, LPD (RFC 1179), IPP (RFC 8011).
const PRINTER_PORTS: [u16; 3] = [9100, 515, 631];
const NAMES: u16 = 53;
const SNMP: u16 = 161;

/// Different machines, estimated by linear counting in 256 bits: within 10 % up to some 300.
#[derive(Clone, Copy, Debug, Default)]
struct Machines([u64; 4]);

impl Machines {
    fn note(&mut self, ip: IpAddr) {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(ip) as usize % 256;
        if let Some(word) = self.0.get_mut(hash / 64) {
            *word |= 1 << (hash % 64);
        }
    }

    fn count(&self) -> u32 {
        let empty = 256 - self.0.iter().map(|word| word.count_ones()).sum::<u32>();
        (-256.0 * (f64::from(empty.max(1)) / 256.0).ln()).round() as u32
    }
}

/// The day.
#[derive(Debug, Default)]
pub(super) struct Day {
    served: Vec<(Service, Machines)>,
    answering: Machines,
    silent: Machines,
    /// Connections with 63 and with 127 hops left.
    passed_on: [u32; 2],
}

impl Day {
    /// Whether taking it makes somebody a server.
    pub(super) const fn is_serving(service: Service) -> bool {
        matches!(service.way, Way::Tcp) || matches!((service.way, service.port), (Way::Udp, NAMES))
    }

    /// Whether a service is one by which machines are watched.
    pub(super) const fn is_watching(service: Service) -> bool {
        matches!((service.way, service.port), (Way::Icmp, _) | (Way::Udp, SNMP))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.served.is_empty() && self.answering.count() + self.silent.count() + self.passed_on.iter().sum::<u32>() == 0
    }

    pub(super) fn serve(&mut self, service: Service, client: IpAddr) {
        match self.served.iter_mut().find(|(own, _)| *own == service) {
            Some((_, clients)) => clients.note(client),
            None => {
                if self.served.len() >= SERVICES
                    && let Some(least) = self.served.iter().enumerate().min_by_key(|(_, (_, clients))| clients.count())
                {
                    let place = least.0;
                    self.served.swap_remove(place);
                }
                let mut clients = Machines::default();
                clients.note(client);
                self.served.push((service, clients));
            }
        }
    }

    pub(super) fn watch(&mut self, target: IpAddr, is_answered: bool) {
        if is_answered {
            self.answering.note(target);
        } else {
            self.silent.note(target);
        }
    }

    pub(super) fn pass_on(&mut self, hops: u8) {
        if let Some(count) = self.passed_on.get_mut(usize::from(hops == 127)) {
            *count = count.saturating_add(1);
        }
    }

    /// What the day shows the machine to be, with the facts.
    pub(super) fn shows(&self) -> Vec<(Role, Evidence)> {
        let mut roles = Vec::new();
        let most = |is_it: &dyn Fn(Service) -> bool, least: u32| {
            let of = self.served.iter().filter(|(service, _)| is_it(*service)).map(|(service, clients)| (clients.count(), *service));
            of.max().filter(|(count, _)| *count >= least)
        };
        let is_printer = |service: Service| service.way == Way::Tcp && PRINTER_PORTS.contains(&service.port);
        let is_resolver = |service: Service| service.port == NAMES;
        for (role, found) in [
            (Role::Server, most(&|service| !is_printer(service) && !is_resolver(service), CLIENTS)),
            (Role::Printer, most(&is_printer, PRINTING)),
            (Role::Resolver, most(&is_resolver, ASKERS)),
        ] {
            if let Some((count, service)) = found {
                let port = Fact::Text(format!("{}/{}", service.way.word(), service.port));
                roles.push((role, facts([("count", Fact::Count(count.into())), ("port", port)])));
            }
        }
        let (answering, silent) = (self.answering.count(), self.silent.count());
        if answering >= WATCHED && answering >= silent.saturating_mul(4) {
            roles.push((Role::Monitor, facts([("count", Fact::Count(answering.into()))])));
        }
        let [near, far] = self.passed_on;
        if near >= PASSED_ON && far >= PASSED_ON {
            roles.push((Role::Nat, facts([("near", Fact::Count(near.into())), ("far", Fact::Count(far.into()))])));
        }
        roles
    }
}

fn facts<const N: usize>(facts: [(&str, Fact); N]) -> Evidence {
    facts.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect()
}
