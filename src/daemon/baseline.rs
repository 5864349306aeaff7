//! The baselines in the house: learnt in the background from the store's five-minute values, a port at a time, at a gentle pace.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::detect::baseline::{Baseline, Calendar, Learner, METRICS, Measure, values};
use crate::graph::usual::{LONGEST_STEP_S, Range, Usual};
use crate::model::{PortId, Timestamp, clock};
use crate::ports::live::{Live, PortState};
use crate::series::history::HistoryQuery;
use crate::series::{Reader, SeriesError};

/// What is learnt from.
const PAST: Duration = Duration::from_secs(28 * 86_400);
/// The step of the samples, seconds.
const STEP_S: u32 = 300;
/// How often a port is learnt anew.
const ANEW: Duration = Duration::from_secs(86_400);
/// Between two ports: so many times as long as the last one took, and at least this.
const REST: (u32, Duration) = (3, Duration::from_millis(20));
/// Between two rounds over all ports.
const PAUSE: Duration = Duration::from_secs(60);

/// When a port was last learnt, and what came of it: nothing before a week has been seen.
type Learnt = (Timestamp, Option<Arc<Baseline>>);

/// What is usual for every port that has been seen for a week.
pub(super) struct Baselines {
    known: RwLock<HashMap<PortId, Learnt>>,
    calendar: ArcSwap<Calendar>,
}

impl Baselines {
    /// Nothing is known yet.
    pub(super) fn new(calendar: Calendar) -> Self {
        Self { known: RwLock::default(), calendar: ArcSwap::from_pointee(calendar) }
    }

    /// The office's days.
    pub(super) fn calendar(&self) -> Arc<Calendar> {
        self.calendar.load_full()
    }

    /// Other holidays: what was learnt by the old ones is learnt anew in time.
    pub(super) fn set_calendar(&self, calendar: Calendar) {
        self.calendar.store(Arc::new(calendar));
    }

    /// What is usual for a port.
    pub(super) fn of(&self, port: PortId) -> Option<Arc<Baseline>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&port)?.1.clone()
    }

    /// What is usual for a port in each of so many buckets, bits per second.
    pub(super) fn band(&self, port: PortId, from: Timestamp, step_s: u32, buckets: usize) -> Option<Usual> {
        let (baseline, calendar) = (self.of(port).filter(|_| step_s <= LONGEST_STEP_S)?, self.calendar());
        let step = Duration::from_secs(u64::from(step_s));
        let slots: Vec<usize> =
            (0..buckets).map(|bucket| calendar.slot(from + step / 2 + step * u32::try_from(bucket).unwrap_or(u32::MAX))).collect();
        let ranges = |measure| -> Vec<Range> {
            slots.iter().map(|slot| baseline.usual(measure, *slot).map(|usual| (usual.low, usual.high))).collect()
        };
        Some(Usual { inbound: ranges(Measure::In), outbound: ranges(Measure::Out) })
    }

    /// One life of the learner: goes round all ports that are up until told to stop.
    pub(super) fn learn(&self, live: &Live, reader: &Reader, runtime: &Handle, token: &CancellationToken) -> Result<(), SeriesError> {
        // The sleep is made inside: a timer belongs to the runtime that it is made in.
        let rest = |span| runtime.block_on(async { token.run_until_cancelled(tokio::time::sleep(span)).await }).is_none();
        while !token.is_cancelled() {
            for port in self.due(live, clock::wall()) {
                let begun = clock::monotonic();
                let baseline = self.read(port, reader, clock::wall())?;
                self.known.write().unwrap_or_else(PoisonError::into_inner).insert(port, (clock::wall(), baseline.map(Arc::new)));
                let took = clock::monotonic().duration_since(begun);
                if rest((took * REST.0).max(REST.1)) {
                    return Ok(());
                }
            }
            if rest(PAUSE) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Ports that are up and not known, or known for too long; those that are gone are forgotten.
    fn due(&self, live: &Live, now: Timestamp) -> Vec<PortId> {
        let devices = live.devices();
        let snapshots: Vec<_> = devices.iter().map(|cell| cell.load()).collect();
        let ports = || snapshots.iter().flat_map(|device| device.ports.iter());
        let here: HashSet<PortId> = ports().map(|port| port.identity.id).collect();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|id, _| here.contains(id));
        let up = ports().filter(|port| port.state == PortState::Up).map(|port| port.identity.id);
        up.filter(|id| known.get(id).is_none_or(|(learnt, _)| *learnt + ANEW <= now)).collect()
    }

    fn read(&self, port: PortId, reader: &Reader, now: Timestamp) -> Result<Option<Baseline>, SeriesError> {
        let query = HistoryQuery { port, metrics: METRICS.to_vec(), from: now - PAST, to: now, step_s: STEP_S, origin_s: 0 };
        let history = reader.history(&query)?;
        let (calendar, mut learner) = (self.calendar(), Learner::default());
        let steps = history.curves.first().map_or(0, |curve| curve.average.len());
        for step in 0..steps {
            let at = history.t0 + Duration::from_secs(u64::from(STEP_S)) * u32::try_from(step).unwrap_or(u32::MAX);
            let mut rates = [None; METRICS.len()];
            for (rate, curve) in rates.iter_mut().zip(&history.curves) {
                *rate = curve.average.get(step).copied().flatten();
            }
            learner.take(at, calendar.slot(at), &values(rates));
        }
        Ok(learner.finish())
    }
}
