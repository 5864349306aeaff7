//! SetRequest against net-snmp's agent, in v1, v2c and v3: what is set is set, what is refused is told by its name, and what
//! is lost on the way is never sent twice.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use netroom::model::{Timestamp, clock};
use netroom::snmp::job::{AskError, AuthProtocol, Credentials, Patience, PrivProtocol, Secret, SubmitError, Target};
use netroom::snmp::message::{Message, PduKind, Version};
use netroom::snmp::oid::Oid;
use netroom::snmp::set::{self, Datum, SetError, Status, Varbind, Warrant, Written};
use netroom::snmp::udp::{Engine, Options, UdpTransport};

use crate::snmpd::Snmpd;

const CONTACT: &str = "1.3.6.1.2.1.1.4.0";
const LOCATION: &str = "1.3.6.1.2.1.1.6.0";
const DESCR: &str = "1.3.6.1.2.1.1.1.0";
const ADMIN_STATUS: &str = "1.3.6.1.2.1.2.2.1.7.1";
const CONFIGURATION: &str = "sysContact room 301\nrocommunity looker\nrwcommunity writer\nrwcommunity half default .1.3.6.1.2.1.1\n\
    createUser admin SHA-256 authpass-admin AES privpass-admin\nrwuser admin priv\n\
    createUser reader SHA authpass-reader AES privpass-reader\nrouser reader priv\n";

fn community(version: Version, name: &str) -> Credentials {
    Credentials::Community { version, community: Secret::new(name.as_bytes()) }
}

fn user(name: &str, auth: AuthProtocol) -> Credentials {
    Credentials::User {
        user: name.to_owned(),
        auth: Some((auth, Secret::new(format!("authpass-{name}").as_bytes()))),
        privacy: Some((PrivProtocol::Aes128, Secret::new(format!("privpass-{name}").as_bytes()))),
        context: String::new(),
    }
}

/// The user that may write, but not in the clear.
fn without_privacy() -> Credentials {
    let Credentials::User { user, auth, context, .. } = user("admin", AuthProtocol::Sha256) else { panic!("not a user") };
    Credentials::User { user, auth, privacy: None, context }
}

fn target(address: SocketAddr, credentials: Credentials) -> Arc<Target> {
    let patience = Patience { min_timeout: Duration::from_millis(300), max_timeout: Duration::from_millis(900), tries: 3 };
    Arc::new(Target { name: "sw".into(), address, credentials, patience })
}

fn text(name: &str, value: &str) -> Varbind {
    Varbind::new(name.parse().unwrap(), Datum::Octets(value.into()))
}

fn soon() -> Timestamp {
    Timestamp::from_millis(clock::wall().millis() + 60_000)
}

async fn write(transport: &UdpTransport, target: &Arc<Target>, varbind: Varbind) -> Result<Written, SetError> {
    let warrant = Warrant::issue("sw".into(), vec![varbind], soon());
    set::write(transport, target, warrant, clock::monotonic() + Duration::from_secs(10)).await
}

async fn read(transport: &UdpTransport, target: &Arc<Target>, name: &str) -> Option<String> {
    let names: [Oid; 1] = [name.parse().unwrap()];
    let found = set::read(transport, target, &names, clock::monotonic() + Duration::from_secs(10)).await.unwrap();
    found[0].as_ref().and_then(Datum::octets).map(|octets| String::from_utf8(octets.to_vec()).unwrap())
}

#[tokio::test]
async fn what_is_set_is_read_back_in_every_version() {
    let directory = tempfile::tempdir().unwrap();
    let Some(agent) = Snmpd::start(CONFIGURATION, directory.path(), None) else { return };
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    for (credentials, place) in [
        (community(Version::V1, "writer"), "room 1"),
        (community(Version::V2c, "writer"), "room 2 主楼"),
        (user("admin", AuthProtocol::Sha256), "room 3"),
    ] {
        // In v3 the very first question is the SET: engine, time and keys are learnt on the way.
        let target = target(agent.address, credentials);
        write(&transport, &target, text(LOCATION, place)).await.unwrap();
        assert_eq!(read(&transport, &target, LOCATION).await.as_deref(), Some(place));
    }
    transport.stop();
    thread.join().unwrap();
}

