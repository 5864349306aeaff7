//! Questions to the live table: which ports, in which order, which page of them. Pages, API, CSV and search all ask here.
//! Nothing is copied but references; 10,000 ports are gone through in about a millisecond. Pure.

use std::cmp::Ordering;
use std::sync::Arc;

use super::live::{DeviceLive, PortLive, PortState};

/// By what a list of ports is sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PortSort {
    /// The device's name, then the port's, `Gi0/2` before `Gi0/10`.
    #[default]
    Device,
    /// The port's name.
    Name,
    /// ifAlias; ports without one last in both directions.
    Alias,
    /// Up, down, shut, unknown.
    State,
    /// Bits per second; unknown numbers stand last in both directions, here and below.
    Speed,
    /// Inbound bits per second.
    In,
    /// Outbound bits per second.
    Out,
    /// The larger of both as a share of the speed.
    Utilisation,
    /// Packets with errors and discarded packets per second, both ways.
    Errors,
}

/// Which ports, in which order, and which page of them.
#[derive(Clone, PartialEq, Debug)]
pub struct PortQuery {
    /// Words that must all stand in the name, ifAlias or ifDescr of the port, or in the name or site of its device.
    pub words: Vec<String>,
    /// Or these hexadecimal digits in its MAC address.
    pub mac: Option<String>,
    /// Only this device.
    pub device: Option<String>,
    /// Only in this state.
    pub state: Option<PortState>,
    /// Only ports at least so busy, in percent.
    pub min_utilisation: Option<f64>,
    /// Only ports that count errors or discards now.
    pub with_errors: bool,
    /// The order.
    pub sort: PortSort,
    /// The largest first.
    pub descending: bool,
    /// The page, from 1; beyond the end it is the last one.
    pub page: usize,
    /// How many ports a page, at least 1.
    pub per_page: usize,
}

impl Default for PortQuery {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            mac: None,
            device: None,
            state: None,
            min_utilisation: None,
            with_errors: false,
            sort: PortSort::Device,
            descending: false,
            page: 1,
            per_page: 50,
        }
    }
}

/// A port with its device.
pub type Found<'a> = (&'a Arc<DeviceLive>, &'a PortLive);

/// One page of a list of ports.
#[derive(Clone, Debug)]
pub struct PortPage<'a> {
    /// The ports of this page.
    pub rows: Vec<Found<'a>>,
    /// How many ports the query fits in all.
    pub found: usize,
    /// Which page this is, from 1.
    pub page: usize,
    /// How many pages there are, at least 1.
    pub pages: usize,
}

impl PortQuery {
    /// The same question with the words and MAC digits of a text that a person typed.
    pub fn text(mut self, text: &str) -> Self {
        self.words = text.split_whitespace().map(str::to_lowercase).collect();
        self.mac = mac_digits(text);
        self
    }

