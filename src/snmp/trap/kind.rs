//! What a notification is about: the standard ones (RFC 3418, RFC 2863) by name, the others by their OID.

use std::fmt;

use crate::snmp::oid::{Oid, OidRef};

/// snmpTraps, 1.3.6.1.6.3.1.1.5; the standard notifications stand below it.
const SNMP_TRAPS: &[u8] = &[0x2b, 6, 1, 6, 3, 1, 1, 5];
/// cErrDisableInterfaceEvent of CISCO-ERR-DISABLE-MIB: there is no standard one for a port that its switch has shut.
const ERR_DISABLED: &[u8] = &[0x2b, 6, 1, 4, 1, 9, 9, 0x84, 0x24, 0, 1, 1];
/// enterpriseSpecific of a v1 trap.
const SPECIFIC: i64 = 6;

/// The notifications that have a meaning here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Standard {
    /// coldStart: it started anew, its configuration may have changed.
    ColdStart,
    /// warmStart: it started anew.
    WarmStart,
    /// linkDown.
    LinkDown,
    /// linkUp.
    LinkUp,
    /// authenticationFailure: somebody asked it with a wrong community or user.
    AuthenticationFailure,
    /// A switch has shut a port by itself.
    ErrDisabled,
}

/// What a notification is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind<'a> {
    /// One with a meaning here.
    Standard(Standard),
    /// snmpTrapOID of another.
    Other(OidRef<'a>),
    /// enterprise and specific-trap of another v1 trap; its snmpTrapOID is `enterprise.0.specific` (RFC 3584).
    Enterprise(OidRef<'a>, u32),
}

impl<'a> Kind<'a> {
    /// By the value of snmpTrapOID.0.
    pub fn of(name: OidRef<'a>) -> Self {
        if name.octets() == ERR_DISABLED {
            return Self::Standard(Standard::ErrDisabled);
        }
        match name.octets().strip_prefix(SNMP_TRAPS) {
            Some([1]) => Self::Standard(Standard::ColdStart),
            Some([2]) => Self::Standard(Standard::WarmStart),
            Some([3]) => Self::Standard(Standard::LinkDown),
            Some([4]) => Self::Standard(Standard::LinkUp),
            Some([5]) => Self::Standard(Standard::AuthenticationFailure),
            _ => Self::Other(name),
        }
    }

    /// By the fields of a v1 trap.
    pub fn of_v1(enterprise: OidRef<'a>, generic: i64, specific: i64) -> Self {
        match generic {
            0 => Self::Standard(Standard::ColdStart),
            1 => Self::Standard(Standard::WarmStart),
            2 => Self::Standard(Standard::LinkDown),
            3 => Self::Standard(Standard::LinkUp),
            4 => Self::Standard(Standard::AuthenticationFailure),
            SPECIFIC if specific == 1 && ERR_DISABLED.strip_suffix(&[1]) == Some(enterprise.octets()) => {
                Self::Standard(Standard::ErrDisabled)
            }
            _ => Self::Enterprise(enterprise, u32::try_from(specific).unwrap_or(0)),
        }
    }

    /// The meaning, when it has one here.
    pub const fn standard(self) -> Option<Standard> {
        match self {
            Self::Standard(standard) => Some(standard),
            Self::Other(_) | Self::Enterprise(..) => None,
        }
    }
}

/// snmpTrapOID in dotted form, or the name of a standard notification.
impl fmt::Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(standard) => f.write_str(standard.word()),
            Self::Other(name) => fmt::Display::fmt(name, f),
            Self::Enterprise(enterprise, specific) => write!(f, "{enterprise}.0.{specific}"),
        }
    }
}

impl Standard {
    /// The name in its MIB.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ColdStart => "coldStart",
            Self::WarmStart => "warmStart",
            Self::LinkDown => "linkDown",
            Self::LinkUp => "linkUp",
            Self::AuthenticationFailure => "authenticationFailure",
            Self::ErrDisabled => "cErrDisableInterfaceEvent",
        }
    }
}

/// The names of the columns that linkDown and linkUp carry, and of others that senders add.
pub(super) struct Columns {
    pub(super) if_index: Oid,
    pub(super) if_descr: Oid,
    pub(super) if_admin: Oid,
    pub(super) if_oper: Oid,
    pub(super) if_name: Oid,
}

impl Columns {
    pub(super) fn new() -> Self {
        let entry = Oid::iso(3, &[6, 1, 2, 1, 2, 2, 1]);
        Self {
            if_index: entry.child(&[1]),
            if_descr: entry.child(&[2]),
            if_admin: entry.child(&[7]),
            if_oper: entry.child(&[8]),
            if_name: Oid::iso(3, &[6, 1, 2, 1, 31, 1, 1, 1, 1]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_notification_are_one() {
        let trap: Oid = "1.3.6.1.4.1.9.9.548.0.1.1".parse().unwrap();
        assert_eq!(Kind::of(trap.as_ref()).standard(), Some(Standard::ErrDisabled));
        let other: Oid = "1.3.6.1.4.1.2011.5.25.0.7".parse().unwrap();
        assert_eq!(Kind::of(other.as_ref()).to_string(), "1.3.6.1.4.1.2011.5.25.0.7");
        let enterprise: Oid = "1.3.6.1.4.1.2011.5.25".parse().unwrap();
        assert_eq!(Kind::of_v1(enterprise.as_ref(), 6, 7).to_string(), "1.3.6.1.4.1.2011.5.25.0.7");
        assert_eq!(Kind::of_v1(enterprise.as_ref(), 4, 0).standard(), Some(Standard::AuthenticationFailure));
    }
}
