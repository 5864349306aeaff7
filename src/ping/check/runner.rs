//! Runs the checks: each at its interval, a bounded number at a time, one asked for again within seconds.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::super::state::{Checked, ServiceId};
use super::{Check, Found};
use crate::model::clock;

/// Checks under way at one time.
const AT_ONCE: usize = 64;
/// A check whose answer is not yet clear is repeated after this time.
const AGAIN: Duration = Duration::from_secs(5);

/// What the runner is given and gives.
pub struct Doors {
    /// The checks in force.
    pub checks: watch::Receiver<Arc<Vec<Check>>>,
    /// Checks to be repeated soon.
    pub again: mpsc::Receiver<ServiceId>,
    /// What was found, by the wall clock.
    pub found: mpsc::Sender<(ServiceId, Checked)>,
}

struct Due {
    check: Check,
    at: Instant,
    running: bool,
}

/// Runs until told to end.
pub async fn run(doors: &mut Doors, token: CancellationToken) {
    let mut due: HashMap<ServiceId, Due> = HashMap::new();
    let mut order: BinaryHeap<Reverse<(Instant, ServiceId)>> = BinaryHeap::new();
    let mut running = FuturesUnordered::new();
    plan(&doors.checks.borrow_and_update().clone(), &mut due, &mut order, Instant::now());
    loop {
        let next = order.peek().map(|Reverse((at, _))| *at).filter(|_| running.len() < AT_ONCE);
        tokio::select! {
            () = token.cancelled() => return,
            changed = doors.checks.changed() => {
                if changed.is_err() {
                    return;
                }
                let checks = doors.checks.borrow_and_update().clone();
                plan(&checks, &mut due, &mut order, Instant::now());
            }
            Some(service) = doors.again.recv() => {
                if let Some(entry) = due.get_mut(&service) {
                    let at = Instant::now() + AGAIN;
                    if at < entry.at {
                        entry.at = at;
                        order.push(Reverse((at, service)));
                    }
                }
            }
            Some((service, at_ns, found)) = running.next(), if !running.is_empty() => {
                if let Some(entry) = due.get_mut(&service) {
                    entry.running = false;
                }
                if doors.found.send((service, checked(at_ns, found))).await.is_err() {
                    return;
                }
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                let Some(Reverse((at, service))) = order.pop() else { continue };
                let Some(entry) = due.get_mut(&service).filter(|entry| entry.at == at) else { continue };
                entry.at = Instant::now() + entry.check.interval;
                order.push(Reverse((entry.at, service)));
                if !std::mem::replace(&mut entry.running, true) {
                    let check = entry.check.clone();
                    let at_ns = clock::wall_nanos();
                    running.push(async move { (service, at_ns, check.perform().await) });
                }
            }
        }
    }
}

/// Those that stay as they are keep their time; new ones are spread over their interval.
fn plan(checks: &[Check], due: &mut HashMap<ServiceId, Due>, order: &mut BinaryHeap<Reverse<(Instant, ServiceId)>>, now: Instant) {
    let mut before = std::mem::take(due);
    for check in checks {
        let kept = before.remove(&check.id).filter(|entry| entry.check == *check);
        let entry = kept.unwrap_or_else(|| {
            let share = f64::from(check.id.0.wrapping_mul(0x9e37_79b9)) / f64::from(u32::MAX);
            let at = now + check.interval.min(Duration::from_secs(60)).mul_f64(share);
            order.push(Reverse((at, check.id)));
            Due { check: check.clone(), at, running: false }
        });
        due.insert(check.id, entry);
    }
}

fn checked(at_ns: i64, found: Found) -> Checked {
    let Found { took, fault, said, certificate } = found;
    Checked { at_ns, took_ns: took.map(|took| took.as_nanos() as f64), fault, said, certificate }
}
