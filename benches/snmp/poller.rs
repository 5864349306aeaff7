//! The whole poller (schedule, identity reads, packing) on the engine.

use std::collections::HashMap;
use std::time::Duration;

use netroom::model::observe::{CounterRow, PollRound, Width};
use netroom::model::{DeviceId, PortMetric};
use netroom::snmp::poll::driver::{Options as PollOptions, PollDevice, Poller};
use netroom::snmp::udp::{Engine, Options};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::farm::formula::{self, Count};
use crate::farm::{self, Class};
use crate::runs::{start_farm, targets};
use crate::{Failure, machine};

/// A minute of polling, after 75 s of first polls.
pub(crate) struct Minute {
    pub(crate) first_cpu_s: f64,
    pub(crate) first_polls: f64,
    pub(crate) cpu_s: f64,
    pub(crate) polls: f64,
    pub(crate) requests: f64,
    pub(crate) resident_mb: f64,
    pub(crate) wrong: u64,
}

/// What polling over a bad network gave.
pub(crate) struct Faults {
    pub(crate) values: u64,
    pub(crate) wrong: u64,
    /// Live devices without one whole poll.
    pub(crate) incomplete: usize,
    pub(crate) whole_share: f64,
}

/// Counts what the rounds carry.
#[derive(Default)]
struct Judge {
    values: u64,
    wrong: u64,
    /// By device: rounds, and whole rounds.
    rounds: HashMap<u32, (u32, u32)>,
}

impl Judge {
    fn take(&mut self, round: &PollRound, ports: u32) {
        let device = round.device.0;
        for row in &round.rows {
            self.row(device, row);
        }
        let whole = round.gap.is_none() && round.rows.len() == ports as usize;
        let count = self.rounds.entry(device).or_default();
        *count = (count.0 + 1, count.1 + u32::from(whole));
    }

    fn row(&mut self, device: u32, row: &CounterRow) {
        for metric in PortMetric::ALL {
            let Some(value) = row.values[metric.index()] else { continue };
            self.values += 1;
            let right = match count(metric) {
                None => value == u64::from(formula::oper_status(row.if_index.0)),
                Some(count) => is_right(device, row, count, value, row.width(metric.index())),
            };
            self.wrong += u64::from(!right);
        }
    }
}

/// Whether a value is one that the farm's counter had. A row's sysUpTime is that of its octets, which must fit exactly; its
/// other columns may have come in another request of the same poll, so they must fit a moment near it.
fn is_right(device: u32, row: &CounterRow, count: Count, value: u64, width: Width) -> bool {
    /// The longest poll here: 0.8 x 60 s, in hundredths of a second.
    const POLL_TICKS: i64 = 4_800;
    let at = |ticks: u32| formula::counter(device, row.if_index.0, count, ticks);
    let narrow = |full: u64| if width == Width::Bits32 { u64::from(full as u32) } else { full };
    if matches!(count, Count::InOctets | Count::OutOctets) {
        return value == narrow(at(row.uptime_ticks));
    }
    let per_tick = at(row.uptime_ticks.wrapping_add(1)).wrapping_sub(at(row.uptime_ticks)).cast_signed();
    let off = match width {
        Width::Bits32 => i64::from((value as u32).wrapping_sub(at(row.uptime_ticks) as u32).cast_signed()),
        Width::Bits64 => value.wrapping_sub(at(row.uptime_ticks)).cast_signed(),
    };
    if per_tick == 0 { off == 0 } else { off % per_tick == 0 && (off / per_tick).abs() <= POLL_TICKS }
}

/// The farm's counter of a metric; `None` for the state.
const fn count(metric: PortMetric) -> Option<Count> {
    Some(match metric {
        PortMetric::InOctets => Count::InOctets,
        PortMetric::OutOctets => Count::OutOctets,
        PortMetric::InUcast => Count::InUcast,
        PortMetric::OutUcast => Count::OutUcast,
        PortMetric::InMulticast => Count::InMulticast,
        PortMetric::OutMulticast => Count::OutMulticast,
        PortMetric::InBroadcast => Count::InBroadcast,
        PortMetric::OutBroadcast => Count::OutBroadcast,
        PortMetric::InErrors => Count::InErrors,
        PortMetric::OutErrors => Count::OutErrors,
        PortMetric::InDiscards => Count::InDiscards,
        PortMetric::OutDiscards => Count::OutDiscards,
        PortMetric::InUnknownProtos => Count::InUnknownProtos,
        PortMetric::OperStatus => return None,
    })
}

