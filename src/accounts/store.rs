//! Persons, accounts and roles in the database. Each change runs inside the caller's transaction and journals itself there.
//! A refusal changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::json;

use super::error::AccountError;
use super::limit::{Kept, WINDOW};
use super::permission::SEPARATE;
use super::totp::TotpSecret;
use crate::journal::{self, Actor, Entry};
use crate::model::{Role, Timestamp};
use crate::store::Store;

/// An account with its person and roles.
#[derive(Clone, Debug)]
pub struct AccountRow {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub login: Arc<str>,
    /// The person's name.
    pub person: Arc<str>,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Nobody logs in with it.
    pub disabled: bool,
    /// The password was set by somebody else.
    pub must_change: bool,
    /// It has a second factor.
    pub has_factor: bool,
    pub(super) password: String,
    pub(super) totp: Option<TotpSecret>,
    pub(super) totp_used: i64,
    pub(super) person_id: i64,
}

const COLUMNS: &str = "SELECT a.id, a.login, p.name, a.disabled, a.must_change, a.password, a.totp, a.totp_used, a.person,
         (SELECT group_concat(role, ' ') FROM account_role r WHERE r.account = a.id)
     FROM account a JOIN person p ON p.id = a.person";

impl AccountRow {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let totp: Option<Vec<u8>> = row.get(6)?;
        let totp = totp.and_then(|bytes| TotpSecret::from_bytes(&bytes));
        Ok(Self {
            id: row.get(0)?,
            login: row.get(1)?,
            person: row.get(2)?,
            disabled: row.get(3)?,
            must_change: row.get(4)?,
            password: row.get(5)?,
            has_factor: totp.is_some(),
            totp,
            totp_used: row.get(7)?,
            person_id: row.get(8)?,
            roles: roles(row.get::<_, Option<String>>(9)?.as_deref().unwrap_or_default()),
        })
    }
}

/// Words that are no roles (of a newer program) give nothing.
fn roles(words: &str) -> Vec<Role> {
    let mut roles: Vec<Role> = words.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    roles.sort_unstable();
    roles
}

/// An account by its name.
///
/// # Errors
/// When SQLite fails.
pub fn find(file: &Connection, login: &str) -> rusqlite::Result<Option<AccountRow>> {
    file.prepare_cached(&format!("{COLUMNS} WHERE a.login = ?1"))?.query_row([login], AccountRow::of).optional()
}

pub(super) fn by_id(file: &Connection, id: i64) -> rusqlite::Result<Option<AccountRow>> {
    file.prepare_cached(&format!("{COLUMNS} WHERE a.id = ?1"))?.query_row([id], AccountRow::of).optional()
}

/// All accounts by their names.
///
/// # Errors
/// When SQLite fails.
pub fn list(file: &Connection) -> rusqlite::Result<Vec<AccountRow>> {
    file.prepare_cached(&format!("{COLUMNS} ORDER BY a.login"))?.query_map([], AccountRow::of)?.collect()
}

/// The roles of all accounts of a person, the disabled ones too: they may be enabled again.
pub(super) fn roles_of_person(file: &Connection, person: i64) -> rusqlite::Result<Vec<Role>> {
    let words: Option<String> = file
        .prepare_cached("SELECT group_concat(r.role, ' ') FROM account_role r JOIN account a ON a.id = r.account WHERE a.person = ?1")?
        .query_row([person], |row| row.get(0))?;
    Ok(roles(words.as_deref().unwrap_or_default()))
}

/// Persons that hold roles which exclude each other. Empty unless somebody edited the database.
///
/// # Errors
/// When SQLite fails.
pub fn violations(file: &Connection) -> rusqlite::Result<Vec<(Arc<str>, Role, Role)>> {
    let mut persons: BTreeMap<i64, (Arc<str>, Vec<Role>)> = BTreeMap::new();
    for account in list(file)? {
        persons.entry(account.person_id).or_insert_with(|| (Arc::clone(&account.person), Vec::new())).1.extend(account.roles);
    }
    let clashes = |(name, roles): (Arc<str>, Vec<Role>)| {
        let both = SEPARATE.into_iter().filter(move |(one, other)| roles.contains(one) && roles.contains(other));
        both.map(move |(one, other)| (Arc::clone(&name), one, other))
    };
    Ok(persons.into_values().flat_map(clashes).collect())
}

/// Makes a change from a thread outside of the async runtime: the command line.
///
/// # Errors
/// Why it was refused, or that the database does not answer.
pub fn apply<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&Connection) -> rusqlite::Result<Result<T, AccountError>> + Send + 'static,
) -> Result<T, AccountError> {
    store.write_blocking(work)?
}

