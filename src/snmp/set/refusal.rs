//! Why a device did not set what it was asked to set: error-status by its name in RFC 3416 section 3, what it means, and
//! what to do about it.

use std::fmt;

use super::Varbind;
use crate::snmp::message::Version;

/// A device's refusal. What was asked for has not been done, but for [`Status::is_partial`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The device's name.
    pub device: String,
    /// The reason it gave.
    pub status: Status,
    /// The object it complains of, with the value that it was to get, when it names one.
    pub object: Option<Varbind>,
    /// Whether it was asked by SNMPv1, in which one reason stands for several.
    pub version_1: bool,
}

/// error-status of a response to a SetRequest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// The request or its answer does not fit into a datagram.
    TooBig,
    /// SNMPv1: no such object, or it may not be written.
    NoSuchName,
    /// SNMPv1: the value is of the wrong type or out of range.
    BadValue,
    /// SNMPv1: not to be used by agents, and used all the same.
    ReadOnly,
    /// Any other reason.
    GenErr,
    /// The view of this community or user does not hold the object for writing.
    NoAccess,
    /// The value has another type than the object.
    WrongType,
    /// The value is too short or too long.
    WrongLength,
    /// The value's encoding does not fit.
    WrongEncoding,
    /// The object can never have this value.
    WrongValue,
    /// There is no such row, and none can be made.
    NoCreation,
    /// The object could have this value, but not now.
    InconsistentValue,
    /// The device is short of something.
    ResourceUnavailable,
    /// It was accepted, and could not be done.
    CommitFailed,
    /// It could not be done whole, nor taken back whole.
    UndoFailed,
    /// The access was refused by the device's access control.
    AuthorizationError,
    /// The object cannot be written at all.
    NotWritable,
    /// There is no such row now.
    InconsistentName,
    /// A number that no RFC gives a name.
    Unknown(i64),
}

impl Status {
    /// By its number; `None` is noError.
    pub const fn of(error_status: i64) -> Option<Self> {
        Some(match error_status {
            0 => return None,
            1 => Self::TooBig,
            2 => Self::NoSuchName,
            3 => Self::BadValue,
            4 => Self::ReadOnly,
            5 => Self::GenErr,
            6 => Self::NoAccess,
            7 => Self::WrongType,
            8 => Self::WrongLength,
            9 => Self::WrongEncoding,
            10 => Self::WrongValue,
            11 => Self::NoCreation,
            12 => Self::InconsistentValue,
            13 => Self::ResourceUnavailable,
            14 => Self::CommitFailed,
            15 => Self::UndoFailed,
            16 => Self::AuthorizationError,
            17 => Self::NotWritable,
            18 => Self::InconsistentName,
            other => Self::Unknown(other),
        })
    }

