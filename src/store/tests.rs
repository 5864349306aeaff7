use std::sync::mpsc::sync_channel;

use super::*;

fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("netroom.db")).unwrap();
    (dir, store)
}

fn add_device(name: &'static str) -> impl FnOnce(&Connection) -> rusqlite::Result<i64> + Send {
    move |file| {
        file.execute("INSERT INTO device (name, first_seen, last_seen) VALUES (?1, 0, 0)", [name])?;
        Ok(file.last_insert_rowid())
    }
}

fn names(store: &Store) -> Vec<String> {
    let reader = store.reader().unwrap();
    let mut query = reader.prepare("SELECT name FROM device ORDER BY id").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_write_is_read_by_others_once_it_returns() {
    let (_dir, store) = open();
    assert_eq!(store.write_blocking(add_device("a")).unwrap(), 1);
    assert_eq!(names(&store), ["a"]);
}

#[test]
fn a_failing_write_undoes_only_itself_and_a_panicking_one_too() {
    let (_dir, store) = open();
    // The first job holds the writer until all the others wait, so that those share one commit.
    let (go, wait) = sync_channel::<()>(0);
    let (began, begun) = sync_channel::<()>(0);
    let holder = store.clone();
    let held = std::thread::spawn(move || holder.write_blocking(move |_| Ok(began.send(()).is_ok() && wait.recv().is_ok())));
    begun.recv().unwrap();
    let (good, good_done) = writer::job(add_device("good"));
    let (bad, bad_done) = writer::job(|file| {
        add_device("half")(file)?;
        add_device("half")(file)
    });
    let (fault, fault_done) = writer::job(|file| -> rusqlite::Result<i64> {
        add_device("fault")(file)?;
        panic!("a fault in a room");
    });
    let (last, last_done) = writer::job(add_device("last"));
    for job in [good, bad, fault, last] {
        store.writer.submit_blocking(job).unwrap();
    }
    go.send(()).unwrap();
    assert!(held.join().unwrap().unwrap());
    assert!(good_done.blocking_recv().unwrap().is_ok());
    assert!(matches!(bad_done.blocking_recv().unwrap(), Err(StoreError::Sqlite { .. })));
    assert!(matches!(fault_done.blocking_recv().unwrap(), Err(StoreError::Fault { .. })));
    assert!(last_done.blocking_recv().unwrap().is_ok());
    assert_eq!(names(&store), ["good", "last"]);
}

#[test]
fn a_full_database_is_told_to_the_callers_and_writing_resumes_by_itself() {
    let (_dir, store) = open();
    let limit =
        |pages: i64| move |file: &Connection| file.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0));
    let now = store.write_blocking(limit(1)).unwrap();
    let filler = |file: &Connection| file.execute("CREATE TABLE filler AS SELECT zeroblob(1000000) AS x", []);
    assert!(store.write_blocking(filler).unwrap_err().is_full());
    store.write_blocking(limit(now + 10_000)).unwrap();
    store.write_blocking(filler).unwrap();
}

#[test]
fn a_backup_is_one_whole_file_that_opens_as_a_store() {
    let (dir, store) = open();
    store.write_blocking(add_device("a")).unwrap();
    let copy = dir.path().join("copy.db");
    store.backup(&copy).unwrap();
    store.write_blocking(add_device("b")).unwrap();
    store.backup(&dir.path().join("nowhere/copy.db")).unwrap_err();
    assert_eq!(names(&Store::open(&copy).unwrap()), ["a"]);
}

#[test]
fn closing_leaves_one_file_and_what_was_written_is_there_again() {
    let (dir, store) = open();
    let path = store.path().to_path_buf();
    store.write_blocking(add_device("a")).unwrap();
    drop(store);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(names(&Store::open(&path).unwrap()), ["a"]);
}

#[test]
fn devices_and_ports_are_never_deleted() {
    let (_dir, store) = open();
    store.write_blocking(add_device("a")).unwrap();
    assert!(store.write_blocking(|file| file.execute("DELETE FROM device", [])).is_err());
    assert_eq!(names(&store), ["a"]);
}
