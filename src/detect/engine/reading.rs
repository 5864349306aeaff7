//! What a packet says of contacts: opened, answered, refused, asked for, or merely going on. Who is charged is decided here: the
//! one who opens, and only when it is one of ours.

use std::net::IpAddr;

use crate::capture::packet::{Arp, Body, Icmp, Ip, Packet, Tcp, Transport, Udp};
use crate::detect::quick::number;
use crate::detect::sight::is_unicast_ip;

use super::contact::{Contacts, First, Scene, TALK};
use super::pairs::State;
use super::pending::Class;

impl Contacts {
    pub(super) fn packet(&mut self, packet: &Packet<'_>, at: &mut Scene<'_>) {
        match &packet.body {
            Body::Arp(arp) => self.arp(packet, arp, at),
            Body::Ip(ip) => match &ip.transport {
                Transport::Tcp(tcp) => self.tcp(packet, ip, tcp, at),
                Transport::Udp(udp) => self.udp(packet, ip, udp, at),
                Transport::Icmp(icmp) => self.icmp(packet, ip, icmp, at),
                Transport::Other(protocol) => self.talk(packet, ip, 0x100 | u64::from(*protocol), 0, false, at),
            },
            Body::Other(..) => {}
        }
    }

    fn tcp(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, tcp: &Tcp<'_>, at: &mut Scene<'_>) {
        if tcp.flags & (Tcp::ACK | Tcp::RST) == 0 {
            self.open(packet, ip, tcp, at);
        } else if tcp.accepts() {
            let pair = self.key(ip.dst, ip.src, Class::Tcp, tcp.src_port);
            self.talks.answered(self.mixer.pair(number(ip.dst), number(ip.src), TALK | 6));
            self.talks.accepted(pair, tcp.src_port, at.now.tick);
            if self.answer(pair, ip.dst, ip.src, tcp.src_port, Class::Tcp, at) {
                self.mirror.accept();
            } else if at.sight.is_watched(ip.dst) {
                // Frames of two directions may change places: what is accepted before it was asked for is no failure later.
                self.pairs.touch(pair, at.now.second, State::Answered);
            }
        } else if tcp.flags & Tcp::RST != 0 {
            let pair = self.key(ip.dst, ip.src, Class::Tcp, tcp.src_port);
            self.talks.refused(self.mixer.pair(number(ip.dst), number(ip.src), TALK | 6));
            self.refuse(pair, ip.dst, ip.src, tcp.src_port, Class::Tcp, at);
        } else {
            self.goes_on(ip, tcp, at);
        }
    }

    /// A TCP segment that opens, or that probes without opening (FIN, NULL, XMAS).
    fn open(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, tcp: &Tcp<'_>, at: &mut Scene<'_>) {
        if !at.sight.is_watched(ip.src) || !is_unicast_ip(ip.dst) {
            return;
        }
        let pair = self.key(ip.src, ip.dst, Class::Tcp, tcp.dst_port);
        let fresh = self.pairs.touch(pair, at.now.second, State::Pending).is_none();
        let talk = self.mixer.pair(number(ip.src), number(ip.dst), TALK | 6);
        if self.talks.sent(talk, fresh, at.now.tick) >= self.settings.flood.openings {
            let host = self.known(packet, ip.src, at);
            self.judge_openings(talk, host, ip.dst, tcp.dst_port, at);
        }
        if self.talks.login(pair, tcp.dst_port, tcp.src_port, at.now.tick) >= self.settings.guessing.connections {
            let host = self.known(packet, ip.src, at);
            self.judge_guessing(pair, host, ip.dst, tcp.dst_port, at);
        }
        if fresh {
            let host = self.known(packet, ip.src, at);
            let first = First { host, pair, src: ip.src, dst: ip.dst, port: tcp.dst_port, class: Class::Tcp };
            self.first_tcp(&first, at);
        }
    }

