//! The thread that moves datagrams between the sockets and the [`Core`].
//!
//! It works in ticks: sleep, then drain and send everything due. Waking for each datagram would cost three times the
//! CPU when polls are spread out. Under load it does not sleep as long as a tick brings work.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use super::conversation::Submission;
use super::core::{Arrival, Core};
use super::key_maker::KeyMaker;
use super::socket::UdpSocket;
use super::stats::Shared;
use super::sys::{BATCH, Inbox};
use crate::model::{Timestamp, clock};

/// The pause between two looks at the sockets while requests are out.
const TICK: Duration = Duration::from_millis(5);
/// The pause when many packets are out: about what a batch of answers takes to come in.
const SHORT_TICK: Duration = Duration::from_micros(500);
/// From so many packets out the short tick is used.
const MANY_OUT: usize = 32;
/// The longest sleep when nothing is running.
const IDLE: Duration = Duration::from_secs(1);
/// No datagram waits so long for us: between its stamp and our clock, the clock was set.
const CLOCK_SET_NS: u64 = 10_000_000_000;
/// Batches taken from one socket before anything else is done.
const DRAIN: usize = 16;

/// What the thread and its callers share.
#[derive(Default)]
pub(super) struct Common {
    pub(super) stats: Shared,
    /// Set while the thread sleeps without requests out: whoever submits then wakes it.
    pub(super) asleep: AtomicBool,
    pub(super) stop: AtomicBool,
}

/// The thread's state.
pub(super) struct Driver {
    pub(super) core: Core,
    pub(super) sockets: Vec<UdpSocket>,
    pub(super) submissions: Receiver<Submission>,
    pub(super) common: Arc<Common>,
    pub(super) inbox: Inbox,
    pub(super) key_maker: KeyMaker,
    /// The drop counts of the sockets, as last told by the kernel.
    pub(super) drops: Vec<u32>,
    /// A batch was not sent to its end: one of its packets met an error that is not yet known.
    pub(super) cut_short: bool,
}

impl Driver {
    /// Runs until stopped, or until nobody can submit any more and nothing is running.
    pub(super) fn run(mut self) {
        let mut open = true;
        while !self.common.stop.load(Ordering::Acquire) && (open || !self.core.is_idle()) {
            let now = clock::monotonic();
            open = self.take_submissions(now);
            let received = self.drain(now);
            self.key_maker.exchange(&mut self.core, now);
            self.core.tick(now);
            let sent = self.core.outbox.len();
            self.flush(now);
            self.common.stats.publish(&self.core.stats);
            if received < BATCH && sent < BATCH {
                self.sleep(now);
            }
        }
        self.core.cancel();
        self.submissions.try_iter().for_each(|submission| submission.job.finish(crate::snmp::job::End::Cancelled));
        self.common.stats.publish(&self.core.stats);
    }

