//! From a request to its answer, without I/O: GET, GETNEXT and GETBULK of RFC 3416 section 4.2, the error forms of
//! SNMPv1 (RFC 1157 section 4.1), and SET refused.

use super::{Datum, Mib, Missing};
use crate::model::Timestamp;
use crate::snmp::ber::{BerError, Writer};
use crate::snmp::message::{Message, PduKind, PduParts, Version, status, write_varbind};
use crate::snmp::oid::Oid;
use crate::snmp::value::Value;

/// Octets around the varbind list and the community at most: two tags with long lengths for message, PDU and list each,
/// version, request-id, error-status and error-index.
const ENVELOPE: usize = 12 + 3 + 4 + 6 + 3 + 4;

/// How an agent behaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manners {
    /// The only community that is answered, but for contexts behind an `@` ([`Mib::under`]).
    pub community: Vec<u8>,
    /// The largest answer in octets: GETBULK is cut there, the others get tooBig.
    pub max_response: usize,
    /// More names than this in one request give tooBig, as on some small devices.
    pub varbind_limit: Option<usize>,
    /// GETBULK gets no answer at all, as on some old devices.
    pub ignore_bulk: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self { community: b"public".to_vec(), max_response: 1472, varbind_limit: None, ignore_bulk: false }
    }
}

/// The answer to a datagram; `None` where an agent stays silent: no SNMP message, wrong community, GETBULK in v1.
pub fn respond(datagram: &[u8], mib: &dyn Mib, manners: &Manners, now: Timestamp) -> Option<Vec<u8>> {
    let request = Message::decode(datagram).ok()?;
    let mib = match request.community.strip_prefix(&*manners.community)? {
        [] => mib,
        context => mib.under(context.strip_prefix(b"@")?)?,
    };
    let names: Result<Vec<Oid>, BerError> = request.pdu.varbinds.map(|item| item.map(|(name, _)| name.to_owned())).collect();
    let names = names.ok()?;
    let room = manners.max_response.saturating_sub(ENVELOPE + request.community.len() + 4);
    let answer = match request.pdu.kind {
        PduKind::GetBulk if manners.ignore_bulk => return None,
        PduKind::Get | PduKind::GetNext | PduKind::GetBulk if manners.varbind_limit.is_some_and(|limit| names.len() > limit) => {
            Err((status::TOO_BIG, 0))
        }
        PduKind::Get | PduKind::GetNext => one_each(&request, &names, mib, room, now),
        PduKind::GetBulk if request.version == Version::V2c => Ok(bulk(&request, names, mib, room, now)),
        PduKind::Set if request.version == Version::V1 => Err((status::NO_SUCH_NAME, 1)),
        PduKind::Set => Err((status::NOT_WRITABLE, 1)),
        _ => return None,
    };
    Some(envelope(&request, &answer))
}

/// Varbinds in the order of the wire, as long as there is room.
struct List {
    octets: Vec<u8>,
    room: usize,
    scratch: Writer,
}

impl List {
    fn new(room: usize) -> Self {
        Self { octets: Vec::with_capacity(1500), room, scratch: Writer::with_capacity(256) }
    }

    /// Whether the varbind still had room.
    fn push(&mut self, name: &Oid, value: &Value<'_>) -> bool {
        self.scratch.clear();
        write_varbind(name.as_ref(), value, &mut self.scratch);
        let fits = self.octets.len() + self.scratch.len() <= self.room;
        if fits {
            self.octets.extend_from_slice(self.scratch.as_slice());
        }
        fits
    }
}

/// GET and GETNEXT: one answer for each name, or an error-status with its error-index.
fn one_each(request: &Message<'_>, names: &[Oid], mib: &dyn Mib, room: usize, now: Timestamp) -> Result<Vec<u8>, (i64, i64)> {
    let mut list = List::new(room);
    for (position, name) in (1_i64..).zip(names) {
        let fits = match (request.pdu.kind, request.version) {
            (PduKind::Get, Version::V1) => match mib.get(name, now) {
                Ok(value) if !matches!(value, Datum::Counter64(_)) => list.push(name, &value.value()),
                _ => return Err((status::NO_SUCH_NAME, position)),
            },
            (PduKind::Get, Version::V2c) => match mib.get(name, now) {
                Ok(value) => list.push(name, &value.value()),
                Err(Missing::Object) => list.push(name, &Value::NoSuchObject),
                Err(Missing::Instance) => list.push(name, &Value::NoSuchInstance),
            },
            (_, Version::V1) => match next_in_v1(name, mib, now) {
                Some((next, value)) => list.push(&next, &value.value()),
                None => return Err((status::NO_SUCH_NAME, position)),
            },
            (_, Version::V2c) => match mib.next(name, now) {
                Some((next, value)) => list.push(&next, &value.value()),
                None => list.push(name, &Value::EndOfMibView),
            },
        };
        if !fits {
            return Err((status::TOO_BIG, 0));
        }
    }
    Ok(list.octets)
}

/// SNMPv1 has no Counter64: a walk steps over it (RFC 3584 section 4.2.2.1).
fn next_in_v1(name: &Oid, mib: &dyn Mib, now: Timestamp) -> Option<(Oid, Datum)> {
    let mut found = mib.next(name, now)?;
    while matches!(found.1, Datum::Counter64(_)) {
        found = mib.next(&found.0, now)?;
    }
    Some(found)
}

/// GETBULK: as many varbinds as fit; ends early when a whole repetition is behind the end.
fn bulk(request: &Message<'_>, mut names: Vec<Oid>, mib: &dyn Mib, room: usize, now: Timestamp) -> Vec<u8> {
    let mut list = List::new(room);
    let single = usize::try_from(request.pdu.error_status).unwrap_or(0).min(names.len());
    let repetitions = request.pdu.error_index.max(0);
    let mut push_next = |name: &mut Oid| match mib.next(name, now) {
        Some((next, value)) => {
            let fits = list.push(&next, &value.value());
            *name = next;
            (fits, false)
        }
        None => (list.push(name, &Value::EndOfMibView), true),
    };
    let (front, repeated) = names.split_at_mut(single);
    let whole = front.iter_mut().all(|name| push_next(name).0);
    if whole && !repeated.is_empty() {
        'repetitions: for _ in 0..repetitions {
            let mut ended = 0;
            for name in repeated.iter_mut() {
                let (fits, end) = push_next(name);
                if !fits {
                    break 'repetitions;
                }
                ended += usize::from(end);
            }
            if ended == repeated.len() {
                break;
            }
        }
    }
    list.octets
}

/// Puts the list, or the error, into a message. v1 errors repeat the request's varbinds, v2c tooBig carries none.
fn envelope(request: &Message<'_>, answer: &Result<Vec<u8>, (i64, i64)>) -> Vec<u8> {
    let (varbinds, error_status, error_index) = match answer {
        Ok(list) => (list.as_slice(), status::NO_ERROR, 0),
        Err((status::TOO_BIG, index)) if request.version == Version::V2c => (&[][..], status::TOO_BIG, *index),
        Err((error, index)) => (request.pdu.varbinds.octets(), *error, *index),
    };
    let parts = PduParts { kind: PduKind::Response, request_id: request.pdu.request_id, error_status, error_index, varbinds };
    let mut writer = Writer::with_capacity(varbinds.len() + request.community.len() + 64);
    Message::encode(request.version, request.community, &parts, &mut writer);
    writer.as_slice().to_vec()
}

#[cfg(test)]
mod tests;
