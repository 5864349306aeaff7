//! Traps and informs of SNMPv3 (RFC 3412 section 7.2, RFC 3414 section 3.2). For a trap its sender is the engine, whose clock we
//! only follow; for an inform we are the engine, and say so in reports until the sender has our id and our time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Instant;

use super::crypt::{CryptKey, Extension};
use super::envelope::{self, AUTH, Body, Envelope, Head, PRIV, REPORTABLE, Scoped, USM};
use super::keys::User;
use super::sign::SignKey;
use crate::snmp::ber::{self, Reader, Writer};
use crate::snmp::message::{PduKind, PduParts, encode_varbinds};
use crate::snmp::oid::Oid;
use crate::snmp::trap::Engine;
use crate::snmp::value::Value;

/// How far times may be apart, seconds (RFC 3414 section 2.3).
const WINDOW: u32 = 150;
/// Engines of senders that are remembered at most.
const ENGINES: usize = 16_384;

/// What a message turned out to be.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A notification: its varbinds, encoded; and what to answer when it is an inform.
    Notification(Vec<u8>, Option<Vec<u8>>),
    /// A sender that does not know our engine yet gets this, and nothing is taken from it.
    Report(Vec<u8>),
    /// Not taken, and why.
    Refused(Refusal),
}

/// Why a message of SNMPv3 is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Another security model than USM.
    #[error("another security model than users (USM)")]
    Model,
    /// No such user among those that may send.
    #[error("no such user among those in [traps]")]
    User,
    /// Not the user's security level.
    #[error("not at the security level of its user")]
    Level,
    /// The signature or the encryption is wrong.
    #[error("signed or encrypted with other keys: check the pass phrases and protocols of the user on the device")]
    Keys,
    /// Older than what this engine sent before.
    #[error("out of its time: repeated by somebody, or the clock of the sender's engine went back")]
    Time,
    /// No notification.
    #[error("not a notification")]
    Form,
    /// More engines than can be remembered.
    #[error("too many engines")]
    Engines,
}

/// The receiving side: our engine, the users that may send, the engines they were heard from.
#[derive(Debug)]
pub(crate) struct Receiver {
    engine: Engine,
    users: Vec<User>,
    known: HashMap<(usize, Vec<u8>), Known>,
}

/// A user at an engine.
#[derive(Debug)]
struct Known {
    sign: SignKey,
    /// Both ways of lengthening the key; the one that has fitted stands first.
    crypt: Vec<CryptKey>,
    /// What the engine's clock said last, and when.
    clock: Option<(u32, u32, Instant)>,
}

/// A verified and decrypted message.
struct Clear {
    kind: PduKind,
    request_id: i32,
    varbinds: Vec<u8>,
    context_engine: Vec<u8>,
    context: Vec<u8>,
}

enum Failure {
    Refused(Refusal),
    /// The signature is right, the time is not: an inform's sender is told ours.
    Late,
}

impl Receiver {
    pub(crate) fn new(engine: Engine, users: Vec<User>) -> Self {
        Self { engine, users, known: HashMap::new() }
    }

    /// Takes a message in. Making the keys of an engine not heard before takes some milliseconds.
    pub(crate) fn hear(&mut self, envelope: &Envelope<'_>, now: Instant) -> Heard {
        if envelope.model != USM {
            return Heard::Refused(Refusal::Model);
        }
        let is_ours = envelope.engine_id == self.engine.id();
        if envelope.flags & REPORTABLE != 0 && !is_ours {
            return Heard::Report(self.report(envelope, "1.3.6.1.6.3.15.1.1.4.0", None, now));
        }
        let Some(index) = self.users.iter().position(|user| user.name.as_bytes() == envelope.user) else {
            return Heard::Refused(Refusal::User);
        };
        if self.users.get(index).map(level) != Some(envelope.flags & (AUTH | PRIV)) {
            return Heard::Refused(Refusal::Level);
        }
        let clear = match self.clear(index, envelope, is_ours, now) {
            Ok(clear) => clear,
            Err(Failure::Late) => return Heard::Report(self.report(envelope, "1.3.6.1.6.3.15.1.1.2.0", Some(index), now)),
            Err(Failure::Refused(refusal)) => return Heard::Refused(refusal),
        };
        match (clear.kind, is_ours) {
            (PduKind::TrapV2, false) => Heard::Notification(clear.varbinds, None),
            (PduKind::Inform, true) => match self.answer(index, envelope, &clear, now) {
                Some(answer) => Heard::Notification(clear.varbinds, Some(answer)),
                None => Heard::Refused(Refusal::Keys),
            },
            _ => Heard::Refused(Refusal::Form),
        }
    }

