//! The state of one device against an engine in the same test, sealed with the same keys.

use std::time::{Duration, Instant};

use snmp2::Pdu;
use snmp2::v3::{Auth, Security};

use super::envelope::{self, AUTH, Body, Envelope, PRIV};
use super::keys::{Keys, Recipe, User};
use super::usm::{Opened, Sealed, Usm};
use crate::model::clock;
use crate::snmp::ber::Writer;
use crate::snmp::job::{AuthProtocol, PrivProtocol, Secret};
use crate::snmp::message::{PduKind, PduParts, Varbinds, encode_names, encode_varbinds};
use crate::snmp::oid::Oid;
use crate::snmp::value::Value;

const ENGINE: &[u8] = b"\x80\x00\x1f\x88\x80switch-7";
const BOOTS: u32 = 5;

struct Pair {
    usm: Usm,
    agent: Keys,
    user: User,
    start: Instant,
}

impl Pair {
    /// A device that was discovered when its engine had been running for 1,000 s.
    fn new() -> Self {
        let user = User {
            name: "bob".into(),
            auth: Some((AuthProtocol::Sha256, Secret::new(&b"authpass"[..]))),
            privacy: Some((PrivProtocol::Aes128, Secret::new(&b"privpass"[..]))),
            context: "vlan-7".into(),
        };
        let start = clock::monotonic();
        let keys = Recipe::new(&user, ENGINE).make().unwrap();
        let mut pair = Self { usm: Usm::new(user.clone()), agent: keys.clone(), user, start };
        let discovery = pair.seal(1, start);
        let first = Envelope::decode(&discovery).unwrap();
        assert_eq!((first.flags & (AUTH | PRIV), first.engine_id, first.user), (0, &b""[..], &b""[..]));
        let report = plain(PduKind::Report, 1, &names("1.3.6.1.6.3.15.1.1.4.0"));
        let report = Envelope { boots: BOOTS, time: 1_000, ..Envelope::decode(&report).unwrap() };
        assert!(matches!(pair.usm.open(&report, 1, Some(1), start), Opened::Again));
        pair.usm.install(keys);
        pair
    }

    fn seal(&mut self, id: i32, now: Instant) -> Vec<u8> {
        let varbinds = names("1.3.6.1.2.1.1.3.0");
        let parts = PduParts { kind: PduKind::Get, request_id: id, error_status: 0, error_index: 0, varbinds: &varbinds };
        let mut writer = Writer::default();
        assert!(matches!(self.usm.seal(&parts, 1, now, &mut writer), Sealed::Written));
        writer.as_slice().to_vec()
    }

    /// What the engine would send after `age` seconds of running.
    fn answer(&mut self, kind: PduKind, id: i32, varbinds: &[u8], boots: u32, age: u32) -> Vec<u8> {
        let octets = plain(kind, id, varbinds);
        let mut reader = Security::new(self.user.name.as_bytes(), &[]).with_auth(Auth::NoAuthNoPriv).with_engine_id(ENGINE).unwrap();
        let pdu = Pdu::from_bytes_with_security(&octets, Some(&mut reader)).unwrap();
        let security = self.agent.security_at(boots, age).unwrap();
        pdu.to_bytes_with_security(Some(security)).unwrap()
    }

    fn open(&mut self, octets: &[u8], id: i32, now: Instant) -> Opened {
        self.usm.open(&Envelope::decode(octets).unwrap(), id, Some(1), now)
    }
}

fn names(name: &str) -> Vec<u8> {
    encode_names([name.parse::<Oid>().unwrap()].iter())
}

fn uptime(ticks: u32) -> Vec<u8> {
    let name: Oid = "1.3.6.1.2.1.1.3.0".parse().unwrap();
    encode_varbinds([(name.as_ref(), Value::TimeTicks(ticks))].into_iter())
}

