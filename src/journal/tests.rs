//! The chain in a real database: what it finds, what it lets be, what it refuses.

use std::time::Duration;

use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;

use super::*;
use crate::model::Timestamp;
use crate::store::Store;
use crate::store::sqlite;

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("netroom.db")).unwrap();
    (dir, store)
}

fn entry(index: i64) -> Entry {
    let actor = match index % 3 {
        0 => Actor::daemon(),
        1 => Actor::person("李四", Via::Web),
        _ => Actor { person: Some("张三".into()), on_behalf_of: Some("李四".into()), via: Via::Api },
    };
    let mut entry =
        Entry::new(NOW + Duration::from_secs(60) * index as u32, actor, "test.event", format!("thing:{index}"), json!({ "n": index }));
    if index % 4 == 0 {
        (entry.rev, entry.from_state, entry.to_state) = (Some(index), Some("open".to_owned()), Some("closed".to_owned()));
    }
    entry
}

fn filled(events: i64) -> (tempfile::TempDir, Store, Anchor) {
    let (dir, store) = open();
    let head = store.write_blocking(move |file| (0..events).try_fold(GENESIS, |_, index| append(file, &entry(index)))).unwrap();
    (dir, store, Anchor(head))
}

/// The file as somebody with a SQLite shell sees it, the triggers gone.
fn forced(store: &Store) -> Connection {
    let file = sqlite::open_live(store.path(), None).unwrap();
    let drops: String = file
        .query_row("SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_schema WHERE type = 'trigger'", [], |row| row.get(0))
        .unwrap();
    file.execute_batch(&drops).unwrap();
    file.pragma_update(None, "foreign_keys", false).unwrap();
    file.pragma_update(None, "ignore_check_constraints", true).unwrap();
    file
}

fn first_bad(file: &Connection, anchors: &[Anchor]) -> Option<(i64, Fault)> {
    verify(file, anchors).unwrap().first_bad
}

#[test]
fn what_was_written_stands() {
    let (_dir, store, head) = filled(40);
    let report = verify(&store.reader().unwrap(), &[head]).unwrap();
    assert_eq!((report.events, report.first_bad, report.anchors, report.head), (40, None, 1, head.0));
    let (_dir, empty) = open();
    let report = verify(&empty.reader().unwrap(), &[]).unwrap();
    assert_eq!((report.events, report.first_bad, report.head), (0, None, GENESIS));
}

#[test]
fn an_event_stands_if_and_only_if_its_change_does() {
    let (_dir, store, head) = filled(3);
    store
        .write_blocking(|file| {
            append(file, &entry(3))?;
            Err::<(), _>(rusqlite::Error::InvalidQuery)
        })
        .unwrap_err();
    assert_eq!(super::head(&store.reader().unwrap()).unwrap(), head.0);
    store.write_blocking(|file| append(file, &entry(4))).unwrap();
    assert_eq!(first_bad(&store.reader().unwrap(), &[head]), None);
}