    fn take_submissions(&mut self, now: Instant) -> bool {
        loop {
            match self.submissions.try_recv() {
                Ok(submission) => self.core.submit(submission, now),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Takes what has arrived, and says how many datagrams that were.
    fn drain(&mut self, now: Instant) -> usize {
        let mut total = 0;
        for (socket, drops) in self.sockets.iter().zip(&mut self.drops) {
            for _ in 0..DRAIN {
                match socket.receive(&mut self.inbox) {
                    Ok(count) => {
                        let wall_ns = clock::wall_nanos();
                        for datagram in self.inbox.datagrams() {
                            if let Some(count) = datagram.drops {
                                self.core.stats.socket_drops += u64::from(count.wrapping_sub(*drops));
                                *drops = count;
                            }
                            let arrival = arrival(datagram.stamp_ns, wall_ns, now);
                            self.core.datagram(datagram.from, datagram.octets, arrival);
                        }
                        total += count;
                        if count < BATCH {
                            break;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // An ICMP message for something sent before, told once here and in full by the error queue.
                    Err(_) => complaints(socket, &mut self.core, now),
                }
            }
        }
        // When receiving told of no error, sending may have told it, in the middle of a batch.
        if std::mem::take(&mut self.cut_short) {
            self.sockets.iter().for_each(|socket| complaints(socket, &mut self.core, now));
        }
        total
    }

    /// Sends the outbox. What the kernel will not take for want of room counts as sent: it is asked again in time.
    fn flush(&mut self, now: Instant) {
        let outbox = std::mem::take(&mut self.core.outbox);
        let mut done = 0;
        while let Some((first, _)) = outbox.packets(done).next() {
            let Some(socket) = self.sockets.iter().find(|socket| socket.carries(first)) else {
                self.core.unreachable(first, no_socket(first), true, now);
                done += 1;
                continue;
            };
            let run = || outbox.packets(done).take_while(|(to, _)| socket.carries(*to)).take(BATCH);
            done += match socket.send(run()) {
                Ok(count) => {
                    self.cut_short |= count < run().count();
                    count.max(1)
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => run().count(),
                Err(_) => {
                    // Most likely about an earlier packet: read the queue, then try this one alone.
                    complaints(socket, &mut self.core, now);
                    if let Err(error) = socket.send(run().take(1)) {
                        self.core.unreachable(first, &words(&error), true, now);
                    }
                    1
                }
            };
        }
        self.core.outbox = outbox;
        self.core.outbox.clear();
    }

    fn sleep(&mut self, now: Instant) {
        if self.core.is_asking() {
            std::thread::park_timeout(if self.core.out() >= MANY_OUT { SHORT_TICK } else { TICK });
            return;
        }
        let until = self.core.next_due().map_or(IDLE, |due| due.saturating_duration_since(now).clamp(TICK, IDLE));
        self.common.asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        // What was submitted before the flag could be seen did not wake us.
        match self.submissions.try_recv() {
            Ok(submission) => self.core.submit(submission, now),
            Err(_) if self.common.stop.load(Ordering::SeqCst) => {}
            Err(_) => std::thread::park_timeout(until),
        }
        self.common.asleep.store(false, Ordering::SeqCst);
    }
}

/// Hands the socket's error queue to the core.
fn complaints(socket: &UdpSocket, core: &mut Core, now: Instant) {
    while let Some(complaint) = socket.complaint() {
        let error = io::Error::from_raw_os_error(complaint.errno);
        let refused = error.kind() == io::ErrorKind::ConnectionRefused;
        core.unreachable(complaint.peer, &words(&error), refused, now);
    }
}

/// The operating system's words, with what they mean for SNMP.
fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "the port is closed (ICMP port unreachable); is the SNMP agent running, and is the port right?".to_owned()
        }
        io::ErrorKind::HostUnreachable => format!("{error}; is the device switched on, is the address right?"),
        io::ErrorKind::NetworkUnreachable => format!("{error}; is there a route to it?"),
        io::ErrorKind::PermissionDenied => format!("{error}; does a firewall of this machine forbid it?"),
        _ => error.to_string(),
    }
}

const fn no_socket(peer: SocketAddr) -> &'static str {
    if peer.is_ipv6() { "this machine has no IPv6" } else { "this machine has no IPv4" }
}

/// When a datagram arrived by both clocks: the kernel's stamp says how long it has been waiting for us. A stamp that is far
/// from our clock was made before the clock was set and says nothing.
fn arrival(stamp_ns: Option<i64>, wall_ns: i64, now: Instant) -> Arrival {
    let stamp_ns = stamp_ns.filter(|stamp_ns| wall_ns.abs_diff(*stamp_ns) < CLOCK_SET_NS).unwrap_or(wall_ns);
    // A stepped wall clock must not move the monotonic time by more than a datagram can have waited.
    let waited = Duration::from_nanos(u64::try_from(wall_ns.saturating_sub(stamp_ns)).unwrap_or(0)).min(Duration::from_secs(1));
    Arrival { at: now.checked_sub(waited).unwrap_or(now), stamp: Timestamp::from_millis(stamp_ns / 1_000_000) }
}
