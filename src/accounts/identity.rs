//! Who is asking, once it is known: the person, the account, and exactly what it may now. Pure.

use std::sync::Arc;

use super::permission::{Permission, Permissions, SEPARATE};
use crate::journal::{Actor, Via};
use crate::model::Role;

/// What the asker holds in hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Held {
    /// A session, by its number.
    Session(i64),
    /// An API token, by its number.
    Token(i64),
}

/// Somebody who has shown who he or she is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The account's number.
    pub account: i64,
    /// The account's name.
    pub login: Arc<str>,
    /// The person's name.
    pub person: Arc<str>,
    /// The account's roles.
    pub roles: Vec<Role>,
    /// What it may.
    pub permissions: Permissions,
    /// By what it is known.
    pub held: Held,
    /// The password was set by somebody else and must be changed first.
    pub must_change: bool,
    /// A role requires a second factor, and there is none yet.
    pub needs_factor: bool,
}

impl Identity {
    /// For the journal.
    pub fn actor(&self) -> Actor {
        let via = match self.held {
            Held::Session(_) => Via::Web,
            Held::Token(_) => Via::Api,
        };
        Actor::person(Arc::clone(&self.person), via)
    }
}

/// What decides about permissions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'a> {
    /// The account's roles.
    pub roles: &'a [Role],
    /// The roles of all accounts of the person.
    pub of_person: &'a [Role],
    /// The scopes of a token; `None` for a session.
    pub scopes: Option<Permissions>,
    /// Something has to be put right before anything else: the password, or the second factor.
    pub unfinished: bool,
}

/// What somebody may. Roles that exclude each other and are held all the same (by editing the database) give what a viewer
/// has and no more, until that is put right; watching goes on.
pub(super) fn permissions(standing: Standing<'_>) -> Permissions {
    if standing.unfinished {
        return if standing.scopes.is_some() { Permissions::NONE } else { Permissions::NONE.with(Permission::OwnAccount) };
    }
    let barred = |role: &Role| {
        let held = |other| standing.of_person.contains(other);
        SEPARATE.iter().any(|(one, other)| (one == role && held(other)) || (other == role && held(one)))
    };
    let roles: Vec<Role> = standing.roles.iter().map(|role| if barred(role) { Role::Viewer } else { *role }).collect();
    let all = Permissions::of(&roles);
    match standing.scopes {
        None => all.with(Permission::OwnAccount),
        Some(scopes) => all.and(scopes).and(Permission::ALL.into_iter().filter(|permission| permission.fits_token()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing<'a>(roles: &'a [Role], of_person: &'a [Role]) -> Standing<'a> {
        Standing { roles, of_person, scopes: None, unfinished: false }
    }

    #[test]
    fn roles_that_exclude_each_other_lose_what_is_theirs_wherever_they_are_held() {
        let alone = permissions(standing(&[Role::SystemAdmin, Role::NetworkAdmin], &[Role::SystemAdmin, Role::NetworkAdmin]));
        assert!(alone.has(Permission::ManageAccounts) && alone.has(Permission::Acknowledge));
        let split = [Role::SystemAdmin, Role::NetworkAdmin, Role::Auditor];
        let barred = permissions(standing(&[Role::SystemAdmin, Role::NetworkAdmin], &split));
        assert!(!barred.has(Permission::ManageAccounts) && barred.has(Permission::Acknowledge) && barred.has(Permission::Read));
        assert!(!permissions(standing(&[Role::Auditor], &split)).has(Permission::ReadJournal));
    }

    #[test]
    fn a_token_never_has_more_than_its_scopes_its_account_and_what_fits_tokens() {
        let scopes: Permissions = [Permission::Read, Permission::Acknowledge, Permission::ManageAccounts].into_iter().collect();
        let token = |roles| permissions(Standing { scopes: Some(scopes), ..standing(roles, roles) });
        assert_eq!(token(&[Role::Viewer]).iter().collect::<Vec<_>>(), [Permission::Read]);
        assert_eq!(token(&[Role::SystemAdmin]).iter().collect::<Vec<_>>(), [Permission::Read]);
        assert_eq!(token(&[Role::Duty]).iter().collect::<Vec<_>>(), [Permission::Read, Permission::Acknowledge]);
        assert_eq!(token(&[]), Permissions::NONE);
    }

    #[test]
    fn what_is_unfinished_comes_first() {
        let roles = &[Role::SystemAdmin];
        let unfinished = Standing { unfinished: true, ..standing(roles, roles) };
        assert_eq!(permissions(unfinished).iter().collect::<Vec<_>>(), [Permission::OwnAccount]);
        assert_eq!(permissions(Standing { scopes: Some(Permissions::anonymous_viewer()), ..unfinished }), Permissions::NONE);
    }
}
