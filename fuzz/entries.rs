//! What hostile octets can reach, as functions of the octets: used by the fuzz targets and by `tests/it/damaged.rs`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use netroom::capture::file::Capture;
use netroom::capture::headers;
use netroom::capture::link::Link;
use netroom::capture::packet::{Body as Carried, Nanos, Transport};
use netroom::capture::payload::{dhcp, dns, nd, tls};
use netroom::flow::{Collector, Header, Limits, Link as Head};
use netroom::model::{Timestamp, clock};
use netroom::ping::codec::{self as icmp, Arrival, Family};
use netroom::snmp::ber::Writer;
use netroom::snmp::job::{Answer, Ask, AskError, Credentials, End, Job, Patience, Request, Secret, Step, Target};
use netroom::snmp::message::{Message, PduKind, PduParts, Varbinds, Version, encode_names};
use netroom::snmp::oid::Oid;
use netroom::snmp::udp::Offline;
use netroom::snmp::v3::envelope::{Body, Envelope};
use netroom::snmp::v3::report::Reason;
use netroom::snmp::value::Value;

/// Reads octets as a message of each version, and everything in it.
pub(crate) fn snmp_message(data: &[u8]) {
    if let Ok(message) = Message::decode(data) {
        let parts = PduParts {
            kind: message.pdu.kind,
            request_id: message.pdu.request_id,
            error_status: message.pdu.error_status,
            error_index: message.pdu.error_index,
            varbinds: message.pdu.varbinds.octets(),
        };
        let mut writer = Writer::with_capacity(16);
        Message::encode(message.version, message.community, &parts, &mut writer);
        let again = Message::decode(writer.as_slice()).expect("what was read can be written and read");
        assert_eq!((again.version, again.community), (message.version, message.community));
        assert_eq!(again.pdu.varbinds.octets(), message.pdu.varbinds.octets());
        read_all(message.pdu.varbinds, data.len());
    }
    if let Ok(envelope) = Envelope::decode(data) {
        assert!(envelope.message.len() <= data.len());
        if let Body::Plain(scoped) = envelope.body {
            Reason::of(scoped.pdu.varbinds);
            read_all(scoped.pdu.varbinds, data.len());
        }
    }
    read_all(Varbinds::new(data), data.len());
}

/// Reads every value in every way; the work is bounded by the octets.
fn read_all(varbinds: Varbinds<'_>, octets: usize) {
    let mut count = 0;
    for (name, value) in varbinds.map_while(Result::ok) {
        count += 1;
        assert!(name.to_string().parse::<Oid>().is_ok_and(|oid| oid.as_ref() == name), "{name}");
        if let Value::Oid(oid) = value {
            assert!(oid.to_string().len() <= oid.octets().len() * 12);
        }
        assert!(value.octets().is_none_or(|text| text.len() <= octets));
        value.number();
    }
    // A varbind has at least seven octets.
    assert!(count <= octets / 7 + 1);
}

/// Lets octets arrive as the answer to an open question: as they are, and as the varbinds of a message that fits.
/// The question must still be answerable, and must end once.
pub(crate) fn snmp_answer(data: &[u8]) {
    let v3 = data.first().is_some_and(|octet| octet & 1 == 1);
    let (mut engine, target, now) = (Offline::new(7, 4), target(v3), clock::monotonic());
    let asker = Box::new(Asker { asked: false, ended: Arc::default() });
    let ended = Arc::clone(&asker.ended);
    engine.submit(&target, asker, now + Duration::from_secs(60), now).expect("nobody is asked yet");
    let sent = engine.tick(now);
    let (peer, request) = sent.first().expect("the question is sent");
    let stamp = Timestamp::from_millis(0);
    engine.receive(*peer, data, now, stamp);
    engine.tick(now);
    if let Ok(message) = Message::decode(request) {
        let request_id = message.pdu.request_id;
        let parts = PduParts { kind: PduKind::Response, request_id, error_status: 0, error_index: 0, varbinds: data };
        let mut writer = Writer::default();
        Message::encode(message.version, message.community, &parts, &mut writer);
        engine.receive(*peer, writer.as_slice(), now, stamp);
        assert_eq!(engine.stats().accepted, 1);
    }
    engine.cancel();
    assert_eq!(Arc::strong_count(&ended), 1, "the job is gone");
    assert_eq!(ended.load(std::sync::atomic::Ordering::Relaxed), 1, "the job ended once");
}

fn target(v3: bool) -> Arc<Target> {
    let credentials = if v3 {
        Credentials::User { user: "fuzz".into(), auth: None, privacy: None, context: String::new() }
    } else {
        Credentials::Community { version: Version::V2c, community: Secret::new(&b"public"[..]) }
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 161));
    Arc::new(Target { name: "fuzz".into(), address, credentials, patience: Patience::default() })
}

