//! One thing that is held against a machine, in words, with all that anybody can check it by.

use super::{machine_url, name_of};
use crate::detect::{Detection, Kind, Level};
use crate::incident::behaviour;
use crate::model::{Evidence, Subject};
use crate::web::app::App;
use crate::web::html::{Html, Mark};
use crate::web::pages::incident::facts;
use crate::web::time::Clock;
use crate::web::words::Words;

/// Ready to be shown.
pub(crate) struct Finding {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) kind: String,
    pub(crate) level: Html,
    pub(crate) cleared: bool,
    pub(crate) sentence: String,
    pub(crate) socket: String,
    pub(crate) contacts: u64,
    pub(crate) first: String,
    pub(crate) first_full: String,
    pub(crate) last: String,
    pub(crate) last_full: String,
    pub(crate) facts: Vec<(String, String)>,
    /// The number of the open incident; 0 when there is none.
    pub(crate) incident: i64,
}

impl Finding {
    pub(crate) fn new(app: &App, words: Words, clock: &Clock, detection: &Detection) -> Self {
        let portrait = detection.machine.key().and_then(|key| app.detect().machine(key));
        let name = name_of(app, &detection.machine, portrait.as_deref());
        let subject = Subject::Machine(name.as_str().into());
        let evidence = wound(app, detection);
        let (first, last) = (detection.first.timestamp(), detection.last.timestamp());
        Self {
            url: detection.machine.key().map(|key| machine_url(&key.to_string())).unwrap_or_default(),
            kind: kind(words, detection.kind),
            level: level(words, detection.level),
            cleared: detection.cleared,
            sentence: facts::sentence(words, clock, &subject, detection.kind.rule(), &evidence),
            socket: evidence.get("socket").map(|socket| facts::written(words, clock, socket)).unwrap_or_default(),
            contacts: detection.contacts,
            first: clock.ago(words, first),
            first_full: clock.full(first),
            last: clock.ago(words, last),
            last_full: clock.full(last),
            facts: facts::all(words, clock, &evidence),
            incident: incident(app, detection).unwrap_or_default(),
            name,
        }
    }
}

/// The engine's facts with who and where, as the incident has them.
pub(crate) fn wound(app: &App, detection: &Detection) -> Evidence {
    behaviour::evidence(detection, app.detect().port(&detection.machine).as_ref())
}

/// The open incident of a detection.
fn incident(app: &App, detection: &Detection) -> Option<i64> {
    let open = app.incidents()?.board().open();
    let own: Vec<String> =
        [detection.machine.key().map(|key| key.to_string()), detection.machine.ip.map(|ip| ip.to_string())].into_iter().flatten().collect();
    let configured = super::who::configured(app, detection.machine.ip);
    let is_it = |subject: &Subject| match subject {
        Subject::Machine(name) => own.iter().any(|own| **own == **name),
        other => configured.as_ref() == Some(other),
    };
    open.iter().find(|incident| *incident.rule == *detection.kind.rule() && is_it(incident.subject())).map(|incident| incident.id.0)
}

/// A kind in the reader's words.
pub(crate) fn kind(words: Words, kind: Kind) -> String {
    words.t(&format!("machine-kind-{}", kind.word()))
}

/// A level: mark and word.
pub(crate) fn level(words: Words, level: Level) -> Html {
    let mark = match level {
        Level::Label => Mark::Unknown,
        Level::Suspect => Mark::Degraded,
        Level::Virus | Level::BlockWorthy => Mark::Down,
    };
    mark.with(&words.t(&format!("incident-level-{}", level.word())))
}