    fn clear(&mut self, index: usize, envelope: &Envelope<'_>, is_ours: bool, now: Instant) -> Result<Clear, Failure> {
        let user = self.users.get(index).ok_or(Failure::Refused(Refusal::User))?;
        if user.auth.is_none() {
            let Body::Plain(scoped) = envelope.body else { return Err(Failure::Refused(Refusal::Form)) };
            return Ok(Clear::of(&scoped));
        }
        let key = (index, envelope.engine_id.to_vec());
        let is_full = self.known.len() >= ENGINES;
        let known = match self.known.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if is_full => return Err(Failure::Refused(Refusal::Engines)),
            Entry::Vacant(place) => {
                let known = Known::new(user, envelope.engine_id).ok_or(Failure::Refused(Refusal::Keys))?;
                // Only a right signature makes an engine known: invented ones leave nothing behind.
                if !known.signed(envelope) {
                    return Err(Failure::Refused(Refusal::Keys));
                }
                place.insert(known)
            }
        };
        let clear = known.open(envelope).ok_or(Failure::Refused(Refusal::Keys))?;
        if is_ours {
            let (boots, time) = self.engine.clock(now);
            let in_time = envelope.boots == boots && envelope.time.abs_diff(time) <= WINDOW;
            return if in_time { Ok(clear) } else { Err(Failure::Late) };
        }
        known.follow(envelope, now).then_some(clear).ok_or(Failure::Refused(Refusal::Time))
    }

    /// The Response to an inform: its own varbinds, in its own context, at its own level.
    fn answer(&mut self, index: usize, envelope: &Envelope<'_>, clear: &Clear, now: Instant) -> Option<Vec<u8>> {
        let parts =
            PduParts { kind: PduKind::Response, request_id: clear.request_id, error_status: 0, error_index: 0, varbinds: &clear.varbinds };
        let mut scoped = Writer::with_capacity(512);
        envelope::write_scoped(&clear.context_engine, &clear.context, &parts, &mut scoped);
        self.write(envelope, scoped, envelope.flags & (AUTH | PRIV), Some(index), now)
    }

    /// A Report that names `counter`; signed for a user whose signature was right.
    fn report(&mut self, envelope: &Envelope<'_>, counter: &str, index: Option<usize>, now: Instant) -> Vec<u8> {
        let name = counter.parse::<Oid>().ok();
        let varbinds = encode_varbinds(name.iter().map(|name| (name.as_ref(), Value::Counter32(1))));
        let parts = PduParts { kind: PduKind::Report, request_id: 0, error_status: 0, error_index: 0, varbinds: &varbinds };
        let mut scoped = Writer::with_capacity(128);
        envelope::write_scoped(self.engine.id(), &[], &parts, &mut scoped);
        self.write(envelope, scoped, if index.is_some() { AUTH } else { 0 }, index, now).unwrap_or_default()
    }

    /// Puts the contents of a scoped PDU into a message at the level of `flags`.
    fn write(&self, to: &Envelope<'_>, mut scoped: Writer, flags: u8, index: Option<usize>, now: Instant) -> Option<Vec<u8>> {
        let (boots, time) = self.engine.clock(now);
        let known = if flags & AUTH != 0 { Some(self.known.get(&(index?, self.engine.id().to_vec()))?) } else { None };
        scoped.wrap(ber::SEQUENCE, 0);
        let mut writer = Writer::with_capacity(512);
        let mut privacy = Vec::new();
        if flags & PRIV != 0 {
            let mut salt = [0; 8];
            getrandom::fill(&mut salt).ok()?;
            let sealed = known?.crypt.first()?.encrypt(scoped.as_slice(), boots, time, salt)?;
            writer.element(ber::OCTET_STRING, &sealed);
            privacy.extend(salt);
        } else {
            writer.raw(scoped.as_slice());
        }
        let head = Head { id: to.id, flags, engine_id: self.engine.id(), boots, time, user: to.user, privacy: &privacy };
        let from_end = head.write(known.map_or(0, |known| known.sign.length()), 0, &mut writer);
        let mut message = writer.as_slice().to_vec();
        if let Some(known) = known {
            let signature = known.sign.sign(&message);
            let at = message.len().checked_sub(from_end)?;
            message.get_mut(at..at + signature.len())?.copy_from_slice(&signature);
        }
        Some(message)
    }
}