    /// A segment of a connection that goes on: where SYN-ACKs are not seen, it shows that there was one.
    fn goes_on(&mut self, ip: &Ip<'_>, tcp: &Tcp<'_>, at: &Scene<'_>) {
        let ports = u64::from(tcp.src_port) << 16 | u64::from(tcp.dst_port);
        let direction = self.mixer.pair(number(ip.src), number(ip.dst), ports << 8 | 6);
        // Where both directions are seen, a worm is not to excuse itself by sending one more segment; one conversation of
        // sixteen shows whether that is still so.
        let both = self.mirror.shows_both();
        if (both && direction & 0xf != 0) || self.memo.seen(direction) || !at.sight.is_watched(ip.src) {
            return;
        }
        let pair = self.key(ip.src, ip.dst, Class::Tcp, tcp.dst_port);
        if self.pairs.state(pair, at.now.second) == Some(State::Pending) {
            self.mirror.inferred = self.mirror.inferred.saturating_add(if both { 16 } else { 1 });
            if !both {
                self.talks.accepted(pair, tcp.dst_port, at.now.tick);
                self.answer(pair, ip.src, ip.dst, tcp.dst_port, Class::Tcp, at);
            }
        }
    }

    fn udp(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, udp: &Udp<'_>, at: &mut Scene<'_>) {
        if !is_unicast_ip(ip.dst) || (is_broadcast(ip.dst) && at.sight.is_local(ip.dst)) {
            return;
        }
        let ports = u64::from(udp.src_port) << 16 | u64::from(udp.dst_port);
        let direction = self.mixer.pair(number(ip.src), number(ip.dst), ports << 8 | 17);
        let stretch = u64::from(at.now.second / 16);
        let fresh = !self.memo.seen(direction ^ stretch << 40) && self.first_udp(packet, ip, udp, at);
        self.talk(packet, ip, 17, udp.dst_port, fresh, at);
    }

    /// The first packet of a direction within seconds. Whether it is a first contact.
    fn first_udp(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, udp: &Udp<'_>, at: &mut Scene<'_>) -> bool {
        let back = self.key(ip.dst, ip.src, Class::Udp, udp.src_port);
        if self.pairs.state(back, at.now.second).is_some() {
            self.pairs.touch(back, at.now.second, State::Known);
            self.answer(back, ip.dst, ip.src, udp.src_port, Class::Udp, at);
            return false;
        }
        let pair = self.key(ip.src, ip.dst, Class::Udp, udp.dst_port);
        let watched = at.sight.is_watched(ip.src);
        if watched && answers(udp.src_port, udp.dst_port) {
            return false;
        }
        let state = if watched { State::Pending } else { State::Known };
        let fresh = self.pairs.touch(pair, at.now.second, state).is_none() && watched;
        if fresh {
            let host = self.known(packet, ip.src, at);
            let first = First { host, pair, src: ip.src, dst: ip.dst, port: udp.dst_port, class: Class::Udp };
            self.first_datagram(&first, at);
        }
        fresh
    }

    fn icmp(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, icmp: &Icmp<'_>, at: &mut Scene<'_>) {
        match (ip.src.is_ipv6(), icmp.kind) {
            (false, 8) | (true, 128) if is_unicast_ip(ip.dst) => {
                self.talk(packet, ip, 1, 0, false, at);
                let pair = self.key(ip.src, ip.dst, Class::Icmp, 0);
                if at.sight.is_watched(ip.src) && self.pairs.touch(pair, at.now.second, State::Pending).is_none() {
                    let host = self.known(packet, ip.src, at);
                    let first = First { host, pair, src: ip.src, dst: ip.dst, port: 0, class: Class::Icmp };
                    self.first_echo(&first, at);
                }
            }
            (false, 0) | (true, 129) => {
                self.talks.answered(self.mixer.pair(number(ip.dst), number(ip.src), TALK | 1));
                let pair = self.key(ip.dst, ip.src, Class::Icmp, 0);
                self.answer(pair, ip.dst, ip.src, 0, Class::Icmp, at);
            }
            (true, 135 | 136) => self.neighbour(packet, ip, icmp, at),
            _ => self.icmp_error(ip, icmp, at),
        }
    }

    /// Neighbour solicitations and advertisements (RFC 4861) are ARP's like in IPv6.
    fn neighbour(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, icmp: &Icmp<'_>, at: &mut Scene<'_>) {
        let Some(target) = icmp.data.get(4..20).and_then(|octets| <[u8; 16]>::try_from(octets).ok()) else { return };
        let target = IpAddr::from(target);
        if icmp.kind == 136 {
            self.arp_answer(ip.dst, target, at);
        } else {
            self.ask(packet, ip.src, target, at);
        }
    }

