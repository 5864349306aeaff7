//! Conversations: a connection opened and used, a datagram with its answer, a name looked up, an echo. Each takes the time at
//! which it begins and tells when it is over.

use std::net::{IpAddr, Ipv4Addr};

use super::frame::{self, ACK, FIN_ACK, Load, PSH_ACK, RST_ACK, SYN, SYN_ACK};
use super::world::{Answer, World};

/// How a connection is opened and what passes on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    /// Data segments there and back.
    pub(crate) there: u16,
    pub(crate) back: u16,
    /// Seconds between segments.
    pub(crate) pause: f64,
    /// Waits before the opening is sent again while nobody answers.
    pub(crate) again: &'static [f64],
    /// Whether it is closed in order.
    pub(crate) closes: bool,
}

/// What systems do: again after 1 and 3 seconds.
pub(crate) const PATIENT: &[f64] = &[1.0, 3.0];
pub(crate) const ONCE: &[f64] = &[];

impl Talk {
    pub(crate) const SHORT: Self = Self { there: 2, back: 3, pause: 0.01, again: PATIENT, closes: true };
    /// A scanner's: nothing is said.
    pub(crate) const PROBE: Self = Self { there: 0, back: 0, pause: 0.01, again: ONCE, closes: false };
}

/// What the answer to a name is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Name {
    Found,
    Missing,
    Failed,
}

impl World {
    /// Opens a connection. `far` is what an address outside answers, when it is not to be drawn. Returns when the outcome is
    /// known, with whether it was accepted.
    pub(crate) fn connect(&mut self, t: f64, host: usize, dst: IpAddr, port: u16, far: Option<Answer>, talk: Talk) -> (f64, bool) {
        let src = self.source(host, dst);
        let sport = self.port(host);
        self.connect_from(t, host, (src, sport), dst, port, far, talk)
    }

    #[expect(clippy::too_many_arguments, reason = "a connection has two ends")]
    pub(crate) fn connect_from(
        &mut self,
        t: f64,
        host: usize,
        (src, sport): (IpAddr, u16),
        dst: IpAddr,
        port: u16,
        far: Option<Answer>,
        talk: Talk,
    ) -> (f64, bool) {
        let Some((t, there)) = self.reach(t, host, dst) else { return (t + 3.0, false) };
        let mut answer = match self.local_answer(dst, port) {
            Some(answer) => answer,
            None if self.town.is_local(dst) => Answer::Silent,
            None if self.is_out(t) => Answer::Silent,
            None => far.unwrap_or_else(|| self.far_answer(dst, port)),
        };
        if !there {
            // Some routers tell that nobody is there.
            answer = if self.plan.tells && self.chance.chance(0.5) { Answer::Unreachable(1) } else { Answer::Silent };
        }
        let trip = self.trip(dst);
        let syn = frame::tcp(sport, port, SYN, 0);
        let out = self.is_out(t);
        self.send(t, src, dst, &syn);
        match answer {
            Answer::Silent => {
                let mut after = t;
                for wait in talk.again {
                    after += wait;
                    self.send(after, src, dst, &syn);
                }
                (after + 3.0, false)
            }
            Answer::Refused => {
                self.send(t + trip, dst, src, &frame::tcp(port, sport, RST_ACK, 0));
                (t + trip, false)
            }
            Answer::Unreachable(code) => {
                if !out {
                    self.refuse(t + trip + if there { 0.0 } else { 2.5 }, src, dst, code, &syn);
                }
                (t + trip + 2.5, false)
            }
            Answer::Open => (self.say(t, trip, (src, sport), (dst, port), talk), true),
        }
    }

    /// Somebody on the way tells that it does not go on.
    pub(crate) fn refuse(&mut self, t: f64, src: IpAddr, dst: IpAddr, code: u8, load: &Load) {
        let Some(quoted) = frame::packet(src, dst, 60, load) else { return };
        let six = src.is_ipv6();
        let teller = match (dst, self.town.host_of(src)) {
            (IpAddr::V4(_), Some(host)) if self.town.is_local(dst) => IpAddr::V4(self.town.subnets[self.town.hosts[host].subnet].gateway),
            (IpAddr::V4(dst), _) => IpAddr::V4(Ipv4Addr::from(u32::from(dst) ^ 0x0001_0101)),
            (six, _) => six,
        };
        self.send(t, teller, src, &frame::unreachable(six, if six { 0 } else { code }, &quoted));
    }

