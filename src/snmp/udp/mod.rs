//! The transport over UDP: one thread, one unconnected socket per address family.
//!
//! The walk of a request: [`UdpTransport::submit`] checks that the device is free and hands the job to the thread;
//! `driver` takes it into `core`, which gives it a slot, asks the job for its question, writes it under the slot's
//! request-id when the window has room, and repeats it until an answer fits or the tries are used up. `socket` and `sys`
//! move datagrams in batches. Only `driver` reads clocks.

mod conversation;
mod core;
mod driver;
mod gate;
mod ids;
mod key_maker;
mod offline;
mod outbox;
mod rtt;
pub(super) mod socket;
mod stats;
pub(super) mod sys;
#[cfg(test)]
mod tests;
mod window;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{JoinHandle, Thread};
use std::time::Instant;

use self::conversation::Submission;
use self::core::Core;
use self::driver::{Common, Driver};
use self::gate::{Gate, canonical};
use self::key_maker::KeyMaker;
pub use self::offline::Offline;
use self::socket::UdpSocket;
pub use self::stats::Stats;
use self::sys::Inbox;
use super::job::{Job, SubmitError, Target, Transport};

/// How the transport works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Local addresses to send from, at most one per family; empty for any address of both families.
    pub local: Vec<SocketAddr>,
    /// Wanted size of each socket's receive buffer, octets.
    pub receive_buffer: usize,
    /// How many packets may be out at once, unanswered and younger than 50 ms.
    pub window: usize,
    /// How many submissions may wait to be taken.
    pub queue: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { local: Vec::new(), receive_buffer: 8 << 20, window: 512, queue: 16_384 }
    }
}

/// Starts transports.
#[derive(Clone, Copy, Debug)]
pub struct Engine;

impl Engine {
    /// Opens the sockets and starts the thread. It ends after [`UdpTransport::stop`], or when the last handle is gone
    /// and the last job has ended.
    ///
    /// # Errors
    /// When no socket can be opened, or the thread cannot be started.
    pub fn start(options: &Options) -> io::Result<(Arc<UdpTransport>, JoinHandle<()>)> {
        let sockets = open(options)?;
        let (sender, submissions) = sync_channel(options.queue.max(1));
        let gate = Arc::new(Gate::default());
        let common = Arc::new(Common::default());
        let seed = getrandom::u32().map_err(io::Error::other)?;
        let driver = Driver {
            core: Core::new(seed, options.window, Arc::clone(&gate)),
            drops: vec![0; sockets.len()],
            cut_short: false,
            sockets,
            submissions,
            common: Arc::clone(&common),
            inbox: Inbox::new(),
            key_maker: KeyMaker::start()?,
        };
        let handle = std::thread::Builder::new().name("snmp-udp".to_owned()).spawn(move || driver.run())?;
        let thread = handle.thread().clone();
        Ok((Arc::new(UdpTransport { sender, gate, common, thread }), handle))
    }
}

fn open(options: &Options) -> io::Result<Vec<UdpSocket>> {
    let sockets = bind(options)?;
    for socket in &sockets {
        let (family, receive_buffer_bytes) = (if socket.carries(UdpSocket::any(true)) { 6 } else { 4 }, socket.receive_buffer()?);
        tracing::debug!(family, receive_buffer_bytes, "SNMP socket of IPv{family} opened with room for {receive_buffer_bytes} octets");
    }
    Ok(sockets)
}

fn bind(options: &Options) -> io::Result<Vec<UdpSocket>> {
    if !options.local.is_empty() {
        return options.local.iter().map(|&local| UdpSocket::bind(local, options.receive_buffer)).collect();
    }
    let v4 = UdpSocket::bind(UdpSocket::any(false), options.receive_buffer);
    let v6 = UdpSocket::bind(UdpSocket::any(true), options.receive_buffer);
    match (v4, v6) {
        (Err(error), Err(_)) => Err(error),
        (v4, v6) => Ok([v4, v6].into_iter().flatten().collect()),
    }
}

/// The transport's handle.
pub struct UdpTransport {
    sender: SyncSender<Submission>,
    gate: Arc<Gate>,
    common: Arc<Common>,
    thread: Thread,
}

impl UdpTransport {
    /// The counters, at most one tick old.
    pub fn stats(&self) -> Stats {
        self.common.stats.snapshot()
    }

    /// Ends all jobs with [`super::job::End::Cancelled`], then the thread.
    pub fn stop(&self) {
        self.common.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Transport for UdpTransport {
    fn submit(&self, target: &Arc<Target>, job: Box<dyn Job>, deadline: Instant) -> Result<(), SubmitError> {
        if self.common.stop.load(Ordering::SeqCst) {
            return Err(SubmitError::Stopped);
        }
        let peer = canonical(target.address);
        self.gate.enter(peer)?;
        let submission = Submission { target: Arc::clone(target), peer, job, deadline };
        if let Err(error) = self.sender.try_send(submission) {
            self.gate.leave(peer);
            return Err(match error {
                TrySendError::Full(_) => SubmitError::Full,
                TrySendError::Disconnected(_) => SubmitError::Stopped,
            });
        }
        fence(Ordering::SeqCst);
        if self.common.asleep.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
        Ok(())
    }
}

impl Drop for UdpTransport {
    fn drop(&mut self) {
        self.thread.unpark();
    }
}
