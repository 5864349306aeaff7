//! The gate: the one place that decides whether something may be done to the network. Pure: what it has to know is told.
//!
//! Automatic blocks, pages, API, command line, the pursuit of a machine that moved, what is set again after a restart of a
//! switch, releases: all ask [`decide`]. A yes is a [`Permit`], which nothing else can make and without which no actuator moves.

mod facts;
mod permit;
mod rail;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use facts::{Approval, Facts, Path, Place, PortKind, Purpose, Request};
pub use permit::Permit;
pub use rail::{Force, Rail};

use crate::config::block::Mode;

/// How long a permit counts.
pub const PERMIT_LASTS: Duration = Duration::from_secs(20);
/// How old the answer of the switch may be when leave is given.
pub const ANSWER_LASTS: Duration = Duration::from_secs(20);
/// So many machines on a port are one person's: computer, telephone, and what runs within it.
pub const FEW_MACS: usize = 3;
/// A yes of a person counts so long.
pub const YES_LASTS: Duration = Duration::from_hours(1);

/// What the gate says.
#[derive(PartialEq, Eq, Debug)]
pub enum Decision {
    /// Yes: this once, now.
    Permit(Permit),
    /// The mode is observe. These rails would have mattered besides.
    Observe(Vec<Rail>),
    /// Persons have to say yes, for these reasons.
    Ask(Vec<Rail>),
    /// No, and no person can change that here; all rails, those that only ask too.
    Refuse(Vec<Rail>),
}

/// Decides.
pub fn decide(request: Request, facts: &Facts) -> Decision {
    let rails = rails(&request, facts);
    // A release gives back what is held, so it is never only looked at; everything else is, until a mode is turned on.
    if facts.mode == Mode::Observe && request.purpose != Purpose::Release {
        return Decision::Observe(rails);
    }
    if rails.iter().any(|rail| rail.force() == Force::Refuses) {
        return Decision::Refuse(rails);
    }
    if rails.is_empty() || is_approved(&request, facts) {
        return Decision::Permit(Permit::new(request.order, request.case, facts.now + PERMIT_LASTS));
    }
    Decision::Ask(second_person(rails, &request, facts))
}

/// Everything that stands in the way.
pub fn rails(request: &Request, facts: &Facts) -> Vec<Rail> {
    match request.purpose {
        Purpose::Block => {
            let mut rails = facts.protected.clone();
            rails.extend(on_the_port(request, facts, true));
            rails.extend(by_itself(request, facts));
            rails
        }
        Purpose::Release => given_back(request, facts),
        Purpose::Work => {
            let mut rails = facts.protected.clone();
            rails.extend(on_the_port(request, facts, false));
            if request.reason.trim().is_empty() {
                rails.push(Rail::NoReason);
            }
            if request.path.person().is_none() {
                rails.push(Rail::Mode);
            }
            if facts.held.is_some() {
                rails.push(Rail::Held);
            }
            rails
        }
    }
}

/// Rails of the place. A person who works on a port means the port, whoever sits there.
fn on_the_port(request: &Request, facts: &Facts, of_a_machine: bool) -> Vec<Rail> {
    let Some(spot) = request.order.spot() else { return Vec::new() };
    let Some(place) = &facts.place else { return vec![Rail::Nowhere] };
    let mut rails = Vec::new();
    if of_a_machine && facts.now.since(place.seen) > facts.round * 2 {
        rails.push(Rail::Stale { age_s: facts.now.since(place.seen).as_secs() });
    }
    match place.asked {
        Some((at, is_there)) if facts.now.since(at) <= ANSWER_LASTS => {
            if of_a_machine && !(is_there && facts.mac.is_some_and(|mac| place.macs.contains(&mac))) {
                rails.push(Rail::Gone);
            }
        }
        _ => rails.push(Rail::NotAsked),
    }
    match &place.told_name {
        Some(told) if **told == *spot.if_name => {}
        told => rails.push(Rail::OtherPort { told: told.clone().unwrap_or_default() }),
    }
    match place.kind {
        PortKind::Access => {}
        PortKind::Trunk => rails.push(Rail::Trunk),
        PortKind::Aggregated => rails.push(Rail::Aggregated),
    }
    if place.is_root_port {
        rails.push(Rail::RootPort);
    }
    if let Some((name, what)) = &place.neighbour {
        rails.push(Rail::Neighbour { name: name.clone(), what: what.clone() });
    }
    if place.is_our_path {
        rails.push(Rail::OurPath);
    }
    if place.macs.len() > FEW_MACS {
        let others = place.macs.iter().filter(|mac| Some(**mac) != facts.mac).map(ToString::to_string).collect();
        rails.push(Rail::Shared { others });
    }
    if of_a_machine && place.has_phone {
        rails.push(Rail::Phone);
    }
    if of_a_machine && let Some(port) = &place.rival {
        rails.push(Rail::Rival { port: port.clone() });
    }
    rails
}

/// Rails of what happens without a person.
fn by_itself(request: &Request, facts: &Facts) -> Vec<Rail> {
    let mut rails = Vec::new();
    if request.path.person().is_some() && request.reason.trim().is_empty() {
        rails.push(Rail::NoReason);
    }
    if facts.mode != Mode::Auto || request.path.person().is_some() {
        // What a person asks for is a proposal as well: whoever may approve says yes to it.
        rails.push(Rail::Mode);
    }
    rails.extend(facts.blast.clone());
    rails.extend(facts.frozen.clone());
    if facts.grace_until.is_some_and(|until| facts.now < until) {
        rails.push(Rail::Grace);
    }
    rails
}

/// Rails of a release: only what we left there is taken back, and only on the port that it was left on.
fn given_back(request: &Request, facts: &Facts) -> Vec<Rail> {
    let Some((left, found)) = &facts.held else { return vec![Rail::NoHold] };
    let mut rails = Vec::new();
    if left.spot() != request.order.spot() || left.device() != request.order.device() {
        rails.push(Rail::NoHold);
    }
    match (request.order.spot(), &found.if_name) {
        (Some(_), None) => rails.push(Rail::NotAsked),
        (Some(spot), Some(told)) if !found.is_of(spot) => rails.push(Rail::OtherPort { told: told.clone() }),
        _ => {}
    }
    if found.fulfils(left) == Some(false) {
        rails.push(Rail::Drift { found: format!("{left} was set, and is not so any more") });
    }
    rails
}

/// Whether enough persons have said yes, each of them not long ago.
fn is_approved(request: &Request, facts: &Facts) -> bool {
    // Work on a port is asked for by the person who does it; a release needs nobody's yes.
    request.purpose != Purpose::Release && persons(facts).len() >= facts.persons_needed.max(1)
}

fn persons(facts: &Facts) -> Vec<&str> {
    let mut persons: Vec<&str> =
        facts.approvals.iter().filter(|yes| facts.now.since(yes.at) <= YES_LASTS && yes.at <= facts.now).map(|yes| &*yes.person).collect();
    persons.sort_unstable();
    persons.dedup();
    persons
}

/// Says that it is another person's turn, where one has said yes and two are needed.
fn second_person(mut rails: Vec<Rail>, request: &Request, facts: &Facts) -> Vec<Rail> {
    let persons = persons(facts);
    if request.purpose != Purpose::Release && !persons.is_empty() {
        rails.push(Rail::SecondPerson { first: persons.join(", ") });
    }
    rails
}