/// Each thing that can be done to one event, on each event in turn: N of N are found, and the event named is the one or
/// the next. With the hash made anew to fit (`true`), the event behind shows it, or at the end the anchor.
#[test]
fn every_change_of_every_event_is_found() {
    const EVENTS: i64 = 24;
    let (_dir, store, head) = filled(EVENTS);
    let file = forced(&store);
    let mut tried = 0;
    let mut attempt = |what: &str, seq: i64, sql: &str, rehash: bool| {
        file.execute_batch("SAVEPOINT tampering").unwrap();
        assert!(file.execute(sql, []).unwrap() > 0, "{what} of event {seq} changed nothing");
        if rehash {
            rehashed(&file, seq);
        }
        let found = first_bad(&file, &[head]);
        file.execute_batch("ROLLBACK TO tampering; RELEASE tampering").unwrap();
        let (bad, fault) = found.unwrap_or_else(|| panic!("{what} of event {seq} was not found"));
        assert!((seq..=seq + 1).contains(&bad), "{what} of event {seq} was put on event {bad}: {fault}");
        tried += 1;
    };
    let changes = [
        "ts_ms = ts_ms + 1",
        "subject = subject || 'x'",
        "rev = coalesce(rev, 0) + 1",
        "actor = coalesce(actor, '') || 'x'",
        "actor = CASE WHEN actor IS NULL THEN '' END",
        "on_behalf_of = coalesce(on_behalf_of, '') || 'x'",
        "via = CASE via WHEN 'web' THEN 'api' ELSE 'web' END",
        "action = 'test.other'",
        "from_state = coalesce(from_state, '') || 'x'",
        "to_state = coalesce(to_state, '') || 'x'",
        "payload_digest = zeroblob(32)",
        "flags = 'clock'",
    ];
    for seq in 1..=EVENTS {
        for change in changes {
            for rehash in [false, true] {
                attempt(change, seq, &format!("UPDATE journal_event SET {change} WHERE seq = {seq}"), rehash);
            }
        }
        for change in ["prev_hash = randomblob(32)", "hash = zeroblob(32)"] {
            attempt(change, seq, &format!("UPDATE journal_event SET {change} WHERE seq = {seq}"), false);
        }
        for change in ["json = '{\"n\":-1}'", "json = json || ' '", "salt = zeroblob(16)"] {
            attempt(change, seq, &format!("UPDATE journal_payload SET {change} WHERE seq = {seq}"), false);
        }
        attempt("removing the payload", seq, &format!("DELETE FROM journal_payload WHERE seq = {seq}"), false);
        attempt("removing", seq, &format!("DELETE FROM journal_event WHERE seq = {seq}"), false);
    }
    println!("{tried} of {tried} changes found");
    assert_eq!(tried, EVENTS * (2 * 12 + 2 + 3 + 2));
}

/// Makes the hash of an event fit its header, as a forger would.
fn rehashed(file: &Connection, seq: i64) {
    let mut query = file.prepare(row::QUERY).unwrap();
    let mut rows = query.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        if row::number(row).ok() == Some(seq) {
            let read = row::Read::of(row, seq).unwrap_or_else(|_| panic!("event {seq} is malformed"));
            let hash = read.header.hash(read.prev_hash, &mut Vec::new());
            file.execute("UPDATE journal_event SET hash = ?1 WHERE seq = ?2", (hash, seq)).unwrap();
            return;
        }
    }
}

#[test]
fn insertion_and_reordering_are_found_at_every_place() {
    const EVENTS: i64 = 16;
    let (_dir, store, head) = filled(EVENTS);
    let file = forced(&store);
    let found = |sql: &str| {
        file.execute_batch(&format!("SAVEPOINT tampering; {sql}")).unwrap();
        let found = first_bad(&file, &[head]);
        file.execute_batch("ROLLBACK TO tampering; RELEASE tampering").unwrap();
        found
    };
    let shift = |from: i64, by: i64| {
        ["journal_event", "journal_payload"]
            .map(|table| format!("UPDATE {table} SET seq = -seq WHERE seq >= {from}; UPDATE {table} SET seq = {by} - seq WHERE seq < 0;"))
            .concat()
    };
    for seq in 1..=EVENTS {
        // Room is made, and the event is put in once more.
        let copy = ["journal_event", "journal_payload"]
            .map(|table| {
                format!(
                    "CREATE TEMP TABLE copy AS SELECT * FROM {table} WHERE seq = {}; UPDATE copy SET seq = {seq}; INSERT INTO {table} SELECT * FROM copy; DROP TABLE copy;",
                    seq + 1
                )
            })
            .concat();
        let bad = found(&(shift(seq, 1) + &copy));
        assert!(bad.as_ref().is_some_and(|(bad, _)| (seq..=seq + 1).contains(bad)), "insertion at {seq}: {bad:?}");
        for other in seq + 1..=EVENTS {
            let swap = ["journal_event", "journal_payload"]
                .map(|table| {
                    format!(
                        "UPDATE {table} SET seq = -1 WHERE seq = {seq}; UPDATE {table} SET seq = {seq} WHERE seq = {other}; UPDATE {table} SET seq = {other} WHERE seq = -1;"
                    )
                })
                .concat();
            let bad = found(&swap);
            assert!(bad.as_ref().is_some_and(|(bad, _)| *bad == seq), "{seq} and {other} exchanged: {bad:?}");
        }
        // Removed, and the rest moved up.
        if seq < EVENTS {
            let bad = found(&format!(
                "DELETE FROM journal_event WHERE seq = {seq}; DELETE FROM journal_payload WHERE seq = {seq}; {}",
                shift(seq + 1, -1)
            ));
            assert_eq!(bad, Some((seq, Fault::Unlinked)), "{seq} removed and closed up");
        }
    }
    assert_eq!(first_bad(&file, &[head]), None, "the trials left a trace");
}

