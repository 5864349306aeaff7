//! Writing down what anybody can check: facts by the names that the sentences of the incidents use.

use std::net::{IpAddr, SocketAddr};

use crate::model::{Evidence, Fact};

/// A sample of destinations is never longer.
pub(super) const SAMPLE: usize = 8;

/// Facts on their way into a detection.
#[derive(Default)]
pub(super) struct Facts(Evidence);

impl Facts {
    /// What was counted (`count`), in how many seconds (`window`), and from how many on it is told (`threshold`).
    pub(super) fn counted(count: u64, window_s: u32, threshold: u64) -> Self {
        Self::default().number("count", count).number("threshold", threshold).with("window", Fact::Millis(f64::from(window_s) * 1000.0))
    }

    pub(super) fn number(self, name: &str, value: u64) -> Self {
        self.with(name, Fact::Count(value))
    }

    pub(super) fn text(self, name: &str, value: String) -> Self {
        if value.is_empty() { self } else { self.with(name, Fact::Text(value)) }
    }

    pub(super) fn with(mut self, name: &str, fact: Fact) -> Self {
        self.0.insert(name.to_owned(), fact);
        self
    }

    pub(super) fn done(self) -> Evidence {
        self.0
    }
}

/// Destinations as a person reads them: `10.1.2.3:445, [2001:db8::1]:22, 10.1.2.9`; a port of 0 is none.
pub(super) fn places(places: impl Iterator<Item = (IpAddr, u16)>) -> String {
    let written: Vec<String> =
        places.take(SAMPLE).map(|(ip, port)| if port == 0 { ip.to_string() } else { SocketAddr::new(ip, port).to_string() }).collect();
    written.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_with_their_ports() {
        let list = [("10.1.2.3", 445), ("2001:db8::1", 22), ("10.1.2.9", 0)];
        assert_eq!(places(list.iter().map(|(ip, port)| (ip.parse().unwrap(), *port))), "10.1.2.3:445, [2001:db8::1]:22, 10.1.2.9");
    }
}
