//! The hands of the blocking room at ports, against net-snmp's agent: only a permit moves them, they compare the name before
//! they set, and what they tell is what was read back.

use std::net::SocketAddr;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use netroom::block::actuator::{Access, ActError, Actuators, Reach, lines};
use netroom::block::desk::Done;
use netroom::block::gate::{self, Decision, Facts, Path, Permit, Place, Purpose, Request};
use netroom::block::{CaseId, Order, Spot};
use netroom::config::block::Mode;
use netroom::model::{IfIndex, MacAddr, Timestamp, clock};
use netroom::snmp::job::{AuthProtocol, Credentials, Patience, PrivProtocol, Secret, Target};
use netroom::snmp::message::Version;
use netroom::snmp::set::{SetError, Status};
use netroom::snmp::udp::{Engine, Options, UdpTransport};

use crate::snmp_set::Lossy;
use crate::snmpd::Snmpd;

/// A switch with two ports: the second one takes everything and does nothing.
const SWITCH: &str = "rocommunity looker\nrwcommunity writer\n\
    createUser boss SHA-256 authpass-boss AES-256 privpass-boss\nrwuser boss priv\n\
    override .1.3.6.1.2.1.31.1.1.1.1.101 octet_str \"port1\"\n\
    override -rw .1.3.6.1.2.1.2.2.1.7.101 integer 1\n\
    override -rw .1.3.6.1.2.1.31.1.1.1.18.101 octet_str \"room 1\"\n\
    override .1.3.6.1.2.1.17.1.4.1.2.1 integer 101\n\
    override -rw .1.3.6.1.2.1.17.7.1.4.5.1.1.1 uinteger 20\n\
    override .1.3.6.1.2.1.17.7.1.4.3.1.5.999 integer 1\n\
    override -rw .1.3.6.1.2.1.105.1.1.1.3.1.1 integer 1\n\
    override .1.3.6.1.2.1.31.1.1.1.1.102 octet_str \"port2\"\n";

/// snmpd asks by -g and -n, and sets by -s.
const LIAR: &str = "case \"$1\" in -g) echo \"$2\"; echo integer; echo 1;; esac\n";

fn switch(directory: &FilePath) -> Option<Snmpd> {
    let liar = directory.join("liar.sh");
    std::fs::write(&liar, LIAR).unwrap();
    Snmpd::start(&format!("{SWITCH}pass .1.3.6.1.2.1.2.2.1.7.102 /bin/sh {}\n", liar.display()), directory, None)
}

fn community(name: &str) -> Credentials {
    Credentials::Community { version: Version::V2c, community: Secret::new(name.as_bytes()) }
}

fn boss() -> Credentials {
    Credentials::User {
        user: "boss".into(),
        auth: Some((AuthProtocol::Sha256, Secret::new(&b"authpass-boss"[..]))),
        privacy: Some((PrivProtocol::Aes256, Secret::new(&b"privpass-boss"[..]))),
        context: String::new(),
    }
}

fn target(address: SocketAddr, credentials: Credentials) -> Arc<Target> {
    let patience = Patience { min_timeout: Duration::from_millis(300), max_timeout: Duration::from_millis(900), tries: 2 };
    Arc::new(Target { name: "sw".into(), address, credentials, patience })
}

/// Hands that read as `looker` and write by these credentials.
fn hands(transport: &Arc<UdpTransport>, address: SocketAddr, write: Option<Credentials>) -> Actuators {
    let access = Access { read: target(address, community("looker")), write: write.map(|write| target(address, write)) };
    Actuators::new(Arc::clone(transport) as _, Reach { devices: vec![access] })
}

fn spot(port: u32) -> Spot {
    Spot { device: "sw".into(), if_name: format!("port{port}").into(), if_index: IfIndex(100 + port) }
}

fn admin(port: u32, up: bool) -> Order {
    Order::PortAdmin { spot: spot(port), up }
}

