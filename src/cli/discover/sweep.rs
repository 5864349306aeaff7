//! The sweep: every address is asked once by ping and by SNMP with each of the credentials, at one pace for all.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use indicatif::ProgressBar;
use surge_ping::{Client, Config, ICMP, PingIdentifier, PingSequence};

use super::super::snmp_args::Known;
use crate::model::{DeviceText, MacAddr, clock};
use crate::snmp::ask::{self, QuestionError, Reply};
use crate::snmp::job::{Ask, AskError, Patience, Request, Target, Transport};
use crate::snmp::message::{encode_names, status};
use crate::snmp::oid::Oid;
use crate::snmp::poll::mib;
use crate::snmp::udp::{Engine, Options};
use crate::snmp::value::Value;

/// Addresses that are being waited for at once.
const AT_ONCE: usize = 512;
/// How many first interfaces are looked at for a MAC address.
const FIRST_INTERFACES: u16 = 12;

/// What to sweep, and how.
pub(super) struct Sweep {
    /// Every address to ask.
    pub(super) addresses: Vec<IpAddr>,
    /// Who we may be to a device, in order.
    pub(super) known: Vec<Known>,
    /// UDP port.
    pub(super) port: u16,
    /// How long to wait; its tries are paced one by one.
    pub(super) patience: Patience,
    /// Requests a second.
    pub(super) rate: u32,
    /// Whether to ping.
    pub(super) ping: bool,
}

/// What answered.
pub(super) struct Seen {
    /// In the order of their addresses.
    pub(super) found: Vec<Found>,
    /// What could not be done.
    pub(super) notes: Vec<String>,
}

/// An address that answers.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The address.
    pub(super) address: IpAddr,
    /// Round trip of its ping.
    pub(super) ping: Option<Duration>,
    /// What it said by SNMP.
    pub(super) snmp: Option<Speaker>,
    /// It speaks SNMP, but not with us: why.
    pub(super) refused: Option<String>,
}

/// A device that answers SNMP.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Speaker {
    /// Which of the credentials it took.
    pub(super) known: usize,
    /// sysName.
    pub(super) name: DeviceText,
    /// sysDescr.
    pub(super) descr: DeviceText,
    /// sysObjectID.
    pub(super) object_id: String,
    /// snmpEngineID, empty when not given.
    pub(super) engine: Vec<u8>,
    /// The smallest MAC address of its first interfaces.
    pub(super) mac: Option<MacAddr>,
}

impl Sweep {
    /// Asks all addresses.
    pub(super) fn run(self, bar: &ProgressBar) -> anyhow::Result<Seen> {
        let (transport, thread) = Engine::start(&Options::default()).context("no UDP socket can be opened")?;
        let seen = super::runtime()?.block_on(self.all(&*transport, bar));
        transport.stop();
        // It ends within a tick; if it panicked, what was seen is no worse for it.
        let _ended = thread.join();
        Ok(seen)
    }

    async fn all(self, transport: &dyn Transport, bar: &ProgressBar) -> Seen {
        let (pinger, notes) = Pinger::open(&self);
        let pace = Pace::new(self.rate);
        let sweep = &self;
        let one = |&address: &IpAddr| {
            let (pinger, pace) = (&pinger, &pace);
            async move {
                let found = sweep.one(address, transport, pinger, pace).await;
                bar.inc(1);
                found
            }
        };
        let mut found = Vec::new();
        let mut answers = futures_util::stream::iter(self.addresses.iter().map(one)).buffer_unordered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            found.extend(answer);
            bar.set_message(found.len().to_string());
        }
        drop(answers);
        found.sort_by_key(|found| found.address);
        Seen { found, notes }
    }

    async fn one(&self, address: IpAddr, transport: &dyn Transport, pinger: &Pinger, pace: &Pace) -> Option<Found> {
        let ping = pinger.ping(address, pace, self.patience.min_timeout).await;
        let mut found = Found { address, ping, snmp: None, refused: None };
        for known in 0..self.known.len() {
            match self.speak(address, known, transport, pace).await {
                Ok(speaker) => {
                    found.snmp = Some(speaker);
                    break;
                }
                Err(QuestionError::Unanswered(error @ AskError::Refused { .. })) => found.refused = Some(error.to_string()),
                // The network says that nobody is there, or nobody listens: other communities change nothing.
                Err(QuestionError::Unanswered(AskError::Unreachable { .. })) => break,
                Err(_) => {}
            }
        }
        (found.ping.is_some() || found.snmp.is_some() || found.refused.is_some()).then_some(found)
    }

    async fn speak(&self, address: IpAddr, known: usize, transport: &dyn Transport, pace: &Pace) -> Result<Speaker, QuestionError> {
        let credentials = self.known.get(known).map(|known| known.credentials.clone()).ok_or(QuestionError::Deadline)?;
        let target = Arc::new(Target {
            name: Arc::from(address.to_string()),
            address: SocketAddr::new(address, self.port),
            credentials,
            patience: Patience { tries: 1, ..self.patience },
        });
        let mut asking = Asking { transport, target: &target, pace, tries: self.patience.tries };
        let system = [&mib::SYS_DESCR, &mib::SYS_NAME, &mib::SYS_OBJECT_ID].map(|object| object.child(&[0]));
        let reply = asking.ask(Ask::Get, &system).await?;
        let mut speaker = Speaker { known, ..Speaker::default() };
        take_system(&mut speaker, &reply);
        // Both only tell duplicates apart; a device may lack them.
        if let Ok(reply) = asking.ask(Ask::Get, &[mib::SNMP_ENGINE_ID.child(&[0])]).await
            && reply.error_status == status::NO_ERROR
        {
            let engine = reply.varbinds().map_while(Result::ok).find_map(|(_, value)| value.octets().map(<[u8]>::to_vec));
            speaker.engine = engine.unwrap_or_default();
        }
        let bulk = Ask::GetBulk { non_repeaters: 0, max_repetitions: FIRST_INTERFACES };
        let column = mib::if_column(6);
        if let Ok(reply) = asking.ask(bulk, std::slice::from_ref(&column)).await {
            let addresses = reply.varbinds().map_while(Result::ok).filter(|(name, _)| name.below(&column).is_some());
            speaker.mac = addresses.filter_map(|(_, value)| MacAddr::from_octets(value.octets()?)).min();
        }
        Ok(speaker)
    }
}