impl Known {
    /// Makes the keys: slow. `None` for a user without authentication.
    fn new(user: &User, engine_id: &[u8]) -> Option<Self> {
        let (hash, phrase) = user.auth.as_ref()?;
        let crypt = user
            .privacy
            .iter()
            .flat_map(|(protocol, phrase)| Extension::ALL.map(|extension| CryptKey::new(*protocol, *hash, phrase, engine_id, extension)));
        Some(Self { sign: SignKey::new(*hash, phrase, engine_id), crypt: crypt.collect(), clock: None })
    }

    fn signed(&self, envelope: &Envelope<'_>) -> bool {
        let (at, length) = envelope.signature;
        length == self.sign.length() && self.sign.fits(envelope.message, at)
    }

    /// Checks the signature and decrypts, with either way of lengthening keys.
    fn open(&mut self, envelope: &Envelope<'_>) -> Option<Clear> {
        if !self.signed(envelope) {
            return None;
        }
        let sealed = match envelope.body {
            Body::Plain(scoped) => return Some(Clear::of(&scoped)),
            Body::Sealed(sealed) => sealed,
        };
        let found = self.crypt.iter().enumerate().find_map(|(index, key)| {
            let octets = key.decrypt(sealed, envelope.boots, envelope.time, envelope.privacy)?;
            let contents = Reader::new(&octets).expect_tag(ber::SEQUENCE).ok()?;
            Some((index, Clear::of(&Scoped::decode(contents).ok()?)))
        });
        let (index, clear) = found?;
        self.crypt.swap(0, index);
        Some(clear)
    }

    /// Follows the clock of a sender's engine; false for a message older than what it said before (RFC 3414 section 3.2.7b).
    fn follow(&mut self, envelope: &Envelope<'_>, now: Instant) -> bool {
        if let Some((boots, time, at)) = self.clock {
            let passed = u32::try_from(now.saturating_duration_since(at).as_secs()).unwrap_or(u32::MAX);
            let expected = time.saturating_add(passed);
            if envelope.boots < boots || (envelope.boots == boots && envelope.time.saturating_add(WINDOW) < expected) {
                return false;
            }
        }
        self.clock = Some((envelope.boots, envelope.time, now));
        true
    }
}

impl Clear {
    fn of(scoped: &Scoped<'_>) -> Self {
        Self {
            kind: scoped.pdu.kind,
            request_id: scoped.pdu.request_id,
            varbinds: scoped.pdu.varbinds.octets().to_vec(),
            context_engine: scoped.engine_id.to_vec(),
            context: scoped.context.to_vec(),
        }
    }
}

const fn level(user: &User) -> u8 {
    match (&user.auth, &user.privacy) {
        (Some(_), Some(_)) => AUTH | PRIV,
        (Some(_), None) => AUTH,
        _ => 0,
    }
}

#[cfg(test)]
#[path = "receive_tests.rs"]
mod tests;
