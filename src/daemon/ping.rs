//! Reachability in the house: from the configuration to a plan, the prober's thread, the runner of checks, and the series
//! of hosts in a directory of their own.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::config::reach::{CheckAsk, CheckSettings, HostSettings, Pace};
use crate::daemon::supervise::{Stage, Supervisor, Task};
use crate::model::sample::{DeviceSample, PortSample};
use crate::model::{DeviceId, Finding, PortId, Subject, clock};
use crate::ping::check::{Ask, Check, DnsAsk, HttpAsk, runner};
use crate::ping::driver::{Outlets, Plan, Reach, Sample};
use crate::ping::live::{Board, HostInfo, ServiceInfo};
use crate::ping::schedule::{HostId, Target};
use crate::ping::state::{Of, ServiceId, ServiceThresholds, ServiceWatch, Thresholds, Watch};
use crate::ping::{link, store as numbers};
use crate::series::{self, Keeper, Reader, SeriesError, Values, Writer};
use crate::store::{DataDir, Store, StoreError};

/// Rounds that may wait for the series, results that may wait for the judge, checks that may wait to be repeated.
const WAITING: usize = 8192;
/// Gateways of ours that nobody configured have numbers that the catalogue never gives.
const GATEWAYS_FROM: u32 = 1 << 30;
/// A series' files are looked after so often.
const KEEP_EVERY: Duration = Duration::from_secs(15);

/// Reachability with everything around it.
pub(super) struct Ping {
    store: Store,
    reach: Arc<Reach>,
    checks: watch::Sender<Arc<Vec<Check>>>,
    doors: Arc<Mutex<runner::Doors>>,
    samples: Arc<Mutex<mpsc::Receiver<Sample>>>,
    writer: Writer,
    reader: Reader,
    keeper: Arc<StdMutex<Option<Keeper>>>,
}

impl Ping {
    /// Nothing runs yet; `findings` leads to the incidents.
    pub(super) fn open(store: Store, held: &DataDir, settings: &Settings, findings: mpsc::Sender<Finding>) -> Result<Self, SeriesError> {
        let options = series::Options { retention: settings.retention.clone(), values: Values::Gauges, ..series::Options::default() };
        let (writer, reader, keeper) = series::open(&held.hosts(), options)?;
        let (samples_in, samples) = mpsc::channel(WAITING);
        let (again_in, again) = mpsc::channel(WAITING);
        let (found_in, found) = mpsc::channel(WAITING);
        let (checks, watched) = watch::channel(Arc::default());
        Ok(Self {
            store,
            reach: Arc::new(Reach::new(Outlets { findings, samples: samples_in, again: again_in }, found)),
            checks,
            doors: Arc::new(Mutex::new(runner::Doors { checks: watched, again, found: found_in })),
            samples: Arc::new(Mutex::new(samples)),
            writer,
            reader,
            keeper: Arc::new(StdMutex::new(Some(keeper))),
        })
    }

    /// Every host and service as it is now.
    pub(super) fn board(&self) -> &Arc<Board> {
        self.reach.board()
    }

    /// The series of hosts and services.
    pub(super) const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Puts a configuration in force.
    pub(super) async fn set(&self, settings: &Settings) -> Result<(), StoreError> {
        let subjects = subjects(settings);
        let ids = numbers::enrol(&self.store, subjects.clone(), clock::wall()).await?;
        let ids: HashMap<Subject, u32> = subjects.into_iter().zip(ids).collect();
        let gateways = if settings.ping.gateway { link::gateways() } else { Vec::new() };
        let plan = plan(settings, &ids, &gateways);
        self.checks.send_replace(Arc::clone(&plan.checks));
        self.reach.set_plan(plan);
        Ok(())
    }

    /// Starts the prober, the runner and what keeps the series.
    pub(super) fn start(&self, supervisor: &Supervisor) {
        let reach = Arc::clone(&self.reach);
        supervisor.spawn_thread(Task::service("ping"), move |token: CancellationToken| reach.run(&token));
        let doors = Arc::clone(&self.doors);
        supervisor.spawn(Task::service("checks"), move |token| {
            let doors = Arc::clone(&doors);
            async move { runner::run(&mut *doors.lock().await, token).await }
        });
        let (samples, writer) = (Arc::clone(&self.samples), self.writer.clone());
        supervisor.spawn(Task::service("feed-hosts").stage(Stage::Keeping), move |token| {
            let (samples, writer) = (Arc::clone(&samples), writer.clone());
            async move { feed(&mut *samples.lock().await, &writer, token).await }
        });
        let keeper = Arc::clone(&self.keeper);
        let runtime = tokio::runtime::Handle::current();
        supervisor.spawn_thread(Task::service("keeper-hosts"), move |token: CancellationToken| {
            while !token.is_cancelled() {
                if let Some(keeper) = keeper.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                    // Told and counted by the keeper itself; the next turn tries again.
                    let _ = keeper.tick(clock::wall());
                }
                // Ended early by the stop, else the next turn is due: nothing to do in both cases.
                let _ = runtime.block_on(async { tokio::time::timeout(KEEP_EVERY, token.cancelled()).await });
            }
        });
    }

    /// Takes what closes the files, once everything else has ended.
    pub(super) fn take_keeper(&self) -> Option<Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Rounds and checks walk into their series until told to end; what waits then is still taken.
