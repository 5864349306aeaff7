//! The state of one device that speaks SNMPv3: its engine, the engine's boots and time, our keys there.
//!
//! ```text
//!  Unknown --(report: engine id)--> Keyless --(keys made)--> Ready --(answers)--> Ready
//!     ^                                                        |
//!     +---------- reset: any timeout, error or desync ---------+   (keys are kept for the same engine id)
//! ```
//! Discovery's boots and time come unsigned and are only a first guess; afterwards only signed messages move them
//! (RFC 3414 section 3.2.7). Requests carry the engine's time as it must be now, however long the device was left alone.

use std::time::Instant;

use snmp2::v3::{Auth, AuthErrorKind, Security};
use snmp2::{Error, MessageType, Pdu, Value as Foreign};

use super::envelope::{self, AUTH, Body, Envelope, PRIV, Scoped, USM};
use super::keys::{Keys, Recipe, User};
use super::report::Reason;
use crate::snmp::ber::{BerError, Writer};
use crate::snmp::job::Credentials;
use crate::snmp::message::{PduKind, PduParts, Varbinds, write_varbind};
use crate::snmp::oid::OidRef;
use crate::snmp::value::Value;

/// How far the engine's time may be off, seconds (RFC 3414 section 2.3).
const WINDOW: u32 = 150;
/// The largest msgMaxSize that snmp2 reads.
const CRATE_MAX_SIZE: i64 = 65_507;

/// What a device is known by.
#[derive(Debug)]
pub(crate) struct Usm {
    user: User,
    engine: Option<Engine>,
    /// Kept through resets.
    keys: Option<Keys>,
    /// Whether an answer has been decrypted with the chosen keys.
    proven: bool,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Engine {
    id: Vec<u8>,
    boots: u32,
    time: u32,
    /// When `time` was right.
    at: Instant,
    /// Passes requests to snmp2 in plain form.
    plain: Security,
}

/// What became of a request to be sent.
pub(crate) enum Sealed {
    /// It is in the writer.
    Written,
    /// Keys are needed first.
    NeedsKeys(Recipe),
    /// It cannot be written, in words.
    Failed(String),
}

/// What a received message is.
pub(crate) enum Opened {
    /// The answer: error-status, error-index, encoded varbinds.
    Answer(i64, i64, Vec<u8>),
    /// The device told us something we had to know: ask again.
    Again,
    /// The device does not accept us, in words.
    Refused(String),
    /// It will never work, in words.
    Hopeless(String),
    /// No answer to our question, in words.
    Garbage(String),
}

impl Usm {
    pub(crate) const fn new(user: User) -> Self {
        Self { user, engine: None, keys: None, proven: false, scratch: Vec::new() }
    }

    /// Whether this state belongs to `credentials`.
    pub(crate) fn fits(&self, credentials: &Credentials) -> bool {
        User::of(credentials).as_ref() == Some(&self.user)
    }

    /// Whether the device's engine is known, so that what is sent is the request itself.
    pub(crate) const fn knows_engine(&self) -> bool {
        self.engine.is_some()
    }

    /// Throws the engine's state away: the next request discovers it anew.
    pub(crate) fn reset(&mut self) {
        self.engine = None;
    }

    /// Takes keys that were made.
    pub(crate) fn install(&mut self, keys: Keys) {
        self.keys = Some(keys);
        self.proven = false;
    }