fn plain(kind: PduKind, request_id: i32, varbinds: &[u8]) -> Vec<u8> {
    let parts = PduParts { kind, request_id, error_status: 0, error_index: 0, varbinds };
    let mut writer = Writer::default();
    envelope::write_plain(ENGINE, b"bob", b"vlan-7", &parts, &mut writer);
    writer.as_slice().to_vec()
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_device_left_alone_for_an_hour_is_asked_with_its_time_as_it_is_now() {
    let mut pair = Pair::new();
    for (id, wait) in [(2, Duration::ZERO), (3, HOUR), (4, HOUR * 24)] {
        let now = pair.start + wait;
        let age = 1_000 + u32::try_from(wait.as_secs()).unwrap();
        let request = pair.seal(id, now);
        let sealed = Envelope::decode(&request).unwrap();
        assert_eq!((sealed.boots, sealed.time, sealed.engine_id), (BOOTS, age, ENGINE));
        assert!(matches!(sealed.body, Body::Sealed(_)));
        let octets = pair.answer(PduKind::Response, id, &uptime(77), BOOTS, age);
        let Opened::Answer(0, 0, list) = pair.open(&octets, id, now) else { panic!("no answer after {wait:?}") };
        let values: Vec<_> = Varbinds::new(&list).map(|item| item.unwrap().1).collect();
        assert_eq!(values, [Value::TimeTicks(77)]);
    }
}

#[test]
fn only_a_right_signature_with_the_right_id_is_an_answer() {
    let mut pair = Pair::new();
    pair.seal(2, pair.start);
    let octets = pair.answer(PduKind::Response, 2, &uptime(1), BOOTS, 1_001);
    let mut damaged = octets.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let start = pair.start;
    assert!(matches!(pair.open(&damaged, 2, start), Opened::Garbage(why) if why.contains("signature")));
    assert!(matches!(pair.open(&octets, 3, start), Opened::Garbage(_)), "signed for another request");
    let unsigned = plain(PduKind::Response, 2, &uptime(1));
    assert!(matches!(pair.open(&unsigned, 2, start), Opened::Garbage(_)), "not signed at all");
    assert!(matches!(pair.open(&octets, 2, start), Opened::Answer(..)));
}

#[test]
fn an_old_message_does_not_turn_the_engines_time_back() {
    let mut pair = Pair::new();
    let later = pair.start + HOUR;
    let old = pair.answer(PduKind::Response, 2, &uptime(1), BOOTS, 1_001);
    assert!(matches!(pair.open(&old, 2, later), Opened::Garbage(_)), "replayed after an hour");
    let request = pair.seal(3, later);
    assert_eq!(Envelope::decode(&request).unwrap().time, 4_600);
}

#[test]
fn a_restart_is_learnt_from_a_signed_message() {
    let mut pair = Pair::new();
    let start = pair.start;
    let octets = pair.answer(PduKind::Response, 2, &uptime(1), BOOTS + 1, 3);
    assert!(matches!(pair.open(&octets, 2, start), Opened::Again));
    let request = pair.seal(3, start);
    let sealed = Envelope::decode(&request).unwrap();
    assert_eq!((sealed.boots, sealed.time), (BOOTS + 1, 3));
}

#[test]
fn what_stands_in_the_way_is_said() {
    let mut pair = Pair::new();
    let start = pair.start;
    let report = pair.answer(PduKind::Report, 2, &names("1.3.6.1.6.3.12.1.5.0"), BOOTS, 1_001);
    assert!(matches!(pair.open(&report, 2, start), Opened::Refused(why) if why.contains("no context \"vlan-7\"")));

    let octets = pair.answer(PduKind::Response, 2, &uptime(1), BOOTS, 1_001);
    let large = Envelope { max_size: 65_535, ..Envelope::decode(&octets).unwrap() };
    assert!(matches!(pair.usm.open(&large, 2, Some(1), start), Opened::Hopeless(why) if why.contains("msgMaxSize 65535")));

    let cut = pair.answer(PduKind::Response, 2, &[], BOOTS, 1_001);
    assert!(matches!(pair.open(&cut, 2, start), Opened::Hopeless(why) if why.contains("cannot read")));

    let anonymous = Envelope { engine_id: b"", ..Envelope::decode(&octets).unwrap() };
    assert!(matches!(pair.usm.open(&anonymous, 2, Some(1), start), Opened::Garbage(_)));
}