/// Leave of the gate, given `ago`.
fn permit(order: Order, ago: Duration) -> Permit {
    let now = Timestamp::from_millis(clock::wall().millis() - i64::try_from(ago.as_millis()).unwrap());
    let mac = MacAddr([2, 0, 0, 0, 0, 1]);
    let told_name = order.spot().map(|spot| spot.if_name.to_string());
    let place = Place { seen: now, asked: Some((now, true)), told_name, macs: vec![mac], ..Place::default() };
    let facts = Facts {
        now,
        mode: Mode::Auto,
        mac: Some(mac),
        place: Some(place),
        protected: Vec::new(),
        blast: None,
        frozen: None,
        grace_until: None,
        approvals: Vec::new(),
        persons_needed: 1,
        held: None,
        round: Duration::from_secs(60),
    };
    let request = Request { case: CaseId(1), path: Path::Auto, purpose: Purpose::Block, order, reason: "tcp-scan".into() };
    match gate::decide(request, &facts) {
        Decision::Permit(permit) => permit,
        other => panic!("{other:?}"),
    }
}

async fn apply(hands: &Actuators, order: Order) -> Result<Done, ActError> {
    hands.apply(permit(order, Duration::ZERO)).await
}

#[tokio::test]
async fn a_port_goes_down_and_comes_up_again_and_says_so_itself() {
    let directory = tempfile::tempdir().unwrap();
    let Some(agent) = switch(directory.path()) else { return };
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    for write in [community("writer"), boss()] {
        let hands = hands(&transport, agent.address, Some(write));
        let done = apply(&hands, admin(1, false)).await.unwrap();
        assert_eq!((done.before.admin, done.after.admin), (Some(1), Some(2)));
        assert_eq!(done.before.alias.as_deref(), Some("room 1"));
        assert_eq!(hands.observe(&admin(1, false)).await.unwrap().admin, Some(2), "another question tells the same");
        let done = apply(&hands, admin(1, true)).await.unwrap();
        assert_eq!((done.before.admin, done.after.admin), (Some(2), Some(1)));
    }
    transport.stop();
    thread.join().unwrap();
}

#[tokio::test]
async fn alias_power_and_vlan_are_set_as_the_dry_run_says() {
    let directory = tempfile::tempdir().unwrap();
    let Some(agent) = switch(directory.path()) else { return };
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let hands = hands(&transport, agent.address, Some(community("writer")));
    let pvid = Order::Pvid { spot: spot(1), base_port: 1, pvid: 999 };
    let power = Order::Power { spot: spot(1), on: false };
    let alias = Order::Alias { spot: spot(1), alias: "主楼 301 王".into() };
    for (order, line) in [
        (alias, "1.3.6.1.2.1.31.1.1.1.18.101 = STRING: \"主楼 301 王\""),
        (power, "1.3.6.1.2.1.105.1.1.1.3.1.1 = INTEGER: 2"),
        (pvid, "1.3.6.1.2.1.17.7.1.4.5.1.1.1 = Gauge32: 999"),
    ] {
        let before = hands.observe(&order).await.unwrap();
        assert_eq!(before.has_vlan, matches!(order, Order::Pvid { .. }).then_some(true));
        assert_eq!(lines(&order, Some(&before)), [line]);
        assert_eq!(before.fulfils(&order), Some(false));
        if matches!(order, Order::Pvid { .. }) {
            let other = Order::Pvid { spot: spot(1), base_port: 1, pvid: 998 };
            assert_eq!(hands.observe(&other).await.unwrap().has_vlan, Some(false), "it is told that there is no such VLAN");
        }
        let undo = order.undo(&before).unwrap();
        let done = apply(&hands, order.clone()).await.unwrap();
        assert_eq!(done.after.fulfils(&order), Some(true), "{order}");
        let done = apply(&hands, undo).await.unwrap();
        let told = |observation: &netroom::block::Observation| (observation.alias.clone(), observation.power, observation.pvid);
        assert_eq!(told(&done.after), told(&before), "{order} is undone exactly");
    }
    transport.stop();
    thread.join().unwrap();
}

