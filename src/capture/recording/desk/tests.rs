//! The desk over a real database and directory.

use std::time::Duration;

use super::super::life::{Counts, Fault, Why};
use super::*;
use crate::journal::Via;

const NOW: Timestamp = Timestamp::from_secs(1_795_500_000);

fn desk(dir: &Path, approval: Approval) -> Desk {
    let store = Store::open(&dir.join("netroom.db")).unwrap();
    Desk::new(store, dir, Rules { approval, interfaces: vec!["eth1".into()], promiscuous: true })
}

fn by(name: &str) -> Actor {
    Actor::person(name, Via::Web)
}

fn ask(machine: &str) -> Ask {
    Ask { machine: machine.parse().unwrap(), seconds: Some(5), most_octets: None, reason: "it scans".to_owned() }
}

/// The actions of the journal, the oldest first.
fn actions(desk: &Desk) -> Vec<String> {
    let mut all: Vec<String> =
        desk.read(|file| crate::journal::latest(file, i64::MAX, 100)).unwrap().into_iter().map(|event| event.action).collect();
    all.reverse();
    all
}

fn recorded(desk: &Desk, octets: &[u8]) -> Recording {
    let id = desk.ask(&ask("10.1.2.3"), &by("Li"), NOW).unwrap().id;
    desk.act(id, &Deed::Approve, &by("Wang"), NOW).unwrap();
    desk.act(id, &Deed::Start, &Actor::daemon(), NOW).unwrap();
    files::make(&desk.dir).unwrap();
    let path = files::path(&desk.dir, id);
    fs::write(&path, octets).unwrap();
    let digest = files::digest(&mut File::open(&path).unwrap()).unwrap();
    let counts = Counts { packets: 1, octets: octets.len() as u64, ..Counts::default() };
    desk.act(id, &Deed::End(counts, digest), &Actor::daemon(), NOW).unwrap()
}

#[test]
fn a_recording_is_asked_allowed_given_out_held_and_deleted_and_the_journal_knows() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path(), Approval::Two);
    let id = recorded(&desk, b"frames").id;
    let (_, mut file) = desk.open(id, &by("Li"), NOW).unwrap();
    let mut given = String::new();
    io::Read::read_to_string(&mut file, &mut given).unwrap();
    assert_eq!(given, "frames");
    desk.act(id, &Deed::Hold("evidence".to_owned()), &by("Li"), NOW).unwrap();
    assert!(matches!(desk.act(id, &Deed::Delete("x".to_owned()), &by("Wang"), NOW), Err(DeskError::Refused(Refused::Held))));
    desk.act(id, &Deed::Release, &by("Li"), NOW).unwrap();
    desk.act(id, &Deed::Delete("done with it".to_owned()), &by("Wang"), NOW).unwrap();
    assert!(!files::path(&desk.dir, id).exists());
    assert!(matches!(desk.open(id, &by("Li"), NOW), Err(DeskError::Refused(Refused::State))));
    let all = ["asked", "approved", "started", "ended", "downloaded", "held", "released", "deleted"];
    assert_eq!(actions(&desk), all.map(|action| format!("capture.{action}")));
    assert!(journal_stands(&desk));
}

fn journal_stands(desk: &Desk) -> bool {
    let file = desk.store.reader().unwrap();
    crate::journal::verify(&file, &[]).unwrap().first_bad.is_none()
}

#[test]
fn a_changed_file_is_not_given_out() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path(), Approval::Two);
    let id = recorded(&desk, b"frames").id;
    fs::write(files::path(&desk.dir, id), b"framed").unwrap();
    assert!(matches!(desk.open(id, &by("Li"), NOW), Err(DeskError::Changed(_))));
    assert!(!actions(&desk).contains(&"capture.downloaded".to_owned()));
}

