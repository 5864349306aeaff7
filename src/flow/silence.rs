//! Exporters that no longer send: each is told once, and once again when it is back. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::model::Timestamp;

/// What has changed about an exporter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Who.
    pub exporter: IpAddr,
    /// When it sent last.
    pub last: Timestamp,
    /// Whether it is silent now.
    pub silent: bool,
}

/// Who is silent.
#[derive(Clone, Debug)]
pub struct Silence {
    after: Duration,
    silent: BTreeMap<IpAddr, bool>,
}

impl Silence {
    /// Silent is who has not sent for so long.
    pub const fn new(after: Duration) -> Self {
        Self { after, silent: BTreeMap::new() }
    }

    /// Looks at when each was heard last. One that is heard for the first time is told as not silent, in case it was before a
    /// restart of ours.
    pub fn look(&mut self, heard: impl IntoIterator<Item = (IpAddr, Timestamp)>, now: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        for (exporter, last) in heard {
            let silent = now.since(last) > self.after;
            if self.silent.insert(exporter, silent) != Some(silent) {
                changes.push(Change { exporter, last, silent });
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Silence;
    use crate::model::Timestamp;

    #[test]
    fn silence_is_told_once_and_its_end_once() {
        let mut silence = Silence::new(Duration::from_secs(600));
        let exporter = "10.1.0.2".parse().unwrap();
        let mut look = |last, now| {
            let changes = silence.look([(exporter, Timestamp::from_secs(last))], Timestamp::from_secs(now));
            changes.iter().map(|change| change.silent).collect::<Vec<_>>()
        };
        assert_eq!(look(100, 100), [false]);
        assert!(look(100, 700).is_empty());
        assert_eq!(look(100, 701), [true]);
        assert!(look(100, 9_000).is_empty());
        assert_eq!(look(9_010, 9_020), [false]);
    }
}
