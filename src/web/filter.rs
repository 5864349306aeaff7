//! The list of ports: which ones, in which order, which page. Everything is in the address, so a view can be sent on.
//! Pure.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::figure::{discard_rate, error_rate};
use crate::ports::live::{DeviceLive, PortLive, PortState};

/// Rows of a page unless asked otherwise, and at most.
const PER_PAGE: usize = 50;
const PER_PAGE_MOST: usize = 500;

/// What is asked of the list; the query string of `/ports`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// Text in the port's name, alias, description, address, or the device's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) q: String,
    /// Only this device.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) device: String,
    /// Only this state: `up`, `down`, `shut`, `unknown`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) state: String,
    /// Only ports at least this busy, percent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) min: String,
    /// `1`: only ports that count errors or discards now.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) errors: String,
    /// The column to sort by, with `-` in front for the largest first.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) sort: String,
    /// The page, from 1.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) page: String,
    /// Rows a page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) per: String,
}

/// A column that the list can be sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Column {
    /// The device's name, then the port's: the usual order.
    #[default]
    Device,
    Name,
    Alias,
    State,
    Speed,
    In,
    Out,
    Used,
    Errors,
}

impl Column {
    pub(crate) const ALL: [Self; 9] =
        [Self::Device, Self::Name, Self::Alias, Self::State, Self::Speed, Self::In, Self::Out, Self::Used, Self::Errors];

    /// The word of the address.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Name => "name",
            Self::Alias => "alias",
            Self::State => "state",
            Self::Speed => "speed",
            Self::In => "in",
            Self::Out => "out",
            Self::Used => "used",
            Self::Errors => "errors",
        }
    }

    /// Whether a first click shows the largest first.
    pub(crate) const fn is_number(self) -> bool {
        matches!(self, Self::Speed | Self::In | Self::Out | Self::Used | Self::Errors)
    }
}

/// The parsed question.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) text: Vec<String>,
    /// The same text as bare hexadecimal digits, when it may be (part of) a MAC address.
    pub(crate) mac: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) state: Option<PortState>,
    pub(crate) min_percent: Option<f64>,
    pub(crate) with_errors: bool,
    pub(crate) column: Column,
    pub(crate) descending: bool,
    pub(crate) page: usize,
    pub(crate) per: usize,
}

impl From<&Asked> for Filter {
    fn from(asked: &Asked) -> Self {
        let (descending, word) = asked.sort.strip_prefix('-').map_or((false, asked.sort.as_str()), |word| (true, word));
        Self {
            text: asked.q.split_whitespace().map(str::to_lowercase).collect(),
            mac: mac_digits(&asked.q),
            device: Some(asked.device.trim().to_owned()).filter(|device| !device.is_empty()),
            state: match asked.state.as_str() {
                "up" => Some(PortState::Up),
                "down" => Some(PortState::Down),
                "shut" => Some(PortState::Shut),
                "unknown" => Some(PortState::Unknown),
                _ => None,
            },
            min_percent: asked.min.trim().trim_end_matches('%').parse().ok().filter(|min: &f64| *min > 0.0),
            with_errors: asked.errors == "1",
            column: Column::ALL.into_iter().find(|column| column.word() == word).unwrap_or_default(),
            descending,
            page: asked.page.parse().unwrap_or(1).max(1),
            per: asked.per.parse().unwrap_or(PER_PAGE).clamp(1, PER_PAGE_MOST),
        }
    }
}

/// A port with its device.
pub(crate) type Found<'a> = (&'a Arc<DeviceLive>, &'a PortLive);

