//! The engine alone: as fast as it goes, and spread over time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use netroom::model::clock;
use netroom::snmp::job::{Credentials, Patience, Secret, Target, Transport};
use netroom::snmp::message::Version;
use netroom::snmp::udp::{Engine, Options, UdpTransport};

use crate::farm::{self, formula};
use crate::job::{Outcome, Plan, Poll};
use crate::yardstick::median;
use crate::{Failure, machine};

/// What a run gave.
pub(crate) struct Run {
    ports: f64,
    requests: f64,
    pub(crate) cpu_s: f64,
    pub(crate) wall_s: f64,
    pub(crate) wrong: u64,
    pub(crate) resident_mb: f64,
}

impl Run {
    pub(crate) fn ports_per_cpu(&self) -> f64 {
        self.ports / self.cpu_s
    }

    pub(crate) fn requests_per_cpu(&self) -> f64 {
        self.requests / self.cpu_s
    }
}

/// The farm on CPU 0.
pub(crate) fn start_farm(devices: u32, ports: u32, more: &[&str]) -> Result<farm::Child, Failure> {
    let (devices, ports) = (devices.to_string(), ports.to_string());
    let words = [&["--devices", &devices, "--ports", &ports], more].concat();
    let farm = farm::Child::start(&words)?;
    machine::pin(farm.id(), 0);
    Ok(farm)
}

/// The devices of a farm.
pub(crate) fn targets(devices: u32, port: u16) -> Vec<Arc<Target>> {
    let community = Secret::new(&b"public"[..]);
    let target = |device| {
        let credentials = Credentials::Community { version: Version::V2c, community: community.clone() };
        let address = SocketAddr::from((formula::address(device), port));
        Arc::new(Target { name: "farm".into(), address, credentials, patience: Patience::default() })
    };
    (1..=devices).map(target).collect()
}

/// All devices at once, so many times; the median of the CPU time.
pub(crate) fn burst(devices: u32, ports: u32, cycles: u32) -> Result<Run, Failure> {
    let farm = start_farm(devices, ports, &[])?;
    let (transport, thread) = Engine::start(&Options::default())?;
    let (plan, targets) = (Arc::new(Plan::new(ports)?), targets(devices, farm.port));
    let (mut cpu, mut wall, mut wrong, mut requests) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..cycles {
        let (cpu_before, started) = (farm::wire::cpu_seconds(), clock::monotonic());
        let outcomes = submit(&transport, &plan, &targets, Duration::ZERO)?;
        let sum = gather(&outcomes, devices)?;
        cpu.push(farm::wire::cpu_seconds() - cpu_before);
        wall.push(clock::monotonic().saturating_duration_since(started).as_secs_f64());
        wrong += u64::from(devices * plan.values() - sum.right);
        requests = sum.requests;
    }
    let stats = transport.stats();
    eprintln!("{stats:?}, {}", farm.stop()?);
    transport.stop();
    thread.join().map_err(|_| "the engine panicked")?;
    let (cpu_s, wall_s, ports) = (median(&mut cpu), median(&mut wall), f64::from(devices * ports));
    Ok(Run { ports, requests: f64::from(requests), cpu_s, wall_s, wrong, resident_mb: machine::resident_mb() })
}

/// All devices once, spread evenly over `span`; each answer takes the farm 1 to 5 ms.
pub(crate) fn paced(devices: u32, ports: u32, span: Duration) -> Result<Run, Failure> {
    let farm = start_farm(devices, ports, &["--delay-min-ms", "1", "--delay-max-ms", "5"])?;
    let (transport, thread) = Engine::start(&Options::default())?;
    let (plan, targets) = (Arc::new(Plan::new(ports)?), targets(devices, farm.port));
    let (cpu_before, started) = (farm::wire::cpu_seconds(), clock::monotonic());
    let outcomes = submit(&transport, &plan, &targets, span)?;
    let sum = gather(&outcomes, devices)?;
    let cpu_s = farm::wire::cpu_seconds() - cpu_before;
    let wall_s = clock::monotonic().saturating_duration_since(started).as_secs_f64();
    let resident_mb = machine::resident_mb();
    eprintln!("{:?}, {}", transport.stats(), farm.stop()?);
    transport.stop();
    thread.join().map_err(|_| "the engine panicked")?;
    let wrong = u64::from(devices * plan.values() - sum.right);
    Ok(Run { ports: f64::from(devices * ports), requests: f64::from(sum.requests), cpu_s, wall_s, wrong, resident_mb })
}

/// Hands a poll of each device to the engine, in steps of 5 ms over `span`.
fn submit(transport: &Arc<UdpTransport>, plan: &Arc<Plan>, targets: &[Arc<Target>], span: Duration) -> Result<Receiver<Outcome>, Failure> {
    let (done, outcomes) = sync_channel(targets.len());
    let start = clock::monotonic();
    for (number, target) in (0_u32..).zip(targets) {
        wait_until(start + span * number / targets.len() as u32);
        let poll = Poll::new(Arc::clone(plan), number + 1, done.clone());
        transport.submit(target, Box::new(poll), start + span + Duration::from_secs(30))?;
    }
    Ok(outcomes)
}

fn wait_until(due: Instant) {
    const STEP: Duration = Duration::from_millis(5);
    if due > clock::monotonic() {
        while due > clock::monotonic() {
            std::thread::park_timeout(STEP);
        }
    }
}

fn gather(outcomes: &Receiver<Outcome>, devices: u32) -> Result<Outcome, Failure> {
    let mut sum = Outcome { right: 0, wrong: 0, requests: 0 };
    for _ in 0..devices {
        let one = outcomes.recv_timeout(Duration::from_secs(60))?;
        sum = Outcome { right: sum.right + one.right, wrong: sum.wrong + one.wrong, requests: sum.requests + one.requests };
    }
    Ok(sum)
}
