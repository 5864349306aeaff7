//! Sessions, API tokens, known devices and the first link in the database: of each only the SHA-256 of what its owner has.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::json;

use super::error::AccountError;
use super::identity::{Held, Identity, Standing, permissions};
use super::permission::{Permission, Permissions};
use super::store::{self, AccountRow, NewAccount};
use super::token::TokenHash;
use crate::journal::{self, Actor, Entry, Via};
use crate::model::{Role, Timestamp};

/// A session ends when nothing was asked with it for so long,
pub const IDLE: Duration = Duration::from_secs(8 * 3600);
/// and in any case after so long.
pub const ABSOLUTE: Duration = Duration::from_secs(24 * 3600);
/// How long the first link can be used.
pub const FIRST_LINK: Duration = Duration::from_secs(24 * 3600);
/// The longest life of a token.
const LONGEST_TOKEN: Duration = Duration::from_secs(366 * 86_400);
/// How long a browser is known that does not come back.
const DEVICE: Duration = Duration::from_secs(180 * 86_400);
/// How exactly it is written down when something was used last.
const TOUCH: Duration = Duration::from_secs(60);

/// A session as its owner sees it.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Its number.
    pub id: i64,
    /// Where it was opened from.
    pub source: String,
    /// The browser, by its own words.
    pub agent: String,
    /// Since when.
    pub created: Timestamp,
    /// When it was used last, to the minute.
    pub seen: Timestamp,
}

/// An API token as its owner sees it.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// Its number.
    pub id: i64,
    /// The account's name.
    pub login: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may at most.
    pub scopes: Permissions,
    /// Until when.
    pub expires: Timestamp,
    /// When it was used last, to the minute.
    pub used: Option<Timestamp>,
}

/// What a new session is made of.
pub(super) struct NewSession<'a> {
    pub account: i64,
    pub hash: TokenHash,
    pub device: TokenHash,
    pub source: &'a str,
    pub agent: &'a str,
    /// The session that the browser had before: its token is not used any more.
    pub replaces: Option<TokenHash>,
}

pub(super) fn open(change: &Connection, at: Timestamp, new: &NewSession<'_>) -> rusqlite::Result<()> {
    if let Some(old) = new.replaces {
        change.execute("DELETE FROM session WHERE hash = ?1", [old])?;
    }
    change.execute("DELETE FROM session WHERE expires_ms <= ?1 OR seen_ms <= ?2", [at.millis(), (at - IDLE).millis()])?;
    change.execute("DELETE FROM known_device WHERE seen_ms <= ?1", [(at - DEVICE).millis()])?;
    change.execute(
        "INSERT INTO session (account, hash, source, agent, created_ms, seen_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
        params![new.account, new.hash, new.source, new.agent, at.millis(), (at + ABSOLUTE).millis()],
    )?;
    change.execute(
        "INSERT INTO known_device (hash, account, seen_ms) VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO UPDATE SET account = ?2, seen_ms = ?3",
        params![new.device, new.account, at.millis()],
    )?;
    Ok(())
}

pub(super) fn is_known_device(file: &Connection, account: i64, device: &TokenHash) -> rusqlite::Result<bool> {
    file.prepare_cached("SELECT EXISTS (SELECT 1 FROM known_device WHERE hash = ?1 AND account = ?2)")?
        .query_row(params![device, account], |row| row.get(0))
}