#[tokio::test]
async fn a_switch_that_lies_is_told_by_what_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let Some(agent) = switch(directory.path()) else { return };
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let hands = hands(&transport, agent.address, Some(community("writer")));
    let done = apply(&hands, admin(2, false)).await.unwrap();
    assert_eq!(done.after.fulfils(&admin(2, false)), Some(false), "it said yes and did nothing");
    transport.stop();
    thread.join().unwrap();
}

#[tokio::test]
async fn nothing_is_set_on_another_port_by_another_hand_or_too_late() {
    let directory = tempfile::tempdir().unwrap();
    let Some(agent) = switch(directory.path()) else { return };
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let write = hands(&transport, agent.address, Some(community("writer")));
    // The name has moved to another index since the machine was located.
    let moved = Spot { if_name: "port9".into(), ..spot(1) };
    let error = apply(&write, Order::PortAdmin { spot: moved.clone(), up: false }).await.unwrap_err();
    assert_eq!(error, ActError::OtherPort { spot: moved, told: "port1".into() });
    let unbridged = Order::Pvid { spot: spot(2), base_port: 1, pvid: 999 };
    let error = apply(&write, unbridged).await.unwrap_err();
    assert!(matches!(error, ActError::OtherPort { .. }) && error.to_string().contains("bridge port 1 is interface 101"), "{error}");
    let error = write.apply(permit(admin(1, false), Duration::from_secs(60))).await.unwrap_err();
    assert!(matches!(error, ActError::Expired { .. }) && error.to_string().contains("sw port1 down"), "{error}");
    let foreign = Order::PortAdmin { spot: Spot { device: "sw-9".into(), ..spot(1) }, up: false };
    assert!(matches!(apply(&write, foreign).await.unwrap_err(), ActError::NotConfigured { kind: "device", .. }));
    let nobody = hands(&transport, agent.address, None);
    let error = apply(&nobody, admin(1, false)).await.unwrap_err();
    assert!(matches!(error, ActError::ReadOnly { .. }) && error.to_string().contains("write_user"), "{error}");
    assert!(write.may_write("sw") && !nobody.may_write("sw") && !write.may_write("sw-9"));
    let stranger = hands(&transport, agent.address, Some(community("stranger")));
    let error = apply(&stranger, admin(1, false)).await.unwrap_err();
    assert!(matches!(error, ActError::Silent { was_set: false, .. }) && error.to_string().contains("community right?"), "{error}");
    let looker = hands(&transport, agent.address, Some(community("looker")));
    let error = apply(&looker, admin(1, false)).await.unwrap_err();
    assert!(matches!(&error, ActError::Set(SetError::Refused(refusal)) if refusal.status == Status::NoAccess), "{error}");
    assert_eq!(write.observe(&admin(1, false)).await.unwrap().admin, Some(1), "through all of this the port stayed up");
    transport.stop();
    thread.join().unwrap();
}

#[tokio::test]
async fn a_lost_answer_is_read_back_and_never_asked_for_again() {
    let directory = tempfile::tempdir().unwrap();
    let Some(agent) = switch(directory.path()) else { return };
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let lossy = Lossy::before(agent.address);
    let hands = hands(&transport, lossy.address, Some(community("writer")));
    let done = apply(&hands, admin(1, false)).await.unwrap();
    assert_eq!((done.before.admin, done.after.admin), (Some(1), Some(2)));
    assert_eq!(lossy.sets.load(Ordering::SeqCst), 1);
    let error = apply(&hands, admin(2, false)).await.unwrap_err();
    assert!(matches!(&error, ActError::Set(SetError::Unknown { .. })), "lost and not done: {error}");
    assert_eq!(lossy.sets.load(Ordering::SeqCst), 2);
    transport.stop();
    thread.join().unwrap();
}
