//! The schedule against a simple reference that walks time second by second, and the cases that it is built for.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn timing(device: u32, intervals: &[u64]) -> Timing {
    Timing { device: DeviceId(device), intervals: intervals.iter().map(|&interval| secs(interval)).collect() }
}

/// Lets the schedule run in steps of 100 ms; a turn lasts as long as `lasts` says.
fn run(schedule: &mut Schedule, from: Duration, to: Duration, lasts: impl Fn(DeviceId) -> Duration) -> Vec<Turn> {
    let mut turns = Vec::new();
    let mut running: Vec<(Duration, DeviceId)> = Vec::new();
    let mut now = from;
    while now < to {
        running.retain(|&(until, device)| {
            if until <= now {
                schedule.finished(device);
            }
            until > now
        });
        while let Some(turn) = schedule.take_due(now) {
            assert!(running.iter().all(|&(_, device)| device != turn.device), "two polls of one device at once");
            running.push((now + lasts(turn.device), turn.device));
            turns.push(turn);
        }
        now += Duration::from_millis(100);
    }
    turns
}

#[test]
fn each_device_is_polled_once_soon_and_then_once_an_interval_at_its_own_phase() {
    let mut schedule = Schedule::new();
    let timings: Vec<Timing> = (0..200).map(|device| timing(device, &[60])).collect();
    schedule.replace(&timings, secs(1000));
    let turns = run(&mut schedule, secs(1000), secs(1000 + 600), |_| secs(1));
    let mut times: BTreeMap<DeviceId, Vec<Duration>> = BTreeMap::new();
    turns.iter().for_each(|turn| times.entry(turn.device).or_default().push(turn.due));
    assert_eq!(times.len(), 200);
    let mut phases = Vec::new();
    for due in times.values() {
        assert!(due[0] < secs(1002), "the first poll comes soon");
        assert!(due[1] - due[0] >= secs(15) && due[1] - due[0] <= secs(75));
        assert!(due.windows(2).skip(1).all(|pair| pair[1] - pair[0] == secs(60)), "{due:?}");
        assert!((10..=11).contains(&due.len()));
        phases.push(due[1].as_secs() % 60 / 15);
    }
    let quarter = |wanted| phases.iter().filter(|&&phase| phase == wanted).count();
    assert!((0..4).all(|wanted| (25..=75).contains(&quarter(wanted))), "phases are spread over the interval: {phases:?}");
}

#[test]
fn a_slow_device_skips_its_own_cycles_and_delays_nobody() {
    let mut schedule = Schedule::new();
    schedule.replace(&[timing(1, &[10]), timing(2, &[10])], secs(0));
    let slow = |device| if device == DeviceId(1) { secs(25) } else { secs(1) };
    let turns = run(&mut schedule, secs(0), secs(100), slow);
    let of = |device| turns.iter().filter(|turn| turn.device == DeviceId(device)).count() as u64;
    assert!(of(2) >= 10, "{}", of(2));
    assert!((3..=5).contains(&of(1)), "{}", of(1));
    assert!(schedule.missed().late >= 5);
    assert_eq!(schedule.missed().stalled, 0);
}

#[test]
fn deadlines_are_four_fifths_of_the_shortest_due_interval() {
    let mut schedule = Schedule::new();
    schedule.replace(&[timing(7, &[60, 10])], secs(0));
    let turns = run(&mut schedule, secs(0), secs(200), |_| secs(1));
    for turn in turns.iter().skip(1) {
        let span = turn.deadline - turn.due;
        assert!(turn.classes & 0b10 != 0, "the 10 s class is in every turn");
        assert!(span >= secs(8) && span < Duration::from_millis(8100), "{span:?}");
    }
    let own = turns.iter().filter(|turn| turn.classes & 1 == 1).count();
    assert!((3..=5).contains(&own), "the 60 s class comes along every sixth time: {own}");
}

#[test]
fn after_a_stall_nobody_is_polled_out_of_turn_and_the_lost_cycles_are_counted() {
    let mut schedule = Schedule::new();
    let timings: Vec<Timing> = (0..50).map(|device| timing(device, &[60])).collect();
    schedule.replace(&timings, secs(0));
    run(&mut schedule, secs(0), secs(120), |_| secs(1));
    (0..50).for_each(|device| schedule.finished(DeviceId(device)));
    let turns = run(&mut schedule, secs(86_400), secs(86_400) + Duration::from_millis(300), |_| secs(1));
    assert!(turns.len() <= 2, "no stampede after a night's sleep: {}", turns.len());
    let lost = schedule.missed().stalled;
    assert!(lost >= 48 * 1437, "{lost}");
    (0..50).for_each(|device| schedule.finished(DeviceId(device)));
    let rest = run(&mut schedule, secs(86_400) + Duration::from_millis(300), secs(86_460), |_| secs(1));
    assert_eq!(turns.len() + rest.len(), 50, "within one interval each has its turn");
}

#[test]
fn turns_begin_together_in_slots() {
    let mut schedule = Schedule::new();
    let timings: Vec<Timing> = (0..1_000).map(|device| timing(device, &[60])).collect();
    schedule.replace(&timings, secs(1000));
    let turns = run(&mut schedule, secs(1000), secs(1300), |_| secs(1));
    let later = turns.iter().filter(|turn| turn.due > secs(1080));
    let begins: Vec<u128> = later.map(|turn| turn.due.as_millis()).collect();
    assert!(begins.len() > 3_000 && begins.iter().all(|begin| begin % 250 == 0));
}