/// Who holds a session; with it whether its use is to be written down.
pub(super) fn session(
    file: &Connection,
    hash: &TokenHash,
    now: Timestamp,
    factor_for: &[Role],
) -> rusqlite::Result<Option<(Identity, bool)>> {
    let found: Option<(i64, i64, i64)> = file
        .prepare_cached("SELECT id, account, seen_ms FROM session WHERE hash = ?1 AND expires_ms > ?2 AND seen_ms > ?3")?
        .query_row(params![hash, now.millis(), (now - IDLE).millis()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((id, account, seen_ms)) = found else { return Ok(None) };
    let identity = identity(file, account, Held::Session(id), None, factor_for)?;
    Ok(identity.map(|identity| (identity, now.since(Timestamp::from_millis(seen_ms)) >= TOUCH)))
}

/// Who holds a token; with it whether its use is to be written down.
pub(super) fn token(
    file: &Connection,
    hash: &TokenHash,
    now: Timestamp,
    factor_for: &[Role],
) -> rusqlite::Result<Option<(Identity, bool)>> {
    let found: Option<(i64, i64, String, Option<i64>)> = file
        .prepare_cached("SELECT id, account, scopes, used_ms FROM api_token WHERE hash = ?1 AND expires_ms > ?2")?
        .query_row(params![hash, now.millis()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((id, account, scopes, used_ms)) = found else { return Ok(None) };
    let identity = identity(file, account, Held::Token(id), Some(self::scopes(&scopes)), factor_for)?;
    let due = used_ms.is_none_or(|used_ms| now.since(Timestamp::from_millis(used_ms)) >= TOUCH);
    Ok(identity.map(|identity| (identity, due)))
}

fn scopes(words: &str) -> Permissions {
    words.split_whitespace().filter_map(Permission::from_word).collect()
}

fn identity(
    file: &Connection,
    account: i64,
    held: Held,
    scopes: Option<Permissions>,
    factor_for: &[Role],
) -> rusqlite::Result<Option<Identity>> {
    let Some(account) = store::by_id(file, account)?.filter(|account| !account.disabled) else { return Ok(None) };
    let of_person = store::roles_of_person(file, account.person_id)?;
    let needs_factor = !account.has_factor && account.roles.iter().any(|role| factor_for.contains(role));
    let unfinished = account.must_change || needs_factor;
    let standing = Standing { roles: &account.roles, of_person: &of_person, scopes, unfinished };
    let permissions = permissions(standing);
    let AccountRow { id, login, person, roles, must_change, .. } = account;
    Ok(Some(Identity { account: id, login, person, roles, permissions, held, must_change, needs_factor }))
}

/// Writes down that a session or token was used.
pub(super) fn touch(change: &Connection, held: &Held, now: Timestamp) -> rusqlite::Result<()> {
    let (sql, id) = match held {
        Held::Session(id) => ("UPDATE session SET seen_ms = max(seen_ms, ?2) WHERE id = ?1", id),
        Held::Token(id) => ("UPDATE api_token SET used_ms = ?2 WHERE id = ?1", id),
    };
    change.execute(sql, [*id, now.millis()]).map(|_| ())
}

pub(super) fn list(file: &Connection, account: i64, now: Timestamp) -> rusqlite::Result<Vec<SessionRow>> {
    let mut query = file.prepare_cached(
        "SELECT id, source, agent, created_ms, seen_ms FROM session WHERE account = ?1 AND expires_ms > ?2 AND seen_ms > ?3 ORDER BY seen_ms DESC",
    )?;
    let rows = query.query_map([account, now.millis(), (now - IDLE).millis()], |row| {
        let time = |index| row.get(index).map(Timestamp::from_millis);
        Ok(SessionRow { id: row.get(0)?, source: row.get(1)?, agent: row.get(2)?, created: time(3)?, seen: time(4)? })
    })?;
    rows.collect()
}

/// How many sessions are open.
pub(super) fn count(file: &Connection, now: Timestamp) -> rusqlite::Result<u64> {
    file.prepare_cached("SELECT count(*) FROM session WHERE expires_ms > ?1 AND seen_ms > ?2")?
        .query_row([now.millis(), (now - IDLE).millis()], |row| row.get::<_, i64>(0))
        .map(|count| u64::try_from(count).unwrap_or(0))
}

/// Ends a session of this account. False when it has none of this number.
pub(super) fn end(change: &Connection, account: i64, id: i64) -> rusqlite::Result<bool> {
    change.execute("DELETE FROM session WHERE id = ?1 AND account = ?2", [id, account]).map(|rows| rows > 0)
}

/// Makes a token for an account by the hash of its text.
///
/// # Errors
/// When SQLite fails; inside, why it is refused.
pub fn add_token(
    change: &Connection,
    at: Timestamp,
    actor: &Actor,
    login: &str,
    new: (&str, Permissions, Timestamp, TokenHash),
) -> rusqlite::Result<Result<i64, AccountError>> {
    let (name, scopes, expires, hash) = new;
    let name = name.trim();
    let Some(account) = store::find(change, login)? else { return Ok(Err(AccountError::NoAccount(login.to_owned()))) };
    if name.is_empty() || name.chars().count() > 64 {
        return Ok(Err(AccountError::BadToken("a token has a name of 1 to 64 characters that says what it is for")));
    }
    if scopes == Permissions::NONE || scopes.iter().any(|scope| !scope.fits_token()) {
        return Ok(Err(AccountError::BadToken("a token has one scope or more, and none that looks after accounts")));
    }
    if expires <= at || expires > at + LONGEST_TOKEN {
        return Ok(Err(AccountError::BadToken("a token ends within a year")));
    }
    let words = scopes.iter().map(Permission::word).collect::<Vec<_>>().join(" ");
    change.execute(
        "INSERT INTO api_token (account, hash, name, scopes, created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![account.id, hash, name, words, at.millis(), expires.millis()],
    )?;
    let id = change.last_insert_rowid();
    store::write(
        change,
        at,
        actor,
        "token.added",
        login,
        json!({ "token": id, "name": name, "scopes": words, "expires_ms": expires.millis() }),
    )?;
    Ok(Ok(id))
}

/// The tokens of one account, or of all; those that have ended too.
///
/// # Errors
/// When SQLite fails.
pub fn list_tokens(file: &Connection, account: Option<i64>) -> rusqlite::Result<Vec<TokenRow>> {
    let mut query = file.prepare_cached(
        "SELECT t.id, a.login, t.name, t.scopes, t.expires_ms, t.used_ms FROM api_token t JOIN account a ON a.id = t.account
         WHERE ?1 IS NULL OR t.account = ?1 ORDER BY t.id",
    )?;
    let rows = query.query_map([account], |row| {
        Ok(TokenRow {
            id: row.get(0)?,
            login: row.get(1)?,
            name: row.get(2)?,
            scopes: scopes(&row.get::<_, String>(3)?),
            expires: Timestamp::from_millis(row.get(4)?),
            used: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
        })
    })?;
    rows.collect()
}

/// Takes a token away; `owner` when only one of that account may go.
///
/// # Errors
/// When SQLite fails; inside, that there is none.
pub fn revoke_token(
    change: &Connection,
    at: Timestamp,
    actor: &Actor,
    id: i64,
    owner: Option<i64>,
) -> rusqlite::Result<Result<(), AccountError>> {
    let found: Option<(String, String)> = change
        .query_row(
            "SELECT a.login, t.name FROM api_token t JOIN account a ON a.id = t.account WHERE t.id = ?1 AND (?2 IS NULL OR t.account = ?2)",
            params![id, owner],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((login, name)) = found else { return Ok(Err(AccountError::Gone)) };
    change.execute("DELETE FROM api_token WHERE id = ?1", [id])?;
    store::write(change, at, actor, "token.revoked", &login, json!({ "token": id, "name": name }))?;
    Ok(Ok(()))
}

/// Sets the one-time link for the first administrator; an earlier one is of no use any more.
///
/// # Errors
/// When SQLite fails.
pub fn first_link(change: &Connection, at: Timestamp, via: Via, hash: &TokenHash) -> rusqlite::Result<()> {
    change.execute("DELETE FROM first_link", [])?;
    change.execute("INSERT INTO first_link (hash, expires_ms) VALUES (?1, ?2)", params![hash, (at + FIRST_LINK).millis()])?;
    let payload = json!({ "expires_ms": (at + FIRST_LINK).millis() });
    journal::append(change, &Entry::new(at, Actor::nobody(via), "first_link.made", "first_link", payload)).map(|_| ())
}

/// Whether a link can be used.
pub(super) fn is_first_link(file: &Connection, at: Timestamp, hash: &TokenHash) -> rusqlite::Result<bool> {
    file.query_row("SELECT EXISTS (SELECT 1 FROM first_link WHERE hash = ?1 AND expires_ms > ?2)", params![hash, at.millis()], |row| {
        row.get(0)
    })
}

/// Makes the first administrator by a link, which is used up.
///
/// # Errors
/// When SQLite fails; inside, why it is refused.
pub fn use_first_link(
    change: &Connection,
    at: Timestamp,
    hash: &TokenHash,
    login: &str,
    person: &str,
    password: &str,
) -> rusqlite::Result<Result<i64, AccountError>> {
    if !is_first_link(change, at, hash)? {
        return Ok(Err(AccountError::Gone));
    }
    let new = NewAccount {
        login: login.to_owned(),
        person: person.to_owned(),
        roles: vec![Role::SystemAdmin],
        password: password.to_owned(),
        must_change: false,
    };
    let made = store::add(change, at, &Actor::person(person.trim(), Via::Web), &new)?;
    if made.is_ok() {
        change.execute("DELETE FROM first_link", [])?;
    }
    Ok(made)
}
