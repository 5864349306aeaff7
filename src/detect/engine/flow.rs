//! Flows as contacts. An exporter tells both directions, late and in any order: the one that only opened (S, or S and R) has
//! failed; the other direction of a known contact is its answer. Where the exporter samples, most contacts are never seen, so
//! outcomes say nothing: only the rules on bursts and floods look at them.

use crate::capture::packet::Tcp;
use crate::detect::Machine;
use crate::detect::quick::number;
use crate::detect::sight::is_unicast_ip;
use crate::flow::record::Record;

use super::contact::{Contacts, Review, Scene, TALK};
use super::pending::Class;

impl Contacts {
    pub(super) fn flow(&mut self, record: &Record, at: &mut Scene<'_>) {
        if !is_unicast_ip(record.dst) {
            return;
        }
        let (class, port) = match record.protocol {
            6 => (Class::Tcp, record.dst_port),
            17 => (Class::Udp, record.dst_port),
            // Echo requests: type 8 and 128.
            1 | 58 if matches!(record.dst_port >> 8, 8 | 128) => (Class::Icmp, 0),
            _ => return,
        };
        let opened = record.tcp_flags & Tcp::SYN != 0;
        let failed = class == Class::Tcp && opened && record.tcp_flags & !(Tcp::SYN | Tcp::RST) == 0;
        self.flow_returns(record);
        if self.flow_answers(record, class, at) || !at.sight.is_watched(record.src) {
            return;
        }
        let machine = Machine { ip: Some(record.src), mac: record.src_mac.filter(|mac| !at.sight.is_router(*mac)), vlan: record.vlan };
        let host = self.host_of(&machine, record.src, at);
        self.flow_flood(record, host, failed, at);
        if class == Class::Tcp && !opened {
            return;
        }
        let sampled = record.sampling > 1;
        self.flow_contact(record, class, port, host, sampled, at);
        if class == Class::Tcp && !sampled && !failed {
            self.answer_of(record.src, record.dst, class, port, at);
        }
    }

    /// Whether the flow is the other direction of a contact; if so, the contact was answered, or refused.
    fn flow_answers(&mut self, record: &Record, class: Class, at: &mut Scene<'_>) -> bool {
        let refused = class == Class::Tcp && record.tcp_flags & Tcp::RST != 0 && record.tcp_flags & Tcp::SYN == 0;
        let port = if class == Class::Icmp { 0 } else { record.src_port };
        self.back(record.dst, record.src, class, port, refused, at)
    }

    /// Packets of one class at one target that nobody answers, scaled up by the sampling.
    fn flow_flood(&mut self, record: &Record, host: u64, failed: bool, at: &mut Scene<'_>) {
        let class = if record.protocol == 58 { 1 } else { u64::from(record.protocol) };
        if class == 6 && !failed {
            return;
        }
        let flood = &self.settings.flood;
        let lasted_ms = u64::try_from(record.last.since(record.first).as_millis()).unwrap_or(u64::MAX).max(1000);
        // What a long flow tells at its end is spread over its time.
        if class != 6 && record.packets.saturating_mul(1000) / lasted_ms < u64::from(flood.packets_per_s) && record.sampling == 1 {
            return;
        }
        let share = record.packets.saturating_mul(lasted_ms.min(u64::from(flood.window_s) * 1000)) / lasted_ms;
        let talk = self.mixer.pair(number(record.src), number(record.dst), TALK | class);
        self.talks.sent_many(talk, u32::try_from(share).unwrap_or(u32::MAX), at.now.tick);
        if class == 6 {
            self.judge_openings(talk, host, record.dst, record.dst_port, at);
        } else {
            // The flow of the answers may be told a little later.
            self.later(Review::Packets { talk, class, host, to: record.dst, port: record.dst_port }, at);
        }
    }

    /// What a flow of datagrams is to the other direction: answers.
    fn flow_returns(&mut self, record: &Record) {
        if record.protocol != 6 {
            let class = if record.protocol == 58 { 1 } else { u64::from(record.protocol) };
            let back = self.mixer.pair(number(record.dst), number(record.src), TALK | class);
            self.talks.answered_many(back, u32::try_from(record.packets).unwrap_or(u32::MAX));
        }
    }
}
