use super::*;
use crate::model::observe::{CounterRow, InterfaceRow, Inventory, SystemInfo};
use crate::model::{Gap, IfIndex, METRICS, Timestamp, Zone};
use crate::ports::store::load;

struct Bench {
    _dir: tempfile::TempDir,
    store: Store,
    live: Arc<Live>,
    counts: Arc<Counts>,
    rounds: mpsc::Sender<PollRound>,
    devices: mpsc::Sender<Vec<Arc<DeviceLabel>>>,
    samples: mpsc::Receiver<DeviceSample>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Bench {
    async fn start(room_for_samples: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("netroom.db")).unwrap();
        store::enrol(&store, vec!["sw-1".into()], Timestamp::default()).await.unwrap();
        let tracker = Tracker::new(load(&store).unwrap(), clock::monotonic());
        let (live, counts, cancel) = (Arc::new(Live::new()), Arc::new(Counts::default()), CancellationToken::new());
        let (to_series, samples) = mpsc::channel(room_for_samples);
        let (rounds, from_poller) = mpsc::channel(16);
        let (devices, reloads) = mpsc::channel(1);
        let driver = Driver { live: Arc::clone(&live), store: store.clone(), tracker, counts: Arc::clone(&counts), samples: to_series };
        let inputs = Inputs { rounds: from_poller, devices: reloads };
        #[expect(clippy::disallowed_methods, reason = "a test has no supervisor")]
        let task = tokio::spawn(driver.run(inputs, cancel.clone()));
        let label = DeviceLabel {
            id: DeviceId(1),
            name: "sw-1".into(),
            address: "192.0.2.1:161".parse().unwrap(),
            site: "".into(),
            zone: Zone::Inner,
            interval_s: 60,
        };
        devices.send(vec![Arc::new(label)]).await.unwrap();
        // The channel holds one: once another place is free, the first list has been taken.
        let free = devices.reserve().await.unwrap();
        drop(free);
        Self { _dir: dir, store, live, counts, rounds, devices, samples, cancel, task }
    }

    async fn end(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
    }
}

/// A poll, so many minutes from now.
fn poll(device: u32, ports: u32, minute: u32) -> PollRound {
    let now = clock::wall() + std::time::Duration::from_secs(u64::from(minute) * 60);
    let uptime = 500_000 + minute * 6_000;
    let mut values = [None; METRICS];
    values[0] = Some(5);
    let row = |index| CounterRow {
        if_index: IfIndex(index),
        uptime_ticks: uptime,
        received: now,
        values,
        narrow: 0,
        admin: Some(1),
        discontinuity: None,
    };
    let interface =
        |index: u32| InterfaceRow { if_index: index, if_name: Some(format!("ge{index}").as_str().into()), ..InterfaceRow::default() };
    PollRound {
        device: DeviceId(device),
        due: now,
        started: now,
        finished: now,
        uptime_ticks: Some(uptime),
        engine_time: None,
        rtt_us: None,
        inventory: Some(Arc::new(Inventory {
            system: SystemInfo::default(),
            engine_time: None,
            interfaces: (1..=ports).map(interface).collect(),
        })),
        rows: (1..=ports).map(row).collect(),
        gap: None,
        detail: None,
    }
}

fn value(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_sample_comes_out_when_its_ports_are_in_the_catalogue() {
    let mut bench = Bench::start(4).await;
    assert_eq!(bench.live.devices().len(), 1);
    bench.rounds.send(poll(1, 2, 0)).await.unwrap();
    let sample = bench.samples.recv().await.unwrap();
    assert_eq!(sample.rows.len(), 2);
    assert_eq!(load(&bench.store).unwrap().ports[&DeviceId(1)].len(), 2);
    assert_eq!(bench.live.device("sw-1").unwrap().ports.len(), 2);
    bench.end().await;
}

#[tokio::test]
async fn ports_that_the_catalogue_does_not_take_are_shown_but_not_stored_until_it_does() {
    let mut bench = Bench::start(4).await;
    bench.rounds.send(poll(1, 1, 0)).await.unwrap();
    assert_eq!(bench.samples.recv().await.unwrap().rows.len(), 1);
    let refuse = "CREATE TEMP TRIGGER full BEFORE INSERT ON port BEGIN SELECT RAISE(ABORT, 'no space'); END";
    bench.store.write(move |file| file.execute_batch(refuse)).await.unwrap();
    bench.rounds.send(poll(1, 3, 1)).await.unwrap();
    assert_eq!(bench.samples.recv().await.unwrap().rows.len(), 1);
    assert_eq!(bench.live.device("sw-1").unwrap().ports.len(), 3);
    assert_eq!((value(&bench.counts.catalogue_failures), value(&bench.counts.rows_uncatalogued)), (1, 2));
    bench.store.write(|file| file.execute_batch("DROP TRIGGER full")).await.unwrap();
    bench.rounds.send(PollRound { inventory: None, ..poll(1, 3, 2) }).await.unwrap();
    assert_eq!(bench.samples.recv().await.unwrap().rows.len(), 3);
    assert_eq!(load(&bench.store).unwrap().last_port, 3);
    bench.end().await;
}

#[tokio::test]
async fn what_the_series_do_not_take_is_shed_and_counted() {
    let mut bench = Bench::start(1).await;
    for minute in 0..3 {
        bench.rounds.send(poll(1, 1, minute)).await.unwrap();
    }
    bench.rounds.send(poll(9, 1, 0)).await.unwrap();
    let Bench { counts, cancel, task, .. } = &mut bench;
    cancel.cancel();
    task.await.unwrap();
    assert_eq!((value(&counts.rounds), value(&counts.samples), value(&counts.samples_shed), value(&counts.strangers)), (4, 1, 2, 1));
    assert_eq!(bench.samples.recv().await.unwrap().device, DeviceId(1));
}

#[tokio::test]
async fn a_reload_keeps_the_places_of_devices_that_stay() {
    let mut bench = Bench::start(4).await;
    bench.rounds.send(poll(1, 1, 0)).await.unwrap();
    bench.samples.recv().await.unwrap();
    let cell = Arc::clone(&bench.live.devices()[0]);
    let label = DeviceLabel { interval_s: 300, ..(*cell.load().label).clone() };
    bench.devices.send(vec![Arc::new(label)]).await.unwrap();
    bench
        .rounds
        .send(PollRound { gap: Some(Gap::Timeout), rows: Vec::new(), uptime_ticks: None, inventory: None, ..poll(1, 0, 1) })
        .await
        .unwrap();
    let sample = bench.samples.recv().await.unwrap();
    assert_eq!((sample.gap, sample.interval_s), (Some(Gap::Timeout), 300));
    assert!(Arc::ptr_eq(&cell, &bench.live.devices()[0]));
    assert_eq!(cell.load().ports[0].gap, Some(Gap::Timeout));
    bench.end().await;
}
