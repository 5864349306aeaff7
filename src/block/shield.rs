//! The protected: lines of the configuration, and what the network itself says must not be touched. Pure.

use std::net::IpAddr;
use std::sync::Arc;

use super::gate::Rail;
use crate::config::block::{Guarded, ProtectSettings};
use crate::detect::standing::Part;
use crate::detect::{Machine, Site};
use crate::model::{MacAddr, Timestamp};

/// Everything about a machine and its place that a line may name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Suspect {
    /// Its MAC address.
    pub mac: Option<MacAddr>,
    /// All addresses that it is known to have.
    pub ips: Vec<IpAddr>,
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// The switch and the port, when known.
    pub port: Option<(Arc<str>, Arc<str>)>,
    /// ifAlias of the port.
    pub alias: String,
    /// The polled device whose own address it is.
    pub own: Option<Arc<str>>,
    /// The other machines on the port: cutting it cuts them.
    pub beside: Vec<MacAddr>,
}

/// The lines and the facts.
#[derive(Clone, Debug)]
pub struct Shield<'a> {
    /// The lines of the configuration.
    pub lines: &'a [ProtectSettings],
    /// What machines are, by the facts of the site.
    pub site: &'a Site,
    /// Machines that are watched under a name: devices and hosts of the configuration, with that name.
    pub named: &'a [(IpAddr, Arc<str>)],
}

impl Shield<'_> {
    /// Every line and every fact that protects it; empty for one that may be touched.
    pub fn explain(&self, suspect: &Suspect, now: Timestamp) -> Vec<Rail> {
        let mut rails: Vec<Rail> = self
            .lines
            .iter()
            .filter(|line| line.until.is_none_or(|until| now < until) && covers(&line.guarded, suspect))
            .map(|line| protected(&line.place, &line.reason, &line.owner))
            .collect();
        rails.extend(self.by_facts(suspect));
        rails
    }

    fn by_facts(&self, suspect: &Suspect) -> Vec<Rail> {
        let mut rails = Vec::new();
        let machines = suspect.ips.iter().map(|ip| Some(*ip)).chain([None]);
        let machines = machines.map(|ip| Machine { ip, mac: suspect.mac, vlan: suspect.vlan });
        let beside = suspect.beside.iter().map(|mac| Machine { mac: Some(*mac), ..Machine::default() });
        for machine in machines.chain(beside) {
            for part in Part::of(self.site, &machine) {
                let name = machine.ip.map(|ip| ip.to_string()).or(machine.mac.map(|mac| mac.to_string())).unwrap_or_default();
                rails.push(protected("the facts of the site", &format!("{name} is {}", part.word()), "netroom"));
            }
        }
        for (ip, name) in self.named.iter().filter(|(ip, _)| suspect.ips.contains(ip)) {
            rails.push(protected("the configuration", &format!("{ip} is watched as {name}"), "netroom"));
        }
        if let Some(device) = &suspect.own {
            rails.push(protected("the configuration", &format!("it is {device}, which is polled"), "netroom"));
        }
        rails.dedup();
        rails
    }
}

fn protected(line: &str, reason: &str, owner: &str) -> Rail {
    Rail::Protected { line: line.into(), reason: reason.into(), owner: owner.into() }
}