/// Whether somebody can make accounts.
///
/// # Errors
/// When SQLite fails.
pub fn has_administrator(file: &Connection) -> rusqlite::Result<bool> {
    file.query_row(
        "SELECT EXISTS (SELECT 1 FROM account_role r JOIN account a ON a.id = r.account WHERE r.role = 'system_admin' AND a.disabled = 0)",
        [],
        |row| row.get(0),
    )
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its name.
    pub login: String,
    /// The person's name; one of this name gets another account.
    pub person: String,
    /// Its roles.
    pub roles: Vec<Role>,
    /// The hash of its password.
    pub password: String,
    /// Whether the password is to be changed at the first login.
    pub must_change: bool,
}

/// Makes an account.
///
/// # Errors
/// When SQLite fails; inside, why it is refused.
pub fn add(change: &Connection, at: Timestamp, actor: &Actor, new: &NewAccount) -> rusqlite::Result<Result<i64, AccountError>> {
    let NewAccount { login, person, roles, password, must_change } = new;
    if !is_login(login) {
        return Ok(Err(AccountError::BadLogin(login.clone())));
    }
    let person = person.trim();
    if person.is_empty() || person.chars().count() > 64 {
        return Ok(Err(AccountError::BadPerson));
    }
    if find(change, login)?.is_some() {
        return Ok(Err(AccountError::Taken(login.clone())));
    }
    let known: Option<i64> = change.query_row("SELECT id FROM person WHERE name = ?1", [person], |row| row.get(0)).optional()?;
    let mut held = known.map_or(Ok(Vec::new()), |id| roles_of_person(change, id))?;
    for role in roles {
        if let Some(refusal) = separate(person, &held, *role) {
            return Ok(Err(refusal));
        }
        held.push(*role);
    }
    let person_id = match known {
        Some(id) => id,
        None => {
            change.execute("INSERT INTO person (name, created_ms) VALUES (?1, ?2)", params![person, at.millis()])?;
            change.last_insert_rowid()
        }
    };
    change.execute(
        "INSERT INTO account (person, login, password, must_change, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![person_id, login, password, must_change, at.millis()],
    )?;
    let id = change.last_insert_rowid();
    for role in roles {
        insert_role(change, at, id, *role)?;
    }
    let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
    write(change, at, actor, "account.added", login, json!({ "person": person, "roles": words }))?;
    Ok(Ok(id))
}

/// Small letters, digits and a few signs, so that one name is written in one way only.
fn is_login(login: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    (2..=32).contains(&login.len()) && login.starts_with(|c: char| c.is_ascii_lowercase()) && login.chars().all(fits)
}

pub(super) fn separate(person: &str, held: &[Role], wanted: Role) -> Option<AccountError> {
    let excludes = |held: Role| SEPARATE.contains(&(held, wanted)) || SEPARATE.contains(&(wanted, held));
    let held = held.iter().copied().find(|role| excludes(*role))?;
    Some(AccountError::Separate { person: person.to_owned(), held, wanted })
}

fn insert_role(change: &Connection, at: Timestamp, account: i64, role: Role) -> rusqlite::Result<usize> {
    change.execute(
        "INSERT OR IGNORE INTO account_role (account, role, granted_ms) VALUES (?1, ?2, ?3)",
        params![account, role.word(), at.millis()],
    )
}

/// Gives a role. What excludes what is judged here, in the transaction that gives it, over all accounts of the person.
///
/// # Errors
/// When SQLite fails; inside, why it is refused.
pub fn grant(change: &Connection, at: Timestamp, actor: &Actor, login: &str, role: Role) -> rusqlite::Result<Result<(), AccountError>> {
    let Some(account) = find(change, login)? else { return Ok(Err(AccountError::NoAccount(login.to_owned()))) };
    if let Some(refusal) = separate(&account.person, &roles_of_person(change, account.person_id)?, role) {
        return Ok(Err(refusal));
    }
    if insert_role(change, at, account.id, role)? > 0 {
        write(change, at, actor, "role.granted", login, json!({ "person": &*account.person, "role": role.word() }))?;
    }
    Ok(Ok(()))
}

/// Takes a role away.
///
/// # Errors
/// When SQLite fails; inside, why it is refused.
pub fn revoke(change: &Connection, at: Timestamp, actor: &Actor, login: &str, role: Role) -> rusqlite::Result<Result<(), AccountError>> {
    let Some(account) = find(change, login)? else { return Ok(Err(AccountError::NoAccount(login.to_owned()))) };
    if change.execute("DELETE FROM account_role WHERE account = ?1 AND role = ?2", params![account.id, role.word()])? == 0 {
        return Ok(Err(AccountError::NotHeld(login.to_owned(), role)));
    }
    write(change, at, actor, "role.revoked", login, json!({ "person": &*account.person, "role": role.word() }))?;
    Ok(Ok(()))
}

