//! Blocking in the house: the desk under the supervisor, with the eyes, the hands and the rules of this house around it.

mod place;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::block::actuator::{self, Actuators};
use crate::block::desk::{Accusation, Desk, Done, Located, World};
use crate::block::gate::{Permit, Rail};
use crate::block::shield::{Shield, Suspect};
use crate::block::tally::Tally;
use crate::block::{Case, Counter, Observation, Order, counter};
use crate::config::Settings;
use crate::config::block::BlockSettings;
use crate::daemon::inventory;
use crate::daemon::supervise::{Supervisor, Task};
use crate::daemon::tables;
use crate::detect::MachineKey;
use crate::incident;
use crate::incident::windows::Purpose;
use crate::model::{Finding, Subject, Timestamp, clock};
use crate::snmp::job::{Target, Transport};
use crate::store::{Store, StoreError};

/// Accusations that may wait for the desk. It takes each within a second, unless a switch keeps it waiting.
const QUEUE: usize = 1024;

/// What the configuration says.
struct Setup {
    block: Arc<BlockSettings>,
    hands: Actuators,
    /// How each device is read.
    targets: HashMap<Arc<str>, Arc<Target>>,
    /// Devices and hosts of the configuration by their addresses: whoever is watched under a name is nobody's unknown machine.
    named: Vec<(IpAddr, Arc<str>)>,
}

impl Setup {
    fn new(settings: &Settings, transport: &Arc<dyn Transport>) -> Self {
        let devices = settings.devices.iter().map(|device| (device.address.ip(), Arc::clone(&device.name)));
        let hosts = settings.hosts.iter().map(|host| (host.address, Arc::clone(&host.name)));
        Self {
            block: Arc::new(settings.block.clone()),
            hands: Actuators::new(Arc::clone(transport), inventory::reach(settings)),
            targets: settings.devices.iter().map(|device| (Arc::clone(&device.name), inventory::target(device))).collect(),
            named: devices.chain(hosts).collect(),
        }
    }
}

/// What the desk looks at and works with.
pub(super) struct Around {
    /// Cases, holds and wishes.
    pub(super) store: Store,
    /// Who sits where.
    pub(super) located: Arc<tables::Located>,
    /// Freezes of the calendar, and where devices belong.
    pub(super) incidents: Arc<incident::Board>,
    /// Whom what is found is told.
    pub(super) findings: mpsc::Sender<Finding>,
    /// The way to the devices.
    pub(super) transport: Arc<dyn Transport>,
}

/// The desk with everything around it.
pub(super) struct Blocks {
    house: Arc<House>,
    tally: Arc<Tally>,
    accusations: mpsc::Sender<Accusation>,
    receiver: Mutex<mpsc::Receiver<Accusation>>,
}

impl Blocks {
    /// Nothing runs yet.
    pub(super) fn new(settings: &Settings, around: Around) -> Self {
        let (accusations, receiver) = mpsc::channel(QUEUE);
        let setup = ArcSwap::from_pointee(Setup::new(settings, &around.transport));
        let house = Arc::new(House { around, setup, started: clock::monotonic() });
        Self { house, tally: Arc::default(), accusations, receiver: Mutex::new(receiver) }
    }

    /// Where accusations go.
    pub(super) fn accusations(&self) -> mpsc::Sender<Accusation> {
        self.accusations.clone()
    }

    /// What was done so far, for Prometheus.
    pub(super) const fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Where people see cases and say what they wish.
    pub(super) fn counter(&self) -> Arc<Counter> {
        Arc::new(Counter::new(self.house.around.store.clone(), Arc::clone(&self.house) as Arc<dyn counter::Rules>))
    }

    /// Another configuration is in force.
    pub(super) fn reloaded(&self, settings: &Settings) {
        self.house.setup.store(Arc::new(Setup::new(settings, &self.house.around.transport)));
    }

    /// Starts the desk.
    pub(super) fn start(self: &Arc<Self>, supervisor: &Supervisor) {
        let blocks = Arc::clone(self);
        supervisor.spawn(Task::service("blocks"), move |token| {
            let blocks = Arc::clone(&blocks);
            async move { blocks.life(token).await }
        });
    }

    /// One life of the desk. It begins with what is written down of the life before.
    async fn life(&self, token: CancellationToken) -> Result<(), StoreError> {
        let mut receiver = self.receiver.lock().await;
        let mut desk = Desk::open(self.house.around.store.clone(), Arc::clone(&self.house), Arc::clone(&self.tally)).await?;
        desk.run(&mut receiver, token).await
    }
}

/// The house, as the desk sees it.
struct House {
    around: Around,
    setup: ArcSwap<Setup>,
    started: Instant,
}

impl counter::Rules for House {
    fn settings(&self) -> Arc<BlockSettings> {
        Arc::clone(&self.setup.load().block)
    }

    fn explain(&self, machine: MachineKey) -> Vec<Rail> {
        World::protected(self, &place::suspect(self, machine), clock::wall())
    }
}

impl World for House {
    fn settings(&self) -> Arc<BlockSettings> {
        Arc::clone(&self.setup.load().block)
    }

    async fn locate(&self, case: &Case) -> Located {
        place::locate(self, case).await
    }

    async fn port(&self, device: &str, port: &str) -> Located {
        place::port(self, device, port).await
    }

    fn has_moved(&self, case: &Case) -> bool {
        place::has_moved(self, case)
    }

    fn protected(&self, suspect: &Suspect, now: Timestamp) -> Vec<Rail> {
        let setup = self.setup.load();
        let site = self.around.located.site();
        let site = Arc::clone(&site.borrow());
        Shield { lines: &setup.block.protected, site: &site, named: &setup.named }.explain(suspect, now)
    }

    fn frozen(&self, located: &Located, now: Timestamp) -> Option<Rail> {
        let subject = match &located.spot {
            Some(spot) => Subject::Port(Arc::clone(&spot.device), Arc::clone(&spot.if_name)),
            None => Subject::Part("block".into()),
        };
        let place = self.around.located.setup().scope.place(&subject);
        let windows = self.around.incidents.windows();
        let window = windows.open(Purpose::Freeze, &subject, &place, now)?;
        let until = windows.next_span(window, now).map_or(now, |(_, until)| until);
        Some(Rail::Frozen { reason: window.comment.as_str().into(), until })
    }

    async fn observe(&self, order: &Order) -> Result<Observation, String> {
        let setup = self.setup.load_full();
        setup.hands.observe(order).await.map_err(|error| error.to_string())
    }

    async fn apply(&self, permit: Permit) -> Result<Done, String> {
        let setup = self.setup.load_full();
        setup.hands.apply(permit).await.map_err(|error| error.to_string())
    }

    fn varbinds(&self, order: &Order, now: Option<&Observation>) -> Vec<String> {
        actuator::lines(order, now)
    }

    async fn tell(&self, finding: Finding) {
        // The channel is closed at the end of the program only.
        let _ = self.around.findings.send(finding).await;
    }

    fn now(&self) -> Timestamp {
        clock::wall()
    }
}
