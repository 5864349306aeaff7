//! The driver with a transport that only keeps what it is given, and with time that passes when nobody has anything to do.

use std::sync::{Mutex, PoisonError};

use super::*;
use crate::snmp::job::{Credentials, End, Job, Patience, Secret};
use crate::snmp::message::Version;

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(1);
/// A first poll comes within five of these and a moment.
const SOON: Duration = Duration::from_millis(50);

struct Asked {
    target: Arc<Target>,
    job: Box<dyn Job>,
    deadline: Instant,
}

#[derive(Default)]
struct Line {
    asked: Mutex<Vec<Asked>>,
    refusal: Mutex<Option<SubmitError>>,
}

impl Line {
    fn refuse(&self, error: Option<SubmitError>) {
        *self.refusal.lock().unwrap() = error;
    }

    /// The polls that were started since the last call, by device.
    fn asked(&self) -> Vec<Asked> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner));
        asked.sort_by(|a, b| a.target.name.cmp(&b.target.name));
        asked
    }
}

impl Transport for Line {
    fn submit(&self, target: &Arc<Target>, job: Box<dyn Job>, deadline: Instant) -> Result<(), SubmitError> {
        if let Some(error) = *self.refusal.lock().unwrap() {
            return Err(error);
        }
        self.asked.lock().unwrap().push(Asked { target: Arc::clone(target), job, deadline });
        Ok(())
    }
}

