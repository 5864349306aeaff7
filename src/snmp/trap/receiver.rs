//! The thread that takes notifications from the sockets. It waits for datagrams instead of looking for them: between storms a
//! receiver of traps has nothing to do.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use arc_swap::ArcSwap;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc::{Sender, error::TrySendError};

use super::decode::{Notification, Said};
use super::gate::{Gate, Limit};
use super::kind::Columns;
use super::stats::{Refused, Stats};
use super::{Engine, Senders, Trap, number};
use crate::model::{DeviceText, Timestamp, clock};
use crate::snmp::ber::{BerError, Writer};
use crate::snmp::job::Credentials;
use crate::snmp::oid::Subids;
use crate::snmp::udp::socket::UdpSocket;
use crate::snmp::udp::sys::{BATCH, Datagram, Inbox};
use crate::snmp::v3::envelope::Envelope;
use crate::snmp::v3::keys::User;
use crate::snmp::v3::receive::{Heard, Receiver, Refusal};
use crate::snmp::value::Value;

/// How long the thread waits at most before it looks whether it is to end.
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };
/// Sources whose refusal is told in the log; beyond, only counted.
const TOLD: usize = 256;

/// How notifications are received.
#[derive(Debug)]
pub struct Options {
    /// Where: mostly port 162 of all addresses.
    pub listen: Vec<SocketAddr>,
    /// The room wanted for datagrams that wait, in octets.
    pub receive_buffer: usize,
    /// What one source may send.
    pub limit: Limit,
    /// Who may send by community.
    pub senders: Senders,
    /// Who may send by SNMPv3.
    pub users: Vec<Credentials>,
    /// Who we are to senders of SNMPv3 informs.
    pub engine: Engine,
}

/// The receiver's handle; the thread ends when it is dropped.
#[derive(Debug)]
pub struct Handle {
    common: Arc<Common>,
    thread: Option<JoinHandle<()>>,
    addresses: Vec<SocketAddr>,
}

#[derive(Debug, Default)]
struct Common {
    stats: Arc<Stats>,
    senders: ArcSwap<Senders>,
    stop: AtomicBool,
}

/// Opens the sockets and starts the thread; what it takes goes into `traps`.
///
/// # Errors
/// The address that cannot be listened on, and why.
pub fn start(options: Options, traps: Sender<Trap>) -> Result<Handle, (SocketAddr, io::Error)> {
    let mut sockets = Vec::with_capacity(options.listen.len());
    for &address in &options.listen {
        sockets.push(UdpSocket::bind(address, options.receive_buffer).map_err(|error| (address, error))?);
    }
    let first = options.listen.first().copied().unwrap_or_else(|| UdpSocket::any(false));
    let addresses: Result<Vec<_>, _> = sockets.iter().map(UdpSocket::address).collect();
    let addresses = addresses.map_err(|error| (first, error))?;
    let common = Arc::new(Common { senders: ArcSwap::from_pointee(options.senders), ..Common::default() });
    let users = options.users.iter().filter_map(User::of).collect();
    let worker = Worker {
        drops: vec![0; sockets.len()],
        sockets,
        common: Arc::clone(&common),
        traps,
        gate: Gate::new(options.limit),
        v3: Receiver::new(options.engine, users),
        columns: Columns::new(),
        told: HashSet::new(),
        started: clock::monotonic(),
        writer: Writer::with_capacity(2_048),
    };
    let thread = std::thread::Builder::new().name("snmp-trap".to_owned()).spawn(move || worker.run());
    Ok(Handle { common, thread: Some(thread.map_err(|error| (first, error))?), addresses })
}

impl Handle {
    /// The counters.
    pub fn stats(&self) -> &Arc<Stats> {
        &self.common.stats
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Takes another set of senders.
    pub fn set_senders(&self, senders: Senders) {
        self.common.senders.store(Arc::new(senders));
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.common.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was told by the panic hook.
            let _ = thread.join();
        }
    }
}

