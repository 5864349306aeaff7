//! Cases in words, and as JSON.

use anyhow::Context as _;

use crate::block::{Case, CaseId, store};
use crate::cli::{Answer, Outcome, out};
use crate::model::Timestamp;
use crate::store::Store;

/// Cases that are listed at most.
const MOST: u32 = 500;

pub(super) fn list(store: &Store, all: bool, json: bool) -> Outcome {
    let cases = store::list(&store.reader()?, all, MOST).context("the cases cannot be read")?;
    if json {
        out::say(serde_json::to_string_pretty(&cases)?)?;
        return Ok(Answer::Yes);
    }
    for case in &cases {
        let place = Some(case.place()).filter(|place| !place.is_empty()).unwrap_or_else(|| "-".to_owned());
        let until = case.until.filter(|_| case.phase.is_cut()).map(|until| format!("until {}", utc(until))).unwrap_or_default();
        let (id, machine, phase) = (case.id, case.machine(), case.phase.word());
        out::say(format_args!("{id}\t{machine}\t{phase}\t{place}\t{}\t{}\t{until}", case.rule, utc(case.opened)))?;
    }
    Ok(Answer::Yes)
}

pub(super) fn one(store: &Store, id: CaseId, json: bool) -> Outcome {
    let Some(case) = store::case(&store.reader()?, id).context("the case cannot be read")? else {
        out::note(format_args!("there is no case {id}"))?;
        return Ok(Answer::No);
    };
    if json {
        out::say(serde_json::to_string_pretty(&case)?)?;
    } else {
        in_words(&case)?;
    }
    Ok(Answer::Yes)
}

fn in_words(case: &Case) -> anyhow::Result<()> {
    let Case { id, rule, reason, path, .. } = case;
    out::say(format_args!("{id}  {}  {}", case.machine(), case.phase.word()))?;
    out::say(format_args!(
        "accused by {rule} ({reason}), opened {} by {}",
        utc(case.opened),
        path.person().map_or(path.word(), |who| who)
    ))?;
    if let Some(order) = &case.order {
        out::say(format_args!("to be done: {order}"))?;
    }
    for line in &case.varbinds {
        out::say(format_args!("  SET {line}"))?;
    }
    for rail in &case.rails {
        out::say(format_args!("in the way: {rail} [{}]", rail.word()))?;
    }
    for yes in &case.votes {
        out::say(format_args!("yes by {} at {}", yes.person, utc(yes.at)))?;
    }
    for (what, at) in [("blocked", case.blocked), ("until", case.until), ("given back", case.released)] {
        if let Some(at) = at {
            out::say(format_args!("{what}: {}", utc(at)))?;
        }
    }
    if let Some(took) = case.took_ms() {
        out::say(format_args!("from the first packet of the evidence to the block: {:.1} s", took as f64 / 1000.0))?;
    }
    if !case.note.is_empty() {
        out::say(&case.note)?;
    }
    Ok(())
}

fn utc(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
}