impl Filter {
    /// All ports that answer the question, in its order.
    pub(crate) fn run<'a>(&self, fleet: &'a [Arc<DeviceLive>]) -> Vec<Found<'a>> {
        let mut found: Vec<Found<'a>> = fleet
            .iter()
            .filter(|device| self.device.as_deref().is_none_or(|name| name == &*device.label.name))
            .flat_map(|device| device.ports.iter().map(move |port| (device, port)))
            .filter(|found| self.matches(*found))
            .collect();
        found.sort_by(|one, other| self.order(*one, *other));
        found
    }

    /// The rows of the page asked for, and its number brought into range.
    pub(crate) fn page<'a, 'b>(&self, found: &'b [Found<'a>]) -> (usize, usize, &'b [Found<'a>]) {
        let pages = found.len().div_ceil(self.per).max(1);
        let page = self.page.min(pages);
        let rows = found.chunks(self.per).nth(page - 1).unwrap_or_default();
        (page, pages, rows)
    }

    fn matches(&self, (device, port): Found<'_>) -> bool {
        self.state.is_none_or(|state| port.state == state)
            && self.min_percent.is_none_or(|min| port.utilisation_percent().is_some_and(|used| used >= min))
            && (!self.with_errors || bad(port) > 0.0)
            && (self.text.is_empty() || self.says(device, port))
    }

    fn says(&self, device: &DeviceLive, port: &PortLive) -> bool {
        let identity = &port.identity;
        let has = |word: &String| {
            contains(&identity.name, word)
                || contains(identity.alias.as_str(), word)
                || contains(identity.descr.as_str(), word)
                || contains(&device.label.name, word)
        };
        self.text.iter().all(has)
            || self.mac.as_ref().is_some_and(|digits| {
                identity.mac.is_some_and(|mac| mac.0.iter().map(|octet| format!("{octet:02x}")).collect::<String>().contains(digits))
            })
    }

    fn order(&self, one: Found<'_>, other: Found<'_>) -> Ordering {
        let names = || natural(&one.0.label.name, &other.0.label.name).then_with(|| natural(&one.1.identity.name, &other.1.identity.name));
        let (a, b) = (one.1, other.1);
        let turn = |order: Ordering| if self.descending { order.reverse() } else { order };
        match self.column {
            Column::Device => turn(names()),
            Column::Name => turn(natural(&a.identity.name, &b.identity.name)).then_with(names),
            // Ports without an alias stand last either way.
            Column::Alias => {
                let (left, right) = (a.identity.alias.as_str(), b.identity.alias.as_str());
                left.is_empty().cmp(&right.is_empty()).then_with(|| turn(natural(left, right))).then_with(names)
            }
            Column::State => turn(a.state.cmp(&b.state)).then_with(names),
            Column::Speed => self.number(a.identity.speed_bps.map(|s| s as f64), b.identity.speed_bps.map(|s| s as f64)).then_with(names),
            Column::In => self.number(a.in_bps(), b.in_bps()).then_with(names),
            Column::Out => self.number(a.out_bps(), b.out_bps()).then_with(names),
            Column::Used => self.number(a.utilisation_percent(), b.utilisation_percent()).then_with(names),
            Column::Errors => self.number(error_rate(a).map(|_| bad(a)), error_rate(b).map(|_| bad(b))).then_with(names),
        }
    }

    /// Unknown numbers stand last either way.
    fn number(&self, one: Option<f64>, other: Option<f64>) -> Ordering {
        match (one, other) {
            (Some(one), Some(other)) if self.descending => other.total_cmp(&one),
            (Some(one), Some(other)) => one.total_cmp(&other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}

/// Errors and discards per second.
fn bad(port: &PortLive) -> f64 {
    error_rate(port).unwrap_or(0.0) + discard_rate(port).unwrap_or(0.0)
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
pub(crate) fn mac_digits(text: &str) -> Option<String> {
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
pub(crate) fn natural(one: &str, other: &str) -> Ordering {
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
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_count() {
        let mut names = ["Gi1/0/10", "Gi1/0/2", "gi1/0/1", "Gi1/0/02", "Te1/1", "Gi1/0"];
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(names, ["Gi1/0", "gi1/0/1", "Gi1/0/02", "Gi1/0/2", "Gi1/0/10", "Te1/1"]);
    }

    #[test]
    fn a_mac_is_known_in_any_notation() {
        for (text, digits) in [
            ("00:1B:2c:00:00:01", Some("001b2c000001")),
            ("0:1b:2c:0:0:1", Some("001b2c000001")),
            ("001b.2c00.0001", Some("001b2c000001")),
            ("00-1B-2C", Some("001b2c")),
            ("001B2C000001", Some("001b2c000001")),
            ("1/0/12", None),
            ("cafe", None),
            ("office", None),
        ] {
            assert_eq!(mac_digits(text).as_deref(), digits, "{text}");
        }
    }
}