async fn feed(samples: &mut mpsc::Receiver<Sample>, writer: &Writer, token: CancellationToken) {
    loop {
        let sample = tokio::select! {
            sample = samples.recv() => sample,
            () = token.cancelled() => samples.try_recv().ok(),
        };
        let Some(sample) = sample else { return };
        // The writer counts what it cannot take.
        writer.append(stored(&sample));
    }
}

fn stored(sample: &Sample) -> DeviceSample {
    let row = PortSample { port: PortId(sample.id), skew_ms: 0, mark: None, values: sample.values };
    let rows = if sample.gap.is_none() { vec![row] } else { Vec::new() };
    DeviceSample { device: DeviceId(sample.id), time: sample.at, interval_s: sample.interval_s, gap: sample.gap, rows }
}

/// Everything that needs a number.
fn subjects(settings: &Settings) -> Vec<Subject> {
    let mut subjects = Vec::new();
    if settings.ping.devices {
        subjects.extend(settings.devices.iter().map(|device| Subject::Device(Arc::clone(&device.name))));
    }
    for host in &settings.hosts {
        subjects.push(Subject::Host(Arc::clone(&host.name)));
        subjects.extend(host.checks.iter().map(|check| service_subject(host, check)));
    }
    subjects
}

fn service_subject(host: &HostSettings, check: &CheckSettings) -> Subject {
    Subject::Service(Arc::clone(&host.name), Arc::clone(&check.name))
}

fn plan(settings: &Settings, ids: &HashMap<Subject, u32>, gateways: &[IpAddr]) -> Plan {
    let pinged = pinged(settings);
    let by_name: HashMap<&str, HostId> =
        pinged.iter().filter_map(|host| Some((&**host.subject.holder()?, HostId(*ids.get(&host.subject)?)))).collect();
    let mut plan = Plan { timeout: settings.ping.timeout, ..Plan::default() };
    let mut checks = Vec::new();
    for host in &pinged {
        let Some(id) = ids.get(&host.subject).copied().map(HostId) else { continue };
        let pace = host.pace;
        plan.targets.push(Target { id, address: host.address, interval: pace.interval, probes: pace.probes, size: pace.size });
        plan.watches.push(Watch {
            id,
            subject: host.subject.clone(),
            address: host.address,
            parents: host.parents.iter().filter_map(|parent| by_name.get(&**parent).copied()).collect(),
            is_local: host.address.is_loopback(),
            is_gateway: gateways.contains(&host.address),
            thresholds: thresholds(&pace),
        });
        let (mut services, on) = (Vec::new(), id);
        for check in host.checks {
            let Some(id) = ids.get(&Subject::Service(Arc::clone(&host.name), Arc::clone(&check.name))) else { continue };
            let (service, check) = service(ServiceId(*id), on, host, check);
            plan.services.push(service.0);
            services.push(service.1);
            checks.push(check);
        }
        plan.hosts.push(Arc::new(HostInfo {
            id,
            name: Arc::clone(&host.name),
            subject: host.subject.clone(),
            address: host.address,
            site: Arc::clone(&host.site),
            zone: host.zone,
            tags: host.tags.to_vec(),
            parents: host.parents.to_vec(),
            interval_s: u32::try_from(pace.interval.as_secs()).unwrap_or(u32::MAX),
            probes: pace.probes,
            services,
        }));
    }
    plan.checks = Arc::new(checks);
    let configured: Vec<IpAddr> = plan.targets.iter().map(|target| target.address).collect();
    for (number, address) in (GATEWAYS_FROM..).zip(gateways.iter().filter(|gateway| !configured.contains(gateway))) {
        let (id, pace) = (HostId(number), settings.ping.pace);
        plan.targets.push(Target { id, address: *address, interval: pace.interval, probes: pace.probes, size: pace.size });
        plan.watches.push(Watch {
            id,
            subject: Subject::Part("gateway".into()),
            address: *address,
            parents: Vec::new(),
            is_local: false,
            is_gateway: true,
            thresholds: thresholds(&pace),
        });
    }
    plan
}

/// A host, or a device that is pinged too.
struct Pinged<'a> {
    name: Arc<str>,
    subject: Subject,
    address: IpAddr,
    site: Arc<str>,
    zone: crate::model::Zone,
    tags: &'a [Arc<str>],
    parents: &'a [Arc<str>],
    pace: Pace,
    checks: &'a [CheckSettings],
}

