//! The benches' farm answers rightly: otherwise their figures would say nothing.

#[expect(dead_code, reason = "the parts of the farm that only benches need")]
#[path = "../../benches/farm/mod.rs"]
mod farm;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farm::formula::{self, Count};
use netroom::snmp::ber::Writer;
use netroom::snmp::message::{Message, PduKind, PduParts, Version, encode_names};
use netroom::snmp::oid::Oid;
use netroom::snmp::value::Value;

/// The farm in a thread of this process, until dropped.
struct Field {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Field {
    fn start(words: &[&str]) -> Self {
        let options = farm::Options::from_words(words.iter().copied());
        let wire = farm::wire::Wire::open(0, 1 << 20).unwrap();
        let port = wire.port().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let token = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            farm::run(&options, wire, &token).unwrap();
        });
        Self { port, stop, thread: Some(thread) }
    }

    fn device(&self, device: u32) -> SocketAddr {
        (formula::address(device), self.port).into()
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))));
    }
}

fn request(kind: PduKind, fields: (i64, i64), names: &[Oid]) -> Vec<u8> {
    let list = encode_names(names.iter());
    let parts = PduParts { kind, request_id: 41, error_status: fields.0, error_index: fields.1, varbinds: &list };
    let mut writer = Writer::default();
    Message::encode(Version::V2c, b"public", &parts, &mut writer);
    writer.as_slice().to_vec()
}

fn ask(device: SocketAddr, request: &[u8], wait: Duration) -> Option<Vec<u8>> {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(device).unwrap();
    client.set_read_timeout(Some(wait)).unwrap();
    client.send(request).unwrap();
    let mut buffer = vec![0; 2000];
    let length = client.recv(&mut buffer).ok()?;
    buffer.truncate(length);
    Some(buffer)
}

fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn net_snmp_walks_the_farm_by_getnext_and_getbulk() {
    let field = Field::start(&["--devices", "3", "--ports", "30"]);
    let names = |tool, arguments: &[&str]| {
        let text = crate::agent::net_snmp(tool, "public", arguments, field.device(2), &[".1.3"])?;
        Some(text.lines().filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())).collect::<Vec<_>>())
    };
    let Some(by_next) = names("snmpwalk", &["-v2c"]) else { return };
    assert_eq!(by_next.len(), 8 + 41 * 30 + 1, "with the line that says that it ends");
    assert!(by_next == names("snmpbulkwalk", &["-v2c", "-Cr40"]).unwrap(), "GETBULK gives other rows than GETNEXT");
    assert_eq!(names("snmpwalk", &["-v1"]).unwrap().len(), 8 + 33 * 30, "no Counter64 in v1");
}

#[test]
fn every_counter_is_what_the_formula_says() {
    let field = Field::start(&["--devices", "60", "--ports", "48"]);
    for device in [1, 49, 60] {
        let names = [oid("1.3.6.1.2.1.1.3"), oid("1.3.6.1.2.1.31.1.1.1.6.46"), oid("1.3.6.1.2.1.2.2.1.14.46")];
        let answer = ask(field.device(device), &request(PduKind::GetBulk, (1, 2), &names), PATIENCE).unwrap();
        let message = Message::decode(&answer).unwrap();
        let rows: Vec<_> = message.pdu.varbinds.map(Result::unwrap).collect();
        let Value::TimeTicks(uptime) = rows[0].1 else { panic!("{rows:?}") };
        let wide = |port| Value::Counter64(formula::counter(device, port, Count::InOctets, uptime));
        let narrow = |port| Value::Counter32(formula::counter(device, port, Count::InErrors, uptime) as u32);
        assert_eq!(rows[1..].iter().map(|row| row.1).collect::<Vec<_>>(), [wide(47), narrow(47), wide(48), narrow(48)]);
    }
    assert!(formula::counter(49, 1, Count::InOctets, 0) >= 1 << 63);
}

#[test]
fn answers_stay_within_the_limit_and_devices_have_their_faults() {
    let words = ["--devices", "200", "--dead", "20", "--looping", "20", "--weak", "20", "--maxresp", "484", "--wrong-id", "0"];
    let field = Field::start(&words);
    let options = farm::Options::from_words(words);
    let of = |class| (1..=200).find(|&device| options.class(device) == class).map(|device| field.device(device)).unwrap();
    let columns: Vec<Oid> = (6..=13).map(|column| oid(&format!("1.3.6.1.2.1.31.1.1.1.{column}"))).collect();
    let bulk = request(PduKind::GetBulk, (0, 40), &columns);
    let whole = ask(of(farm::Class::Live), &bulk, PATIENCE).unwrap();
    assert!((440..=484).contains(&whole.len()), "{}", whole.len());
    let nine: Vec<Oid> = columns.iter().cloned().chain([oid("1.3.6.1.2.1.1.3")]).collect();
    let too_big = ask(of(farm::Class::Weak), &request(PduKind::GetNext, (0, 0), &nine), PATIENCE).unwrap();
    assert_eq!(Message::decode(&too_big).unwrap().pdu.error_status, 1);
    let last = [oid("1.3.6.1.2.1.2.2.1.10.48")];
    let looped = ask(of(farm::Class::Looping), &request(PduKind::GetNext, (0, 0), &last), PATIENCE).unwrap();
    let name = Message::decode(&looped).unwrap().pdu.varbinds.next().unwrap().unwrap().0.to_string();
    assert_eq!(name, "1.3.6.1.2.1.2.2.1.10.1");
    assert_eq!(ask(of(farm::Class::Dead), &bulk, Duration::from_millis(200)), None);
}
