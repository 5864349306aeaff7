//! The core's part in SNMPv3: a question may need rounds before its answer, to learn the device's engine and its time,
//! and may have to wait for keys.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Arrival, Core};
use crate::snmp::job::{Answer, Ask, AskError};
use crate::snmp::message::{Varbinds, status};
use crate::snmp::udp::conversation::{Complaint, Phase};
use crate::snmp::udp::ids::Ids;
use crate::snmp::v3::envelope::Envelope;
use crate::snmp::v3::keys::Keys;
use crate::snmp::v3::usm::{Opened, Sealed};

/// Discovery, time, the other key, and one to spare.
const ROUNDS: u8 = 4;

impl Core {
    /// Takes an SNMPv3 message.
    pub(super) fn secured(&mut self, from: SocketAddr, octets: &[u8], arrival: Arrival) {
        let envelope = match Envelope::decode(octets) {
            Ok(envelope) => envelope,
            Err(error) => return self.garbage(from, || error.to_string()),
        };
        let Some(slot) = self.asked(from, envelope.id) else { return };
        let Some(conversation) = self.conversation(slot) else { return };
        let peer = conversation.peer;
        let (Phase::Queued(question) | Phase::Waiting(question), Some(usm)) = (&conversation.phase, &mut conversation.usm) else {
            conversation.complain(|| Complaint::Garbage("an SNMPv3 message, but it was asked by community".to_owned()));
            self.stats.foreign += 1;
            return;
        };
        let names = match question.request.ask {
            Ask::GetBulk { .. } => None,
            Ask::Get | Ask::GetNext | Ask::Set(_) => Some(Varbinds::new(&question.request.varbinds).count()),
        };
        let is_set = question.is_set();
        match usm.open(&envelope, envelope.id, names, arrival.at) {
            Opened::Answer(status::AUTHORIZATION_ERROR, ..) if !is_set => {
                let why = "the user is known, but may not read this at this security level; check its access rights on the device";
                self.fail(slot, Some(AskError::Refused { peer, why: why.to_owned() }), arrival.at);
            }
            Opened::Answer(error_status, error_index, list) => {
                let (received, varbinds, rtt) = (arrival.stamp, Varbinds::new(&list), Duration::ZERO);
                self.accept(slot, Answer { error_status, error_index, varbinds, received, rtt }, arrival);
            }
            Opened::Again => self.again(slot, arrival.at),
            Opened::Refused(why) => self.fail(slot, Some(AskError::Refused { peer, why }), arrival.at),
            Opened::Hopeless(why) => self.fail(slot, Some(AskError::Malformed { peer, why }), arrival.at),
            Opened::Garbage(why) => {
                conversation.complain(|| Complaint::Garbage(why));
                self.stats.foreign += 1;
            }
        }
    }

    /// Asks the same again, now that more is known. Under a new id, so that a duplicate of what told us is stale.
    fn again(&mut self, slot: u16, now: Instant) {
        let Some(place) = self.slots.get_mut(usize::from(slot)) else { return };
        let Some(conversation) = place.conversation.as_mut() else { return };
        let peer = conversation.peer;
        let Some(question) = conversation.question() else { return };
        question.rounds += 1;
        question.tries = question.tries.saturating_sub(1);
        if question.rounds > ROUNDS {
            let why = "it keeps sending reports about its engine instead of an answer".to_owned();
            return self.fail(slot, Some(AskError::Malformed { peer, why }), now);
        }
        place.generation = Ids::after(place.generation);
        self.enqueue(slot);
    }

    /// Puts a question aside that could not be sent.
    pub(super) fn hold(&mut self, slot: u16, sealed: Sealed, now: Instant) {
        let Some(place) = self.slots.get_mut(usize::from(slot)) else { return };
        let Some(conversation) = place.conversation.as_mut() else { return };
        let peer = conversation.peer;
        match sealed {
            Sealed::Written => {}
            Sealed::Failed(why) => self.fail(slot, Some(AskError::Refused { peer, why }), now),
            Sealed::NeedsKeys(recipe) => {
                self.recipes.push_back((slot, place.generation, recipe));
                match std::mem::replace(&mut conversation.phase, Phase::Paused(now)) {
                    Phase::Queued(mut question) | Phase::Waiting(mut question) | Phase::Keying(mut question) => {
                        question.tries = question.tries.saturating_sub(1);
                        if let Some(credit) = question.credit.take() {
                            self.window.release(credit);
                        }
                        conversation.phase = Phase::Keying(question);
                    }
                    paused @ Phase::Paused(_) => conversation.phase = paused,
                }
            }
        }
    }

    /// Keys were made for the question with this slot and generation, or why they cannot be.
    pub(in crate::snmp::udp) fn keyed(&mut self, slot: u16, generation: u16, keys: Result<Keys, String>, now: Instant) {
        let Some(place) = self.slots.get_mut(usize::from(slot)).filter(|place| place.generation == generation) else { return };
        let Some(conversation) = place.conversation.as_mut() else { return };
        let (Phase::Keying(_), Some(usm)) = (&conversation.phase, &mut conversation.usm) else { return };
        let peer = conversation.peer;
        match keys {
            Ok(keys) => {
                usm.install(keys);
                self.enqueue(slot);
            }
            Err(why) => self.fail(slot, Some(AskError::Refused { peer, why }), now),
        }
    }
}