fn pinged(settings: &Settings) -> Vec<Pinged<'_>> {
    let devices = settings.devices.iter().filter(|_| settings.ping.devices).map(|device| Pinged {
        name: Arc::clone(&device.name),
        subject: Subject::Device(Arc::clone(&device.name)),
        address: device.address.ip(),
        site: Arc::clone(&device.site),
        zone: device.zone,
        tags: &device.tags,
        parents: &[],
        pace: settings.ping.pace,
        checks: &[],
    });
    let hosts = settings.hosts.iter().map(|host| Pinged {
        name: Arc::clone(&host.name),
        subject: Subject::Host(Arc::clone(&host.name)),
        address: host.address,
        site: Arc::clone(&host.site),
        zone: host.zone,
        tags: &host.tags,
        parents: &host.parents,
        pace: host.pace,
        checks: &host.checks,
    });
    devices.chain(hosts).collect()
}

fn thresholds(pace: &Pace) -> Thresholds {
    let of = |share: crate::config::reach::Share| Of { count: share.count, last: share.last };
    Thresholds {
        down: of(pace.down),
        up: of(pace.up),
        lossy_percent: pace.lossy_percent,
        clear_percent: pace.lossy_percent / 4.0,
        slow_ns: pace.slow.as_nanos() as f64,
    }
}

fn service(id: ServiceId, on: HostId, host: &Pinged<'_>, check: &CheckSettings) -> ((ServiceWatch, Arc<ServiceInfo>), Check) {
    let subject = Subject::Service(Arc::clone(&host.name), Arc::clone(&check.name));
    let (kind, ask, certificate) = match &check.ask {
        CheckAsk::Tcp => ("tcp", Ask::Tcp, None),
        CheckAsk::Http(http) | CheckAsk::Https(http) => {
            let tls = matches!(check.ask, CheckAsk::Https(_));
            let ask = HttpAsk {
                tls,
                host: Arc::clone(&http.host),
                path: Arc::clone(&http.path),
                status: http.status.0..=http.status.1,
                text: http.text.clone(),
            };
            (if tls { "https" } else { "http" }, Ask::Http(ask), Some(http.certificate))
        }
        CheckAsk::Dns(dns) => {
            let ask = DnsAsk { name: Arc::clone(&dns.query), kind: dns.record, expect: dns.expect.clone(), tcp: dns.tcp };
            ("dns", Ask::Dns(ask), None)
        }
    };
    let default = ServiceThresholds::default();
    let certificate_days = certificate.map_or(default.certificate_days, |span| (span.as_secs() / 86_400).cast_signed());
    let watch = ServiceWatch {
        id,
        subject: subject.clone(),
        host: Some(on),
        is_local: host.address.is_loopback(),
        thresholds: ServiceThresholds { slow_ns: check.slow.as_nanos() as f64, certificate_days, ..default },
    };
    let interval_s = u32::try_from(check.interval.as_secs()).unwrap_or(u32::MAX);
    let info = ServiceInfo { id, name: Arc::clone(&check.name), subject, kind, port: check.port, interval_s };
    let check = Check { id, address: host.address, port: check.port, ask, interval: check.interval, timeout: check.timeout };
    ((watch, Arc::new(info)), check)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::reach::PingSettings;

    fn host(name: &str, address: &str, parents: &[&str]) -> HostSettings {
        HostSettings {
            name: name.into(),
            address: address.parse().unwrap(),
            site: "".into(),
            zone: crate::model::Zone::Outer,
            tags: Vec::new(),
            parents: parents.iter().map(|parent| (*parent).into()).collect(),
            pace: Pace::default(),
            checks: Vec::new(),
        }
    }

    #[test]
    fn hosts_stand_behind_hosts_and_gateways_are_watched_once() {
        let mut settings = Settings::new("");
        settings.hosts = vec![host("gw", "192.0.2.1", &[]), host("www", "192.0.2.80", &["gw"]), host("self", "127.0.0.1", &[])];
        let ids: HashMap<Subject, u32> = subjects(&settings).into_iter().zip(1..).collect();
        let gateways = ["192.0.2.1", "192.0.2.254"].map(|address| address.parse().unwrap());
        let plan = plan(&settings, &ids, &gateways);
        let [gw, www, own, hidden] = plan.watches.as_slice() else { panic!("{:?}", plan.watches) };
        assert_eq!((gw.is_gateway, &www.parents, own.is_local), (true, &vec![gw.id], true));
        assert_eq!((hidden.is_gateway, &hidden.subject), (true, &Subject::Part("gateway".into())));
        // The hidden one is no host that pages show.
        assert_eq!((plan.hosts.len(), plan.targets.len()), (3, 4));
        settings.ping = PingSettings { devices: false, ..PingSettings::default() };
        assert_eq!(subjects(&settings).len(), 3);
    }
}
