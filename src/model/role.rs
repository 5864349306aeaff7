//! The roles of the office: what a person is, from which follows what an account may.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A role. The words are those of configuration, database, command line and API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 浏览: looks at numbers and graphs, as a wall display does.
    Viewer,
    /// 工作人员.
    Staff,
    /// 值班: whoever is on duty.
    Duty,
    /// 网络管理员.
    NetworkAdmin,
    /// 科长.
    SectionChief,
    /// 副主任.
    Deputy,
    /// 主任.
    Director,
    /// 系统管理员: accounts and configuration.
    SystemAdmin,
    /// 安全保密管理员: who may what.
    SecurityAdmin,
    /// 审计员: reads what the others did, changes nothing.
    Auditor,
    /// 密钥管理员: keys and secrets.
    KeyAdmin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 11] = [
        Self::Viewer,
        Self::Staff,
        Self::Duty,
        Self::NetworkAdmin,
        Self::SectionChief,
        Self::Deputy,
        Self::Director,
        Self::SystemAdmin,
        Self::SecurityAdmin,
        Self::Auditor,
        Self::KeyAdmin,
    ];

    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Staff => "staff",
            Self::Duty => "duty",
            Self::NetworkAdmin => "network_admin",
            Self::SectionChief => "section_chief",
            Self::Deputy => "deputy",
            Self::Director => "director",
            Self::SystemAdmin => "system_admin",
            Self::SecurityAdmin => "security_admin",
            Self::Auditor => "auditor",
            Self::KeyAdmin => "key_admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is no role.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no role; the roles are {roles}", roles = Role::ALL.map(Role::word).join(", "))]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.word() == word).ok_or_else(|| UnknownRole(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_everywhere() {
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.word());
        }
        assert!("admin".parse::<Role>().unwrap_err().to_string().contains("network_admin"));
    }
}
