//! A recorded walk in the snmprec form of snmpsim, `OID|type|value` a line, served in the order of the file.
//!
//! Devices exist whose tables are not in the order of the MIB. So GETNEXT of a recorded name is the next line; GETNEXT of
//! a name above recorded ones is the first line below it; of any other name it is the smallest recorded name behind it.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Datum, Mib, Missing};
use crate::model::Timestamp;
use crate::snmp::ber;
use crate::snmp::oid::Oid;
use crate::snmp::value::{COUNTER32, COUNTER64, GAUGE32, IP_ADDRESS, OPAQUE, TIME_TICKS};

/// A recorded walk.
#[derive(Clone, Debug)]
pub struct Recording {
    /// In the order of the file.
    rows: Vec<(Oid, Datum)>,
    /// Where a name stands in `rows`.
    positions: HashMap<Oid, usize>,
    /// Positions in `rows` in the order of the MIB.
    sorted: Vec<usize>,
    /// Lines that are not served, counted from 1: unreadable, or a name that came before.
    skipped: Vec<usize>,
}

impl Recording {
    /// Reads the lines of an uncompressed file. What cannot be read is left out and listed in [`Self::skipped`].
    pub fn parse(file: &[u8]) -> Self {
        let mut rows = Vec::new();
        let mut positions = HashMap::new();
        let mut skipped = Vec::new();
        for (number, line) in (1..).zip(file.split(|&octet| octet == b'\n')) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            match parse_line(line) {
                Some((name, value)) if !positions.contains_key(&name) => {
                    positions.insert(name.clone(), rows.len());
                    rows.push((name, value));
                }
                _ => skipped.push(number),
            }
        }
        let mut sorted: Vec<usize> = (0..rows.len()).collect();
        sorted.sort_by(|&a, &b| rows.get(a).map(|row| &row.0).cmp(&rows.get(b).map(|row| &row.0)));
        Self { rows, positions, sorted, skipped }
    }

    /// The rows in the order of the file.
    pub fn rows(&self) -> &[(Oid, Datum)] {
        &self.rows
    }

    /// The numbers of the lines that are not served.
    pub fn skipped(&self) -> &[usize] {
        &self.skipped
    }

    /// Where in `sorted` the first name behind `name` stands.
    fn behind(&self, name: &Oid) -> usize {
        self.sorted.partition_point(|&position| self.rows.get(position).is_some_and(|row| row.0 <= *name))
    }

    fn row(&self, in_order: usize) -> Option<&(Oid, Datum)> {
        self.rows.get(*self.sorted.get(in_order)?)
    }

    /// The position of the first line of the file whose name is below `name`; names below one stand together in `sorted`.
    fn first_below(&self, name: &Oid, from: usize) -> Option<usize> {
        let inside = |&&position: &&usize| self.rows.get(position).is_some_and(|row| row.0.octets().starts_with(name.octets()));
        self.sorted.get(from..)?.iter().take_while(inside).min().copied()
    }
}

impl Mib for Recording {
    fn get(&self, name: &Oid, _now: Timestamp) -> Result<Datum, Missing> {
        if let Some((_, value)) = self.positions.get(name).and_then(|&position| self.rows.get(position)) {
            return Ok(value.clone());
        }
        let behind = self.behind(name);
        let before = behind.checked_sub(1).and_then(|previous| self.row(previous));
        Err(Missing::beside(name, before.into_iter().chain(self.row(behind)).map(|row| &row.0)))
    }

    fn next(&self, name: &Oid, _now: Timestamp) -> Option<(Oid, Datum)> {
        if let Some(&position) = self.positions.get(name) {
            return self.rows.get(position + 1).cloned();
        }
        let behind = self.behind(name);
        let position = self.first_below(name, behind).or_else(|| self.sorted.get(behind).copied())?;
        self.rows.get(position).cloned()
    }
}

fn parse_line(line: &[u8]) -> Option<(Oid, Datum)> {
    let mut parts = line.splitn(3, |&octet| octet == b'|');
    let name: Oid = std::str::from_utf8(parts.next()?).ok()?.trim().parse().ok()?;
    let kind = std::str::from_utf8(parts.next()?).ok()?;
    let value = parts.next()?;
    let (kind, value) = match kind.strip_suffix('x') {
        Some(kind) => (kind, unhex(value)?),
        None => (kind, value.to_vec()),
    };
    Some((name, parse_value(kind.parse().ok()?, &value)?))
}