/// Disables or enables an account. A disabled one loses its sessions; its tokens do not work while it is.
///
/// # Errors
/// When SQLite fails; inside, why it is refused.
pub fn set_disabled(
    change: &Connection,
    at: Timestamp,
    actor: &Actor,
    login: &str,
    disabled: bool,
) -> rusqlite::Result<Result<(), AccountError>> {
    let Some(account) = find(change, login)? else { return Ok(Err(AccountError::NoAccount(login.to_owned()))) };
    if account.disabled != disabled {
        change.execute("UPDATE account SET disabled = ?2 WHERE id = ?1", params![account.id, disabled])?;
        forget_sessions(change, account.id)?;
        write(change, at, actor, if disabled { "account.disabled" } else { "account.enabled" }, login, json!({}))?;
    }
    Ok(Ok(()))
}

/// Sets a password by its hash and ends all sessions of the account. `must_change` when somebody else than its owner does;
/// then the second factor goes too, for whoever lost a password may have lost the telephone.
///
/// # Errors
/// When SQLite fails; inside, why it is refused.
pub fn change_password(
    change: &Connection,
    at: Timestamp,
    actor: &Actor,
    login: &str,
    password: &str,
    must_change: bool,
) -> rusqlite::Result<Result<(), AccountError>> {
    let Some(account) = find(change, login)? else { return Ok(Err(AccountError::NoAccount(login.to_owned()))) };
    change.execute("UPDATE account SET password = ?2, must_change = ?3 WHERE id = ?1", params![account.id, password, must_change])?;
    forget_sessions(change, account.id)?;
    if must_change {
        clear_factor(change, account.id)?;
    }
    write(change, at, actor, "account.password", login, json!({ "by_other": must_change }))?;
    Ok(Ok(()))
}

pub(super) fn clear_factor(change: &Connection, account: i64) -> rusqlite::Result<()> {
    change.execute("UPDATE account SET totp = NULL, totp_pending = NULL WHERE id = ?1", [account])?;
    change.execute("DELETE FROM recovery_code WHERE account = ?1", [account])?;
    Ok(())
}

fn forget_sessions(change: &Connection, account: i64) -> rusqlite::Result<()> {
    change.execute("DELETE FROM session WHERE account = ?1", [account])?;
    change.execute("DELETE FROM known_device WHERE account = ?1", [account])?;
    Ok(())
}

/// Journals something about an account.
pub(super) fn write(
    change: &Connection,
    at: Timestamp,
    actor: &Actor,
    action: &'static str,
    login: &str,
    payload: serde_json::Value,
) -> rusqlite::Result<()> {
    journal::append(change, &Entry::new(at, actor.clone(), action, format!("account:{login}"), payload)).map(|_| ())
}

/// Tries that are kept at most.
const TRIES: i64 = 20_000;

/// Keeps a try over a restart. A success is kept only where it forgives something; what counts no more goes.
pub(super) fn keep_try(change: &Connection, one: &Kept) -> rusqlite::Result<()> {
    change.execute("DELETE FROM login_try WHERE at_ms < ?1", [(one.at - WINDOW).millis()])?;
    change.execute("DELETE FROM login_try WHERE id <= (SELECT MAX(id) FROM login_try) - ?1", [TRIES])?;
    const KEEP: &str = "INSERT INTO login_try (at_ms, login, source, device, failed) SELECT ?1, ?2, ?3, ?4, ?5
         WHERE ?5 OR EXISTS (SELECT 1 FROM login_try WHERE login = ?2)";
    let device = one.device.as_ref().map(<[u8; 32]>::as_slice);
    change.execute(KEEP, params![one.at.millis(), one.login, one.source.to_string(), device, one.has_failed])?;
    Ok(())
}

/// The tries that are kept, the oldest first.
pub(super) fn tries(file: &Connection) -> rusqlite::Result<Vec<Kept>> {
    let mut query = file.prepare("SELECT at_ms, login, source, device, failed FROM login_try ORDER BY id")?;
    let rows = query.query_map([], |row| {
        // An address that cannot be read (an edited database) is counted by nobody.
        let Ok(source) = row.get::<_, String>(2)?.parse() else { return Ok(None) };
        let device = row.get::<_, Option<Vec<u8>>>(3)?.and_then(|hash| hash.try_into().ok());
        Ok(Some(Kept { at: Timestamp::from_millis(row.get(0)?), login: row.get(1)?, source, device, has_failed: row.get(4)? }))
    })?;
    rows.filter_map(Result::transpose).collect()
}
