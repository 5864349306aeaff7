use super::*;
use crate::capture::headers;
use crate::capture::link::Link;
use crate::demo::mirror::frame;
use crate::detect::Site;
use crate::detect::learn::Role;
use crate::detect::portrait::Tally;
use crate::model::{MacAddr, Timestamp};

const SECOND: u64 = 1_000_000_000;
const WORM: ([u8; 6], [u8; 4]) = ([0, 0x25, 0x90, 0, 0, 9], [10, 1, 0, 9]);

fn record(src: &str, dst: &str, ports: (u16, u16), flags: u8) -> Record {
    Record {
        exporter: "10.0.0.1".parse().unwrap(),
        first: Timestamp::from_secs(1),
        last: Timestamp::from_secs(2),
        src: src.parse().unwrap(),
        dst: dst.parse().unwrap(),
        src_mac: None,
        vlan: None,
        protocol: 6,
        src_port: ports.0,
        dst_port: ports.1,
        tcp_flags: flags,
        packets: 3,
        octets: 180,
        sampling: 1,
        input: 0,
        output: 0,
    }
}

fn look(frames: &[(u64, Vec<u8>)], until: u64) -> Vec<Arc<Portrait>> {
    let (mut onlooker, sight) = (Onlooker::new(7), Sight::new(Site::default(), 7));
    for (at, octets) in frames {
        onlooker.packet(&headers::parse(Nanos(*at), octets.len() as u32, Link::Ethernet, None, octets), &sight);
    }
    onlooker.tick(Nanos(until));
    onlooker.snapshot()
}

#[test]
fn answers_refusals_and_silence_are_told_apart() {
    let server = |last: u8| ([0, 0x25, 0x90, 1, 0, last], [10, 2, 0, last]);
    let syn = |last: u8| frame::tcp(WORM, server(last), (40_000, 445), Tcp::SYN);
    let back = |last: u8, flags| frame::tcp(server(last), WORM, (445, 40_000), flags);
    let frames = [
        (SECOND, syn(1)),
        (SECOND + 1, back(1, Tcp::SYN | Tcp::ACK)),
        (SECOND, syn(2)),
        (SECOND + 1, back(2, Tcp::RST | Tcp::ACK)),
        (SECOND, syn(3)),
        (2 * SECOND, syn(3)),
    ];
    let all = look(&frames, 20 * SECOND);
    assert_eq!(all.len(), 1, "whoever only answers is nobody's subject");
    assert_eq!(all[0].key, crate::detect::MachineKey::Mac(MacAddr(WORM.0)));
    assert_eq!(all[0].total, Tally { contacts: 3, failed: 2, answered: 1 });
}

#[test]
fn an_answer_by_udp_is_no_contact_of_the_server() {
    let server = ([0, 0x25, 0x90, 1, 0, 1], [10, 2, 0, 1]);
    let frames = [(SECOND, frame::udp(WORM, server, (40_000, 53), b"?")), (SECOND, frame::udp(server, WORM, (53, 40_000), b"!"))];
    let all = look(&frames, 20 * SECOND);
    assert_eq!(all.iter().map(|portrait| portrait.total).collect::<Vec<_>>(), [Tally { contacts: 1, failed: 0, answered: 1 }]);
}

#[test]
fn a_machine_that_asks_for_a_lease_says_its_name() {
    let all = look(&[(SECOND, frame::dhcp_request(WORM.0, "KAOSHI-07"))], SECOND);
    assert_eq!(all[0].names, [(NameSource::Dhcp, "KAOSHI-07".into())]);
}

#[test]
fn flows_in_either_order_are_contacts_of_the_client() {
    let (syn, whole) = (Tcp::SYN, Tcp::SYN | Tcp::ACK | Tcp::FIN);
    let asks = record("10.1.0.9", "10.2.0.1", (40_000, 443), whole);
    let answers = record("10.2.0.1", "10.1.0.9", (443, 40_000), whole);
    let dead = record("10.1.0.9", "10.2.0.2", (40_001, 445), syn);
    let opened = record("10.1.0.9", "10.2.0.3", (40_002, 445), syn);
    let refused = record("10.2.0.3", "10.1.0.9", (445, 40_002), Tcp::RST | Tcp::ACK);
    for flows in [[asks, answers, dead, opened, refused], [answers, asks, dead, refused, opened]] {
        let (mut onlooker, sight) = (Onlooker::new(7), Sight::new(Site::default(), 7));
        flows.iter().for_each(|flow| onlooker.flow(flow, &sight));
        onlooker.tick(Nanos(60 * SECOND));
        let all = onlooker.snapshot();
        let told: Vec<_> = all.iter().map(|portrait| (portrait.key.to_string(), portrait.total)).collect();
        assert_eq!(told, [("10.1.0.9".to_owned(), Tally { contacts: 3, failed: 2, answered: 1 })]);
    }
}

#[test]
fn who_takes_print_jobs_day_by_day_is_a_printer_and_the_world_is_not_learnt() {
    const DAY: u64 = 86_400 * SECOND;
    let (mut onlooker, sight) = (Onlooker::new(7), Sight::new(Site::default(), 7));
    let printer = ([0, 0, 0x74, 0, 0, 1], [10, 1, 0, 20]);
    let far = ([0, 0x25, 0x90, 1, 0, 1], [93, 184, 216, 34]);
    let pass = |onlooker: &mut Onlooker, at: u64, octets: Vec<u8>| {
        onlooker.packet(&headers::parse(Nanos(at), octets.len() as u32, Link::Ethernet, None, &octets), &sight);
    };
    for day in 100..102 {
        for last in 1..=9 {
            let client = ([0, 0x25, 0x90, 0, 0, last], [10, 1, 0, last]);
            for (to, port) in [(printer, 9100), (far, 443)] {
                pass(&mut onlooker, day * DAY + SECOND, frame::tcp(client, to, (40_000, port), Tcp::SYN));
                pass(&mut onlooker, day * DAY + SECOND + 1, frame::tcp(to, client, (port, 40_000), Tcp::SYN | Tcp::ACK));
            }
        }
    }
    let now = Nanos(102 * DAY);
    let known = onlooker.learnt(now);
    let roles: Vec<_> =
        known.iter().flat_map(|known| known.progress.iter().map(|one| (known.ip.to_string(), one.role, one.days))).collect();
    assert_eq!(roles, [("10.1.0.20".to_owned(), Role::Printer, 2)]);
}

#[test]
fn machines_tell_their_names_to_their_segment() {
    let group = ([0x01, 0x00, 0x5e, 0, 0, 0xfb], [224, 0, 0, 251]);
    let mut told = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    told.extend(b"\x07A301-07\x05local\0\0\x01\x80\x01\0\0\0\x78\0\x04\x0a\x01\0\x09");
    let all = look(&[(SECOND, frame::udp(WORM, group, (5353, 5353), &told)), (SECOND, frame::dhcp_request(WORM.0, "lease"))], SECOND);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].names, [(NameSource::Mdns, "A301-07".into()), (NameSource::Dhcp, "lease".into())]);
}
