//! The list of ports as an address: everything is in the query string, so a view can be sent on. What it means is
//! [`crate::ports::query`]'s. Pure.

use serde::{Deserialize, Serialize};

use crate::ports::live::PortState;
use crate::ports::query::{PortQuery, PortSort};

/// Rows of a page unless asked otherwise, and at most.
const PER_PAGE: usize = 50;
const PER_PAGE_MOST: usize = 500;

/// What is asked of the list; the query string of `/ports`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// Text in the port's name, alias, description, MAC address, or the device's name or site.
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

/// The columns that the list can be sorted by, in their order, with their words in the address.
pub(crate) const COLUMNS: [(PortSort, &str); 9] = [
    (PortSort::Device, "device"),
    (PortSort::Name, "name"),
    (PortSort::Alias, "alias"),
    (PortSort::State, "state"),
    (PortSort::Speed, "speed"),
    (PortSort::In, "in"),
    (PortSort::Out, "out"),
    (PortSort::Utilisation, "used"),
    (PortSort::Errors, "errors"),
];

/// Whether a first click on the column shows the largest first.
pub(crate) const fn is_number(column: PortSort) -> bool {
    matches!(column, PortSort::Speed | PortSort::In | PortSort::Out | PortSort::Utilisation | PortSort::Errors)
}

impl From<&Asked> for PortQuery {
    fn from(asked: &Asked) -> Self {
        let (descending, word) = asked.sort.strip_prefix('-').map_or((false, asked.sort.as_str()), |word| (true, word));
        Self {
            device: Some(asked.device.trim().to_owned()).filter(|device| !device.is_empty()),
            state: match asked.state.as_str() {
                "up" => Some(PortState::Up),
                "down" => Some(PortState::Down),
                "shut" => Some(PortState::Shut),
                "unknown" => Some(PortState::Unknown),
                _ => None,
            },
            min_utilisation: asked.min.trim().trim_end_matches('%').parse().ok().filter(|min: &f64| *min > 0.0),
            with_errors: asked.errors == "1",
            sort: COLUMNS.into_iter().find(|(_, name)| *name == word).map_or(PortSort::Device, |(column, _)| column),
            descending,
            page: asked.page.parse().unwrap_or(1).max(1),
            per_page: asked.per.parse().unwrap_or(PER_PAGE).clamp(1, PER_PAGE_MOST),
            ..Self::default()
        }
        .text(&asked.q)
    }
}