    /// All ports that answer the question, in its order.
    pub fn all<'a>(&self, fleet: &'a [Arc<DeviceLive>]) -> Vec<Found<'a>> {
        let mut found = self.matching(fleet);
        found.sort_unstable_by(|one, other| self.order(*one, *other));
        found
    }

    /// The page asked for.
    pub fn page<'a>(&self, fleet: &'a [Arc<DeviceLive>]) -> PortPage<'a> {
        let mut rows = self.matching(fleet);
        let (found, per_page) = (rows.len(), self.per_page.max(1));
        let pages = found.div_ceil(per_page).max(1);
        let page = self.page.clamp(1, pages);
        // Only what stands on this page and before it is sorted.
        let (first, end) = ((page - 1) * per_page, page * per_page);
        if end < found {
            rows.select_nth_unstable_by(end - 1, |one, other| self.order(*one, *other));
            rows.truncate(end);
        }
        rows.sort_unstable_by(|one, other| self.order(*one, *other));
        rows.drain(..first.min(rows.len()));
        PortPage { rows, found, page, pages }
    }

    fn matching<'a>(&self, fleet: &'a [Arc<DeviceLive>]) -> Vec<Found<'a>> {
        fleet
            .iter()
            .filter(|device| self.device.as_deref().is_none_or(|name| name == &*device.label.name))
            .flat_map(|device| device.ports.iter().map(move |port| (device, port)))
            .filter(|found| self.matches(*found))
            .collect()
    }

    fn matches(&self, (device, port): Found<'_>) -> bool {
        self.state.is_none_or(|state| port.state == state)
            && self.min_utilisation.is_none_or(|min| port.utilisation_percent().is_some_and(|used| used >= min))
            && (!self.with_errors || bad(port).is_some_and(|rate| rate > 0.0))
            && (self.words.is_empty() || self.says(device, port))
    }

    fn says(&self, device: &DeviceLive, port: &PortLive) -> bool {
        let identity = &port.identity;
        let has = |word: &String| {
            contains(&identity.name, word)
                || contains(identity.alias.as_str(), word)
                || contains(identity.descr.as_str(), word)
                || contains(&device.label.name, word)
                || contains(&device.label.site, word)
        };
        self.words.iter().all(has)
            || self.mac.as_ref().is_some_and(|digits| {
                identity.mac.is_some_and(|mac| mac.0.iter().map(|octet| format!("{octet:02x}")).collect::<String>().contains(digits))
            })
    }

    /// A total order: names of devices, and of ports within one, are different.
    fn order(&self, one: Found<'_>, other: Found<'_>) -> Ordering {
        let names = || natural(&one.0.label.name, &other.0.label.name).then_with(|| natural(&one.1.identity.name, &other.1.identity.name));
        let (a, b) = (one.1, other.1);
        let turn = |order: Ordering| if self.descending { order.reverse() } else { order };
        let number = |figure: fn(&PortLive) -> Option<f64>| self.number(figure(a), figure(b));
        let order = match self.sort {
            PortSort::Device => return turn(names()),
            PortSort::Name => turn(natural(&a.identity.name, &b.identity.name)),
            PortSort::Alias => {
                let (left, right) = (a.identity.alias.as_str(), b.identity.alias.as_str());
                left.is_empty().cmp(&right.is_empty()).then_with(|| turn(natural(left, right)))
            }
            PortSort::State => turn(a.state.cmp(&b.state)),
            PortSort::Speed => number(|port| port.identity.speed_bps.map(|speed| speed as f64)),
            PortSort::In => number(PortLive::in_bps),
            PortSort::Out => number(PortLive::out_bps),
            PortSort::Utilisation => number(PortLive::utilisation_percent),
            PortSort::Errors => number(bad),
        };
        order.then_with(names)
    }

    /// Unknown numbers stand last either way.
    fn number(&self, one: Option<f64>, other: Option<f64>) -> Ordering {
        match (one, other) {
            (Some(one), Some(other)) if self.descending => other.total_cmp(&one),
            (Some(one), Some(other)) => one.total_cmp(&other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        }
    }
}

/// Errors and discards per second; `None` when no error counter is known.
fn bad(port: &PortLive) -> Option<f64> {
    port.error_rate().map(|errors| errors + port.discard_rate().unwrap_or(0.0)).or_else(|| port.discard_rate())
}

/// Whether `text` contains `word` (lower case) in any case.
fn contains(text: &str, word: &str) -> bool {
    if word.is_ascii() {
        let (text, word) = (text.as_bytes(), word.as_bytes());
        return text.len() >= word.len() && text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    }
    text.to_lowercase().contains(word)
}

/// The hexadecimal digits of a MAC address in any notation (`00-1B-..`, `001b.2233.4455`, `0:1b:..`), when the text can
/// be one or the larger part of one.
pub fn mac_digits(text: &str) -> Option<String> {
    let text = text.trim();
    let is_mark = |c: char| matches!(c, ':' | '-' | '.');
    if !text.chars().all(|c| c.is_ascii_hexdigit() || is_mark(c)) {
        return None;
    }
    let groups: Vec<&str> = text.split(is_mark).filter(|group| !group.is_empty()).collect();
    let pairs = groups.len() > 1 && groups.iter().all(|group| group.len() <= 2);
    let digits: String = if pairs { groups.iter().map(|group| format!("{group:0>2}")).collect() } else { groups.concat() };
    ((6..=12).contains(&digits.len())).then(|| digits.to_ascii_lowercase())
}

/// Compares texts so that `Gi1/0/2` stands before `Gi1/0/10`.
pub fn natural(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one.as_bytes(), other.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return one.cmp(other),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (left, rest_a) = number(a);
                let (right, rest_b) = number(b);
                match left.len().cmp(&right.len()).then_with(|| left.cmp(right)) {
                    Ordering::Equal => (a, b) = (rest_a, rest_b),
                    order => return order,
                }
            }
            (Some(x), Some(y)) => match x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase()) {
                Ordering::Equal => (a, b) = (a.get(1..).unwrap_or_default(), b.get(1..).unwrap_or_default()),
                order => return order,
            },
        }
    }
}

/// The digits at the front without leading zeros, and what follows.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|c| **c == b'0').count();
    (digits.get(zeros..).unwrap_or_default(), rest)
}

#[cfg(test)]
mod tests;