struct Asker {
    asked: bool,
    ended: Arc<std::sync::atomic::AtomicU32>,
}

impl Job for Asker {
    fn next(&mut self, _now: Instant) -> Step {
        if std::mem::replace(&mut self.asked, true) {
            return Step::Finished;
        }
        let name: Oid = "1.3.6.1.2.1.1.3.0".parse().expect("a valid name");
        Step::Send(Request { ask: Ask::Get, varbinds: encode_names([name].iter()).into() })
    }

    fn answered(&mut self, answer: &Answer<'_>) {
        read_all(answer.varbinds, 65_536);
    }

    fn failed(&mut self, error: &AskError) {
        assert!(error.to_string().len() < 1_000);
    }

    fn finish(self: Box<Self>, _end: End) {
        self.ended.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

/// Reads octets as what comes out of each kind of ICMP socket.
pub(crate) fn ping_message(data: &[u8]) {
    for read in [icmp::read_v4(data), icmp::read_message(Family::V4, data), icmp::read_message(Family::V6, data)] {
        match read {
            Some(Arrival::Reply { .. }) => assert!(data.len() >= icmp::HEADER_SIZE + icmp::MARK_SIZE),
            Some(Arrival::Refused { refusal, .. }) => assert!(!refusal.word().is_empty()),
            None => {}
        }
    }
}

/// Reads octets as everything that a frame may carry for the judges: names, leases, neighbours, the hello of a TLS client.
pub(crate) fn payload(data: &[u8]) {
    for message in [dns::Message::parse(data), dns::Message::parse_segment(data)].into_iter().flatten() {
        assert!(message.addresses().count() <= data.len() / 11);
        if let Some(question) = message.question() {
            let mut buffer = [0; dns::LONGEST_NAME];
            assert!(question.name.text(&mut buffer).len() < dns::LONGEST_NAME);
        }
    }
    if let Some(message) = dhcp::Message::parse(data) {
        assert!(data.len() >= 44, "{message:?}");
    }
    for kind in 133..=137 {
        nd::Message::parse(kind, data);
    }
    if let Some(name) = tls::server_name(data) {
        assert!(!name.is_empty() && name.len() < data.len());
    }
}

/// Reads octets as a frame: the first says of which link, two more how much longer it was on the wire.
pub(crate) fn frame(data: &[u8]) {
    let [link, longer @ .., _] = data else { return };
    let links = [Link::Ethernet, Link::Ip, Link::Loopback, Link::Cooked, Link::Cooked2];
    let Some((longer, _)) = longer.split_first_chunk::<2>() else { return };
    let octets = &data[3..];
    let wire_octets = octets.len() as u32 + u32::from(u16::from_be_bytes(*longer));
    let packet = headers::parse(Nanos(1), wire_octets, links[usize::from(*link) % links.len()], None, octets);
    // Whatever is lent is lent from these octets, and the same comes out again.
    let lent = match packet.body {
        Carried::Ip(ip) => match ip.transport {
            Transport::Tcp(tcp) => tcp.data.len(),
            Transport::Udp(udp) => udp.data.len(),
            Transport::Icmp(icmp) => icmp.data.len(),
            Transport::Other(_) => 0,
        },
        Carried::Other(_, rest) => rest.len(),
        Carried::Arp(_) => 28,
    };
    assert!(lent <= octets.len());
}

/// Reads octets as a capture file, to its end or to its first fault.
pub(crate) fn capture_file(data: &[u8]) {
    let reader = std::io::Cursor::new(data.to_vec());
    let Ok(mut capture) = Capture::from_reader(std::path::Path::new("fuzz.pcap"), reader) else { return };
    let mut octets = 0;
    while let Ok(Some(frame)) = capture.next() {
        octets += frame.octets.len();
        frame.parse();
    }
    // Every frame has a head of its own, and a gzip of nothing else than these is at most a thousand times shorter.
    assert!(octets <= data.len() * 1100 && capture.packets() <= data.len() as u64 * 1100 / 16 + 1);
}

/// Reads octets as a datagram of every protocol of flows, twice so that templates meet their data, and as a sampled head.
pub(crate) fn flow(data: &[u8]) {
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 2055));
    let (mut collector, mut records) = (Collector::new(Limits::default()), Vec::new());
    for version in [None, Some(5), Some(9), Some(10)] {
        let mut datagram = data.to_vec();
        if let (Some(version), [first, second, ..]) = (version, datagram.as_mut_slice()) {
            (*first, *second) = (0, version);
        }
        for _ in 0..2 {
            records.clear();
            let heard = collector.read(from, Timestamp::from_millis(0), &datagram, &mut records);
            assert!(heard.records as usize == records.len() && records.len() <= data.len());
        }
    }
    assert!(collector.sessions() <= 4);
    for link in [Head::Ethernet, Head::V4, Head::V6] {
        Header::read(link, data);
    }
}
