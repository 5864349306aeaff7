//! Two signatures: none of the three administrators makes another one alone. Who looks after the accounts proposes, a
//! security administrator who is another person signs. Where no security administrator is yet, there is nobody to sign:
//! then the machine's own administrator gives the role at the command line.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};
use serde_json::json;

use super::error::AccountError;
use super::store::{self, NewAccount};
use crate::journal::Actor;
use crate::model::{Role, Timestamp};

/// The three administrators of a separated office.
pub const THREE: [Role; 3] = [Role::SystemAdmin, Role::SecurityAdmin, Role::KeyAdmin];
/// A proposal that nobody has signed for so long is void.
pub const VOID_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// A role that waits for the second signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// Its number.
    pub id: i64,
    /// The account that is to have the role.
    pub login: Arc<str>,
    /// Whose account it is.
    pub person: Arc<str>,
    /// The role.
    pub role: Role,
    /// Who proposed it; empty at the command line.
    pub proposed_by: Arc<str>,
    /// When.
    pub at: Timestamp,
}

/// Whether somebody else must sign before this role is held.
///
/// # Errors
/// When SQLite fails.
pub fn needs_second(file: &Connection, role: Role) -> rusqlite::Result<bool> {
    if !THREE.contains(&role) {
        return Ok(false);
    }
    const SIGNS: &str =
        "SELECT EXISTS (SELECT 1 FROM account_role r JOIN account a ON a.id = r.account WHERE r.role = ?1 AND a.disabled = 0)";
    file.query_row(SIGNS, [Role::SecurityAdmin.word()], |row| row.get(0))
}

/// The first signature. Roles that exclude each other are refused here already.
///
/// # Errors
/// When SQLite fails; inside, why it is refused.
pub fn propose(change: &Connection, at: Timestamp, actor: &Actor, login: &str, role: Role) -> rusqlite::Result<Result<(), AccountError>> {
    let Some(account) = store::find(change, login)? else { return Ok(Err(AccountError::NoAccount(login.to_owned()))) };
    if let Some(refusal) = store::separate(&account.person, &store::roles_of_person(change, account.person_id)?, role) {
        return Ok(Err(refusal));
    }
    change.execute(
        "INSERT OR REPLACE INTO role_proposal (account, role, proposed_by, at_ms) VALUES (?1, ?2, ?3, ?4)",
        params![account.id, role.word(), actor.person.as_deref().unwrap_or_default(), at.millis()],
    )?;
    store::write(change, at, actor, "role.proposed", login, json!({ "person": &*account.person, "role": role.word() }))?;
    Ok(Ok(()))
}

/// Gives a role, or proposes it where it takes two: true when it is held now.
///
/// # Errors
/// When SQLite fails; inside, why it is refused.
pub fn give(change: &Connection, at: Timestamp, actor: &Actor, login: &str, role: Role) -> rusqlite::Result<Result<bool, AccountError>> {
    if needs_second(change, role)? {
        return Ok(propose(change, at, actor, login, role)?.map(|()| false));
    }
    Ok(store::grant(change, at, actor, login, role)?.map(|()| true))
}

/// Makes an account. Roles that take two signatures are proposed: those are given back.
///
/// # Errors
/// When SQLite fails; inside, why it is refused.
pub fn make(change: &Connection, at: Timestamp, actor: &Actor, mut new: NewAccount) -> rusqlite::Result<Result<Vec<Role>, AccountError>> {
    let mut proposed = Vec::new();
    for role in std::mem::take(&mut new.roles) {
        if needs_second(change, role)? { proposed.push(role) } else { new.roles.push(role) }
    }
    if let Err(refusal) = store::add(change, at, actor, &new)? {
        return Ok(Err(refusal));
    }
    for role in &proposed {
        if let Err(refusal) = propose(change, at, actor, &new.login, *role)? {
            return Ok(Err(refusal));
        }
    }
    Ok(Ok(proposed))
}

/// The second signature, by another person than the first, and not for oneself.
///
/// # Errors
/// When SQLite fails; inside, why it is refused.
pub fn sign(change: &Connection, at: Timestamp, actor: &Actor, id: i64) -> rusqlite::Result<Result<(), AccountError>> {
    let Some(proposal) = proposal(change, id, at)? else { return Ok(Err(AccountError::Gone)) };
    let signs = actor.person.as_deref().unwrap_or_default();
    if signs.is_empty() || signs == &*proposal.proposed_by || signs == &*proposal.person {
        return Ok(Err(AccountError::SamePerson));
    }
    // Roles may have been given since it was proposed: what excludes what is judged again.
    if let Err(refusal) = store::grant(change, at, actor, &proposal.login, proposal.role)? {
        return Ok(Err(refusal));
    }
    change.execute("DELETE FROM role_proposal WHERE id = ?1", [id])?;
    let payload = json!({ "role": proposal.role.word(), "proposed_by": &*proposal.proposed_by });
    store::write(change, at, actor, "role.signed", &proposal.login, payload)?;
    Ok(Ok(()))
}

/// Takes a proposal off the table.
///
/// # Errors
/// When SQLite fails; inside, that it is gone already.
pub fn decline(change: &Connection, at: Timestamp, actor: &Actor, id: i64) -> rusqlite::Result<Result<(), AccountError>> {
    let Some(proposal) = proposal(change, id, at)? else { return Ok(Err(AccountError::Gone)) };
    change.execute("DELETE FROM role_proposal WHERE id = ?1", [id])?;
    store::write(change, at, actor, "role.declined", &proposal.login, json!({ "role": proposal.role.word() }))?;
    Ok(Ok(()))
}

/// What waits for the second signature now, the oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn proposals(file: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Proposal>> {
    const ALL: &str = "SELECT q.id, a.login, p.name, q.role, q.proposed_by, q.at_ms FROM role_proposal q
         JOIN account a ON a.id = q.account JOIN person p ON p.id = a.person WHERE q.at_ms > ?1 ORDER BY q.id";
    let mut query = file.prepare_cached(ALL)?;
    let rows = query.query_map([(now - VOID_AFTER).millis()], |row| {
        // A word that is no role (of a newer program) can be given by nobody.
        let Ok(role) = row.get::<_, String>(3)?.parse() else { return Ok(None) };
        let at = Timestamp::from_millis(row.get(5)?);
        Ok(Some(Proposal { id: row.get(0)?, login: row.get(1)?, person: row.get(2)?, role, proposed_by: row.get(4)?, at }))
    })?;
    rows.filter_map(Result::transpose).collect()
}

fn proposal(file: &Connection, id: i64, now: Timestamp) -> rusqlite::Result<Option<Proposal>> {
    Ok(proposals(file, now)?.into_iter().find(|proposal| proposal.id == id))
}
