//! What a judgement is about: one key that stays the same through renumbering, restarts and years.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a finding or an incident is about. The names are those of the configuration and of the devices, so that a record
/// can be read without the catalogue. The text form (`port:sw-a3/Gi0/17`) is its key in the database, in JSON and in addresses.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// A polled device, by its configured name.
    Device(Arc<str>),
    /// A port: the device's configured name and the port's name (ifName).
    Port(Arc<str>, Arc<str>),
    /// A host that is pinged, by its configured name. A device's own address is pinged as the device.
    Host(Arc<str>),
    /// A service on a host: the host's name and the check's name.
    Service(Arc<str>, Arc<str>),
    /// A part of netroom itself: `store`, `disk`, `link`, `mail`, `duty` ...
    Part(Arc<str>),
    /// A machine that nobody configured, by what it is known by: its MAC address, or its IP address when it sits behind a router.
    Machine(Arc<str>),
    /// A group that changed together: a site's name, or empty for the whole network.
    Site(Arc<str>),
}

impl Subject {
    /// The kind's word, the part of the key before the colon.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Device(_) => "device",
            Self::Port(..) => "port",
            Self::Host(_) => "host",
            Self::Service(..) => "service",
            Self::Part(_) => "part",
            Self::Machine(_) => "machine",
            Self::Site(_) => "site",
        }
    }

    /// The device or host that it is, or stands on.
    pub fn holder(&self) -> Option<&Arc<str>> {
        match self {
            Self::Device(name) | Self::Host(name) | Self::Port(name, _) | Self::Service(name, _) => Some(name),
            Self::Part(_) | Self::Machine(_) | Self::Site(_) => None,
        }
    }

    /// The name as people say it: `sw-a3 Gi0/17`, without the kind.
    pub fn name(&self) -> String {
        match self {
            Self::Device(name) | Self::Host(name) | Self::Part(name) | Self::Machine(name) | Self::Site(name) => name.to_string(),
            Self::Port(holder, name) | Self::Service(holder, name) => format!("{holder} {name}"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(name) | Self::Host(name) | Self::Part(name) | Self::Machine(name) | Self::Site(name) => {
                write!(f, "{}:{name}", self.kind())
            }
            // Names of devices and hosts have no slash; names of ports have.
            Self::Port(holder, name) | Self::Service(holder, name) => write!(f, "{}:{holder}/{name}", self.kind()),
        }
    }
}

/// A text that is no subject.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{0}` names no subject; write it as device:NAME, port:DEVICE/PORT, host:NAME, service:HOST/CHECK, machine:ADDRESS, part:NAME or site:NAME"
)]
pub struct UnknownSubject(pub String);

impl FromStr for Subject {
    type Err = UnknownSubject;

    fn from_str(text: &str) -> Result<Self, UnknownSubject> {
        let unknown = || UnknownSubject(text.to_owned());
        let (kind, name) = text.split_once(':').ok_or_else(unknown)?;
        let pair = || name.split_once('/').filter(|(holder, rest)| !holder.is_empty() && !rest.is_empty());
        match kind {
            "site" => Ok(Self::Site(name.into())),
            _ if name.is_empty() => Err(unknown()),
            "device" => Ok(Self::Device(name.into())),
            "host" => Ok(Self::Host(name.into())),
            "part" => Ok(Self::Part(name.into())),
            "machine" => Ok(Self::Machine(name.into())),
            "port" => pair().map(|(holder, port)| Self::Port(holder.into(), port.into())).ok_or_else(unknown),
            "service" => pair().map(|(holder, check)| Self::Service(holder.into(), check.into())).ok_or_else(unknown),
            _ => Err(unknown()),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Subject;

    #[test]
    fn a_key_gives_its_subject_back() {
        for subject in [
            Subject::Device("核心-1".into()),
            Subject::Port("sw-a3".into(), "Gi1/0/17".into()),
            Subject::Host("dns1".into()),
            Subject::Service("www".into(), "https".into()),
            Subject::Part("disk".into()),
            Subject::Machine("00:25:90:ab:cd:ef".into()),
            Subject::Site("".into()),
        ] {
            assert_eq!(subject.to_string().parse(), Ok(subject));
        }
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for text in ["", "sw-a3", "device:", "port:sw-a3", "port:/Gi1", "service:www/", "user:x"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