/// Polls every device each minute: the first minute, which also reads all identities, is not measured.
pub(crate) fn minute(devices: u32, ports: u32) -> Result<Minute, Failure> {
    let farm = start_farm(devices, ports, &["--delay-min-ms", "1", "--delay-max-ms", "5"])?;
    let mut judge = Judge::default();
    let spans = [Duration::from_secs(75), Duration::from_secs(60)];
    let [first, steady] = poll(devices, ports, farm.port, Duration::from_secs(60), spans, &mut judge)?;
    eprintln!("{}", farm.stop()?);
    let whole: u32 = judge.rounds.values().map(|(_, whole)| whole).sum();
    eprintln!("{whole} whole polls, {} values", judge.values);
    let lost = u64::from((2 * devices).saturating_sub(whole)) * u64::from(ports) * 13;
    Ok(Minute {
        first_cpu_s: first.cpu_s,
        first_polls: first.polls,
        cpu_s: steady.cpu_s,
        polls: steady.polls,
        requests: steady.requests,
        resident_mb: machine::resident_mb(),
        wrong: judge.wrong + lost,
    })
}

/// Polls every thirty seconds, three times, while the network and the devices misbehave.
pub(crate) fn faults(devices: u32, ports: u32) -> Result<Faults, Failure> {
    let words = "--loss 0.05 --duplicate 0.02 --late 0.02 --late-ms 3000 --wrong-id 0.02 --delay-min-ms 1 --delay-max-ms 20 --dead 10 \
                 --looping 5 --weak 10";
    let words: Vec<&str> = words.split_whitespace().collect();
    let farm = start_farm(devices, ports, &words)?;
    let mut judge = Judge::default();
    poll(devices, ports, farm.port, Duration::from_secs(30), [Duration::from_secs(95)], &mut judge)?;
    eprintln!("{}", farm.stop()?);
    let classes = farm::Options::from_words(words);
    let living = |device: &u32| matches!(classes.class(*device), Class::Live | Class::Weak);
    let polls = |device: u32| judge.rounds.get(&device).copied().unwrap_or_default();
    let incomplete = (1..=devices).filter(living).filter(|&device| polls(device).1 == 0).count();
    let (all, whole) = (1..=devices).filter(living).map(polls).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Ok(Faults { values: judge.values, wrong: judge.wrong, incomplete, whole_share: f64::from(whole) / f64::from(all) })
}

/// What was done in a span.
#[derive(Clone, Copy, Default)]
struct Work {
    cpu_s: f64,
    polls: f64,
    requests: f64,
}

/// Runs the poller for each span in turn; the work of each.
fn poll<const N: usize>(
    devices: u32,
    ports: u32,
    port: u16,
    interval: Duration,
    spans: [Duration; N],
    judge: &mut Judge,
) -> Result<[Work; N], Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (transport, thread) = Engine::start(&Options::default())?;
        let (sender, mut rounds) = mpsc::channel(1_024);
        let (poller, handle) = Poller::new(transport.clone(), sender, PollOptions::default());
        let token = CancellationToken::new();
        let poller = poller.run(token.clone());
        let list = (1..).zip(targets(devices, port));
        let list = list.map(|(number, target)| PollDevice { id: DeviceId(number), target, interval, port_intervals: Vec::new() });
        let watching = async {
            handle.replace(list.collect()).await;
            let mut work = [Work::default(); N];
            for (work, span) in work.iter_mut().zip(spans) {
                let before = (farm::wire::cpu_seconds(), transport.stats());
                let until = tokio::time::sleep(span);
                tokio::pin!(until);
                loop {
                    tokio::select! {
                        () = &mut until => break,
                        Some(round) = rounds.recv() => judge.take(&round, ports),
                    }
                }
                let stats = transport.stats();
                *work = Work {
                    cpu_s: farm::wire::cpu_seconds() - before.0,
                    polls: (stats.started - before.1.started) as f64,
                    requests: (stats.sent - before.1.sent) as f64,
                };
            }
            eprintln!("{:?}\n{:?}", transport.stats(), handle.stats());
            token.cancel();
            work
        };
        let (work, ()) = tokio::join!(watching, poller);
        transport.stop();
        thread.join().map_err(|_| "the engine panicked")?;
        Ok(work)
    })
}