    /// Writes a request, or what has to come before it. `tries` is the number of this send.
    pub(crate) fn seal(&mut self, parts: &PduParts<'_>, tries: u8, now: Instant, writer: &mut Writer) -> Sealed {
        let Some(engine) = &mut self.engine else {
            let discovery = PduParts { kind: PduKind::Get, error_status: 0, error_index: 0, varbinds: &[], ..*parts };
            envelope::write_plain(&[], &[], &[], &discovery, writer);
            return Sealed::Written;
        };
        let Some(keys) = self.keys.as_mut().filter(|keys| keys.engine_id == engine.id) else {
            return Sealed::NeedsKeys(Recipe::new(&self.user, &engine.id));
        };
        // With the wrong way of lengthening keys a device cannot read us and mostly stays silent.
        if tries > 1 && !self.proven {
            keys.turn();
        }
        let (boots, time) = engine.now(now);
        let Some(security) = keys.security_at(boots, time) else { return Sealed::NeedsKeys(Recipe::new(&self.user, &engine.id)) };
        envelope::write_plain(&engine.id, self.user.name.as_bytes(), self.user.context.as_bytes(), parts, writer);
        if self.user.auth.is_none() {
            return Sealed::Written;
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(writer.as_slice());
        writer.clear();
        let sealed = Pdu::from_bytes_with_security(&self.scratch, Some(&mut engine.plain))
            .and_then(|pdu| pdu.to_bytes_with_security(Some(security)));
        match sealed {
            Ok(octets) => {
                writer.raw(&octets);
                Sealed::Written
            }
            Err(error) => Sealed::Failed(format!("the request cannot be signed or encrypted: {error}")),
        }
    }

    /// Reads a message that came for the request `id`, which asked for `names` names (`None`: any number of values).
    pub(crate) fn open(&mut self, envelope: &Envelope<'_>, id: i32, names: Option<usize>, now: Instant) -> Opened {
        if envelope.model != USM {
            return Opened::Garbage(format!("security model {} instead of the User-based Security Model (3)", envelope.model));
        }
        match (envelope.flags & (AUTH | PRIV), &envelope.body) {
            (0, Body::Plain(scoped)) if scoped.pdu.kind == PduKind::Report => self.report(Reason::of(scoped.pdu.varbinds), envelope, now),
            (0, Body::Plain(scoped)) if self.user.auth.is_none() => self.plain_answer(scoped, envelope, id),
            (flags, _) if flags & AUTH != 0 && self.user.auth.is_some() => self.signed(envelope, id, names, now),
            _ => Opened::Garbage(format!("a message of another security level than {}", self.user.level())),
        }
    }

    /// A message that is neither signed nor encrypted, from a device that was asked so.
    fn plain_answer(&self, scoped: &Scoped<'_>, envelope: &Envelope<'_>, id: i32) -> Opened {
        let known = self.engine.as_ref().is_some_and(|engine| engine.id == envelope.engine_id);
        if !known || envelope.user != self.user.name.as_bytes() {
            return Opened::Garbage("the answer names another engine or user".to_owned());
        }
        answer(scoped, id)
    }

    /// A signed message: verified and decrypted by snmp2.
    fn signed(&mut self, envelope: &Envelope<'_>, id: i32, names: Option<usize>, now: Instant) -> Opened {
        let (Some(engine), Some(keys)) = (&mut self.engine, &mut self.keys) else {
            return Opened::Garbage("a signed message before the engine is known".to_owned());
        };
        if envelope.max_size > CRATE_MAX_SIZE {
            return Opened::Hopeless(format!(
                "the agent announces msgMaxSize {}, but netroom's SNMPv3 reads messages up to {CRATE_MAX_SIZE} octets only; \
                 lower the agent's maximum message size, or use v2c for this device",
                envelope.max_size
            ));
        }
        let (boots, time) = engine.now(now);
        if envelope.engine_id != engine.id || envelope.user != self.user.name.as_bytes() {
            return Opened::Garbage("the answer names another engine or user".to_owned());
        }
        let Some(security) = keys.security_at(boots, time) else { return Opened::Garbage("there are no keys".to_owned()) };
        // A copy, because snmp2 blanks the signature in place.
        self.scratch.clear();
        self.scratch.extend_from_slice(envelope.message);
        let opened = match Pdu::from_bytes_with_security(&self.scratch, Some(security)) {
            Ok(pdu) if pdu.message_type == MessageType::Response && pdu.req_id == id => {
                let plain = if let Body::Plain(scoped) = &envelope.body { answer(scoped, id) } else { decrypted(&pdu, names) };
                self.proven |= matches!(plain, Opened::Answer(..));
                Verified::As(plain)
            }
            Ok(pdu) if pdu.message_type == MessageType::Report => match decrypted(&pdu, None) {
                Opened::Answer(_, _, list) => Verified::Report(Reason::of(Varbinds::new(&list))),
                _ => Verified::Report(Reason::Other),
            },
            Ok(_) => Verified::As(Opened::Garbage("the answer carries another request-id than its message".to_owned())),
            // What these have in common: the signature was right.
            Err(Error::AuthUpdated) => Verified::NewTime,
            Err(Error::AuthFailure(AuthErrorKind::ReplyNotEncrypted | AuthErrorKind::EngineTimeMismatch)) => match &envelope.body {
                Body::Plain(scoped) if scoped.pdu.kind == PduKind::Report => Verified::Report(Reason::of(scoped.pdu.varbinds)),
                _ => Verified::As(Opened::Garbage("the answer is not encrypted".to_owned())),
            },
            Err(Error::AuthFailure(AuthErrorKind::SignatureMismatch)) => return Opened::Garbage("its signature is wrong".to_owned()),
            Err(error) => return Opened::Garbage(error.to_string()),
        };
        engine.learn(envelope, now);
        match opened {
            Verified::As(opened) => opened,
            Verified::NewTime => Opened::Again,
            Verified::Report(reason) => self.report(reason, envelope, now),
        }
    }

    /// Why a device that we discovered does not answer, when the most likely reason is one of the credentials: most
    /// agents drop what they cannot decrypt without a word.
    pub(crate) fn suspicion(&self) -> Option<String> {
        let User { name, context, privacy, .. } = &self.user;
        let (cipher, _) = privacy.as_ref().filter(|_| !self.proven && self.engine.is_some())?;
        let context = if context.is_empty() { String::new() } else { format!(", or it has no context {context:?}") };
        Some(format!(
            "it is there, but does not answer the encrypted requests of user {name:?}; most likely the privacy pass phrase is wrong, \
             or its protocol is not {}{context}",
            cipher.name()
        ))
    }

    fn report(&mut self, reason: Reason, envelope: &Envelope<'_>, now: Instant) -> Opened {
        let User { name, context, .. } = &self.user;
        let auth = self.user.auth.as_ref().map_or("", |(protocol, _)| protocol.name());
        let privacy = self.user.privacy.as_ref().map_or("", |(protocol, _)| protocol.name());
        Opened::Refused(match reason {
            Reason::EngineId => return self.discovered(envelope, now),
            Reason::TimeWindow => {
                if let Some(engine) = self.engine.as_mut().filter(|engine| engine.id == envelope.engine_id) {
                    engine.set(envelope, now);
                }
                return Opened::Again;
            }
            Reason::Decryption if !self.proven && self.keys.as_mut().is_some_and(Keys::turn) => return Opened::Again,
            Reason::UserName => format!("it has no user {name:?}; check the user name, or create the user on the device"),
            Reason::Digest => format!("the authentication of user {name:?} is wrong; check its pass phrase and that it is {auth}"),
            Reason::Decryption => format!("the privacy of user {name:?} is wrong; check its pass phrase and that it is {privacy}"),
            Reason::SecurityLevel => {
                format!("user {name:?} may not speak at level {}; check auth and privacy of the user on the device", self.user.level())
            }
            Reason::Context => format!("it has no context {context:?} for user {name:?}; check the context name"),
            Reason::SecurityModel => "it does not know the User-based Security Model (SNMPv3 users)".to_owned(),
            Reason::Other => "it answered with a report that names no known reason".to_owned(),
        })
    }

    fn discovered(&mut self, envelope: &Envelope<'_>, now: Instant) -> Opened {
        // RFC 3411: an engine id has 5 to 32 octets; devices also send shorter ones.
        if envelope.engine_id.is_empty() || envelope.engine_id.len() > 64 {
            return Opened::Hopeless("its report carries no usable engine id".to_owned());
        }
        let plain = Security::new(self.user.name.as_bytes(), &[]).with_auth(Auth::NoAuthNoPriv).with_engine_id(envelope.engine_id);
        let Ok(plain) = plain else { return Opened::Hopeless("its engine id cannot be used".to_owned()) };
        self.engine = Some(Engine { id: envelope.engine_id.to_vec(), boots: envelope.boots, time: envelope.time, at: now, plain });
        Opened::Again
    }
}

/// What a message with a right signature is.
enum Verified {
    As(Opened),
    NewTime,
    Report(Reason),
}

impl Engine {
    /// Boots and time as they must be now.
    fn now(&self, now: Instant) -> (u32, u32) {
        let passed = u32::try_from(now.saturating_duration_since(self.at).as_secs()).unwrap_or(u32::MAX);
        (self.boots, self.time.saturating_add(passed).min(i32::MAX.unsigned_abs()))
    }