#[test]
fn only_an_anchor_shows_a_cut_or_a_chain_made_anew() {
    let (_dir, store, head) = filled(10);
    let file = forced(&store);
    file.execute("DELETE FROM journal_event WHERE seq > 7", []).unwrap();
    assert_eq!(first_bad(&file, &[]), None, "a chain alone cannot know its end");
    assert_eq!(first_bad(&file, &[head]), Some((8, Fault::CutOff)));
    file.execute_batch("DELETE FROM journal_event; DELETE FROM journal_payload").unwrap();
    (0..10).try_fold(GENESIS, |_, index| append(&file, &entry(index))).unwrap();
    assert_eq!(first_bad(&file, &[]), None, "salts are new, so are the hashes, and all fits");
    assert_eq!(first_bad(&file, &[head]), Some((10, Fault::NotAsAnchored)));
}

#[test]
fn triggers_refuse_every_change() {
    let (_dir, store, head) = filled(5);
    for sql in [
        "UPDATE journal_event SET actor = 'x' WHERE seq = 2",
        "DELETE FROM journal_event WHERE seq = 5",
        "DELETE FROM journal_event",
        "UPDATE journal_event SET seq = 9 WHERE seq = 5",
        "INSERT OR REPLACE INTO journal_event SELECT * FROM journal_event WHERE seq = 5",
        "REPLACE INTO journal_event SELECT * FROM journal_event WHERE seq = 1",
        "INSERT INTO journal_event SELECT 9, ts_ms, subject, rev, actor, on_behalf_of, via, action, from_state, to_state, payload_digest, prev_hash, hash, flags FROM journal_event WHERE seq = 5",
        "UPDATE journal_payload SET json = '{}' WHERE seq = 2",
        "DELETE FROM journal_payload WHERE seq = 2",
        "INSERT OR REPLACE INTO journal_payload SELECT * FROM journal_payload WHERE seq = 2",
    ] {
        let refused = store.write_blocking(move |file| file.execute(sql, [])).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
    assert_eq!(first_bad(&store.reader().unwrap(), &[head]), None);
}

#[test]
fn time_never_goes_back_and_a_step_is_flagged() {
    let (_dir, store) = open();
    let write = move |seconds_back: u64| {
        let at = NOW - Duration::from_secs(seconds_back);
        move |file: &Connection| append(file, &Entry::new(at, Actor::daemon(), "test.event", "x", json!({})))
    };
    for seconds_back in [0, 1, 2, 3, 0] {
        store.write_blocking(write(seconds_back)).unwrap();
    }
    let file = store.reader().unwrap();
    let mut query = file.prepare("SELECT ts_ms, flags FROM journal_event ORDER BY seq").unwrap();
    let rows: Vec<(i64, String)> = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert!(rows.iter().all(|(ts_ms, _)| *ts_ms == NOW.millis()), "{rows:?}");
    assert_eq!(rows.iter().map(|(_, flags)| flags.as_str()).collect::<Vec<_>>(), ["", "", "", "clock", ""]);
    assert_eq!(first_bad(&file, &[]), None);
}

#[test]
fn destroyed_payloads_leave_the_chain_whole_and_no_trace() {
    const PLANTED: &str = "planted-6f0f7d51";
    let (dir, store) = open();
    let secret = Entry::new(NOW, Actor::person("li", Via::Cli), "test.event", "x", json!({ "text": PLANTED }));
    store.write_blocking(move |file| append(file, &secret)).unwrap();
    store.write_blocking(|file| append(file, &entry(1))).unwrap();
    let by = || Actor::person("zhang", Via::Cli);
    let file = sqlite::open_live(store.path(), None).unwrap();
    assert_eq!(destroy(&file, NOW, by(), &[1], "kept for 3 years").unwrap().seq, 3);
    let report = verify(&store.reader().unwrap(), &[]).unwrap();
    assert_eq!((report.first_bad, report.destroyed, report.events), (None, 1, 3));
    drop(store);
    file.pragma_update_and_check(None, "wal_checkpoint", "truncate", |_| Ok(())).unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes()), "the payload is still on the disk");
    }
    assert!(matches!(destroy(&file, NOW, by(), &[1], ""), Err(DestroyError::Missing(1))));
    assert!(matches!(destroy(&file, NOW, by(), &[3], ""), Err(DestroyError::IsRecord(3))));
}

