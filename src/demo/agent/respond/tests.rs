use super::*;
use crate::demo::agent::Table;
use crate::snmp::message::encode_names;

/// Three columns of 40 rows, the middle one Counter64, and a scalar behind them.
fn table() -> Table {
    let cells = (1..=40_u32).flat_map(|row| {
        [
            (format!("1.3.6.1.2.1.2.2.1.2.{row}"), Datum::octets(format!("port {row}"))),
            (format!("1.3.6.1.2.1.2.2.1.6.{row}"), Datum::Counter64(u64::from(row) << 40)),
            (format!("1.3.6.1.2.1.2.2.1.10.{row}"), Datum::Counter32(row)),
        ]
    });
    cells.chain([("1.3.6.1.2.1.31.1.5.0".to_owned(), Datum::TimeTicks(7))]).map(|(name, value)| (name.parse().unwrap(), value)).collect()
}

type Rows = Vec<(String, String)>;

fn ask(manners: &Manners, version: Version, kind: PduKind, fields: (i64, i64), names: &[&str]) -> Option<(i64, i64, Rows, usize)> {
    let names: Vec<Oid> = names.iter().map(|name| name.parse().unwrap()).collect();
    let list = encode_names(names.iter());
    let parts = PduParts { kind, request_id: 77, error_status: fields.0, error_index: fields.1, varbinds: &list };
    let mut writer = Writer::default();
    Message::encode(version, b"public", &parts, &mut writer);
    let answer = respond(writer.as_slice(), &table(), manners, Timestamp::default())?;
    let message = Message::decode(&answer).unwrap();
    assert_eq!((message.version, message.pdu.kind, message.pdu.request_id), (version, PduKind::Response, 77));
    let rows = message.pdu.varbinds.map(|item| item.map(|(name, value)| (name.to_string(), format!("{value:?}"))).unwrap());
    Some((message.pdu.error_status, message.pdu.error_index, rows.collect(), answer.len()))
}

