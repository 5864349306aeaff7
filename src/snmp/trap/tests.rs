//! The receiver over loopback: who is taken, who is answered, who is counted as refused.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use tokio::sync::mpsc;

use super::*;
use crate::model::clock;
use crate::snmp::ber::Writer;
use crate::snmp::message::{Message, PduKind, PduParts, encode_varbinds};
use crate::snmp::oid::Oid;
use crate::snmp::value::Value;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Bench {
    handle: Handle,
    traps: mpsc::Receiver<Trap>,
    sender: UdpSocket,
}

impl Bench {
    fn new(limit: Limit, room: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (queue, traps) = mpsc::channel(room);
        let options = Options {
            listen: vec![(LOOPBACK, 0).into()],
            receive_buffer: 1 << 20,
            limit,
            senders: Senders { devices: HashMap::from([(LOOPBACK, Secret::new(&b"traps"[..]))]), anywhere: Vec::new() },
            users: Vec::new(),
            engine: Engine::start(&dir.path().join("engine"), clock::monotonic()).unwrap(),
        };
        let handle = start(options, queue).unwrap();
        let sender = UdpSocket::bind((LOOPBACK, 0)).unwrap();
        sender.connect(handle.addresses()[0]).unwrap();
        sender.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { handle, traps, sender }
    }

    fn send(&self, kind: PduKind, community: &[u8], id: i32) {
        let oid = |text: &str| text.parse::<Oid>().unwrap();
        let what = oid("1.3.6.1.6.3.1.1.5.3");
        let list = encode_varbinds(
            [
                (oid("1.3.6.1.2.1.1.3.0").as_ref(), Value::TimeTicks(77)),
                (oid("1.3.6.1.6.3.1.1.4.1.0").as_ref(), Value::Oid(what.as_ref())),
                (oid("1.3.6.1.2.1.2.2.1.7.12").as_ref(), Value::Integer(2)),
                (oid("1.3.6.1.2.1.2.2.1.8.12").as_ref(), Value::Integer(2)),
                (oid("1.3.6.1.2.1.31.1.1.1.1.12").as_ref(), Value::OctetString("Gi0/12".as_bytes())),
            ]
            .into_iter(),
        );
        let parts = PduParts { kind, request_id: id, error_status: 0, error_index: 0, varbinds: &list };
        let mut writer = Writer::with_capacity(64);
        Message::encode(Version::V2c, community, &parts, &mut writer);
        self.sender.send(writer.as_slice()).unwrap();
    }

    /// An inform's answer comes after everything sent before it was looked at.
    fn settle(&self, id: i32) {
        self.send(PduKind::Inform, b"traps", id);
        let mut room = [0; 1024];
        let length = self.sender.recv(&mut room).unwrap();
        assert_eq!(Message::decode(&room[..length]).unwrap().pdu.request_id, id);
    }
}

#[test]
fn a_trap_of_a_device_is_read_and_an_inform_is_answered() {
    let mut bench = Bench::new(Limit::default(), 16);
    bench.send(PduKind::TrapV2, b"traps", 1);
    bench.settle(2);
    let trap = bench.traps.try_recv().unwrap();
    assert_eq!((trap.source, trap.version, trap.standard), (LOOPBACK, 2, Some(Standard::LinkDown)));
    assert_eq!((trap.if_index, trap.admin, trap.oper, trap.uptime_ticks), (Some(12), Some(2), Some(2), Some(77)));
    assert_eq!(trap.if_name.unwrap().as_str(), "Gi0/12");
    assert!(bench.traps.try_recv().unwrap().is_inform);
    assert_eq!((bench.handle.stats().taken(), bench.handle.stats().answered()), (2, 1));
}

#[test]
fn strangers_and_garbage_are_counted_and_not_answered() {
    let mut bench = Bench::new(Limit::default(), 16);
    bench.send(PduKind::Inform, b"guess", 1);
    bench.sender.send(b"GET / HTTP/1.0").unwrap();
    bench.settle(2);
    let stats = bench.handle.stats();
    assert_eq!((stats.refused(Refused::Credentials), stats.refused(Refused::Malformed), stats.answered()), (1, 1, 1));
    assert!(bench.traps.try_recv().is_ok_and(|trap| trap.is_inform) && bench.traps.try_recv().is_err());
}

#[test]
fn an_inform_that_finds_no_room_is_not_acknowledged() {
    let bench = Bench::new(Limit::default(), 1);
    bench.settle(1);
    bench.send(PduKind::Inform, b"traps", 2);
    let mut bench = bench;
    while bench.handle.stats().refused(Refused::QueueFull) == 0 {
        std::thread::yield_now();
    }
    assert!(bench.traps.try_recv().is_ok());
    bench.settle(3);
    assert_eq!(bench.handle.stats().answered(), 2);
}

#[test]
fn a_flood_is_cut_to_its_burst() {
    let bench = Bench::new(Limit { per_second: 0.0, burst: 5.0 }, 64);
    for id in 0..40 {
        bench.send(PduKind::TrapV2, b"traps", id);
    }
    while bench.handle.stats().received() < 40 {
        std::thread::yield_now();
    }
    let stats = bench.handle.stats();
    while stats.taken() + stats.refused(Refused::TooMany) < 40 {
        std::thread::yield_now();
    }
    assert_eq!((stats.taken(), stats.refused(Refused::TooMany)), (5, 35));
}
