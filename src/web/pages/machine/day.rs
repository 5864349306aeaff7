//! The two pictures of a machine: its day, and whom it turns to.

use std::collections::HashMap;
use std::time::Duration;

use crate::detect::portrait::{Portrait, SLOT_S, SLOTS, Service, Target};
use crate::graph::Theme;
use crate::graph::contacts::{ContactsChart, Step};
use crate::graph::fan::{Branch, Fan, Outcome};
use crate::model::Timestamp;
use crate::web::html::Html;
use crate::web::time::Clock;
use crate::web::words::Words;

/// Services drawn.
const BRANCHES: usize = 8;
/// Targets named in a row.
const NAMED: usize = 4;

/// One service as a row below the picture.
pub(super) struct Row {
    pub(super) service: String,
    pub(super) contacts: u32,
    pub(super) answered: u32,
    pub(super) failed: u32,
    pub(super) targets: String,
}

/// The last 24 hours.
pub(super) fn contacts(portrait: Option<&Portrait>, words: Words, clock: &Clock) -> Html {
    let slot = SLOT_S as i64;
    let end = clock.now.secs().div_euclid(slot).saturating_add(1) * slot;
    let from = Timestamp::from_secs(end - slot * SLOTS as i64);
    let first = portrait.map(|portrait| portrait.first.timestamp());
    let mut steps: Vec<Option<Step>> = (0..SLOTS)
        .map(|place| {
            let ends = from + Duration::from_secs(SLOT_S) * (place as u32 + 1);
            first.is_some_and(|first| first < ends).then(Step::default)
        })
        .collect();
    for counted in portrait.iter().flat_map(|portrait| portrait.past.slots()) {
        let place = usize::try_from((counted.from().secs() - from.secs()) / slot).ok();
        if let Some(step) = place.and_then(|place| steps.get_mut(place)) {
            *step = Some(Step { contacts: counted.contacts.into(), failed: counted.failed.into(), targets: counted.targets.into() });
        }
    }
    let chart = ContactsChart {
        from,
        to: Timestamp::from_secs(end),
        step_s: SLOT_S as u32,
        steps,
        lang: words.0,
        theme: Theme::Page,
        zone: clock.zone().clone(),
        width: 660,
        plot_height: 140,
    };
    Html(chart.svg())
}

/// Whom it turns to, by service.
pub(super) fn fan(portrait: Option<&Portrait>, words: Words) -> Html {
    let Some(portrait) = portrait else { return Html::default() };
    let branches = by_service(portrait).into_iter().take(BRANCHES).map(|(service, contacts, targets)| Branch {
        name: name(service),
        contacts: contacts.into(),
        targets: targets.iter().map(|target| (target.ip.to_string(), outcome(target))).collect(),
    });
    Html(Fan { name: portrait.key.to_string(), branches: branches.collect(), lang: words.0, theme: Theme::Page }.svg())
}

/// The same in rows.
pub(super) fn services(portrait: Option<&Portrait>) -> Vec<Row> {
    let Some(portrait) = portrait else { return Vec::new() };
    let row = |(service, _, targets): (Service, u32, Vec<Target>)| {
        let tally = portrait.services.iter().find(|(own, _)| *own == service).map(|(_, tally)| *tally).unwrap_or_default();
        let named: Vec<String> = targets.iter().rev().take(NAMED).map(|target| target.ip.to_string()).collect();
        Row {
            service: name(service),
            contacts: tally.contacts,
            answered: tally.answered,
            failed: tally.failed,
            targets: if targets.len() > NAMED { named.join(", ") + " …" } else { named.join(", ") },
        }
    };
    by_service(portrait).into_iter().map(row).collect()
}

/// The services with their targets, the busiest first.
fn by_service(portrait: &Portrait) -> Vec<(Service, u32, Vec<Target>)> {
    let mut targets: HashMap<Service, Vec<Target>> = HashMap::new();
    for target in &portrait.targets {
        targets.entry(target.service).or_default().push(*target);
    }
    let mut all: Vec<(Service, u32, Vec<Target>)> =
        portrait.services.iter().map(|(service, tally)| (*service, tally.contacts, targets.remove(service).unwrap_or_default())).collect();
    all.iter_mut().for_each(|(_, _, targets)| targets.sort_by_key(|target| (target.last, target.ip)));
    all.sort_by_key(|(service, contacts, _)| (std::cmp::Reverse(*contacts), *service));
    all
}

pub(crate) fn name(service: Service) -> String {
    match service.port {
        0 => service.way.word().to_owned(),
        port => format!("{}/{port}", service.way.word()),
    }
}

pub(crate) const fn outcome(target: &Target) -> Outcome {
    if target.tally.answered > 0 {
        Outcome::Answered
    } else if target.tally.failed > 0 {
        Outcome::Failed
    } else {
        Outcome::Open
    }
}