    fn say(&mut self, t: f64, trip: f64, (src, sport): (IpAddr, u16), (dst, port): (IpAddr, u16), talk: Talk) -> f64 {
        self.send(t + trip, dst, src, &frame::tcp(port, sport, SYN_ACK, 0));
        let mut at = t + trip + 1e-4;
        if talk.there == 0 && !talk.closes {
            self.send(at, src, dst, &frame::tcp(sport, port, frame::RST, 0));
            return at;
        }
        self.send(at, src, dst, &frame::tcp(sport, port, ACK, 0));
        for number in 0..talk.there.max(talk.back) {
            if number < talk.there {
                self.send(at + 1e-5, src, dst, &frame::tcp(sport, port, PSH_ACK, 400));
            }
            if number < talk.back {
                self.send(at + trip, dst, src, &frame::tcp(port, sport, ACK, 1400));
            }
            at += talk.pause;
        }
        if talk.closes {
            self.send(at + trip, src, dst, &frame::tcp(sport, port, FIN_ACK, 0));
            self.send(at + 2.0 * trip, dst, src, &frame::tcp(port, sport, FIN_ACK, 0));
            self.send(at + 2.0 * trip + 1e-5, src, dst, &frame::tcp(sport, port, ACK, 0));
        }
        at + 2.0 * trip
    }

    /// A datagram; `back` is what is answered, when somebody does.
    #[expect(clippy::too_many_arguments, reason = "the fields of one exchange, in the order of the wire")]
    pub(crate) fn datagram(&mut self, t: f64, host: usize, sport: u16, dst: IpAddr, port: u16, data: &[u8], back: Option<&[u8]>) -> f64 {
        let Some((t, there)) = self.reach(t, host, dst) else { return t + 3.0 };
        let src = self.source(host, dst);
        self.send(t, src, dst, &frame::udp(sport, port, data));
        let lives = self.town.host_of(dst).is_none_or(|host| self.town.hosts[host].up);
        let out = self.is_out(t) && !self.town.is_local(dst);
        let trip = self.trip(dst);
        match back {
            Some(back) if there && lives && !out => self.send(t + trip, dst, src, &frame::udp(port, sport, back)),
            _ => {}
        }
        t + trip
    }

    /// A name asked of a resolver of the campus, which asks outside now and then.
    pub(crate) fn lookup(&mut self, t: f64, host: usize, name: &str, outcome: Name) -> f64 {
        let resolver = self.resolver(host);
        let (id, sport) = (self.chance.bits() as u16, self.port(host));
        let outcome = if self.is_out(t) && self.chance.chance(0.4) { Name::Failed } else { outcome };
        let address = Ipv4Addr::from(0x6440_0000 | self.chance.below(1 << 20) as u32);
        let answer = match outcome {
            Name::Found => frame::dns(id, true, 0, name, 1, &[address]),
            Name::Missing => frame::dns(id, true, 3, name, 1, &[]),
            Name::Failed => frame::dns(id, true, 2, name, 1, &[]),
        };
        let query = frame::dns(id, false, 0, name, 1, &[]);
        let asks_on = self.chance.chance(0.25);
        if asks_on && let Some(resolver) = self.town.host_of(resolver) {
            self.recurse(t + 1e-3, resolver, name, outcome);
        }
        self.datagram(t, host, sport, resolver, 53, &query, Some(&answer)) + if asks_on { 0.03 } else { 0.0 }
    }

    fn recurse(&mut self, t: f64, resolver: usize, name: &str, outcome: Name) {
        let server = IpAddr::V4(Ipv4Addr::from(0xc022_0000 | (self.chance.rank(3_000) as u32) << 3 | 5));
        let (id, sport) = (self.chance.bits() as u16, self.port(resolver));
        let query = frame::dns(id, false, 0, name, 1, &[]);
        let code = match outcome {
            Name::Found => 0,
            Name::Missing => 3,
            Name::Failed => 2,
        };
        let answer = frame::dns(id, true, code, name, 1, &[]);
        let answers = self.chance.chance(0.93);
        self.datagram(t, resolver, sport, server, 53, &query, answers.then_some(answer.as_slice()));
    }

    /// An echo request with its reply, when somebody lives there.
    pub(crate) fn echo(&mut self, t: f64, host: usize, dst: IpAddr, number: u16, answers: bool) -> bool {
        let Some((t, there)) = self.reach(t, host, dst) else { return false };
        let src = self.source(host, dst);
        let six = dst.is_ipv6();
        let lives = self.town.host_of(dst).map_or(!self.town.is_local(dst), |host| self.town.hosts[host].up);
        self.send(t, src, dst, &frame::echo(six, false, host as u16, number));
        let answers = answers && there && lives && (self.town.is_local(dst) || !self.is_out(t));
        if answers {
            let trip = self.trip(dst);
            self.send(t + trip, dst, src, &frame::echo(six, true, host as u16, number));
        }
        answers
    }

    fn source(&self, host: usize, dst: IpAddr) -> IpAddr {
        let host = &self.town.hosts[host];
        match (dst, host.six) {
            (IpAddr::V6(_), Some(six)) => IpAddr::V6(six),
            _ => IpAddr::V4(host.ip),
        }
    }
}
