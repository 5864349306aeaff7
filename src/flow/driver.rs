//! The receiver: one task for each socket. It takes what has come, reads it, and hands batches on; a full queue sheds.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Allowed;
use super::collector::{Collector, Heard, Limits};
use super::record::Record;
use super::socket::Listener;
use super::stats::{Exporter, Stats};
use crate::model::{Timestamp, clock};

/// Records of one or more datagrams, in their order.
pub type Batch = Vec<Record>;

/// A batch is handed on when it has so many records, or when nothing more waits.
const BATCH: usize = 1_024;
/// After so many datagrams others get their turn.
const TURN: usize = 256;
/// The largest datagram.
const LARGEST: usize = 65_536;
/// How often the kernel is asked what it dropped.
const DROPS_EVERY: Duration = Duration::from_secs(5);
/// The same trouble of one sender is not told again within this time.
const SAY_EVERY_MS: i64 = 600_000;
/// Senders whose trouble is remembered.
const SAID: usize = 256;

/// What the receiver needs.
#[derive(Debug)]
pub struct Receiver {
    listeners: Vec<Listener>,
    allowed: ArcSwap<Allowed>,
    stats: Arc<Stats>,
    out: mpsc::Sender<Batch>,
}

impl Receiver {
    /// Takes bound sockets, those who may send, and where batches go.
    pub fn new(listeners: Vec<Listener>, allowed: Allowed, out: mpsc::Sender<Batch>) -> Self {
        Self { listeners, allowed: ArcSwap::from_pointee(allowed), stats: Arc::default(), out }
    }

    /// What is counted.
    pub const fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// Where it listens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(Listener::address).collect()
    }

    /// From now on these may send.
    pub fn set_allowed(&self, allowed: Allowed) {
        self.allowed.store(Arc::new(allowed));
    }

    /// Receives until the token is cancelled.
    ///
    /// # Errors
    /// A socket cannot be used any longer.
    pub async fn run(&self, token: &CancellationToken) -> io::Result<()> {
        futures_util::future::try_join_all(self.listeners.iter().map(|listener| self.listen(listener, token))).await.map(drop)
    }

    async fn listen(&self, listener: &Listener, token: &CancellationToken) -> io::Result<()> {
        let socket = UdpSocket::from_std(listener.socket()?)?;
        let mut ear = Ear::new(self);
        let mut buffer = vec![0; LARGEST];
        let mut dropped = listener.drops();
        let mut look = tokio::time::interval(DROPS_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                _ = look.tick() => {
                    let now = listener.drops();
                    if let (Some(before), Some(now)) = (dropped, now) {
                        self.stats.count_socket_drops(now.saturating_sub(before));
                    }
                    dropped = now.or(dropped);
                }
                ready = socket.readable() => {
                    ready?;
                    ear.drain(&socket, &mut buffer)?;
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

/// What one socket has heard.
struct Ear<'a> {
    receiver: &'a Receiver,
    collector: Collector,
    batch: Batch,
    exporters: HashMap<IpAddr, Arc<Exporter>>,
    said: HashMap<(IpAddr, Trouble), Timestamp>,
}

/// What is told about a sender.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Trouble {
    Refused,
    Malformed,
    UnknownTemplate,
    Clock,
    Full,
}

impl<'a> Ear<'a> {
    fn new(receiver: &'a Receiver) -> Self {
        Self {
            receiver,
            collector: Collector::new(Limits::default()),
            batch: Vec::with_capacity(BATCH),
            exporters: HashMap::new(),
            said: HashMap::new(),
        }
    }

    /// Takes what waits, at most a turn of it.
    fn drain(&mut self, socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<()> {
        let (now, allowed) = (clock::wall(), self.receiver.allowed.load());
        for _ in 0..TURN {
            let (length, from) = match socket.try_recv_from(buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // What an ICMP error brings in on an unconnected socket says nothing of the next datagram.
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::Interrupted) => continue,
                Err(error) => return Err(error),
            };
            let from = SocketAddr::new(from.ip().to_canonical(), from.port());
            if allowed.has(from.ip()) {
                self.hear(from, now, buffer.get(..length).unwrap_or_default());
            } else {
                self.receiver.stats.count_refused();
                self.say(from, Trouble::Refused, now);
            }
            if self.batch.len() >= BATCH {
                self.flush(from, now);
            }
        }
        if let Some(last) = self.batch.last() {
            let exporter = last.exporter;
            self.flush(SocketAddr::new(exporter, 0), now);
        }
        Ok(())
    }

    fn hear(&mut self, from: SocketAddr, now: Timestamp, datagram: &[u8]) {
        let heard = self.collector.read(from, now, datagram, &mut self.batch);
        let stats = &self.receiver.stats;
        if self.exporters.len() > SAID {
            self.exporters.clear();
        }
        self.exporters.entry(from.ip()).or_insert_with(|| stats.exporter(from.ip())).count(&heard, now);
        self.tell(from, &heard, now);
    }

    fn tell(&mut self, from: SocketAddr, heard: &Heard, now: Timestamp) {
        for (holds, trouble) in [
            (heard.malformed, Trouble::Malformed),
            (heard.unknown_templates > 0, Trouble::UnknownTemplate),
            (heard.clock_behind_ms != 0, Trouble::Clock),
        ] {
            if holds {
                self.say(from, trouble, now);
            }
        }
    }

    /// Hands the batch on.
    fn flush(&mut self, from: SocketAddr, now: Timestamp) {
        // A small batch takes no more room than it needs while it waits.
        let full = self.batch.len() * 2 >= BATCH;
        let batch = if full { std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH)) } else { self.batch.drain(..).collect() };
        if let Err(mpsc::error::TrySendError::Full(batch)) = self.receiver.out.try_send(batch) {
            self.receiver.stats.count_shed(batch.len());
            self.say(from, Trouble::Full, now);
        }
    }

    fn say(&mut self, from: SocketAddr, trouble: Trouble, now: Timestamp) {
        if self.said.len() >= SAID {
            self.said.retain(|_, at| now.millis() - at.millis() < SAY_EVERY_MS);
        }
        let known = self.said.get(&(from.ip(), trouble));
        // Under a flood of forged senders silence is better than a full log.
        if known.is_some_and(|at| now.millis() - at.millis() < SAY_EVERY_MS) || self.said.len() >= SAID {
            return;
        }
        self.said.insert((from.ip(), trouble), now);
        let peer = tracing::field::display(from);
        match trouble {
            Trouble::Refused => tracing::warn!(peer, "{from} sends flows but is no configured device; name it in flow.exporters"),
            Trouble::Malformed => tracing::warn!(
                peer,
                "what {from} sends cannot be read as NetFlow v5 or v9, IPFIX or sFlow v5, or not wholly; is another program's port pointed here?"
            ),
            Trouble::UnknownTemplate => {
                tracing::info!(
                    peer,
                    "{from} sends flows whose template has not come yet; they are read once it has, shorten its template interval"
                );
            }
            Trouble::Clock => tracing::warn!(peer, "the clock of {from} is more than a minute off; its times are set right by ours"),
            Trouble::Full => tracing::warn!(peer, "flow records are shed, the detectors cannot keep up"),
        }
    }
}