#[test]
fn a_reload_keeps_the_phase_of_those_that_stay() {
    let mut schedule = Schedule::new();
    schedule.replace(&[timing(1, &[60]), timing(2, &[60])], secs(0));
    let first = run(&mut schedule, secs(0), secs(300), |_| secs(1));
    let place = first.iter().rfind(|turn| turn.device == DeviceId(1)).unwrap().due;
    schedule.replace(&[timing(1, &[60]), timing(3, &[30])], secs(300));
    let turns = run(&mut schedule, secs(300), secs(600), |_| secs(1));
    assert!(turns.iter().all(|turn| turn.device != DeviceId(2)));
    let kept = turns.iter().filter(|turn| turn.device == DeviceId(1));
    assert!(kept.clone().count() == 5 && kept.clone().all(|turn| (turn.due - place).as_secs() % 60 == 0));
    assert!(turns.iter().filter(|turn| turn.device == DeviceId(3)).count() >= 9);
}

#[test]
fn poll_now_is_an_extra_turn_but_never_a_second_one_at_once() {
    let mut schedule = Schedule::new();
    schedule.replace(&[timing(1, &[60, 10, 900])], secs(0));
    run(&mut schedule, secs(0), secs(5), |_| secs(1));
    let turn = schedule.poll_now(DeviceId(1), secs(5)).unwrap();
    assert_eq!((turn.classes, turn.deadline), (0b111, secs(53)));
    assert_eq!(schedule.poll_now(DeviceId(1), secs(5)), None);
    assert_eq!(schedule.poll_now(DeviceId(9), secs(5)), None);
    schedule.finished(DeviceId(1));
    schedule.finished(DeviceId(9));
    assert!(schedule.poll_now(DeviceId(1), secs(6)).is_some());
}

#[derive(Clone, Debug)]
enum Op {
    Advance(u16),
    Finish(u8),
    PollNow(u8),
    Reload(Vec<(u8, u16)>),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (1_u16..400).prop_map(Op::Advance),
        4 => (0_u8..6).prop_map(Op::Finish),
        1 => (0_u8..6).prop_map(Op::PollNow),
        1 => proptest::collection::vec((0_u8..6, 10_u16..900), 0..6).prop_map(Op::Reload),
    ]
}

/// The reference: for each device the next due second on its grid, found by looking at every second.
#[derive(Default)]
struct Reference {
    devices: BTreeMap<u8, (u64, bool, Option<Duration>)>,
}

impl Reference {
    fn next_on_grid(device: u8, interval: u64, after: Duration) -> Duration {
        let offset = offset(phase(DeviceId(u32::from(device))), secs(interval));
        let mut candidate = Duration::from_nanos(offset as u64);
        while candidate <= after {
            candidate += secs(interval);
        }
        candidate
    }
}

proptest! {
    #[test]
    fn it_does_what_the_simple_reference_does(ops in proptest::collection::vec(op(), 1..60)) {
        let mut schedule = Schedule::new();
        let mut reference = Reference::default();
        let mut now = secs(50);
        for op in ops {
            match op {
                Op::Advance(by) => now += secs(u64::from(by)),
                Op::Finish(device) => {
                    schedule.finished(DeviceId(u32::from(device)));
                    if let Some(entry) = reference.devices.get_mut(&device) { entry.1 = false; }
                }
                Op::PollNow(device) => {
                    let taken = schedule.poll_now(DeviceId(u32::from(device)), now).is_some();
                    let expected = reference.devices.get_mut(&device).is_some_and(|entry| !std::mem::replace(&mut entry.1, true));
                    prop_assert_eq!(taken, expected);
                }
                Op::Reload(list) => {
                    let wanted: BTreeMap<u8, u64> = list.into_iter().map(|(device, interval)| (device, u64::from(interval))).collect();
                    let timings: Vec<Timing> = wanted.iter().map(|(&device, &interval)| timing(u32::from(device), &[interval])).collect();
                    schedule.replace(&timings, now);
                    let mut next = BTreeMap::new();
                    for (device, interval) in wanted {
                        let entry = match reference.devices.get(&device) {
                            Some(&(same, busy, due)) if same == interval => (interval, busy, due),
                            Some(&(_, busy, _)) => (interval, busy, Some(Reference::next_on_grid(device, interval, now))),
                            // The moment of the first poll is its own affair; it is soon.
                            None => (interval, false, None),
                        };
                        next.insert(device, entry);
                    }
                    reference.devices = next;
                }
            }
            let mut taken = Vec::new();
            while let Some(turn) = schedule.take_due(now) {
                prop_assert!(turn.due <= now && turn.deadline > now && turn.classes == 1);
                taken.push(turn.device.0 as u8);
            }
            for (&device, (interval, busy, due)) in &mut reference.devices {
                let Some(at) = *due else {
                    // Once the first poll was due, the device is on its grid.
                    if taken.contains(&device) {
                        prop_assert!(!*busy);
                        *busy = true;
                    }
                    let entry = &schedule.devices[&DeviceId(u32::from(device))];
                    if is_on_grid(entry.phase, secs(*interval), entry.due[0]) { *due = Some(entry.due[0]); }
                    continue;
                };
                let expected = at <= now && !*busy && now - at < secs(*interval);
                prop_assert_eq!(taken.contains(&device), expected, "device {} due {:?} now {:?}", device, at, now);
                if at <= now {
                    *due = Some(Reference::next_on_grid(device, *interval, now));
                    *busy |= expected;
                }
            }
            prop_assert!(schedule.next_due().is_none_or(|due| due > now), "nothing due is left");
        }
    }
}