struct Bench {
    line: Arc<Line>,
    handle: PollerHandle,
    rounds: mpsc::Receiver<PollRound>,
    origin: Instant,
    token: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Bench {
    fn start(room: usize, options: Options) -> Self {
        let line = Arc::new(Line::default());
        let (sender, rounds) = mpsc::channel(room);
        let (mut poller, handle) = Poller::new(line.clone(), sender, options);
        poller.clock = || tokio::time::Instant::now().into_std();
        poller.origin = (poller.clock)();
        let (origin, token) = (poller.origin, CancellationToken::new());
        #[expect(clippy::disallowed_methods, reason = "a test has no supervisor")]
        let task = tokio::spawn(poller.run(token.clone()));
        Self { line, handle, rounds, origin, token, task }
    }

    async fn with(devices: Vec<PollDevice>) -> Self {
        let bench = Self::start(64, Options::default());
        bench.reload(devices).await;
        bench
    }

    async fn reload(&self, devices: Vec<PollDevice>) {
        assert!(self.handle.replace(devices).await);
        tokio::time::sleep(SOON).await;
    }

    fn round(&mut self) -> Option<PollRound> {
        self.rounds.try_recv().ok()
    }
}

/// Number `id` at port `port`, every ten seconds.
fn device(id: u32, port: u16) -> PollDevice {
    let credentials = Credentials::Community { version: Version::V2c, community: Secret::new(&b"public"[..]) };
    let target =
        Target { name: format!("sw-{id}").into(), address: ([192, 0, 2, 1], port).into(), credentials, patience: Patience::default() };
    PollDevice { id: DeviceId(id), target: Arc::new(target), interval: 10 * SECOND, port_intervals: Vec::new() }
}

async fn end(asked: Asked) {
    asked.job.finish(End::Complete);
    tokio::time::sleep(MOMENT).await;
}

#[tokio::test(start_paused = true)]
async fn a_device_is_asked_once_at_a_time_and_its_missed_cycles_are_counted() {
    let mut bench = Bench::with(vec![device(1, 161)]).await;
    let mut asked = bench.line.asked();
    assert_eq!(asked.len(), 1);
    tokio::time::sleep(35 * SECOND).await;
    assert_eq!(bench.line.asked().len(), 0, "the first poll has not ended");
    let late = bench.handle.stats().late;
    assert!((2..=4).contains(&late), "{late} cycles of ten seconds in 35");
    end(asked.remove(0)).await;
    assert!(bench.round().is_some());
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(bench.line.asked().len(), 1, "it is asked again at its next turn");
}

#[tokio::test(start_paused = true)]
async fn a_poll_must_be_over_after_four_fifths_of_the_interval() {
    let bench = Bench::with(vec![device(1, 161), PollDevice { interval: 60 * SECOND, ..device(2, 162) }]).await;
    let allowed: Vec<Duration> = bench.line.asked().iter().map(|asked| asked.deadline - bench.origin).collect();
    for (allowed, span) in allowed.iter().zip([8 * SECOND, 48 * SECOND]) {
        assert!(*allowed >= span && *allowed < span + SOON, "{allowed:?}");
    }
    assert_eq!(allowed.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_address_said_is_not_taken() {
    let mut bench = Bench::with(vec![device(1, 161)]).await;
    let before = bench.line.asked().remove(0);
    bench.reload(vec![device(1, 10_161)]).await;
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(bench.line.asked().len(), 0, "its poll at the earlier address still runs");
    end(before).await;
    assert!(bench.round().is_none(), "that was another device");
    tokio::time::sleep(10 * SECOND).await;
    let after = bench.line.asked().remove(0);
    assert_eq!(after.target.address.port(), 10_161);
    end(after).await;
    assert_eq!(bench.round().map(|round| round.device), Some(DeviceId(1)));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_went_and_came_back_has_nothing_to_do_with_its_earlier_poll() {
    let mut bench = Bench::with(vec![device(1, 161)]).await;
    let before = bench.line.asked().remove(0);
    bench.reload(Vec::new()).await;
    bench.reload(vec![device(1, 10_161)]).await;
    let after = bench.line.asked().remove(0);
    end(before).await;
    assert!(bench.round().is_none(), "that was another device");
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(bench.line.asked().len(), 0, "the earlier poll has ended, the one that counts has not");
    end(after).await;
    assert!(bench.round().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_reload_leaves_what_stays_alone() {
    let mut bench = Bench::with(vec![device(1, 161), device(2, 162)]).await;
    let asked = bench.line.asked();
    bench.reload(vec![device(2, 162), device(3, 163)]).await;
    let names: Vec<_> = bench.line.asked().iter().map(|asked| asked.target.name.to_string()).collect();
    assert_eq!(names, ["sw-3"], "only the new one is asked at once");
    for asked in asked {
        end(asked).await;
    }
    assert_eq!(bench.round().map(|round| round.device), Some(DeviceId(2)), "sw-1 is gone, sw-2 is as it was");
    assert!(bench.round().is_none());
    assert_eq!(bench.handle.stats().devices, 2);
}

#[tokio::test(start_paused = true)]
async fn when_nobody_takes_rounds_the_oldest_are_thrown_away_and_counted() {
    let mut bench = Bench::start(1, Options { backlog: 2, ..Options::default() });
    bench.reload((1..=5).map(|id| device(id, 160 + id as u16)).collect()).await;
    let asked = bench.line.asked();
    assert_eq!(asked.len(), 5);
    for asked in asked {
        end(asked).await;
    }
    let stats = bench.handle.stats();
    assert_eq!((stats.shed, stats.waiting, stats.ok), (2, 2, 5));
    let mut kept = Vec::new();
    while let Some(round) = bench.round() {
        kept.push(round.device.0);
        tokio::time::sleep(MOMENT).await;
    }
    assert_eq!(kept, [1, 4, 5], "the first was on its way already");
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(bench.line.asked().len(), 5, "polling goes on");
}

#[tokio::test(start_paused = true)]
async fn no_more_polls_are_under_way_than_allowed() {
    let bench = Bench::start(64, Options { in_flight: 2, ..Options::default() });
    bench.reload((1..=5).map(|id| device(id, 160 + id as u16)).collect()).await;
    let mut asked = bench.line.asked();
    assert_eq!((asked.len(), bench.handle.stats().in_flight), (2, 2));
    end(asked.remove(0)).await;
    assert_eq!(bench.line.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_the_transport_does_not_take_leaves_its_reason_and_is_tried_again() {
    let mut bench = Bench::start(64, Options::default());
    bench.line.refuse(Some(SubmitError::Full));
    bench.reload(vec![device(1, 161)]).await;
    let round = bench.round().unwrap();
    assert_eq!((round.gap, round.detail.as_deref()), (Some(Gap::Deadline), Some("too many conversations are waiting")));
    assert_eq!(bench.handle.stats().refused, 1);
    bench.line.refuse(None);
    tokio::time::sleep(13 * SECOND).await;
    assert_eq!(bench.line.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_poll_may_be_asked_for_besides_the_schedule() {
    let bench = Bench::with(vec![PollDevice { interval: 600 * SECOND, ..device(1, 161) }]).await;
    assert_eq!(bench.handle.poll_now(DeviceId(9)).await, Err(PollNowError::NotNow), "unknown");
    assert_eq!(bench.handle.poll_now(DeviceId(1)).await, Err(PollNowError::NotNow), "its first poll is under way");
    end(bench.line.asked().remove(0)).await;
    assert_eq!(bench.handle.poll_now(DeviceId(1)).await, Ok(()));
    assert_eq!(bench.line.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_driver_ends_with_its_token_and_with_its_transport() {
    let bench = Bench::with(vec![device(1, 161)]).await;
    bench.token.cancel();
    bench.task.await.unwrap();
    assert_eq!(bench.handle.poll_now(DeviceId(1)).await, Err(PollNowError::Stopped));
    let bench = Bench::start(64, Options::default());
    bench.line.refuse(Some(SubmitError::Stopped));
    bench.handle.replace(vec![device(1, 161)]).await;
    bench.task.await.unwrap();
}
