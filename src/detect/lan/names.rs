//! Rules 10 and 11: names that do not exist, by the dozen (a bot that looks for its master), and data carried inside names.
//!
//! Only DNS counts: names asked of the link (LLMNR, mDNS, NetBIOS) mostly do not exist. Resolvers ask for others: those that the
//! site names are left out, and where it names none, those that were seen answering others.
//!
//! Facts of `dga`: `count` (different names that do not exist), `threshold`, `window`, `failed`, `answered` (answers of either
//! kind), `share`, `sample` (names). Of `dns-tunnel`: `count` (different names), `threshold`, `window`, `domain` (empty when names
//! were long below any), `rate` (octets carried in each name), `server` (who was asked), `sample`.

use std::net::IpAddr;

use super::domain::{self, Parts};
use super::settings::{Dga, Settings, Tunnel};
use super::tell::{Distinct, Now, Sample, Span, detection, evidence, window};
use crate::capture::packet::{Ip, Packet};
use crate::capture::payload::dns::{LONGEST_NAME, Message, NXDOMAIN};
use crate::detect::quick::{Fixed, Mixer, number};
use crate::detect::{Detection, Kind, Level, Machine, Sight};
use crate::model::Fact;

/// Machines whose answers are counted.
const CLIENTS: usize = 8192;
/// Pairs of machine and domain whose names are counted.
const DOMAINS: usize = 8192;
/// Resolvers that are remembered.
const RESOLVERS: usize = 1024;

/// The judge.
#[derive(Debug)]
pub(super) struct NameJudge {
    dga: Dga,
    tunnel: Tunnel,
    mixer: Mixer,
    clients: Fixed<Client>,
    domains: Fixed<Carrier>,
    resolvers: Fixed<()>,
}

/// The answers that one machine got.
#[derive(Debug)]
struct Client {
    span: Span,
    answered: u32,
    missing: Distinct<64>,
    /// Domains with most names that do not exist, with how many.
    common: [(u32, u8); 4],
    sample: Sample,
}

/// The names that one machine asked for below one domain.
#[derive(Debug)]
struct Carrier {
    span: Span,
    names: Distinct<64>,
    octets: u64,
    sample: Sample,
}

impl NameJudge {
    pub(super) fn new(settings: &Settings, seed: u64) -> Self {
        Self {
            dga: settings.dga,
            tunnel: settings.tunnel.clone(),
            mixer: Mixer::new(seed ^ 0x6e61_6d65),
            clients: Fixed::new(CLIENTS),
            domains: Fixed::new(DOMAINS),
            resolvers: Fixed::new(RESOLVERS),
        }
    }

    pub(super) fn set_settings(&mut self, settings: &Settings) {
        (self.dga, self.tunnel) = (settings.dga, settings.tunnel.clone());
    }

    pub(super) fn message(
        &mut self,
        packet: &Packet<'_>,
        ip: &Ip<'_>,
        message: &Message<'_>,
        now: Now,
        sight: &Sight,
        out: &mut Vec<Detection>,
    ) {
        let Some(question) = message.question().filter(|_| message.opcode == 0) else { return };
        let mut buffer = [0; LONGEST_NAME];
        let name = question.name.text(&mut buffer);
        if message.is_response {
            if sight.site().resolvers.is_empty() {
                self.resolvers.entry(self.mixer.one(number(ip.src), 0), now.second(), || ());
            }
            if self.is_client(ip.dst, sight) {
                let mac = packet.dst_mac.filter(|mac| !sight.is_router(*mac));
                let machine = Machine { ip: Some(ip.dst), mac, vlan: packet.vlan };
                self.answer(machine, ip.dst, message.rcode, name, now, out);
            }
        } else if self.is_client(ip.src, sight) && !name.is_empty() {
            self.question(sight.machine(packet), ip, name, now, out);
        }
    }

    /// Whether it asks for itself.
    fn is_client(&mut self, ip: IpAddr, sight: &Sight) -> bool {
        sight.is_watched(ip)
            && !(sight.is_resolver(ip) || sight.is_server(ip) || sight.is_mail(ip))
            && (!sight.site().resolvers.is_empty() || self.resolvers.find(self.mixer.one(number(ip), 0)).is_none())
    }

