//! The task over a real database: nothing lost over an end at any point, one transaction for all that belongs together.

use std::sync::Mutex;

use rusqlite::Connection;

use super::*;
use crate::journal::Via;
use crate::model::notice::Change;
use crate::model::{Evidence, Notice, Severity, Subject, Timestamp, Verdict};

/// An outbox in the same database, which refuses when it is told to.
#[derive(Default)]
struct Outbox {
    refuses: Mutex<usize>,
}

impl Notices for Outbox {
    fn enqueue(&self, change: &Connection, notice: &Notice) -> rusqlite::Result<()> {
        let mut refuses = self.refuses.lock().unwrap();
        if *refuses > 0 {
            *refuses -= 1;
            return Err(rusqlite::Error::QueryReturnedNoRows);
        }
        change.execute("CREATE TABLE IF NOT EXISTS told_in_test (event INTEGER PRIMARY KEY, what TEXT)", [])?;
        change.execute("INSERT INTO told_in_test VALUES (?1, ?2)", (notice.event, notice.change.word()))?;
        Ok(())
    }
}

fn setup() -> Setup {
    let limits = Limits { settle: Duration::ZERO, ..Limits::default() };
    Setup { limits, scope: Scope::default(), zone: TimeZone::UTC, windows: Vec::new() }
}

fn finding(rule: &str, port: &str, verdict: Verdict) -> Finding {
    let subject = Subject::Port("sw1".into(), port.into());
    Finding { rule: rule.into(), subject, verdict, at: clock::wall(), cause: None, evidence: Evidence::new() }
}

struct Office {
    dir: tempfile::TempDir,
    store: Store,
    outbox: Arc<Outbox>,
}

impl Office {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("netroom.db")).unwrap();
        Self { dir, store, outbox: Arc::default() }
    }

    fn open(&self) -> (Driver, Desk, Arc<Board>) {
        let board = Arc::new(Board::default());
        let (driver, desk) =
            Driver::open(self.store.clone(), Arc::clone(&board), Arc::clone(&self.outbox) as Arc<dyn Notices>, setup()).unwrap();
        (driver, desk, board)
    }

    /// One life of the task: these findings, and a clean end.
    async fn live(&self, findings: Vec<Finding>) -> Arc<Board> {
        let (driver, _desk, board) = self.open();
        let (sender, mut receiver) = mpsc::channel(FINDINGS);
        for finding in findings {
            sender.send(finding).await.unwrap();
        }
        drop(sender);
        driver.run(&mut receiver, CancellationToken::new()).await;
        board
    }

    fn told(&self) -> Vec<String> {
        let file = self.store.reader().unwrap();
        let mut query = file.prepare("SELECT what FROM told_in_test ORDER BY event").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

#[tokio::test]
async fn incident_log_journal_and_notice_are_written_together_or_not_at_all() {
    let office = Office::new();
    *office.outbox.refuses.lock().unwrap() = 1;
    let board = office.live(vec![finding("port-down", "Gi1", Verdict::Raised(Severity::Major))]).await;
    // The first try failed as a whole, the second one stands: each thing is there once.
    let archive = Archive::new(office.store.clone());
    let log = archive.events_after(0, 10).unwrap();
    assert_eq!(log.iter().map(|event| event.change).collect::<Vec<_>>(), [Change::Opened]);
    assert_eq!(office.told(), ["opened"]);
    let journalled: i64 = office
        .store
        .reader()
        .unwrap()
        .query_row("SELECT count(*) FROM journal_event WHERE action = 'incident.opened'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(journalled, 1);
    assert_eq!(board.open().len(), 1);
    assert_eq!(*board.last_event().borrow(), log[0].id);
    assert_eq!(board.counts().failures.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_task_that_ends_in_the_middle_goes_on_where_it_was() {
    let office = Office::new();
    office
        .live(vec![
            finding("port-down", "Gi1", Verdict::Raised(Severity::Major)),
            finding("port-down", "Gi2", Verdict::Raised(Severity::Minor)),
        ])
        .await;
    // As after kill -9: another process opens what is on the disk. The judge says again what holds, and what has ended meanwhile.
    let board = office
        .live(vec![finding("port-down", "Gi1", Verdict::Raised(Severity::Major)), finding("port-down", "Gi2", Verdict::Cleared)])
        .await;
    assert_eq!(office.told(), ["opened", "opened", "cleared"]);
    assert_eq!(board.open().iter().map(|incident| incident.subject().name()).collect::<Vec<_>>(), ["sw1 Gi1"]);
    assert!(office.dir.path().join("netroom.db").exists());
}

#[tokio::test]
async fn people_act_through_the_desk_and_the_past_can_be_searched() {
    let office = Office::new();
    office.live(vec![finding("port-down", "Gi1", Verdict::Raised(Severity::Major))]).await;
    let (driver, desk, board) = office.open();
    let cancel = CancellationToken::new();
    let (_sender, mut receiver) = mpsc::channel(1);
    let li = || Actor::person("li", Via::Web);
    let people = async {
        let id = board.open()[0].id;
        let ack = Action::Acknowledge { comment: "更换光模块".into(), until: None };
        desk.act(id, ack, li()).await.unwrap();
        let refused = desk.act(IncidentId(9), Action::Unmute, li()).await;
        assert!(matches!(refused, Err(OrderError::Refused(Refused::Unknown))));
        let window = Window {
            id: 0,
            purpose: crate::incident::windows::Purpose::Maintenance,
            target: crate::incident::windows::Target::default(),
            when: crate::incident::windows::When::Once { from: Timestamp::from_secs(0), to: Timestamp::from_secs(4_000_000_000) },
            by: "li".into(),
            comment: "all of it".into(),
        };
        let window = desk.plan(window, li()).await.unwrap();
        assert!(board.open()[0].in_maintenance);
        desk.unplan(window, li()).await.unwrap();
        assert!(!board.open()[0].in_maintenance);
        assert!(matches!(desk.unplan(window, li()).await, Err(OrderError::NoWindow)));
        cancel.cancel();
    };
    tokio::join!(driver.run(&mut receiver, cancel.clone()), people);
    assert_eq!(office.told(), ["opened", "acknowledged", "stillopen"]);
    let archive = Archive::new(office.store.clone());
    let search = |text: &str| archive.search(&store::Search { text: text.into(), limit: 10, ..store::Search::default() }).unwrap().len();
    assert_eq!(["光模块", "gi1", "Gi9", "%"].map(search), [1, 1, 0, 0]);
    let ack = archive.incident(IncidentId(1)).unwrap().unwrap().ack.unwrap();
    assert_eq!((&*ack.by, &*ack.comment), ("li", "更换光模块"));
    assert_eq!(archive.log(IncidentId(1), 10).unwrap().len(), 3);
}