    /// Its name in RFC 3416.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooBig => "tooBig",
            Self::NoSuchName => "noSuchName",
            Self::BadValue => "badValue",
            Self::ReadOnly => "readOnly",
            Self::GenErr => "genErr",
            Self::NoAccess => "noAccess",
            Self::WrongType => "wrongType",
            Self::WrongLength => "wrongLength",
            Self::WrongEncoding => "wrongEncoding",
            Self::WrongValue => "wrongValue",
            Self::NoCreation => "noCreation",
            Self::InconsistentValue => "inconsistentValue",
            Self::ResourceUnavailable => "resourceUnavailable",
            Self::CommitFailed => "commitFailed",
            Self::UndoFailed => "undoFailed",
            Self::AuthorizationError => "authorizationError",
            Self::NotWritable => "notWritable",
            Self::InconsistentName => "inconsistentName",
            Self::Unknown(_) => "an unknown error-status",
        }
    }

    /// Whether something may have been changed in spite of the refusal.
    pub const fn is_partial(self) -> bool {
        matches!(self, Self::GenErr | Self::CommitFailed | Self::UndoFailed | Self::Unknown(_))
    }

    /// What it means, and what to do about it.
    const fn remedy(self, version_1: bool) -> &'static str {
        match self {
            Self::NoSuchName if version_1 => {
                "with SNMPv1 this also means that the object may not be written: give the device a community with write access, \
                 or ask it by v2c or v3, which say which of the two it is"
            }
            Self::NoSuchName | Self::NoCreation | Self::InconsistentName => {
                "there is no such row: the port may have got another index; read the device's ports anew"
            }
            Self::NoAccess | Self::AuthorizationError => {
                "this community or user may not write it: allow it on the device, or configure another one for writing"
            }
            Self::NotWritable | Self::ReadOnly => {
                "the device does not let this object be written, or not by this community or user: allow it on the device, \
                 configure another one for writing, or take another way of blocking for it"
            }
            Self::WrongValue | Self::BadValue | Self::WrongLength | Self::WrongEncoding => {
                "the device does not take this value for this object: does the VLAN exist on it, is it in its range?"
            }
            Self::WrongType => "the device wants another type than its MIB says: take another way of blocking for it, and report it",
            Self::InconsistentValue => {
                "the device does not take this value in the state it is in: is the port a trunk, is it under 802.1X or in a LAG?"
            }
            Self::ResourceUnavailable => "the device is short of memory or of room in a table: look at its load, and try again later",
            Self::TooBig => "the request does not fit into what the device takes at once: report it",
            Self::CommitFailed => "the device accepted it and could not do it: read its log, and look at the port",
            Self::UndoFailed => "the device may have done a part of it: look at the port",
            Self::GenErr | Self::Unknown(_) => "the device gives no reason: read its log, and look at the port",
        }
    }
}

impl Refusal {
    pub(super) fn new(device: &str, version: Option<Version>, status: Status, index: i64, varbinds: &[Varbind]) -> Self {
        let object = usize::try_from(index).ok().and_then(|index| varbinds.get(index.checked_sub(1)?)).cloned();
        Self { device: device.to_owned(), status, object, version_1: version == Some(Version::V1) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refuses to set ", self.device)?;
        match &self.object {
            Some(object) => write!(f, "{object}")?,
            None => f.write_str("it")?,
        }
        write!(f, " ({}", self.status.name())?;
        if let Status::Unknown(number) = self.status {
            write!(f, " {number}")?;
        }
        write!(f, "): {}", self.status.remedy(self.version_1))
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snmp::set::Datum;

    #[test]
    fn every_number_has_its_name_and_a_remedy() {
        assert_eq!(Status::of(0), None);
        let names: Vec<&str> = (1..=18).map(|number| Status::of(number).unwrap().name()).collect();
        assert_eq!(
            names.join(" "),
            "tooBig noSuchName badValue readOnly genErr noAccess wrongType wrongLength wrongEncoding wrongValue \
            noCreation inconsistentValue resourceUnavailable commitFailed undoFailed authorizationError notWritable inconsistentName"
        );
        for number in [-1, 19, i64::MAX] {
            assert_eq!(Status::of(number), Some(Status::Unknown(number)));
        }
    }

    #[test]
    fn a_refusal_is_a_sentence_with_its_object_and_what_to_do() {
        let varbind = Varbind::new("1.3.6.1.2.1.2.2.1.7.3".parse().unwrap(), Datum::Integer(2));
        let varbinds = [varbind];
        let refusal = |version, number, index| Refusal::new("sw-3", version, Status::of(number).unwrap(), index, &varbinds).to_string();
        let v2c = refusal(Some(Version::V2c), 17, 1);
        assert!(v2c.starts_with("sw-3 refuses to set 1.3.6.1.2.1.2.2.1.7.3 = INTEGER: 2 (notWritable): "), "{v2c}");
        assert!(refusal(Some(Version::V1), 2, 1).contains("v2c or v3"), "v1 says one thing for two");
        assert!(refusal(None, 2, 1).contains("another index"));
        assert!(refusal(None, 99, 1).contains("(an unknown error-status 99)"));
        // An index that points nowhere is no reason to lose the rest.
        for index in [0, 2, -1, i64::MIN] {
            assert!(refusal(None, 6, index).starts_with("sw-3 refuses to set it (noAccess): "));
        }
    }
}
