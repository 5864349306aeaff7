//! Who may what: every permission, the one matrix that gives them to roles, and the roles that exclude each other.

use std::fmt;

use crate::model::Role;

/// Something that not everybody may. Each address of pages and API needs one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Permission {
    /// See pages, graphs, live numbers, and ask the API.
    Read,
    /// Scrape the exposition for Prometheus.
    Metrics,
    /// Look after the own account: password, second factor, sessions, tokens. Everybody who has logged in may.
    OwnAccount,
    /// Acknowledge, comment and mute incidents.
    Acknowledge,
    /// Set maintenance windows and freeze periods.
    Maintain,
    /// Ask the network something at once: ping now, ask a device.
    Probe,
    /// Send test notices and look into the outbox.
    TestNotices,
    /// Make, disable and restore accounts, set first passwords.
    ManageAccounts,
    /// Give and take roles that exclude no other.
    GrantRoles,
    /// Give and take the roles that exclude each other.
    GrantSeparated,
    /// Read the journal.
    ReadJournal,
    /// See what is held against machines, and whom they turn to: data about persons.
    ReadDetections,
    /// See which captures of one host's frames there are: who asked, why, and what became of it.
    ReadCaptures,
    /// Ask for a capture of one host's frames.
    RequestCapture,
    /// Allow or refuse a capture that somebody else asked for, and delete one before its time.
    ApproveCapture,
    /// Take a copy of a capture, and hold it for longer than its time.
    OpenCapture,
    /// See which machines are or were cut off, why, and whom no block touches.
    ReadBlocks,
    /// Propose that a machine be cut off.
    RequestBlock,
    /// Say yes or no to a block.
    ApproveBlock,
    /// Give a machine back before its time.
    ReleaseBlock,
    /// Freeze blocks for a time, and close the breaker.
    FreezeBlocks,
    /// Set something on a port: down, up, VLAN, power, description.
    WorkOnPorts,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 22] = [
        Self::Read,
        Self::Metrics,
        Self::OwnAccount,
        Self::Acknowledge,
        Self::Maintain,
        Self::Probe,
        Self::TestNotices,
        Self::ManageAccounts,
        Self::GrantRoles,
        Self::GrantSeparated,
        Self::ReadJournal,
        Self::ReadDetections,
        Self::ReadCaptures,
        Self::RequestCapture,
        Self::ApproveCapture,
        Self::OpenCapture,
        Self::ReadBlocks,
        Self::RequestBlock,
        Self::ApproveBlock,
        Self::ReleaseBlock,
        Self::FreezeBlocks,
        Self::WorkOnPorts,
    ];

    /// The word: in scopes of tokens and in refusals.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Metrics => "metrics",
            Self::OwnAccount => "own_account",
            Self::Acknowledge => "acknowledge",
            Self::Maintain => "maintain",
            Self::Probe => "probe",
            Self::TestNotices => "test_notices",
            Self::ManageAccounts => "manage_accounts",
            Self::GrantRoles => "grant_roles",
            Self::GrantSeparated => "grant_separated",
            Self::ReadJournal => "read_journal",
            Self::ReadDetections => "read_detections",
            Self::ReadCaptures => "read_captures",
            Self::RequestCapture => "request_capture",
            Self::ApproveCapture => "approve_capture",
            Self::OpenCapture => "open_capture",
            Self::ReadBlocks => "read_blocks",
            Self::RequestBlock => "request_block",
            Self::ApproveBlock => "approve_block",
            Self::ReleaseBlock => "release_block",
            Self::FreezeBlocks => "freeze_blocks",
            Self::WorkOnPorts => "work_on_ports",
        }
    }

    /// The permission of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.word() == word)
    }

    /// Whether a token may carry it: a token that leaks must not make accounts, nor be the second person.
    pub const fn fits_token(self) -> bool {
        matches!(
            self,
            Self::Read
                | Self::Metrics
                | Self::Acknowledge
                | Self::Maintain
                | Self::Probe
                | Self::TestNotices
                | Self::ReadJournal
                | Self::ReadDetections
                | Self::ReadCaptures
                | Self::RequestCapture
                | Self::OpenCapture
                | Self::ReadBlocks
                | Self::RequestBlock
                | Self::ReleaseBlock
                | Self::FreezeBlocks
        )
    }
}

/// Several permissions.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u32);

impl Permissions {
    /// None.
    pub const NONE: Self = Self(0);