#[test]
fn an_export_can_be_checked_without_netroom() {
    use sha2::{Digest as _, Sha256};
    let (_dir, store, head) = filled(9);
    let mut lines = Vec::new();
    assert_eq!(export(&store.reader().unwrap(), &mut lines).unwrap(), 9);
    let lines = String::from_utf8(lines).unwrap();
    let mut prev = vec![0; 32];
    let unhex = |value: &serde_json::Value| -> Vec<u8> {
        let text = value.as_str().unwrap();
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    };
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let header = serde_json::to_string(&value["header"]).unwrap();
        let hash = Sha256::new().chain_update(&prev).chain_update(&header).finalize();
        assert_eq!(unhex(&value["hash"]), hash.as_slice());
        let digest =
            Sha256::new().chain_update(unhex(&value["salt"])).chain_update(serde_json::to_string(&value["payload"]).unwrap()).finalize();
        assert_eq!(unhex(&value["header"]["payload_digest"]), digest.as_slice());
        prev = hash.to_vec();
    }
    assert_eq!(prev, head.0.hash);
}

#[test]
fn a_head_names_the_event_before_it() {
    let (_dir, store, head) = filled(3);
    store.write_blocking(|file| append_head(file, NOW + Duration::from_secs(9_999))).unwrap();
    let file = store.reader().unwrap();
    assert_eq!(last_head_at(&file).unwrap(), Some(NOW + Duration::from_secs(9_999)));
    let json: String = file.query_row("SELECT json FROM journal_payload WHERE seq = 4", [], |row| row.get(0)).unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(format!("{} {}", value["seq"], value["hash"].as_str().unwrap()), head.0.to_string());
}

#[test]
fn anchors_read_back_and_others_are_refused() {
    let (_dir, _store, head) = filled(1);
    let text = format!("# head of the 1st\n\n  {}  \n{}", head.0, head.0);
    assert_eq!(Anchor::all(&text).unwrap(), [head, head]);
    for line in ["7", "x y", &format!("0 {}", "a".repeat(64)), &format!("1 {}", "a".repeat(63))] {
        assert!(Anchor::all(line).is_err(), "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any octet changed anywhere in what is stored of an event is found at that event.
    #[test]
    fn a_changed_octet_is_found(seq in 1_i64..=12, column in 0_usize..9, at in 0_usize..64, with in 1_u8..255) {
        let (_dir, store, _) = filled(12);
        let file = forced(&store);
        let (table, column) = [
            ("journal_event", "subject"), ("journal_event", "actor"), ("journal_event", "action"), ("journal_event", "hash"),
            ("journal_event", "prev_hash"), ("journal_event", "payload_digest"), ("journal_event", "ts_ms"),
            ("journal_payload", "json"), ("journal_payload", "salt"),
        ][column];
        let value: rusqlite::types::Value =
            file.query_row(&format!("SELECT {column} FROM {table} WHERE seq = ?1"), [seq], |row| row.get(0)).unwrap();
        let flip = |bytes: &mut Vec<u8>| if bytes.is_empty() { bytes.push(with) } else { let at = at % bytes.len(); bytes[at] ^= with };
        let sql = format!("UPDATE {table} SET {column} = CAST(?1 AS {}) WHERE seq = ?2", if let rusqlite::types::Value::Blob(_) = value { "BLOB" } else { "TEXT" });
        let changed = match value {
            rusqlite::types::Value::Integer(number) => file.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE seq = ?2"), (number ^ i64::from(with), seq)),
            rusqlite::types::Value::Text(text) => { let mut bytes = text.into_bytes(); flip(&mut bytes); file.execute(&sql, (bytes, seq)) }
            rusqlite::types::Value::Blob(mut bytes) => { flip(&mut bytes); file.execute(&sql, (bytes, seq)) }
            _ => file.execute(&sql, (vec![with], seq)),
        };
        prop_assert_eq!(changed.unwrap(), 1);
        let found = first_bad(&file, &[]);
        prop_assert!(found.as_ref().is_some_and(|(bad, _)| *bad == seq), "{}.{} of {}: {:?}", table, column, seq, found);
    }
}
