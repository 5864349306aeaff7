//! A sender in the same test: its traps are taken once and in their time, and no damage makes the receiver fall over.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::clock;
use crate::snmp::job::{AuthProtocol, PrivProtocol, Secret};

const SENDER: &[u8] = b"\x80\0\0\0\x05switch-7";

fn user() -> User {
    User {
        name: "bob".into(),
        auth: Some((AuthProtocol::Sha256, Secret::new(&b"authpass1"[..]))),
        privacy: Some((PrivProtocol::Aes128, Secret::new(&b"privpass1"[..]))),
        context: String::new(),
    }
}

fn receiver(now: Instant) -> Receiver {
    let dir = tempfile::tempdir().unwrap();
    Receiver::new(Engine::start(&dir.path().join("engine"), now).unwrap(), vec![user()])
}

/// A trap of the sender's engine at this boot and time.
fn trap(boots: u32, time: u32) -> Vec<u8> {
    let known = Known::new(&user(), SENDER).unwrap();
    let parts = PduParts { kind: PduKind::TrapV2, request_id: 9, error_status: 0, error_index: 0, varbinds: &[] };
    let mut scoped = Writer::default();
    envelope::write_scoped(SENDER, &[], &parts, &mut scoped);
    scoped.wrap(ber::SEQUENCE, 0);
    let sealed = known.crypt[0].encrypt(scoped.as_slice(), boots, time, *b"saltsalt").unwrap();
    let mut writer = Writer::default();
    writer.element(ber::OCTET_STRING, &sealed);
    let head = Head { id: 5, flags: AUTH | PRIV, engine_id: SENDER, boots, time, user: b"bob", privacy: b"saltsalt" };
    let from_end = head.write(known.sign.length(), 0, &mut writer);
    let mut message = writer.as_slice().to_vec();
    let at = message.len() - from_end;
    let signature = known.sign.sign(&message);
    message[at..at + signature.len()].copy_from_slice(&signature);
    message
}

fn hear(receiver: &mut Receiver, message: &[u8], now: Instant) -> Heard {
    receiver.hear(&Envelope::decode(message).unwrap(), now)
}

#[test]
fn an_old_trap_sent_again_is_refused_and_a_restart_of_the_sender_is_not() {
    let start = clock::monotonic();
    let mut receiver = receiver(start);
    let first = trap(5, 1_000);
    assert!(matches!(hear(&mut receiver, &first, start), Heard::Notification(_, None)));
    let later = start + Duration::from_secs(400);
    assert!(matches!(hear(&mut receiver, &first, later), Heard::Refused(Refusal::Time)));
    assert!(matches!(hear(&mut receiver, &trap(6, 3), later), Heard::Notification(..)));
    assert!(matches!(hear(&mut receiver, &trap(5, 1_400), later), Heard::Refused(Refusal::Time)));
}

#[test]
fn an_engine_that_nobody_signed_for_leaves_nothing_behind() {
    let now = clock::monotonic();
    let mut receiver = receiver(now);
    let mut message = trap(5, 1_000);
    *message.last_mut().unwrap() ^= 1;
    assert!(matches!(hear(&mut receiver, &message, now), Heard::Refused(Refusal::Keys)));
    assert!(receiver.known.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Every single changed octet is refused, or is one that carries nothing (msgID, msgMaxSize are signed too).
    #[test]
    fn a_changed_octet_is_never_taken(place in any::<prop::sample::Index>(), by in 1_u8..) {
        let now = clock::monotonic();
        let mut receiver = receiver(now);
        let mut message = trap(5, 1_000);
        let place = place.index(message.len());
        message[place] ^= by;
        if let Ok(envelope) = Envelope::decode(&message) {
            prop_assert!(!matches!(receiver.hear(&envelope, now), Heard::Notification(..)));
        }
    }
}
