//! Shapes of traffic on which the rules were not tuned: people whose sites do not answer, streams, servers that nobody named,
//! frames in another order; and scans of other forms.

use super::*;

/// An answer of the DNS that gives one address.
fn gives(net: &mut Net, address: [u8; 4]) {
    let mut data =
        vec![0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 1, b'a', 2, b'c', b'n', 0, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4];
    data.extend(address);
    net.send([10, 0, 9, 53].into(), WORM.into(), Transport::Udp(Udp { src_port: 53, dst_port: 5000, data: &data }));
}

fn silent(named: bool, port: u16) -> usize {
    let mut net = Net::new(site());
    net.wait(0).wait(10_000);
    for last in 0..12 {
        if named {
            gives(&mut net, outside(last));
        }
        net.syn(WORM, outside(last), port);
        net.wait(500);
    }
    net.engine.finish();
    net.told(Kind::TcpScan).len().min(1)
}

#[test]
fn who_looks_for_sites_by_name_is_no_scanner_even_if_none_answers() {
    assert_eq!((silent(true, 443), silent(false, 443)), (0, 1));
    assert_eq!(silent(true, 445), 1, "nobody finds shares in the world by name");
}

#[test]
fn the_first_whom_an_outage_meets_is_not_accused() {
    let run = |others: u8| {
        let mut net = Net::new(site());
        net.wait(0).wait(10_000);
        (0..9).for_each(|last| net.syn(WORM, outside(last), 443));
        net.wait(1500);
        (1..=others).for_each(|host| net.syn([10, 0, 1, host], outside(100 + u16::from(host)), 443));
        for _ in 0..12 {
            net.wait(250);
        }
        net.told(Kind::TcpScan).len().min(1)
    };
    assert_eq!((run(5), run(1)), (0, 1), "theirs have not failed yet, but are slow already");
}

#[test]
fn who_accepts_mail_may_send_it() {
    let run = |accepts: bool| {
        let mut net = Net::new(site());
        if accepts {
            net.syn([10, 0, 1, 1], WORM, 993);
            net.syn_ack(WORM, [10, 0, 1, 1], 993);
        }
        for last in 0..20 {
            net.syn(WORM, outside(last), 25);
            net.syn_ack(outside(last), WORM, 25);
        }
        net.told(Kind::Spam).len().min(1)
    };
    assert_eq!((run(true), run(false)), (0, 1));
}

/// A second of datagrams, 2,000 of them, five times; so many of a thousand are answered.
fn streams(net: &mut Net, to: [u8; 4], port: u16, answered: usize) -> usize {
    for _ in 0..5000 {
        for at in 0..2 {
            net.udp(WORM, to, (3000, port));
            if (net.ms as usize * 2 + at) % 1000 < answered {
                net.udp(to, WORM, (port, 3000));
            }
        }
        net.wait(1);
    }
    net.told(Kind::Flood).len().min(1)
}

#[test]
fn a_stream_that_two_agreed_on_is_no_flood() {
    let camera = [10, 0, 5, 5];
    assert_eq!(streams(&mut Net::new(site()), camera, 6970, 0), 1);
    let mut agreed = Net::new(site());
    agreed.syn(camera, WORM, 554);
    agreed.syn_ack(WORM, camera, 554);
    assert_eq!(streams(&mut agreed, camera, 6970, 0), 0);
    assert_eq!(streams(&mut Net::new(site()), outside(9), 443, 25), 0, "QUIC acknowledges every fortieth packet");
    assert_eq!(streams(&mut Net::new(site()), [10, 0, 5, 5], 514, 0), 0, "logs are not answered");
    assert_eq!(streams(&mut Net::new(site()), outside(9), 514, 0), 1, "nor sent out into the world");
}

#[test]
fn thousands_of_pings_are_a_flood_even_if_answered() {
    let run = |each: u8| {
        let mut net = Net::new(site());
        for _ in 0..5000 {
            for _ in 0..each {
                net.echo(WORM, outside(3), 8);
                net.echo(outside(3), WORM, 0);
            }
            net.wait(if each > 1 { 1 } else { 10 });
        }
        net.told(Kind::Flood).len().min(1)
    };
    assert_eq!((run(1), run(2)), (0, 1));
}

#[test]
fn a_program_whose_server_is_gone_is_refused_again_and_again() {
    let run = |each_ms: u64| {
        let mut net = Net::new(site());
        for at in 0..1500_u16 {
            net.tcp(WORM, [10, 0, 5, 5], (10_000 + at, 5432), Tcp::SYN);
            net.tcp([10, 0, 5, 5], WORM, (5432, 10_000 + at), Tcp::RST | Tcp::ACK);
            net.wait(each_ms);
        }
        net.told(Kind::Flood).len().min(1)
    };
    assert_eq!((run(50), run(5)), (0, 1));
}

#[test]
fn twenty_five_ports_of_udp_are_a_scan_and_a_trace_is_none() {
    let run = |first: u16, count: u16| {
        let mut net = Net::new(site());
        (first..first + count).for_each(|port| {
            net.udp(WORM, [10, 0, 5, 5], (50_000, port));
            net.wait(100);
        });
        net.wait(3000);
        net.told(Kind::PortScan).len().min(1)
    };
    assert_eq!((run(1000, 24), run(1000, 25), run(33_434, 90)), (0, 1, 0));
}

#[test]
fn a_worm_without_a_port_of_its_own_gets_no_answers() {
    let run = |answered: u16| {
        let mut net = Net::new(site());
        for at in 0..1300_u16 {
            let port = 1024 + at * 37 % 60_000;
            net.udp(WORM, outside(at), (4000, port));
            if at % 10 < answered {
                net.udp(outside(at), WORM, (port, 4000));
            }
            net.wait(2);
        }
        net.wait(1500);
        net.told(Kind::UdpWorm).len().min(1)
    };
    assert_eq!((run(0), run(3)), (1, 0));
}

#[test]
fn answers_that_come_before_their_questions_are_answers() {
    let mut net = Net::new(site());
    for last in 0..30 {
        net.syn_ack([10, 0, 6, last], WORM, 8022);
        net.syn(WORM, [10, 0, 6, last], 8022);
        net.wait(500);
    }
    net.wait(9000).tells_nothing();
}

#[test]
fn a_flow_of_a_minute_is_not_the_flood_of_a_second() {
    let run = |lasted_ms: i64, answers: u64| {
        let mut engine = Engine::new(small(), site(), 3);
        let mut there = flow(WORM, outside(1), 4500, 0, 1);
        (there.protocol, there.packets) = (17, 6000);
        there.first = Timestamp::from_millis(there.last.millis() - lasted_ms);
        let back =
            crate::flow::record::Record { src: there.dst, dst: there.src, src_port: 4500, dst_port: 40_000, packets: answers, ..there };
        engine.flow(&there);
        if answers > 0 {
            engine.flow(&back);
        }
        engine.finish();
        engine.take().iter().filter(|detection| detection.kind == Kind::Flood).count()
    };
    assert_eq!((run(3000, 0), run(60_000, 0), run(3000, 5000)), (1, 0, 0));
}
