//! What frames of the segment give away by themselves: who gives addresses, who offers itself as the way out, who claims whose
//! address, who asks for names that are none. Pure, with tables of fixed sizes; the engine hands every packet in.
//!
//! The walk of a packet: by its body to the one or two judges that it concerns → what they count over a window → a [`Detection`]
//! when it passes the rule's boundary, said again when it doubles and every half a minute as long as it goes on.

mod claim;
mod domain;
mod lease;
mod names;
mod router;
pub mod settings;
mod starve;
mod tell;
#[cfg(test)]
mod tests;

use self::claim::ClaimJudge;
use self::lease::LeaseJudge;
use self::names::NameJudge;
use self::router::RouterJudge;
use self::starve::StarvationJudge;
pub use self::tell::Now;
use super::{Detection, Sight};
use crate::capture::packet::{Body, Ip, Packet, Transport};
use crate::capture::payload::{dhcp, dns};

pub use settings::Settings;

/// Port of DNS.
const DNS: u16 = 53;

/// The judges of the segment.
#[derive(Debug)]
pub struct Lan {
    claims: ClaimJudge,
    leases: LeaseJudge,
    starvation: StarvationJudge,
    routers: RouterJudge,
    names: NameJudge,
}

impl Lan {
    /// Judges by these parameters; the seed is that of the engine.
    pub fn new(settings: &Settings, seed: u64) -> Self {
        Self {
            claims: ClaimJudge::new(settings.claims, seed),
            leases: LeaseJudge::new(seed),
            starvation: StarvationJudge::new(settings.starvation, seed),
            routers: RouterJudge::new(seed),
            names: NameJudge::new(settings, seed),
        }
    }

    /// Takes other parameters; what was counted stays.
    pub fn set_settings(&mut self, settings: &Settings) {
        self.claims.set_settings(settings.claims);
        self.starvation.set_settings(settings.starvation);
        self.names.set_settings(settings);
    }

    /// Looks at one packet.
    pub fn packet(&mut self, packet: &Packet<'_>, now: Now, sight: &Sight, out: &mut Vec<Detection>) {
        match &packet.body {
            Body::Arp(_) => self.claims.packet(packet, now, sight, out),
            Body::Ip(ip) => self.ip(packet, ip, now, sight, out),
            Body::Other(..) => {}
        }
    }

    fn ip(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, now: Now, sight: &Sight, out: &mut Vec<Detection>) {
        match &ip.transport {
            Transport::Udp(udp) if udp.src_port == DNS || udp.dst_port == DNS => {
                if let Some(message) = dns::Message::parse(udp.data) {
                    self.names.message(packet, ip, &message, now, sight, out);
                }
            }
            Transport::Udp(udp) if matches!((udp.src_port, udp.dst_port), (67 | 68, 67 | 68)) => {
                if let Some(message) = dhcp::Message::parse(udp.data) {
                    self.leases.message(packet, ip, &message, now, sight, out);
                    self.starvation.message(packet, &message, now, sight, out);
                }
            }
            Transport::Tcp(tcp) if tcp.data_octets > 0 && (tcp.src_port == DNS || tcp.dst_port == DNS) => {
                if let Some(message) = dns::Message::parse_segment(tcp.data) {
                    self.names.message(packet, ip, &message, now, sight, out);
                }
            }
            Transport::Icmp(icmp) if ip.src.is_ipv6() && matches!(icmp.kind, 134..=136) => {
                self.routers.message(packet, ip, icmp, now, sight, out);
                self.claims.neighbour(packet, ip, icmp, now, sight, out);
            }
            _ => {}
        }
    }
}