    /// With one more.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | 1 << permission as u32)
    }

    /// Those in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is among them.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.has(*permission))
    }

    /// What these roles give together.
    pub fn of(roles: &[Role]) -> Self {
        roles.iter().fold(Self::NONE, |all, role| all.or(granted(*role)))
    }

    /// What somebody who has not logged in may, where the configuration lets such people look.
    pub fn anonymous_viewer() -> Self {
        Self::NONE.with(Permission::Read).with(Permission::Metrics).with(Permission::ReadDetections)
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The matrix.
pub fn granted(role: Role) -> Permissions {
    use Permission as P;
    let more: &[P] = match role {
        Role::Staff | Role::KeyAdmin => &[],
        Role::Viewer => &[P::ReadDetections],
        Role::Duty => &[P::Acknowledge, P::Probe, P::ReadDetections, P::ReadCaptures, P::RequestCapture, P::ReadBlocks, P::RequestBlock],
        Role::NetworkAdmin => &[
            P::Acknowledge,
            P::Maintain,
            P::Probe,
            P::TestNotices,
            P::ReadDetections,
            P::ReadCaptures,
            P::RequestCapture,
            P::ApproveCapture,
            P::OpenCapture,
            P::ReadBlocks,
            P::RequestBlock,
            P::ApproveBlock,
            P::ReleaseBlock,
            P::FreezeBlocks,
            P::WorkOnPorts,
        ],
        Role::SectionChief => &[
            P::Acknowledge,
            P::Maintain,
            P::Probe,
            P::ReadDetections,
            P::ReadCaptures,
            P::RequestCapture,
            P::ApproveCapture,
            P::OpenCapture,
            P::ReadBlocks,
            P::RequestBlock,
            P::ApproveBlock,
            P::ReleaseBlock,
            P::FreezeBlocks,
            P::WorkOnPorts,
        ],
        Role::Deputy | Role::Director => &[
            P::Acknowledge,
            P::Maintain,
            P::ReadDetections,
            P::ReadCaptures,
            P::ApproveCapture,
            P::ReadBlocks,
            P::ApproveBlock,
            P::FreezeBlocks,
        ],
        Role::SystemAdmin => &[P::Maintain, P::Probe, P::TestNotices, P::ManageAccounts, P::GrantRoles, P::ReadDetections],
        Role::SecurityAdmin => &[
            P::GrantRoles,
            P::GrantSeparated,
            P::ReadDetections,
            P::ReadCaptures,
            P::RequestCapture,
            P::OpenCapture,
            P::ReadBlocks,
            P::RequestBlock,
            P::FreezeBlocks,
        ],
        Role::Auditor => &[P::ReadJournal, P::ReadDetections, P::ReadCaptures, P::ReadBlocks],
    };
    more.iter().copied().chain([P::Read, P::Metrics, P::OwnAccount]).collect()
}

/// Roles that one person never holds together, in any account (three-member separation; the auditor watches all three).
pub const SEPARATE: [(Role, Role); 6] = [
    (Role::SystemAdmin, Role::SecurityAdmin),
    (Role::SystemAdmin, Role::KeyAdmin),
    (Role::SecurityAdmin, Role::KeyAdmin),
    (Role::Auditor, Role::SystemAdmin),
    (Role::Auditor, Role::SecurityAdmin),
    (Role::Auditor, Role::KeyAdmin),
];

/// Whether a role excludes others.
pub fn is_separate(role: Role) -> bool {
    SEPARATE.iter().any(|(one, other)| *one == role || *other == role)
}

/// The first two of these roles that exclude each other.
pub fn clash(roles: &[Role]) -> Option<(Role, Role)> {
    SEPARATE.into_iter().find(|(one, other)| roles.contains(one) && roles.contains(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back_to_their_permission() {
        for permission in Permission::ALL {
            assert_eq!(Permission::from_word(permission.word()), Some(permission));
            assert!(Permissions::NONE.with(permission).has(permission));
            assert_eq!(Permissions::NONE.with(permission).iter().collect::<Vec<_>>(), [permission]);
        }
    }

    /// The matrix as the office's rules have it; a change here is a change of who may what.
    #[test]
    fn the_matrix_is_as_agreed() {
        let table: Vec<String> = Role::ALL
            .into_iter()
            .map(|role| format!("{role}: {}", granted(role).iter().map(Permission::word).collect::<Vec<_>>().join(" ")))
            .collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn an_auditor_changes_nothing_and_nobody_holds_everything() {
        let changing = [Permission::Acknowledge, Permission::Maintain, Permission::ManageAccounts, Permission::GrantRoles];
        assert!(changing.into_iter().all(|permission| !granted(Role::Auditor).has(permission)));
        for role in Role::ALL {
            assert!(Permission::ALL.into_iter().any(|permission| !granted(role).has(permission)), "{role}");
        }
    }

    #[test]
    fn the_four_exclude_each_other_and_nothing_else() {
        let four = [Role::SystemAdmin, Role::SecurityAdmin, Role::KeyAdmin, Role::Auditor];
        for one in Role::ALL {
            for other in Role::ALL {
                let both = four.contains(&one) && four.contains(&other) && one != other;
                assert_eq!(clash(&[one, other]).is_some(), both, "{one} {other}");
            }
        }
    }
}