#[test]
fn one_person_is_enough_where_the_configuration_says_so_and_nobody_is_never() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path(), Approval::One);
    assert!(matches!(desk.ask(&ask("10.1.2.3"), &Actor::nobody(Via::Cli), NOW), Err(DeskError::Refused(Refused::Nobody))));
    assert_eq!(desk.ask(&ask("10.1.2.3"), &by("Li"), NOW).unwrap().state, State::Approved);
    assert!(matches!(desk.ask(&ask("10.1.2.3"), &by("Wang"), NOW), Err(DeskError::Already(1))));
    assert_eq!(actions(&desk), ["capture.asked", "capture.approved"]);
}

#[test]
fn requests_have_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path(), Approval::Two);
    let wide = Ask { seconds: Some(u64::MAX), most_octets: Some(u64::MAX), ..ask("00:25:90:ab:cd:ef") };
    let asked = desk.ask(&wide, &by("Li"), NOW).unwrap();
    assert_eq!((asked.seconds, asked.most_octets, asked.machine.as_str()), (60, 64 << 20, "00:25:90:ab:cd:ef"));
    for number in 1..OPEN_MOST {
        desk.ask(&ask(&format!("10.1.2.{number}")), &by("Li"), NOW).unwrap();
    }
    assert!(matches!(desk.ask(&ask("10.1.3.1"), &by("Li"), NOW), Err(DeskError::Busy)));
    desk.set_rules(Rules::default());
    assert!(matches!(desk.ask(&ask("10.1.3.1"), &by("Li"), NOW), Err(DeskError::NoInterface)));
    assert!(matches!(desk.room(1 << 62), Err(DeskError::NoRoom { .. })));
}

/// Netroom is killed while it records: at the next start the file is whole as far as it goes, and said to be cut.
#[test]
fn a_recording_that_a_crash_ended_is_kept_as_far_as_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path(), Approval::One);
    let begun = |machine: &str, octets: Option<&[u8]>| {
        let id = desk.ask(&ask(machine), &by("Li"), NOW).unwrap().id;
        desk.act(id, &Deed::Start, &Actor::daemon(), NOW).unwrap();
        files::make(&desk.dir).unwrap();
        if let Some(octets) = octets {
            fs::write(files::path(&desk.dir, id), octets).unwrap();
        }
        id
    };
    let mut writer = crate::capture::file::Writer::new(Vec::new()).unwrap();
    writer.frame(crate::capture::packet::Nanos(5), 60, &[&[7; 60]]).unwrap();
    let whole = writer.finish().unwrap();
    let cut = begun("10.1.2.3", Some(&[whole.as_slice(), &[1; 9]].concat()));
    let (empty, none) = (begun("10.1.2.4", Some(&whole[..10])), begun("10.1.2.5", None));
    let stopped = tokio_util::sync::CancellationToken::new();
    stopped.cancel();
    desk.run(&stopped).unwrap();
    let kept = desk.one(cut).unwrap();
    assert_eq!((kept.state, kept.fault), (State::Cut, Some(Fault { why: Why::Crash, detail: String::new() })));
    assert_eq!(fs::read(files::path(&desk.dir, cut)).unwrap(), whole);
    desk.open(cut, &by("Li"), NOW).unwrap();
    for id in [empty, none] {
        assert_eq!(desk.one(id).unwrap().state, State::Failed);
        assert!(!files::path(&desk.dir, id).exists());
    }
}

#[test]
fn what_is_due_is_swept_and_files_without_a_record_go() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path(), Approval::Two);
    // Recorded in the past of the machine that runs this.
    let old = recorded(&desk, b"frames").id;
    let held = recorded(&desk, b"frames").id;
    desk.act(held, &Deed::Hold("evidence".to_owned()), &by("Li"), NOW).unwrap();
    fs::write(files::path(&desk.dir, 99), b"of nobody").unwrap();
    let late = NOW + Duration::from_secs(31 * 86_400);
    desk.sweep(late).unwrap();
    assert_eq!([old, held].map(|id| desk.one(id).unwrap().state), [State::Deleted, State::Kept]);
    assert_eq!([old, held, 99].map(|id| files::path(&desk.dir, id).exists()), [false, true, false]);
    desk.count().unwrap();
    assert_eq!((desk.summary().states[&State::Kept], desk.summary().octets), (1, 6));
}