    fn answer(&mut self, machine: Machine, client: IpAddr, rcode: u8, name: &[u8], now: Now, out: &mut Vec<Detection>) {
        let settings = self.dga;
        let missing = rcode == NXDOMAIN;
        if !matches!(rcode, 0 | NXDOMAIN) || (missing && (domain::is_no_name(name) || domain::is_below(name, &self.tunnel.domains))) {
            return;
        }
        let mixer = self.mixer;
        let Some(held) = self.clients.entry(mixer.one(number(client), 1), now.second(), || Client::new(now)) else { return };
        if held.span.is_over(now, settings.window_s) {
            *held = Client::new(now);
        }
        if !missing {
            held.answered = held.answered.saturating_add(1);
            return;
        }
        if !held.is_common(hash(mixer, domain::parts(name).domain), settings.of_one_domain) && held.missing.insert(hash(mixer, name)) {
            held.sample.add(|| String::from_utf8_lossy(name).into_owned());
        }
        let (failed, answered) = (held.missing.count(), held.answered);
        let enough = failed >= u32::from(settings.names) && f64::from(failed) >= f64::from(settings.share) * f64::from(failed + answered);
        if enough && held.span.is_due(now, u64::from(failed)) {
            let facts = evidence([
                ("count", Fact::Count(u64::from(failed))),
                ("threshold", Fact::Count(u64::from(settings.names))),
                ("window", window(settings.window_s)),
                ("failed", Fact::Count(u64::from(failed))),
                ("answered", Fact::Count(u64::from(answered))),
                ("share", Fact::Percent(f64::from(failed) * 100.0 / f64::from(failed + answered))),
                ("sample", held.sample.fact()),
            ]);
            out.push(detection(Kind::Dga, Level::Suspect, machine, now, &held.span, u64::from(failed), facts));
        }
    }

    fn question(&mut self, machine: Machine, ip: &Ip<'_>, name: &[u8], now: Now, out: &mut Vec<Detection>) {
        let parts = domain::parts(name);
        if name.ends_with(b".arpa") || domain::is_below(name, &self.tunnel.domains) {
            return;
        }
        if !parts.below.is_empty() {
            self.carried(machine, ip, name, parts, now, out);
        }
        if name.len() >= usize::from(self.tunnel.long_octets) {
            self.carried(machine, ip, name, Parts { below: name, domain: &[] }, now, out);
        }
    }

    fn carried(&mut self, machine: Machine, ip: &Ip<'_>, name: &[u8], parts: Parts<'_>, now: Now, out: &mut Vec<Detection>) {
        let (settings, mixer) = (&self.tunnel, self.mixer);
        let key = mixer.pair(number(ip.src), u128::from(hash(mixer, parts.domain)), 2);
        let fresh = || Carrier { span: Span::new(now), names: Distinct::new(), octets: 0, sample: Sample::default() };
        // A pair that carries much stays when the place is full.
        let Some(carrier) = self.domains.entry_by(key, now.second(), fresh, |carrier| carrier.names.count()) else { return };
        if carrier.span.is_over(now, settings.window_s) {
            *carrier = fresh();
        }
        if !carrier.names.insert(hash(mixer, name)) {
            return;
        }
        carrier.octets += parts.below.len() as u64;
        if parts.below.len() >= usize::from(settings.octets) {
            carrier.sample.add(|| String::from_utf8_lossy(name).into_owned());
        }
        let count = u64::from(carrier.names.count());
        let enough = count >= u64::from(settings.names) && carrier.octets >= count * u64::from(settings.octets);
        if enough && carrier.span.is_due(now, count) {
            let facts = evidence([
                ("count", Fact::Count(count)),
                ("threshold", Fact::Count(u64::from(settings.names))),
                ("window", window(settings.window_s)),
                ("domain", Fact::Text(String::from_utf8_lossy(parts.domain).into_owned())),
                ("rate", Fact::Count(carrier.octets / count.max(1))),
                ("server", Fact::Text(ip.dst.to_string())),
                ("sample", carrier.sample.fact()),
            ]);
            out.push(detection(Kind::DnsTunnel, Level::Suspect, machine, now, &carrier.span, count, facts));
        }
    }
}

impl Client {
    fn new(now: Now) -> Self {
        Self { span: Span::new(now), answered: 0, missing: Distinct::new(), common: [(0, 0); 4], sample: Sample::default() }
    }

    /// Whether so many names of this domain were missing already that it is the domain that is wrong. The rarest makes place.
    #[expect(clippy::cast_possible_truncation, reason = "32 bits of the hash tell the domains of ten minutes apart")]
    fn is_common(&mut self, domain: u64, most: u8) -> bool {
        let domain = domain as u32;
        let known = self.common.iter().position(|(hash, count)| *hash == domain && *count > 0);
        let rarest = || self.common.iter().enumerate().min_by_key(|(_, (_, count))| *count).map_or(0, |(at, _)| at);
        let at = known.unwrap_or_else(rarest);
        let Some(place) = self.common.get_mut(at) else { return false };
        if known.is_none() {
            *place = (domain, 0);
        }
        place.1 = place.1.saturating_add(1);
        place.1 > most
    }
}

fn hash(mixer: Mixer, text: &[u8]) -> u64 {
    text.chunks(16).fold(text.len() as u64, |hash, chunk| {
        let mut word = [0; 16];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        mixer.one(u128::from_le_bytes(word), hash)
    })
}
