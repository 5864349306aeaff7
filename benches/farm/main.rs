//! The farm alone, for net-snmp's tools and other pollers: `cargo bench --bench farm -- --port 16200 --devices 1000`.
//! With no arguments: how many answers it gives for a second of its CPU time, and whether each of their values is right.

#[expect(dead_code, reason = "the parts of the farm that only other benches need")]
#[path = "mod.rs"]
mod farm;

use std::error::Error;
use std::net::SocketAddrV4;
use std::time::Duration;

use farm::formula::{self, Count};
use farm::wire::{BATCH, Outgoing, Wire};
use netroom::model::clock;
use netroom::snmp::ber::Writer;
use netroom::snmp::message::{Message, PduKind, PduParts, Version, encode_names};
use netroom::snmp::oid::{Oid, OidError};
use netroom::snmp::value::Value;

const DEVICES: u32 = 1000;
const PORTS: u32 = 48;
/// How many requests are on their way at once.
const WINDOW: u64 = 512;
const COLUMNS: [(u32, Count); 4] = [(6, Count::InOctets), (10, Count::OutOctets), (7, Count::InUcast), (11, Count::OutUcast)];

fn main() -> Result<(), Box<dyn Error>> {
    farm::serve_if_asked();
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    // Without `--bench` this is a smoke run of the tests.
    let measured = std::env::args().any(|word| word == "--bench");
    let length = if measured { Duration::from_secs(3) } else { Duration::from_millis(100) };
    if words.is_empty() { measure(length) } else { farm::main(&farm::Options::from_words(words.iter().map(String::as_str))) }
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn measure(length: Duration) -> Result<(), Box<dyn Error>> {
    let farm = farm::Child::start(&["--devices", "1000", "--ports", "48"])?;
    let mut wire = Wire::open(0, 16 << 20)?;
    let x_entry = Oid::new(&[1, 3, 6, 1, 2, 1, 31, 1, 1, 1])?;
    let requests = requests(&x_entry)?;
    let (mut sent, mut right, mut wrong) = (0_u64, 0_u64, 0_u64);
    let begun = clock::monotonic();
    while clock::monotonic().saturating_duration_since(begun) < length {
        let room = WINDOW.saturating_sub(sent - right - wrong).min(BATCH as u64);
        let batch: Vec<Outgoing> = (sent..sent + room)
            .map(|number| Outgoing {
                from: [127, 0, 0, 1].into(),
                to: SocketAddrV4::new(formula::address(1 + (number % u64::from(DEVICES)) as u32), farm.port),
                octets: requests[number as usize % requests.len()].clone(),
            })
            .collect();
        sent += wire.send(&batch) as u64;
        for slot in 0..wire.receive(100)? {
            let (from, _, datagram) = wire.request(slot);
            let device = u32::from(*from.ip()) - u32::from(formula::address(0));
            *(if is_right(datagram, device, &x_entry) { &mut right } else { &mut wrong }) += 1;
        }
    }
    let said = farm.stop()?;
    let cpu: f64 = said.rsplit(' ').next().unwrap_or_default().parse()?;
    println!("farm: {said}");
    println!("farm: {:.0} answers of 13 varbinds for a second of its CPU; {right} right, {wrong} wrong", right as f64 / cpu);
    if wrong > 0 { Err("the farm gave wrong values".into()) } else { Ok(()) }
}

/// GETBULK of sysUpTime and four counter columns, three rows at a time.
fn requests(x_entry: &Oid) -> Result<Vec<Vec<u8>>, OidError> {
    let uptime = Oid::new(&[1, 3, 6, 1, 2, 1, 1, 3])?;
    let request = |first: u32| {
        let names = std::iter::once(uptime.clone()).chain(COLUMNS.map(|(column, _)| x_entry.child(&[column, first])));
        let names: Vec<Oid> = names.collect();
        let list = encode_names(names.iter());
        let parts = PduParts { kind: PduKind::GetBulk, request_id: 1, error_status: 1, error_index: 3, varbinds: &list };
        let mut writer = Writer::with_capacity(256);
        Message::encode(Version::V2c, b"public", &parts, &mut writer);
        writer.as_slice().to_vec()
    };
    Ok((0..PORTS).step_by(3).map(request).collect())
}

/// Whether every counter is what the formula says for the sysUpTime beside it.
fn is_right(datagram: &[u8], device: u32, x_entry: &Oid) -> bool {
    let Ok(message) = Message::decode(datagram) else { return false };
    let mut rows = message.pdu.varbinds;
    let Some(Ok((_, Value::TimeTicks(uptime)))) = rows.next() else { return false };
    let mut seen = 0;
    let all = rows.all(|item| {
        seen += 1;
        let Ok((name, Value::Counter64(value))) = item else { return false };
        let Some(mut index) = name.below(x_entry) else { return false };
        let (Some(column), Some(port)) = (index.next(), index.next()) else { return false };
        COLUMNS.iter().any(|&(known, count)| known == column && formula::counter(device, port, count, uptime) == value)
    });
    all && seen == 12
}
