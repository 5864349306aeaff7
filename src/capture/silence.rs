//! Mirror ports that show nothing: down, gone, refused, or silent although the link is up, as when somebody took the mirror
//! out of the switch. Pure. What is watched without seeing anything finds nothing, and nobody would notice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::live::{InterfaceNow, State};
use crate::model::Timestamp;

/// How long an interface may be down or away before it is told: one that is set up anew takes some seconds.
const SETTLE: Duration = Duration::from_secs(15);

/// What is wrong with a mirror port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trouble {
    /// Its link is up, and nothing comes.
    Silent,
    /// Its link is down.
    Down,
    /// There is no such interface.
    Missing,
    /// The system does not let us listen.
    Refused,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Self; 4] = [Self::Silent, Self::Down, Self::Missing, Self::Refused];

    /// The rule that tells of it.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Silent => "mirror-silent",
            Self::Down => "mirror-down",
            Self::Missing => "mirror-missing",
            Self::Refused => "mirror-refused",
        }
    }
}

/// What has changed about an interface: what was wrong and what is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Which one.
    pub interface: Arc<str>,
    /// What is no longer so.
    pub over: Vec<Trouble>,
    /// What is so from now on.
    pub trouble: Option<Trouble>,
    /// Since when, or when the last frame came.
    pub since: Timestamp,
    /// The system's reason, where it refuses; else empty.
    pub why: Arc<str>,
}

/// One interface as it was.
#[derive(Clone, Debug)]
struct Seen {
    frames: u64,
    /// When a frame came last, or the link came up.
    moved: (Instant, Timestamp),
    state: State,
    /// Since when it has been in that state.
    entered: Instant,
    /// What was told; `None` inside when nothing is wrong, outside when nothing was told yet.
    told: Option<Option<Trouble>>,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Mirrors {
    silent: Duration,
    seen: BTreeMap<Arc<str>, Seen>,
}

impl Mirrors {
    /// Silent is what shows nothing for so long.
    pub const fn new(silent: Duration) -> Self {
        Self { silent, seen: BTreeMap::new() }
    }

    /// Silent is what shows nothing for so long, from now on.
    pub const fn set_silent(&mut self, silent: Duration) {
        self.silent = silent;
    }

    /// Looks at every interface. One from which a frame comes for the first time is told to be well, in case it was not
    /// before a restart of ours.
    pub fn look(&mut self, interfaces: &[InterfaceNow], (now, wall): (Instant, Timestamp)) -> Vec<Change> {
        interfaces.iter().filter_map(|interface| self.one(interface, now, wall)).collect()
    }

