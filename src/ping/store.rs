//! Numbers of hosts and services in `netroom.db`, given once for good to their keys (`host:www`, `service:www/https`).

use rusqlite::{Connection, params};

use crate::model::{Subject, Timestamp};
use crate::store::{Store, StoreError};

/// Gives each subject its number: the old one, or the next free one.
///
/// # Errors
/// When the database does not take it, or all 1,048,575 numbers have been given.
pub async fn enrol(store: &Store, subjects: Vec<Subject>, now: Timestamp) -> Result<Vec<u32>, StoreError> {
    let numbers = move |file: &Connection| {
        let mut enrol = file.prepare_cached(
            "INSERT INTO watched (subject, first_seen, last_seen) VALUES (?1, ?2, ?2)
             ON CONFLICT (subject) DO UPDATE SET last_seen = max(last_seen, excluded.last_seen) RETURNING id",
        )?;
        subjects.iter().map(|subject| enrol.query_row(params![subject.to_string(), now.millis()], |row| row.get(0))).collect()
    };
    store.write(numbers).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_number_is_given_once() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("netroom.db")).unwrap();
        let host = |name: &str| Subject::Host(name.into());
        let first = enrol(&store, vec![host("a"), host("b")], Timestamp::from_secs(1)).await.unwrap();
        let second = enrol(&store, vec![host("c"), host("b")], Timestamp::from_secs(2)).await.unwrap();
        assert_eq!(first[1], second[1]);
        assert!(second[0] != first[0] && second[0] != first[1]);
    }
}