    /// An error: a refusal when it speaks for the target, nothing at all when it speaks of the way there.
    fn icmp_error(&mut self, ip: &Ip<'_>, icmp: &Icmp<'_>, at: &mut Scene<'_>) {
        let Some(quoted) = icmp.quoted.filter(|quoted| quoted.src == ip.dst) else { return };
        let refused = match (ip.src.is_ipv6(), icmp.kind, icmp.code) {
            // Host, protocol and port unreachable; address and port unreachable.
            (false, 3, 1..=3) | (true, 1, 3 | 4) => true,
            // Network unreachable, forbidden by an administrator, lost on the way.
            (false, 3 | 11, _) | (true, 1 | 3, _) => false,
            _ => return,
        };
        let (class, port) = match quoted.protocol {
            6 => (Class::Tcp, quoted.dst_port),
            17 => (Class::Udp, quoted.dst_port),
            1 | 58 => (Class::Icmp, 0),
            _ => return,
        };
        let pair = self.key(quoted.src, quoted.dst, class, port);
        if refused {
            self.refuse(pair, quoted.src, quoted.dst, port, class, at);
        } else {
            self.pairs.set(pair, at.now.second, State::Known);
        }
    }

    fn arp(&mut self, packet: &Packet<'_>, arp: &Arp, at: &mut Scene<'_>) {
        let (sender, target) = (IpAddr::V4(arp.sender), IpAddr::V4(arp.target));
        match arp.operation {
            1 if arp.sender != arp.target => self.ask(packet, sender, target, at),
            2 => self.arp_answer(target, sender, at),
            _ => {}
        }
    }

    /// Somebody asks for the station of an address. Routers ask for whomever others want, and are not charged.
    fn ask(&mut self, packet: &Packet<'_>, sender: IpAddr, target: IpAddr, at: &mut Scene<'_>) {
        let router = packet.src_mac.is_some_and(|mac| at.sight.is_router(mac)) || at.sight.is_gateway(sender);
        if router || sender == target || !is_unicast_ip(target) || !at.sight.is_watched(sender) {
            return;
        }
        let pair = self.key(sender, target, Class::Arp, 0);
        if self.pairs.touch(pair, at.now.second, State::Pending).is_none() {
            let host = self.known(packet, sender, at);
            if self.mirror.asked >= 4096 {
                (self.mirror.asked, self.mirror.told) = (self.mirror.asked / 2, self.mirror.told / 2);
            }
            self.mirror.asked += 1;
            let first = First { host, pair, src: sender, dst: target, port: 0, class: Class::Arp };
            self.first_ask(&first, at);
        }
    }

    fn arp_answer(&mut self, asker: IpAddr, target: IpAddr, at: &Scene<'_>) {
        let pair = self.key(asker, target, Class::Arp, 0);
        if self.answer(pair, asker, target, 0, Class::Arp, at) {
            self.mirror.told += 1;
        }
    }

    /// Counts a packet in its direction, and as the answer in the other; a flood of it is told.
    fn talk(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, class: u64, port: u16, fresh: bool, at: &mut Scene<'_>) {
        if class == 17 {
            self.talks.answered(self.mixer.pair(number(ip.dst), number(ip.src), TALK | class));
        }
        if !at.sight.is_watched(ip.src) || !is_unicast_ip(ip.dst) {
            return;
        }
        let talk = self.mixer.pair(number(ip.src), number(ip.dst), TALK | class);
        let sent = self.talks.sent(talk, fresh, at.now.tick);
        // Looked at now and then: it is a matter of seconds.
        if sent >= self.settings.flood.packets_per_s && sent.is_multiple_of(500) {
            let host = self.known(packet, ip.src, at);
            self.judge_packets(talk, host, ip.dst, (class, port), at);
        }
    }
}

/// The address to which all of a /24 listen. Other masks are not known here; a contact with a broadcast address is no scan.
fn is_broadcast(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(v4) if v4.octets()[3] == 255)
}

/// Whether a datagram looks like the answer of a service whose question was not seen, as at the beginning of a capture.
fn answers(src_port: u16, dst_port: u16) -> bool {
    let service = src_port < 1024 || matches!(src_port, 1194 | 1434 | 1701 | 1812 | 1813 | 3478 | 4500 | 5060 | 51820);
    service && dst_port >= 1024 && src_port != dst_port && !matches!(dst_port, 1434 | 11_211)
}
