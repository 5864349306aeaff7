//! What SNMPv3 costs: the same requests to the same net-snmp agent by v2c and by v3 with SHA-1 and AES-128.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use netroom::model::clock;
use netroom::snmp::job::{
    Answer, Ask, AskError, AuthProtocol, Credentials, End, Job, Patience, PrivProtocol, Request, Secret, Step, Target, Transport,
};
use netroom::snmp::message::{Version, encode_names};
use netroom::snmp::oid::Oid;
use netroom::snmp::udp::{Engine, Options};

use crate::yardstick::median;
use crate::{Failure, farm, machine};

/// Varbinds of an answer.
const VARBINDS: u16 = 24;
const PASS_PHRASE: &[u8] = b"a pass phrase for the bench";

/// Requests per CPU-second.
pub(crate) struct Rates {
    pub(crate) community: f64,
    pub(crate) secured: f64,
}

/// An agent that ends with its handle.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks one agent under `addresses` addresses at once, `requests` times each; the median of five runs, in turn.
pub(crate) fn compare(addresses: u8, requests: u32) -> Result<Rates, Failure> {
    let directory = tempfile::tempdir()?;
    let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let phrase = String::from_utf8_lossy(PASS_PHRASE);
    let file = directory.path().join("snmpd.conf");
    std::fs::write(
        &file,
        format!(
            "agentAddress udp:0.0.0.0:{port}\nrocommunity public\ncreateUser bench SHA \"{phrase}\" AES \"{phrase}\"\nrouser bench priv\n"
        ),
    )?;
    #[expect(clippy::disallowed_methods, reason = "the peer is another program")]
    let agent = Command::new("/usr/sbin/snmpd")
        .args(["-f", "-LE", "0", "-C", "-c"])
        .arg(&file)
        .env("SNMP_PERSISTENT_DIR", directory.path().join("state"))
        .env("SNMPCONFPATH", directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let agent = Agent(agent.map_err(|error| format!("/usr/sbin/snmpd: {error}; install the Debian package snmpd"))?);
    machine::pin(agent.0.id(), 0);
    let community = Credentials::Community { version: Version::V2c, community: Secret::new(&b"public"[..]) };
    let secret = || Secret::new(PASS_PHRASE);
    let (auth, privacy) = (Some((AuthProtocol::Sha1, secret())), Some((PrivProtocol::Aes128, secret())));
    let secured = Credentials::User { user: "bench".to_owned(), auth, privacy, context: String::new() };
    let (transport, thread) = Engine::start(&Options::default())?;
    let mut rates = [Vec::new(), Vec::new()];
    // The first run of each is for waiting until the agent listens, for engines and for keys.
    for run in 0..6 {
        for (rates, credentials) in rates.iter_mut().zip([&community, &secured]) {
            let before = farm::wire::cpu_seconds();
            let answered = ask(&*transport, credentials, addresses, port, requests)?;
            let cpu = farm::wire::cpu_seconds() - before;
            if run > 0 {
                if answered != u32::from(addresses) * requests {
                    return Err(format!("{answered} answers").into());
                }
                rates.push(f64::from(answered) / cpu);
            }
        }
    }
    transport.stop();
    thread.join().map_err(|_| "the engine panicked")?;
    let [community, secured] = &mut rates;
    Ok(Rates { community: median(community), secured: median(secured) })
}

fn ask(transport: &dyn Transport, credentials: &Credentials, addresses: u8, port: u16, requests: u32) -> Result<u32, Failure> {
    let (done, answered) = sync_channel(usize::from(addresses));
    let start: Oid = "1.3.6.1.2.1.1".parse()?;
    let varbinds: Arc<[u8]> = Arc::from(encode_names(std::iter::once(&start)));
    for last in 1..=addresses {
        let address = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), port));
        let target = Target { name: "snmpd".into(), address, credentials: credentials.clone(), patience: Patience::default() };
        let asker = Asker { varbinds: Arc::clone(&varbinds), left: requests, answered: 0, done: done.clone() };
        transport.submit(&Arc::new(target), Box::new(asker), clock::monotonic() + Duration::from_secs(60))?;
    }
    (0..addresses).map(|_| Ok(answered.recv_timeout(Duration::from_secs(90))?)).sum()
}

/// Asks the same again and again.
struct Asker {
    varbinds: Arc<[u8]>,
    left: u32,
    answered: u32,
    done: SyncSender<u32>,
}

impl Job for Asker {
    fn next(&mut self, _now: Instant) -> Step {
        let Some(left) = self.left.checked_sub(1) else { return Step::Finished };
        self.left = left;
        let ask = Ask::GetBulk { non_repeaters: 0, max_repetitions: VARBINDS };
        Step::Send(Request { ask, varbinds: Arc::clone(&self.varbinds) })
    }

    fn answered(&mut self, answer: &Answer<'_>) {
        self.answered += u32::from(answer.varbinds.count() == usize::from(VARBINDS));
    }

    fn failed(&mut self, _error: &AskError) {}

    fn finish(self: Box<Self>, _end: End) {
        // There is room for every address.
        let _ = self.done.try_send(self.answered);
    }
}
