//! Where subjects belong: the site, zone and tags of each device and host, from the configuration.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Evidence, Fact, Subject, Zone};

/// Where a device or host belongs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The site, empty when none.
    pub site: Arc<str>,
    /// The zone.
    pub zone: Option<Zone>,
    /// The tags.
    pub tags: Vec<Arc<str>>,
}

/// All that is watched.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    places: HashMap<Arc<str>, Place>,
}

impl Scope {
    /// From the places of devices and hosts by name.
    pub const fn new(places: HashMap<Arc<str>, Place>) -> Self {
        Self { places }
    }

    /// Where a subject belongs.
    pub fn place(&self, subject: &Subject) -> Place {
        match subject {
            Subject::Site(site) => Place { site: Arc::clone(site), ..Place::default() },
            other => other.holder().and_then(|name| self.places.get(name)).cloned().unwrap_or_default(),
        }
    }

    /// The same, and for a machine where its socket belongs, when its evidence names one.
    pub fn place_by(&self, subject: &Subject, evidence: &Evidence) -> Place {
        match (subject, evidence.get("socket")) {
            (Subject::Machine(_), Some(Fact::Subjects(sockets))) => sockets.first().map(|socket| self.place(socket)).unwrap_or_default(),
            _ => self.place(subject),
        }
    }
}