struct Worker {
    sockets: Vec<UdpSocket>,
    common: Arc<Common>,
    traps: Sender<Trap>,
    gate: Gate,
    v3: Receiver,
    columns: Columns,
    told: HashSet<IpAddr>,
    started: Instant,
    drops: Vec<u32>,
    writer: Writer,
}

impl Worker {
    fn run(mut self) {
        let mut inbox = Inbox::new();
        let sockets = std::mem::take(&mut self.sockets);
        while !self.common.stop.load(Ordering::SeqCst) {
            let mut waiting: Vec<PollFd<'_>> = sockets.iter().map(|socket| PollFd::new(socket, PollFlags::IN)).collect();
            // Interrupted or timed out: the sockets are looked at in any case.
            let _ = poll(&mut waiting, Some(&WAIT));
            for (index, socket) in sockets.iter().enumerate() {
                while self.drain(index, socket, &mut inbox) == BATCH && !self.common.stop.load(Ordering::SeqCst) {}
            }
        }
    }

    /// Takes one batch; says how many datagrams it had.
    fn drain(&mut self, index: usize, socket: &UdpSocket, inbox: &mut Inbox) -> usize {
        let count = match socket.receive(inbox) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return 0,
            Err(_) => {
                // An ICMP message for an answer that nobody waited for.
                while socket.complaint().is_some() {}
                return 0;
            }
        };
        self.common.stats.count_received(count as u64);
        let now = clock::monotonic();
        for datagram in inbox.datagrams() {
            if let Some((seen, drops)) = self.drops.get_mut(index).zip(datagram.drops) {
                self.common.stats.count_socket_drops(u64::from(drops.wrapping_sub(*seen)));
                *seen = drops;
            }
            self.take(socket, &datagram, now);
        }
        count
    }

    fn take(&mut self, socket: &UdpSocket, datagram: &Datagram<'_>, now: Instant) {
        let source = datagram.from.ip().to_canonical();
        let now_ms = now.saturating_duration_since(self.started).as_millis();
        if !self.gate.admits(source, u64::try_from(now_ms).unwrap_or(u64::MAX)) {
            self.refuse(Refused::TooMany, source, "it sends more notifications than are taken from one device");
            return;
        }
        match Notification::decode(datagram.octets) {
            Ok(read) => self.community(socket, datagram, source, &read),
            Err(BerError::Version(3)) => match Envelope::decode(datagram.octets) {
                Ok(envelope) => self.user(socket, datagram, source, &envelope, now),
                Err(error) => self.refuse(Refused::Malformed, source, error),
            },
            Err(error) => self.refuse(Refused::Malformed, source, error),
        }
    }

    fn community(&mut self, socket: &UdpSocket, datagram: &Datagram<'_>, source: IpAddr, read: &Notification<'_>) {
        if !self.common.senders.load().admit(source, read.community) {
            self.refuse(Refused::Credentials, source, "its community is not that of a configured device; see [traps]");
            return;
        }
        let is_inform = read.inform.is_some();
        // Taken before it is answered: who got an answer does not send again.
        if self.hand_up(datagram, source, &read.said, number(read.version), is_inform)
            && let Some(inform) = &read.inform
        {
            self.writer.clear();
            read.acknowledge(inform, &mut self.writer);
            self.answer(socket, datagram.from, None);
        }
    }

    fn user(&mut self, socket: &UdpSocket, datagram: &Datagram<'_>, source: IpAddr, envelope: &Envelope<'_>, now: Instant) {
        match self.v3.hear(envelope, now) {
            Heard::Notification(varbinds, answer) => {
                let said = match Said::of_v2(crate::snmp::message::Varbinds::new(&varbinds)) {
                    Ok(said) => said,
                    Err(error) => return self.refuse(Refused::Malformed, source, error),
                };
                if self.hand_up(datagram, source, &said, 3, answer.is_some())
                    && let Some(answer) = answer
                {
                    self.answer(socket, datagram.from, Some(&answer));
                }
            }
            Heard::Report(report) => self.answer(socket, datagram.from, Some(&report)),
            Heard::Refused(refusal) => {
                let why = match refusal {
                    Refusal::Model | Refusal::Form => Refused::Malformed,
                    Refusal::User | Refusal::Level | Refusal::Keys | Refusal::Engines => Refused::Credentials,
                    Refusal::Time => Refused::Outdated,
                };
                self.refuse(why, source, refusal);
            }
        }
    }

    /// Hands a notification upwards; false when there is no room.
    fn hand_up(&mut self, datagram: &Datagram<'_>, sender: IpAddr, said: &Said<'_>, version: u8, is_inform: bool) -> bool {
        // A forwarded trap is its agent's, if the agent is one of ours; anybody may write anything there.
        let agent = said.agent.map(IpAddr::V4).filter(|agent| self.common.senders.load().devices.contains_key(agent));
        let received = datagram.stamp_ns.map_or_else(clock::wall, |stamp| Timestamp::from_millis(stamp / 1_000_000));
        let mut trap = Trap {
            received,
            source: agent.unwrap_or(sender),
            version,
            standard: said.kind.standard(),
            name: said.kind.to_string(),
            uptime_ticks: said.uptime_ticks,
            if_index: None,
            if_name: None,
            admin: None,
            oper: None,
            is_inform,
        };
        self.read_columns(said, &mut trap);
        match self.traps.try_send(trap) {
            Ok(()) => {
                self.common.stats.count_taken();
                true
            }
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => {
                self.refuse(Refused::QueueFull, sender, "too many notifications are waiting to be looked at");
                false
            }
        }
    }

    /// What linkDown and linkUp carry. A varbind that cannot be read ends the list, not the trap.
    fn read_columns(&self, said: &Said<'_>, trap: &mut Trap) {
        let small = |value: &Value<'_>| value.number().and_then(|number| u8::try_from(number).ok());
        for (name, value) in said.varbinds.map_while(Result::ok) {
            let columns = &self.columns;
            if name.below(&columns.if_index).is_some() {
                trap.if_index = value.number().and_then(|number| u32::try_from(number).ok()).or(trap.if_index);
            } else if let Some(index) = name.below(&columns.if_oper) {
                trap.oper = small(&value);
                trap.if_index = trap.if_index.or(Subids::only(index));
            } else if let Some(index) = name.below(&columns.if_admin) {
                trap.admin = small(&value);
                trap.if_index = trap.if_index.or(Subids::only(index));
            } else if let Some(index) = name.below(&columns.if_name) {
                trap.if_name = value.octets().map(DeviceText::decode);
                trap.if_index = trap.if_index.or(Subids::only(index));
            } else if let Some(index) = name.below(&columns.if_descr) {
                trap.if_name = trap.if_name.take().or_else(|| value.octets().map(DeviceText::decode));
                trap.if_index = trap.if_index.or(Subids::only(index));
            }
        }
    }

    /// Sends what the writer holds, or `octets`.
    fn answer(&self, socket: &UdpSocket, to: SocketAddr, octets: Option<&[u8]>) {
        let octets = octets.unwrap_or_else(|| self.writer.as_slice());
        self.common.stats.count_answered();
        // A lost answer is asked for again by the sender.
        let _ = socket.send(std::iter::once((to, octets)));
    }

    /// Counts, and tells the first refusal of each source.
    fn refuse(&mut self, why: Refused, source: IpAddr, what: impl std::fmt::Display) {
        self.common.stats.count_refused(why);
        if self.told.len() < TOLD && self.told.insert(source) {
            tracing::warn!(%source, reason = why.word(), "a notification of {source} was not taken: {what}; further ones are only counted");
        }
    }
}
