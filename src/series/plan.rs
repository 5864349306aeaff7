//! Which tier answers for which days: the coarsest whose buckets fit the step, as far as it is kept; days that are not
//! yet sealed, and the tail, answer from raw samples.

use std::collections::HashMap;

use super::Shared;
use super::answer::Run;
use super::history::{HistoryQuery, Tier};
use super::layout::Day;
use super::tiers;

const COARSER: [Tier; 4] = [Tier::Raw, Tier::Minutes5, Tier::Hour, Tier::Day];

/// The runs over `[from_ms, to_ms)`, in order and without seams.
pub(super) fn plan(shared: &Shared, query: &HistoryQuery, from_ms: i64, to_ms: i64) -> Vec<Run> {
    let wanted = fitting(query);
    let tail_from = shared.tail.earliest_ms().map_or(i64::MAX, |earliest| Day::of(earliest).0);
    let days: HashMap<Day, _> = shared.days.all().into_iter().collect();
    let mut exists = HashMap::new();
    let mut runs: Vec<Run> = Vec::new();
    for number in Day::of(from_ms).0..=Day::of(to_ms - 1).0 {
        let day = Day(number);
        let files = days.get(&day).copied().unwrap_or_default();
        let tier = if files.open || number >= tail_from {
            Tier::Raw
        } else {
            let mut kept = |tier: Tier| match tier {
                Tier::Raw => files.sealed,
                tier => {
                    let path = tiers::place(&shared.layout, tier, day).path;
                    *exists.entry(path).or_insert_with_key(|path| path.exists())
                }
            };
            let coarser = COARSER.into_iter().filter(|&tier| tier >= wanted);
            let finer = COARSER.into_iter().rev().filter(|&tier| tier < wanted);
            coarser.chain(finer).find(|&tier| kept(tier)).unwrap_or(Tier::Raw)
        };
        let (start, end) = (day.start_ms().max(from_ms), day.end_ms().min(to_ms));
        match runs.last_mut() {
            Some(last) if last.tier == tier => last.to_ms = end,
            _ => runs.push(Run { tier, from_ms: start, to_ms: end }),
        }
    }
    runs
}

/// The coarsest tier whose buckets lie within the question's; for odd steps one that is ten times finer.
fn fitting(query: &HistoryQuery) -> Tier {
    let step_ms = i64::from(query.step_s) * 1000;
    let origin_ms = i64::from(query.origin_s) * 1000;
    COARSER
        .into_iter()
        .rev()
        .find(|&tier| {
            let length = tiers::length_ms(tier);
            tier == Tier::Raw || (step_ms % length == 0 && origin_ms % length == 0) || step_ms >= length * 10
        })
        .unwrap_or(Tier::Raw)
}