fn covers(guarded: &Guarded, suspect: &Suspect) -> bool {
    match guarded {
        Guarded::Who(whom) => whom.is(&suspect.ips, suspect.mac) || suspect.beside.iter().any(|mac| whom.is(&[], Some(*mac))),
        Guarded::Device(glob) => suspect.port.as_ref().is_some_and(|(device, _)| glob.is_match(device)),
        Guarded::Port(glob) => suspect.port.as_ref().is_some_and(|(device, port)| glob.is_match(&format!("{device}/{port}"))),
        Guarded::Vlan(vlan) => suspect.vlan == Some(*vlan),
        Guarded::Alias(glob) => !suspect.alias.is_empty() && glob.is_match(&suspect.alias),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_363_200);

    fn line(guarded: Guarded) -> ProtectSettings {
        ProtectSettings { place: "netroom.toml:7".into(), guarded, owner: "li".into(), reason: "printer".into(), until: None }
    }

    fn suspect() -> Suspect {
        Suspect {
            mac: Some(MacAddr([0, 0x25, 0x90, 0, 0, 9])),
            ips: vec!["10.1.0.9".parse().unwrap(), "2001:db8::9".parse().unwrap()],
            vlan: Some(20),
            port: Some(("sw-a3".into(), "Gi0/17".into())),
            alias: "A301 Wang".into(),
            own: None,
            beside: vec![MacAddr([2, 0, 0, 0, 0, 7])],
        }
    }

    fn explain(lines: &[ProtectSettings], site: &Site) -> Vec<Rail> {
        Shield { lines, site, named: &[] }.explain(&suspect(), NOW)
    }

    #[test]
    fn every_kind_of_line_protects_and_is_named() {
        let who = |text: &str| Guarded::Who(text.parse().unwrap());
        let glob = |text: &str| text.parse().unwrap();
        for guarded in [
            who("10.1.0.9"),
            who("10.1.0.0/24"),
            who("10.1.0.1-10.1.0.10"),
            who("2001:db8::/32"),
            who("00:25:90:00:00:09"),
            who("00:25:90"),
            who("02:00:00:00:00:07"),
            Guarded::Device(glob("sw-*")),
            Guarded::Port(glob("sw-a3/Gi0/1?")),
            Guarded::Vlan(20),
            Guarded::Alias(glob("A301*")),
            Guarded::Alias(glob("*Wang")),
        ] {
            let lines = [line(guarded.clone())];
            let rails = explain(&lines, &Site::default());
            assert!(matches!(&*rails, [Rail::Protected { line, .. }] if line == "netroom.toml:7"), "{guarded:?}: {rails:?}");
            let over = [ProtectSettings { until: Some(NOW), ..line(guarded) }];
            assert!(explain(&over, &Site::default()).is_empty());
        }
        for guarded in [who("10.1.1.0/24"), Guarded::Device(glob("core")), Guarded::Vlan(21), Guarded::Alias(glob("B*"))] {
            assert!(explain(&[line(guarded)], &Site::default()).is_empty());
        }
    }

    #[test]
    fn what_the_network_says_protects_too() {
        let ip: IpAddr = "10.1.0.9".parse().unwrap();
        let gateway = Site { gateways: vec![(ip, None)], ..Site::default() };
        assert_eq!(explain(&[], &gateway).len(), 1);
        let server = Site { servers: [ip].into(), ..Site::default() };
        assert!(explain(&[], &server).iter().any(|rail| rail.to_string().contains("10.1.0.9 is server")));
        let beside = Site { routers: [MacAddr([2, 0, 0, 0, 0, 7])].into(), ..Site::default() };
        assert!(explain(&[], &beside).iter().any(|rail| rail.to_string().contains("02:00:00:00:00:07 is router")));
        let named = [(ip, Arc::from("www"))];
        let shield = Shield { lines: &[], site: &Site::default(), named: &named };
        assert!(shield.explain(&suspect(), NOW)[0].to_string().contains("watched as www"));
    }

    proptest! {
        /// However many lines there are: as long as one names the machine, it is protected.
        #[test]
        fn one_line_is_enough(others in prop::collection::vec(any::<[u8; 4]>(), 0..20), at in any::<prop::sample::Index>()) {
            let mut lines: Vec<_> =
                others.iter().map(|octets| line(Guarded::Who(IpAddr::from(*octets).to_string().parse().unwrap()))).collect();
            lines.insert(at.index(lines.len() + 1), line(Guarded::Who("10.1.0.9".parse().unwrap())));
            prop_assert!(!explain(&lines, &Site::default()).is_empty());
        }
    }
}