#[tokio::test]
async fn each_refusal_is_told_by_its_name_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let Some(agent) = Snmpd::start(CONFIGURATION, directory.path(), None) else { return };
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let wrong_type = || Varbind::new(LOCATION.parse().unwrap(), Datum::Integer(7));
    let wrong_value = || Varbind::new("1.3.6.1.2.1.11.30.0".parse().unwrap(), Datum::Integer(7));
    for (credentials, varbind, status, words) in [
        (community(Version::V1, "looker"), text(LOCATION, "x"), Status::NoSuchName, "a community with write access"),
        (community(Version::V2c, "looker"), text(LOCATION, "x"), Status::NoAccess, "configure another one for writing"),
        (community(Version::V2c, "half"), Varbind::new(ADMIN_STATUS.parse().unwrap(), Datum::Integer(2)), Status::NoAccess, "allow it"),
        (user("reader", AuthProtocol::Sha1), text(LOCATION, "x"), Status::NoAccess, "configure another one for writing"),
        (without_privacy(), text(LOCATION, "x"), Status::AuthorizationError, "configure another one for writing"),
        (community(Version::V2c, "writer"), text(CONTACT, "x"), Status::NotWritable, "take another way of blocking"),
        (community(Version::V2c, "writer"), text(DESCR, "x"), Status::NotWritable, "does not let this object be written"),
        (community(Version::V2c, "writer"), wrong_type(), Status::WrongType, "another type"),
        (community(Version::V2c, "writer"), wrong_value(), Status::WrongValue, "does not take this value"),
        (user("admin", AuthProtocol::Sha256), wrong_type(), Status::WrongType, "another type"),
    ] {
        let name = varbind.name.to_string();
        let target = target(agent.address, credentials);
        let error = write(&transport, &target, varbind.clone()).await.unwrap_err();
        assert!(!error.may_be_done(), "{error}");
        assert!(error.to_string().contains(words) && error.to_string().contains(status.name()), "{error}");
        let SetError::Refused(refusal) = error else { panic!("{error}") };
        assert_eq!(refusal.status, status, "{refusal}");
        // Access control speaks before any object is looked at.
        let object = (status != Status::AuthorizationError).then_some(&varbind);
        assert_eq!(refusal.object.as_ref(), object, "{refusal}");
        let looker = self::target(agent.address, community(Version::V2c, "looker"));
        assert_ne!(read(&transport, &looker, &name).await.as_deref(), Some("x"));
    }
    let error = write(&transport, &target(agent.address, user("nobody", AuthProtocol::Sha1)), text(LOCATION, "x")).await.unwrap_err();
    assert!(matches!(&error, SetError::Credentials { why: AskError::Refused { .. }, .. }), "{error}");
    transport.stop();
    thread.join().unwrap();
}

#[tokio::test]
async fn a_warrant_is_for_one_device_and_for_its_time() {
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let target = target(silent.local_addr().unwrap(), community(Version::V2c, "writer"));
    let deadline = clock::monotonic() + Duration::from_secs(5);
    let other = Warrant::issue("sw-2".into(), vec![text(LOCATION, "x")], soon());
    let error = set::write(&*transport, &target, other, deadline).await.unwrap_err();
    assert!(matches!(error, SetError::WrongDevice { .. }), "{error}");
    let late = Warrant::issue("sw".into(), vec![text(LOCATION, "x")], Timestamp::from_millis(clock::wall().millis() - 1));
    let error = set::write(&*transport, &target, late, deadline).await.unwrap_err();
    assert!(matches!(error, SetError::Expired { .. }), "{error}");
    transport.stop();
    thread.join().unwrap();
    assert_eq!(transport.stats().sent, 0, "neither left this machine");
    let error = write(&transport, &target, text(LOCATION, "x")).await.unwrap_err();
    assert!(error.may_be_done() && error.to_string().contains(&SubmitError::Stopped.to_string()), "{error}");
}

/// Passes datagrams on between netroom and an agent, but for the answers to SETs.
pub(crate) struct Lossy {
    pub(crate) address: SocketAddr,
    pub(crate) sets: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Lossy {
    pub(crate) fn before(agent: SocketAddr) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let address = socket.local_addr().unwrap();
        let (sets, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, ended) = (Arc::clone(&sets), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let (mut client, mut lost, mut buffer) = (None, Vec::new(), [0; 2_048]);
            while !ended.load(Ordering::SeqCst) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let pdu = Message::decode(&buffer[..length]).unwrap().pdu;
                if from == agent {
                    let to = client.filter(|_| !lost.contains(&pdu.request_id));
                    to.map(|to| socket.send_to(&buffer[..length], to).unwrap());
                    continue;
                }
                client = Some(from);
                if pdu.kind == PduKind::Set {
                    count.fetch_add(1, Ordering::SeqCst);
                    lost.push(pdu.request_id);
                }
                socket.send_to(&buffer[..length], agent).unwrap();
            }
        });
        Self { address, sets, stop, thread: Some(thread) }
    }
}

impl Drop for Lossy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(self.thread.take().map(std::thread::JoinHandle::join));
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_one_set_that_may_be_done_and_the_device_tells() {
    let directory = tempfile::tempdir().unwrap();
    let Some(agent) = Snmpd::start(CONFIGURATION, directory.path(), None) else { return };
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let lossy = Lossy::before(agent.address);
    let target = target(lossy.address, community(Version::V2c, "writer"));
    let error = write(&transport, &target, text(LOCATION, "room 9")).await.unwrap_err();
    assert!(error.may_be_done() && matches!(error, SetError::Unknown { .. }), "{error}");
    assert_eq!(lossy.sets.load(Ordering::SeqCst), 1, "a SET is never repeated");
    assert_eq!(read(&transport, &target, LOCATION).await.as_deref(), Some("room 9"), "it had been done");
    transport.stop();
    thread.join().unwrap();
}