fn take_system(speaker: &mut Speaker, reply: &Reply) {
    if reply.error_status != status::NO_ERROR {
        return;
    }
    for (name, value) in reply.varbinds().map_while(Result::ok) {
        match value {
            Value::OctetString(octets) if mib::is_scalar(name, &mib::SYS_DESCR) => speaker.descr = DeviceText::decode(octets),
            Value::OctetString(octets) if mib::is_scalar(name, &mib::SYS_NAME) => speaker.name = DeviceText::decode(octets),
            Value::Oid(oid) if mib::is_scalar(name, &mib::SYS_OBJECT_ID) => speaker.object_id = oid.to_string(),
            _ => {}
        }
    }
}

/// Questions to one device, each datagram at the common pace.
struct Asking<'a> {
    transport: &'a dyn Transport,
    target: &'a Arc<Target>,
    pace: &'a Pace,
    tries: u8,
}

impl Asking<'_> {
    async fn ask(&mut self, ask: Ask, names: &[Oid]) -> Result<Reply, QuestionError> {
        let request = Request { ask, varbinds: Arc::from(encode_names(names.iter())) };
        let mut last = QuestionError::Deadline;
        for _ in 0..self.tries.max(1) {
            self.pace.turn().await;
            let deadline = clock::monotonic() + self.target.patience.max_timeout * 2;
            match ask::question(self.transport, self.target, request.clone(), deadline).await {
                Err(QuestionError::Unanswered(error @ AskError::Timeout { .. })) => last = error.into(),
                other => {
                    // A device that answers at all needs one try less patience for the rest.
                    self.tries = self.tries.min(2);
                    return other;
                }
            }
        }
        Err(last)
    }
}

/// One request each so many milliseconds, whoever sends it.
struct Pace {
    gap: Duration,
    next: Mutex<tokio::time::Instant>,
}

impl Pace {
    fn new(rate: u32) -> Self {
        Self { gap: Duration::from_secs(1) / rate.max(1), next: Mutex::new(clock::monotonic().into()) }
    }

    /// Waits for the next free moment.
    async fn turn(&self) {
        let moment = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let moment = (*next).max(clock::monotonic().into());
            *next = moment + self.gap;
            moment
        };
        tokio::time::sleep_until(moment).await;
    }
}

/// Pings, where the system lets us.
struct Pinger {
    v4: Option<Client>,
    v6: Option<Client>,
}

impl Pinger {
    fn open(sweep: &Sweep) -> (Self, Vec<String>) {
        let mut notes = Vec::new();
        let mut open = |kind: ICMP, is_needed: fn(&IpAddr) -> bool| {
            if !sweep.ping || !sweep.addresses.iter().any(is_needed) {
                return None;
            }
            let client = Client::new(&Config::builder().kind(kind).build());
            if let Err(error) = &client {
                notes.push(format!(
                    "no pings are sent ({error}); let your group in by the sysctl net.ipv4.ping_group_range, or run with CAP_NET_RAW"
                ));
            }
            client.ok()
        };
        let v4 = open(ICMP::V4, IpAddr::is_ipv4);
        let v6 = open(ICMP::V6, IpAddr::is_ipv6);
        (Self { v4, v6 }, notes)
    }

    async fn ping(&self, address: IpAddr, pace: &Pace, timeout: Duration) -> Option<Duration> {
        let client = if address.is_ipv4() { &self.v4 } else { &self.v6 }.as_ref()?;
        pace.turn().await;
        let mut pinger = client.pinger(address, PingIdentifier(std::process::id() as u16)).await;
        pinger.timeout(timeout);
        pinger.ping(PingSequence(0), b"netroom discover").await.ok().map(|(_, rtt)| rtt)
    }
}