fn parse_value(tag: u8, value: &[u8]) -> Option<Datum> {
    let text = || std::str::from_utf8(value).ok().map(str::trim);
    let number = || text()?.parse::<i128>().ok();
    // A number that its type has no room for is sent as wide as it is: devices do.
    let fitting = |make: fn(u32) -> Datum| {
        let number = number()?;
        Some(u32::try_from(number).map(make).unwrap_or_else(|_| Datum::Raw { tag, octets: wide(number) }))
    };
    match tag {
        ber::INTEGER => Some(Datum::Integer(i64::try_from(number()?).ok()?)),
        ber::OCTET_STRING => Some(Datum::octets(value)),
        ber::NULL => Some(Datum::Null),
        ber::OID => Some(Datum::Oid(text()?.parse().ok()?)),
        IP_ADDRESS => match <[u8; 4]>::try_from(value) {
            Ok(octets) => Some(Datum::IpAddress(octets)),
            Err(_) => Some(Datum::IpAddress(text()?.parse::<std::net::Ipv4Addr>().ok()?.octets())),
        },
        COUNTER32 => fitting(Datum::Counter32),
        GAUGE32 => fitting(Datum::Gauge32),
        TIME_TICKS => fitting(Datum::TimeTicks),
        OPAQUE => Some(Datum::Opaque(Arc::from(value))),
        COUNTER64 => {
            let number = number()?;
            Some(u64::try_from(number).map(Datum::Counter64).unwrap_or_else(|_| Datum::Raw { tag, octets: wide(number) }))
        }
        _ => None,
    }
}

fn wide(number: i128) -> Arc<[u8]> {
    let octets = number.to_be_bytes();
    let filler = if number < 0 { 0xff } else { 0 };
    let lead = octets.iter().take_while(|&&octet| octet == filler).count().min(octets.len() - 1);
    Arc::from(octets.get(lead..).unwrap_or_default())
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(0);

    #[test]
    fn all_types_are_read() {
        let walk = Recording::parse(
            b"# a comment\n1.3.1|2|-5\n1.3.2|4|text | with a bar\n1.3.3|4x|b1b1be\r\n1.3.4|5|\n1.3.5|6|1.3.6.1\n1.3.6|64|10.0.0.1\n\
              1.3.7|64x|0a000002\n1.3.8|65|4294967295\n1.3.9|65|4294967296\n1.3.10|66|7\n1.3.11|67|8\n1.3.12|68x|9f78\n\
              1.3.13|70|18446744073709551615\n1.3.14|4|\xb1\xb1\n1.3.15|2|up\nnonsense\n1.3.1|2|9\n",
        );
        let values: Vec<_> = walk.rows().iter().map(|(_, value)| value.clone()).collect();
        assert_eq!(
            values,
            [
                Datum::Integer(-5),
                Datum::octets("text | with a bar"),
                Datum::octets([0xb1, 0xb1, 0xbe]),
                Datum::Null,
                Datum::Oid("1.3.6.1".parse().unwrap()),
                Datum::IpAddress([10, 0, 0, 1]),
                Datum::IpAddress([10, 0, 0, 2]),
                Datum::Counter32(u32::MAX),
                Datum::Raw { tag: COUNTER32, octets: Arc::from([1, 0, 0, 0, 0]) },
                Datum::Gauge32(7),
                Datum::TimeTicks(8),
                Datum::Opaque(Arc::from([0x9f, 0x78])),
                Datum::Counter64(u64::MAX),
                Datum::octets([0xb1, 0xb1]),
            ]
        );
        assert_eq!(walk.skipped(), [16, 17, 18]);
    }

    #[test]
    fn an_unsorted_file_is_served_in_its_own_order() {
        let order =
            ["1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.17.4.3.1.1.9", "1.3.6.1.2.1.17.4.3.1.1.3", "1.3.6.1.2.1.17.4.3.1.1.7", "1.3.6.1.3.1"];
        let walk = Recording::parse(order.map(|name| format!("{name}|2|1\n")).concat().as_bytes());
        let mut walked = Vec::new();
        let mut name: Oid = "1.3".parse().unwrap();
        while let Some((next, _)) = walk.next(&name, NOW) {
            walked.push(next.to_string());
            name = next;
        }
        assert_eq!(walked, order);
        let next = |name: &str| walk.next(&name.parse().unwrap(), NOW).map(|(name, _)| name.to_string());
        assert_eq!(next("1.3.6.1.2.1.17.4").as_deref(), Some(order[1]), "a column begins with its first line");
        assert_eq!(next("1.3.6.1.2.1.17.4.3.1.1.5").as_deref(), Some(order[3]), "an unknown name leads to the next larger");
        assert_eq!(next("1.3.6.1.2.1.17.5").as_deref(), Some(order[4]));
        assert_eq!(next("1.3.6.1.3.1"), None);
        assert_eq!(walk.get(&"1.3.6.1.2.1.17.4.3.1.1.5".parse().unwrap(), NOW), Err(Missing::Instance));
        assert_eq!(walk.get(&"1.3.6.1.2.1.17.4.3.1.2.5".parse().unwrap(), NOW), Err(Missing::Object));
    }
}
