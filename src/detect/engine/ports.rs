//! Which ports a machine's contacts fail on: a worm wants one service of everybody, a peer-to-peer program finds dead peers on
//! any port. Twelve ports are held; what is least seen makes room.

use crate::detect::settings::{PortTest, Walk};

/// Failures that a port must have to lead.
const LEADS: u32 = 3;

#[derive(Clone, Copy, Debug, Default)]
struct Port {
    port: u16,
    failed: u8,
    answered: u8,
}

/// The table of one protocol.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ports([Port; 12]);

/// What the failures look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// A worm's: this port leads, with so many failures and answers.
    Worm { port: u16, failed: u32, answered: u32 },
    /// Dead peers on many ports.
    Peers,
    /// Neither.
    Unclear,
}

impl Look {
    /// How far the outcomes on the port that leads go towards the bound of a walk: 1 is there. What succeeds on other ports,
    /// as a person's browsing beside a slow worm, says nothing of this one.
    pub(super) fn distance(&self, walk: &Walk) -> f32 {
        match *self {
            Self::Worm { failed, answered, .. } => {
                (failed as f32 * walk.failure().ln() + answered as f32 * walk.success().ln()) / walk.bound.ln()
            }
            Self::Peers | Self::Unclear => 0.0,
        }
    }
}

impl Ports {
    /// One more outcome.
    pub(super) fn note(&mut self, port: u16, answered: bool) {
        let known = self.0.iter().position(|entry| entry.port == port && entry.failed | entry.answered != 0);
        let weakest = || self.0.iter().enumerate().min_by_key(|(_, entry)| u32::from(entry.failed) * 4 + u32::from(entry.answered));
        let Some(at) = known.or_else(|| weakest().map(|(at, _)| at)) else { return };
        let Some(entry) = self.0.get_mut(at) else { return };
        if known.is_none() {
            *entry = Port { port, failed: 0, answered: 0 };
        }
        if entry.failed == u8::MAX || entry.answered == u8::MAX {
            (entry.failed, entry.answered) = (entry.failed / 2, entry.answered / 2);
        }
        if answered {
            entry.answered += 1;
        } else {
            entry.failed += 1;
        }
    }

    /// Long ago counts half.
    pub(super) fn age(&mut self) {
        for entry in &mut self.0 {
            (entry.failed, entry.answered) = (entry.failed / 2, entry.answered / 2);
        }
    }

    /// Judges the failures.
    pub(super) fn look(&self, test: &PortTest) -> Look {
        let failed = |entries: &mut dyn Iterator<Item = &Port>| entries.map(|entry| u32::from(entry.failed)).sum::<u32>();
        let all = failed(&mut self.0.iter());
        let Some(worst) = self.0.iter().filter(|entry| !test.peers.contains(&entry.port)).max_by_key(|entry| entry.failed) else {
            return Look::Unclear;
        };
        let leads = |failed: u32, answered: u32, share: f32| {
            failed >= LEADS && failed as f32 >= test.lead * answered as f32 && failed as f32 >= share * all as f32
        };
        let services = || self.0.iter().filter(|entry| test.services.contains(&entry.port));
        let answered: u32 = services().map(|entry| u32::from(entry.answered)).sum();
        let (one, some) = (u32::from(worst.failed), failed(&mut services()));
        if leads(one, worst.answered.into(), test.share) || leads(some, answered, test.service_share) {
            return Look::Worm { port: worst.port, failed: one, answered: worst.answered.into() };
        }
        let ports = self.0.iter().filter(|entry| entry.failed > 0).count();
        let peers = failed(&mut self.0.iter().filter(|entry| test.peers.contains(&entry.port)));
        if ports >= usize::from(test.peer_ports) || peers * 2 >= all.max(1) { Look::Peers } else { Look::Unclear }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(u16, u8, u8)]) -> Look {
        let mut ports = Ports::default();
        for (port, failed, answered) in entries {
            (0..*failed).for_each(|_| ports.note(*port, false));
            (0..*answered).for_each(|_| ports.note(*port, true));
        }
        ports.look(&PortTest::default())
    }

    #[test]
    fn one_port_that_mostly_fails_is_a_worms() {
        assert_eq!(table(&[(445, 7, 0)]), Look::Worm { port: 445, failed: 7, answered: 0 });
        assert_eq!(table(&[(443, 7, 4)]), Look::Unclear, "a browser whose sites are down");
        assert_eq!(table(&[(443, 8, 4)]), Look::Worm { port: 443, failed: 8, answered: 4 });
    }

    #[test]
    fn seven_failures_of_a_port_reach_the_bound_whatever_succeeds_on_others() {
        let walk = Walk::default();
        assert!(table(&[(445, 7, 0), (443, 3, 90)]).distance(&walk) >= 1.0);
        assert!(table(&[(445, 6, 0), (443, 3, 90)]).distance(&walk) < 1.0);
        assert!(table(&[(445, 9, 4)]).distance(&walk) < 1.0);
        assert!(table(&[(445, 7, 0), (443, 9, 90)]).distance(&walk) < 1.0, "most failures are elsewhere");
    }

    #[test]
    fn several_services_together_are_a_worms() {
        assert!(matches!(table(&[(22, 2, 0), (23, 3, 0), (2323, 2, 0), (445, 2, 0), (40_000, 3, 0)]), Look::Worm { .. }));
    }

    #[test]
    fn dead_peers_on_many_ports_are_not() {
        assert_eq!(table(&[(6881, 9, 1), (40_001, 2, 1), (40_002, 2, 0), (40_003, 2, 0), (51_000, 2, 1)]), Look::Peers);
        assert_eq!(table(&[(40_001, 2, 0), (40_002, 1, 0), (40_003, 1, 0), (40_004, 1, 0), (40_005, 2, 0)]), Look::Peers);
    }

    #[test]
    fn counts_that_are_full_and_old_halve() {
        let mut ports = Ports::default();
        (0..1000).for_each(|_| ports.note(80, true));
        (0..500).for_each(|_| ports.note(80, false));
        assert!(
            matches!(ports.look(&PortTest::default()), Look::Worm { port: 80, .. }),
            "a long past of success does not hide a worm for ever"
        );
        (0..9).for_each(|_| ports.age());
        assert_eq!(ports.look(&PortTest::default()), Look::Unclear);
    }
}