fn names(rows: &Rows) -> Vec<&str> {
    rows.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn get_in_v2c_answers_each_name_and_tells_what_is_missing() {
    let asked = ["1.3.6.1.2.1.2.2.1.10.3", "1.3.6.1.2.1.2.2.1.10.99", "1.3.6.1.2.1.99.1.0"];
    let (error, _, rows, _) = ask(&Manners::default(), Version::V2c, PduKind::Get, (0, 0), &asked).unwrap();
    assert_eq!(error, 0);
    assert_eq!(names(&rows), asked);
    assert_eq!(rows.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["Counter32(3)", "NoSuchInstance", "NoSuchObject"]);
}

#[test]
fn v1_names_the_first_missing_object_and_steps_over_counter64() {
    let manners = Manners::default();
    let missing = ask(&manners, Version::V1, PduKind::Get, (0, 0), &["1.3.6.1.2.1.2.2.1.10.3", "1.3.6.1.2.1.99.1.0"]).unwrap();
    assert_eq!((missing.0, missing.1, missing.2.len()), (status::NO_SUCH_NAME, 2, 2));
    let wide = ask(&manners, Version::V1, PduKind::Get, (0, 0), &["1.3.6.1.2.1.2.2.1.6.1"]).unwrap();
    assert_eq!((wide.0, wide.1), (status::NO_SUCH_NAME, 1));
    let (_, _, rows, _) = ask(&manners, Version::V1, PduKind::GetNext, (0, 0), &["1.3.6.1.2.1.2.2.1.2.40"]).unwrap();
    assert_eq!(names(&rows), ["1.3.6.1.2.1.2.2.1.10.1"]);
    let end = ask(&manners, Version::V1, PduKind::GetNext, (0, 0), &["1.3.6.1.2.1.31.1.5.0"]).unwrap();
    assert_eq!((end.0, end.1), (status::NO_SUCH_NAME, 1));
    assert_eq!(ask(&manners, Version::V1, PduKind::GetBulk, (0, 5), &["1.3"]), None, "v1 has no GETBULK");
}

#[test]
fn bulk_gives_non_repeaters_once_and_interleaves_the_rest() {
    let asked = ["1.3.6.1.2.1.31.1.5", "1.3.6.1.2.1.2.2.1.2.38", "1.3.6.1.2.1.2.2.1.10.38"];
    let (_, _, rows, _) = ask(&Manners::default(), Version::V2c, PduKind::GetBulk, (1, 3), &asked).unwrap();
    assert_eq!(
        names(&rows),
        [
            "1.3.6.1.2.1.31.1.5.0",
            "1.3.6.1.2.1.2.2.1.2.39",
            "1.3.6.1.2.1.2.2.1.10.39",
            "1.3.6.1.2.1.2.2.1.2.40",
            "1.3.6.1.2.1.2.2.1.10.40",
            "1.3.6.1.2.1.2.2.1.6.1",
            "1.3.6.1.2.1.31.1.5.0",
        ]
    );
    let (_, _, rows, _) = ask(&Manners::default(), Version::V2c, PduKind::GetBulk, (0, 50), &["1.3.6.1.2.1.31.1.5.0"]).unwrap();
    assert_eq!(rows, [("1.3.6.1.2.1.31.1.5.0".to_owned(), "EndOfMibView".to_owned())], "one repetition behind the end is enough");
    for (non_repeaters, repetitions) in [(-5, -1), (9, 0), (0, 0)] {
        let (error, _, rows, _) =
            ask(&Manners::default(), Version::V2c, PduKind::GetBulk, (non_repeaters, repetitions), &["1.3.6.1.2.1.31.1.5"]).unwrap();
        assert_eq!((error, rows.len()), (0, usize::from(non_repeaters > 0)));
    }
}

#[test]
fn bulk_is_cut_at_the_largest_answer_and_get_becomes_too_big() {
    for limit in [200, 484, 1472] {
        let manners = Manners { max_response: limit, ..Manners::default() };
        let (error, _, rows, size) = ask(&manners, Version::V2c, PduKind::GetBulk, (0, 200), &["1.3.6.1.2.1.2.2.1.2"]).unwrap();
        assert_eq!(error, 0);
        assert!(size <= limit, "{size} > {limit}");
        assert!(size + 40 + 32 > limit, "{size} wastes room of {limit}");
        assert_eq!(rows[0].0, "1.3.6.1.2.1.2.2.1.2.1");
    }
    let manners = Manners { max_response: 200, ..Manners::default() };
    let asked = ["1.3.6.1.2.1.2.2.1.2.1"; 20];
    for kind in [PduKind::Get, PduKind::GetNext] {
        let (error, index, rows, _) = ask(&manners, Version::V2c, kind, (0, 0), &asked).unwrap();
        assert_eq!((error, index, rows.len()), (status::TOO_BIG, 0, 0));
        let (error, index, rows, _) = ask(&manners, Version::V1, kind, (0, 0), &asked).unwrap();
        assert_eq!((error, index, rows.len()), (status::TOO_BIG, 0, 20), "v1 repeats the request");
    }
}

#[test]
fn set_is_refused_and_limits_hold() {
    let set = |version| ask(&Manners::default(), version, PduKind::Set, (0, 0), &["1.3.6.1.2.1.2.2.1.10.1"]).unwrap();
    assert_eq!((set(Version::V2c).0, set(Version::V2c).1), (status::NOT_WRITABLE, 1));
    assert_eq!((set(Version::V1).0, set(Version::V1).1), (status::NO_SUCH_NAME, 1));
    let weak = Manners { varbind_limit: Some(2), ignore_bulk: true, ..Manners::default() };
    let column = "1.3.6.1.2.1.2.2.1.10.1";
    assert_eq!(ask(&weak, Version::V2c, PduKind::Get, (0, 0), &[column; 2]).unwrap().0, 0);
    assert_eq!(ask(&weak, Version::V2c, PduKind::Get, (0, 0), &[column; 3]).unwrap().0, status::TOO_BIG);
    assert_eq!(ask(&weak, Version::V2c, PduKind::GetBulk, (0, 5), &[column]), None);
    let other = Manners { community: b"private".to_vec(), ..Manners::default() };
    assert_eq!(ask(&other, Version::V2c, PduKind::Get, (0, 0), &[column]), None, "a wrong community is not answered");
    assert_eq!(respond(b"GET / HTTP/1.0\r\n", &table(), &weak, Timestamp::default()), None);
}
