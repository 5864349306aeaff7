//! Bringing a database to the newest format: numbered steps, each in one transaction, a snapshot taken before.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::sqlite::copy;
use super::{FORMAT, StoreError};

/// The steps, oldest first; step N brings version N-1 to N. A published step is never changed.
const STEPS: [&str; LATEST as usize] = [
    include_str!("migrations/001_catalogue.sql"),
    include_str!("migrations/002_journal.sql"),
    include_str!("migrations/003_notify.sql"),
    include_str!("migrations/004_incident.sql"),
    include_str!("migrations/005_accounts.sql"),
    include_str!("migrations/006_ping.sql"),
    include_str!("migrations/007_signatures.sql"),
    include_str!("migrations/008_site.sql"),
    include_str!("migrations/009_block.sql"),
    include_str!("migrations/010_capture.sql"),
];

/// The newest version.
pub(super) const LATEST: i32 = 10;

/// Runs the steps that the file has not seen.
pub(super) fn run(file: &mut Connection, path: &Path) -> Result<(), StoreError> {
    steps(file, path, FORMAT.found(file, path)?, &STEPS)
}

fn steps(file: &mut Connection, path: &Path, found: i32, all: &[&str]) -> Result<(), StoreError> {
    let done = usize::try_from(found).unwrap_or(0);
    if done > 0 && done < all.len() {
        let snapshot = snapshot_path(path, found);
        copy(file, &snapshot)?;
        tracing::info!(
            format = found,
            snapshot = %snapshot.display(),
            "the database has the older format {found}; a copy of it is kept as {}",
            snapshot.display()
        );
    }
    for (step, sql) in all.iter().enumerate().skip(done) {
        let version = i32::try_from(step + 1).unwrap_or(i32::MAX);
        let mut apply = || {
            let change = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
            change.execute_batch(sql)?;
            FORMAT.stamp(&change, version)?;
            change.commit()
        };
        apply().map_err(|error| StoreError::sqlite(path, error))?;
    }
    Ok(())
}

/// `netroom.db.format-1`.
fn snapshot_path(path: &Path, found: i32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".format-{found}"));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite;

    #[test]
    fn the_number_of_steps_is_the_newest_version() {
        assert_eq!(STEPS.len(), usize::try_from(FORMAT.version).unwrap());
    }

    #[test]
    fn a_failing_step_changes_nothing_and_the_snapshot_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("netroom.db");
        let mut file = sqlite::open_live(&path, None).unwrap();
        let first = "CREATE TABLE a (x); INSERT INTO a VALUES (7)";
        steps(&mut file, &path, 0, &[first]).unwrap();
        assert!(!snapshot_path(&path, 1).exists(), "a new file has nothing to keep");
        let bad = "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)";
        assert!(steps(&mut file, &path, 1, &[first, bad]).is_err());
        assert_eq!(file.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0)).unwrap(), 1);
        assert!(file.prepare("SELECT * FROM b").is_err());
        let kept = sqlite::open_sealed_readonly(&snapshot_path(&path, 1)).unwrap();
        assert_eq!(kept.query_row("SELECT x FROM a", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
        steps(&mut file, &path, 1, &[first, "CREATE TABLE b (x)"]).unwrap();
        assert_eq!(file.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0)).unwrap(), 2);
    }
}