    fn one(&mut self, interface: &InterfaceNow, now: Instant, wall: Timestamp) -> Option<Change> {
        let frames = interface.received + interface.dropped;
        let seen = self.seen.entry(Arc::clone(&interface.name)).or_insert_with(|| Seen {
            frames,
            moved: (now, wall),
            state: interface.state.clone(),
            entered: now,
            told: None,
        });
        if seen.state != interface.state {
            // A link that has just come up is given its time.
            if interface.state.sees() && !seen.state.sees() {
                seen.moved = (now, wall);
            }
            (seen.state, seen.entered) = (interface.state.clone(), now);
        }
        let has_moved = frames != seen.frames;
        if has_moved {
            (seen.frames, seen.moved) = (frames, (now, wall));
        }
        let lasts = now.saturating_duration_since(seen.entered) >= SETTLE;
        let trouble = match &interface.state {
            State::Starting => return None,
            State::Down => lasts.then_some(Trouble::Down),
            State::Missing => lasts.then_some(Trouble::Missing),
            State::Refused(_) => lasts.then_some(Trouble::Refused),
            State::Watching | State::Renamed(_) => (now.saturating_duration_since(seen.moved.0) >= self.silent).then_some(Trouble::Silent),
        };
        // Between two troubles, and before the first frame, nothing is known to be well.
        let is_well = trouble.is_none() && has_moved && interface.state.sees();
        if (trouble.is_none() && !is_well) || seen.told == Some(trouble) {
            return None;
        }
        let over = match seen.told.replace(trouble) {
            None => Trouble::ALL.into_iter().filter(|other| Some(*other) != trouble).collect(),
            Some(before) => before.into_iter().collect(),
        };
        let since = if trouble == Some(Trouble::Silent) { seen.moved.1 } else { interface.since };
        let why = if let State::Refused(why) = &interface.state { Arc::clone(why) } else { "".into() };
        Some(Change { interface: Arc::clone(&interface.name), over, trouble, since, why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::clock;

    /// One interface and its judge; tells what is raised as `+rule` and what is over as `-rule`.
    struct Port {
        mirrors: Mirrors,
        start: Instant,
        now: InterfaceNow,
    }

    impl Port {
        fn new(state: State) -> Self {
            let since = Timestamp::from_secs(0);
            let now = InterfaceNow { name: "eth1".into(), state, since, received: 0, octets: 0, dropped: 0, full: 0, tagged: 0 };
            Self { mirrors: Mirrors::new(Duration::from_secs(300)), start: clock::monotonic(), now }
        }

        fn at(&mut self, secs: u64) -> Vec<String> {
            let wall = Timestamp::from_secs(secs as i64);
            let changes = self.mirrors.look(std::slice::from_ref(&self.now), (self.start + Duration::from_secs(secs), wall));
            changes
                .iter()
                .flat_map(|change| {
                    let over = change.over.iter().map(|trouble| format!("-{}", trouble.rule()));
                    over.chain(change.trouble.map(|trouble| format!("+{} {}", trouble.rule(), change.since.secs())))
                })
                .collect()
        }

        fn frame(&mut self) {
            self.now.received += 1;
        }
    }

    #[test]
    fn a_port_that_falls_silent_is_told_once_and_its_return_once() {
        let mut port = Port::new(State::Watching);
        assert!(port.at(0).is_empty());
        port.frame();
        assert_eq!(port.at(1), ["-mirror-silent", "-mirror-down", "-mirror-missing", "-mirror-refused"], "well after a restart");
        assert!(port.at(300).is_empty());
        assert_eq!(port.at(301), ["+mirror-silent 1"]);
        assert!(port.at(9000).is_empty());
        port.now.dropped += 1;
        assert_eq!(port.at(9001), ["-mirror-silent"], "what was lost has come too");
        assert!(port.at(9002).is_empty());
    }

    #[test]
    fn one_that_never_showed_anything_is_told_too() {
        let mut port = Port::new(State::Watching);
        assert!(port.at(0).is_empty() && port.at(299).is_empty());
        assert_eq!(port.at(300), ["-mirror-down", "-mirror-missing", "-mirror-refused", "+mirror-silent 0"]);
    }

    #[test]
    fn what_is_down_or_gone_is_told_after_a_moment_and_is_well_with_its_first_frame() {
        let mut port = Port::new(State::Watching);
        port.frame();
        port.at(0);
        port.frame();
        port.at(1);
        port.now.state = State::Down;
        assert!(port.at(10).is_empty() && port.at(24).is_empty(), "set up anew");
        assert_eq!(port.at(25), ["+mirror-down 0"]);
        port.now.state = State::Missing;
        assert!(port.at(30).is_empty());
        assert_eq!(port.at(45), ["-mirror-down", "+mirror-missing 0"]);
        port.now.state = State::Watching;
        assert!(port.at(60).is_empty() && port.at(300).is_empty(), "there, but nothing seen yet");
        port.frame();
        assert_eq!(port.at(301), ["-mirror-missing"]);
    }

    #[test]
    fn one_that_comes_back_silent_is_silent_after_its_time() {
        let mut port = Port::new(State::Refused("no".into()));
        assert_eq!((port.at(0), port.at(15).last().cloned()), (vec![], Some("+mirror-refused 0".to_owned())));
        port.now.state = State::Renamed("eth9".into());
        assert!(port.at(20).is_empty() && port.at(319).is_empty());
        assert_eq!(port.at(320), ["-mirror-refused", "+mirror-silent 20"]);
    }
}