    fn set(&mut self, envelope: &Envelope<'_>, now: Instant) {
        (self.boots, self.time, self.at) = (envelope.boots, envelope.time, now);
    }

    /// Takes boots and time from a verified message, unless it is older than what is known.
    fn learn(&mut self, envelope: &Envelope<'_>, now: Instant) {
        let (boots, time) = self.now(now);
        if envelope.boots > boots || (envelope.boots == boots && envelope.time.saturating_add(WINDOW) >= time) {
            self.set(envelope, now);
        }
    }
}

impl User {
    /// The user of v3 credentials.
    pub(crate) fn of(credentials: &Credentials) -> Option<Self> {
        match credentials {
            Credentials::User { user, auth, privacy, context } => {
                Some(Self { name: user.clone(), auth: auth.clone(), privacy: privacy.clone(), context: context.clone() })
            }
            Credentials::Community { .. } => None,
        }
    }
}

fn answer(scoped: &Scoped<'_>, id: i32) -> Opened {
    if scoped.pdu.kind != PduKind::Response || scoped.pdu.request_id != id {
        return Opened::Garbage("no Response to this request".to_owned());
    }
    Opened::Answer(scoped.pdu.error_status, scoped.pdu.error_index, scoped.pdu.varbinds.octets().to_vec())
}

/// The answer that snmp2 decrypted, written in our own form. snmp2 ends the list silently at a value that it cannot
/// read: then there are fewer values than names, or none at all.
fn decrypted(pdu: &Pdu<'_>, names: Option<usize>) -> Opened {
    let found: Vec<_> = pdu.varbinds.clone().collect();
    if pdu.error_status == 0 && names.map_or(found.is_empty(), |names| found.len() < names) {
        return Opened::Hopeless(
            "a value in its encrypted answer has a type that netroom's SNMPv3 cannot read; use v2c for this device".into(),
        );
    }
    let mut writer = Writer::with_capacity(2_048);
    for (name, value) in found.iter().rev() {
        if let Err(error) = write_foreign(name.as_bytes(), value, &mut writer) {
            return Opened::Garbage(error.to_string());
        }
    }
    Opened::Answer(pdu.error_status.into(), pdu.error_index.into(), writer.as_slice().to_vec())
}

fn write_foreign(name: &[u8], value: &Foreign<'_>, writer: &mut Writer) -> Result<(), BerError> {
    let value = match value {
        Foreign::Null => Value::Null,
        Foreign::Integer(number) => Value::Integer(*number),
        Foreign::OctetString(octets) => Value::OctetString(octets),
        Foreign::ObjectIdentifier(oid) => Value::parse(crate::snmp::ber::OID, oid.as_bytes()),
        Foreign::IpAddress(octets) => Value::IpAddress(*octets),
        Foreign::Counter32(number) => Value::Counter32(*number),
        Foreign::Unsigned32(number) => Value::Gauge32(*number),
        Foreign::Timeticks(number) => Value::TimeTicks(*number),
        Foreign::Opaque(octets) => Value::Opaque(octets),
        Foreign::Counter64(number) => Value::Counter64(*number),
        Foreign::EndOfMibView => Value::EndOfMibView,
        Foreign::NoSuchObject => Value::NoSuchObject,
        Foreign::NoSuchInstance => Value::NoSuchInstance,
        _ => Value::Malformed { tag: 0, octets: &[] },
    };
    write_varbind(OidRef::parse(name)?, &value, writer);
    Ok(())
}
