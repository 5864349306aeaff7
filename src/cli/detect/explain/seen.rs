//! What the daemon sees of a machine, as it keeps it on disk, weighed as the page weighs it.

use fluent_bundle::FluentValue;
use serde::Serialize;
use serde_json::{Value, json};

use super::value;
use crate::detect::kept::Kept;
use crate::detect::standing::{self, Balance, Known, Part, Point};
use crate::detect::{Level, Machine, exempt, learn};
use crate::i18n::{self, Lang};
use crate::model::{Fact, Timestamp};

/// Both sides, with all that they rest on.
#[derive(Default, Serialize)]
pub(super) struct Seen {
    /// When the daemon wrote what is told here; nothing was kept when it is missing.
    pub(super) as_of: Option<Timestamp>,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) names: Vec<String>,
    pub(super) detections: Vec<Value>,
    #[serde(serialize_with = "points")]
    pub(super) against: Vec<Point>,
    #[serde(serialize_with = "points")]
    pub(super) favour: Vec<Point>,
    /// Whether something is held against it now, by the daemon's own word.
    #[serde(skip)]
    pub(super) is_held: bool,
}

fn points<S: serde::Serializer>(points: &[Point], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(points.iter().map(|point| json!({ "point": point.word, "facts": point.facts })))
}

impl Seen {
    /// Of a machine, with what tables and configuration hold it to be.
    pub(super) fn new(kept: Option<&Kept>, machine: &Machine, parts: Vec<Part>, exemptions: &[&exempt::Exemption], now: Timestamp) -> Self {
        let Some(key) = machine.key() else { return Self::default() };
        let (portrait, held) = kept.map(|kept| (kept.portrait(key), kept.held_against(key))).unwrap_or_default();
        let told = |exemption: &&exempt::Exemption| standing::Exemption {
            owner: exemption.owner.clone(),
            reason: exemption.reason.clone(),
            expires: Some(exemption.until),
            kinds: exemption.kinds.clone(),
        };
        // What is known by its MAC address may have been learnt by the address that it has.
        let machine = portrait.map_or(*machine, |portrait| Machine { ip: machine.ip.or(portrait.machine().ip), ..*machine });
        let learnt = kept.map(|kept| learn::held(&kept.learnt, &machine, now.into()).cloned().collect()).unwrap_or_default();
        let known = Known { parts, exemptions: exemptions.iter().map(told).collect(), learnt };
        let Balance { against, favour } = standing::weigh(portrait.map(|portrait| &**portrait), &held, &known);
        Self {
            as_of: kept.map(|kept| kept.at),
            first: portrait.map(|portrait| portrait.first.timestamp()),
            last: portrait.map(|portrait| portrait.last.timestamp()),
            names: portrait.map(|portrait| portrait.names.iter().map(|(_, name)| name.to_string()).collect()).unwrap_or_default(),
            is_held: held.iter().any(|one| !one.cleared && one.level > Level::Label),
            detections: held
                .iter()
                .map(|one| {
                    let state = if one.cleared { "cleared" } else { one.level.word() };
                    json!({
                        "kind": one.kind, "state": state, "level": one.level, "first": one.first.timestamp(),
                        "last": one.last.timestamp(), "contacts": one.contacts, "evidence": one.evidence,
                    })
                })
                .collect(),
            against,
            favour,
        }
    }
}

/// A point in a sentence.
pub(super) fn sentence(point: &Point) -> String {
    let values: Vec<(&str, FluentValue<'_>)> = point
        .facts
        .iter()
        .map(|(name, fact)| match (name.as_str(), fact) {
            ("part", Fact::Text(part)) => ("part", i18n::text(Lang::En, &format!("machine-part-{part}")).into()),
            (name, Fact::Count(count)) => (name, (*count).into()),
            (name, fact) => (name, value(fact).into()),
        })
        .collect();
    i18n::filled(Lang::En, &format!("machine-point-{}", point.word), &values)
}
