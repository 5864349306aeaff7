//! The sockets of the agents: one UDP socket a device, IPv4 or IPv6, all served by one task.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use super::{Faults, Manners, Mib, Source, Spoiler, respond};
use crate::model::{Timestamp, clock};

/// Where an agent takes the time from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// One device to be served.
#[derive(Clone)]
pub struct Agent {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// What it serves.
    pub mib: Arc<dyn Mib>,
    /// How it behaves.
    pub manners: Manners,
    /// What goes wrong.
    pub faults: Faults,
    /// Its clock: the wall clock unless a test brings its own.
    pub clock: Clock,
}

impl Agent {
    /// A faultless device with community `public`.
    pub fn new(address: SocketAddr, mib: Arc<dyn Mib>) -> Self {
        Self { address, mib, manners: Manners::default(), faults: Faults::default(), clock: Arc::new(clock::wall) }
    }
}

/// An agent with its sockets.
pub struct Bound {
    agent: Agent,
    own: StdSocket,
    /// With another address, only where faults want it.
    other: Option<StdSocket>,
}

impl Bound {
    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.own.local_addr()
    }
}

/// Opens the sockets of all agents.
pub fn bind(agents: Vec<Agent>) -> io::Result<Vec<Bound>> {
    let open = |agent: Agent| {
        let own = open(agent.address)
            .map_err(|error| io::Error::new(error.kind(), format!("the agent cannot listen on UDP {}: {error}", agent.address)))?;
        let other = if agent.faults.wrong_source > 0.0 { Some(open(elsewhere(agent.address))?) } else { None };
        Ok(Bound { agent, own, other })
    };
    agents.into_iter().map(open).collect()
}

/// Serves until `stop`.
pub async fn serve(agents: Vec<Bound>, stop: CancellationToken) -> io::Result<()> {
    let services: io::Result<FuturesUnordered<_>> = agents.into_iter().map(|agent| Service::new(agent).map(|s| s.run(&stop))).collect();
    services?.collect::<()>().await;
    Ok(())
}

/// Agents served by a thread of their own, until dropped.
pub struct Running {
    addresses: Vec<SocketAddr>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Opens the sockets and starts the thread.
    pub fn start(agents: Vec<Agent>) -> io::Result<Self> {
        let bound = bind(agents)?;
        let addresses: io::Result<Vec<SocketAddr>> = bound.iter().map(Bound::address).collect();
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let token = stop.clone();
        let body = move || {
            if let Err(error) = runtime.block_on(serve(bound, token)) {
                tracing::error!(%error, "the simulated SNMP agents could not start: {error}");
            }
        };
        let thread = std::thread::Builder::new().name("demo-agents".into()).spawn(body)?;
        Ok(Self { addresses: addresses?, stop, thread: Some(thread) })
    }

    /// Where the agents listen, in the order in which they were given.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the simulated SNMP agents panicked");
        }
    }
}

fn open(address: SocketAddr) -> io::Result<StdSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // Bursts of a test wait in the kernel; a smaller buffer than asked for is no fault.
    socket.set_recv_buffer_size(1 << 20)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// An address of this machine that is not the device's, with a port of the kernel's choice.
const fn elsewhere(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 255, 0, 1)), 0),
        SocketAddr::V6(_) => SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
    }
}

/// A datagram that waits for its time. Equal times go out in the order of their numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    due: Instant,
    number: u64,
    to: SocketAddr,
    from_own: bool,
    octets: Vec<u8>,
}

struct Service {
    agent: Agent,
    own: UdpSocket,
    other: Option<UdpSocket>,
    spoiler: Spoiler,
    waiting: BinaryHeap<Reverse<Waiting>>,
    sent: u64,
}

impl Service {
    fn new(bound: Bound) -> io::Result<Self> {
        let own = UdpSocket::from_std(bound.own)?;
        let other = bound.other.map(UdpSocket::from_std).transpose()?;
        let spoiler = Spoiler::new(bound.agent.faults.clone());
        Ok(Self { agent: bound.agent, own, other, spoiler, waiting: BinaryHeap::new(), sent: 0 })
    }

    async fn run(mut self, stop: &CancellationToken) {
        let mut datagram = vec![0_u8; 65_536];
        loop {
            let due = self.waiting.peek().map(|Reverse(first)| first.due);
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = wait_until(due) => self.send_due().await,
                received = self.own.recv_from(&mut datagram) => match received {
                    Ok((length, from)) => self.take(datagram.get(..length).unwrap_or_default(), from).await,
                    Err(error) => {
                        tracing::debug!(%error, "a simulated SNMP agent could not receive: {error}");
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                },
            }
        }
    }

    async fn take(&mut self, datagram: &[u8], from: SocketAddr) {
        let now = (self.agent.clock)();
        if !self.agent.mib.answers(now) {
            return;
        }
        let Some(answer) = respond(datagram, &*self.agent.mib, &self.agent.manners, now) else { return };
        let arrived = clock::monotonic();
        for delivery in self.spoiler.deliver(answer) {
            self.sent += 1;
            self.waiting.push(Reverse(Waiting {
                due: arrived + delivery.after,
                number: self.sent,
                to: from,
                from_own: delivery.source == Source::Own,
                octets: delivery.octets,
            }));
        }
        self.send_due().await;
    }

    async fn send_due(&mut self) {
        let now = clock::monotonic();
        while self.waiting.peek().is_some_and(|Reverse(first)| first.due <= now) {
            let Some(Reverse(datagram)) = self.waiting.pop() else { return };
            let socket = if datagram.from_own { &self.own } else { self.other.as_ref().unwrap_or(&self.own) };
            if let Err(error) = socket.send_to(&datagram.octets, datagram.to).await {
                tracing::debug!(%error, "a simulated SNMP agent could not answer {}: {error}", datagram.to);
            }
        }
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
