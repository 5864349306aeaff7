//! From settings to what the rooms below understand: targets, poll plans, labels.

use std::sync::Arc;

use crate::block::actuator::{Access, Reach};
use crate::config::settings::{Auth, Credentials as Configured, DeviceSettings, Privacy, User};
use crate::config::{Secret as ConfiguredSecret, Settings};
use crate::model::DeviceId;
use crate::ports::live::DeviceLabel;
use crate::snmp::job::{AuthProtocol, Credentials, Patience, PrivProtocol, Secret, Target};
use crate::snmp::message::Version;
use crate::snmp::poll::driver::{PollDevice, PortInterval};

/// Where a configured device is and how to talk to it.
pub fn target(device: &DeviceSettings) -> Arc<Target> {
    target_as(device, &device.credentials)
}

/// How a configured device is read, and how it is changed.
pub fn access(device: &DeviceSettings) -> Access {
    Access { read: target(device), write: device.write.as_ref().map(|configured| target_as(device, configured)) }
}

/// Everything that the hands of the blocking room can reach.
pub(super) fn reach(settings: &Settings) -> Reach {
    Reach { devices: settings.devices.iter().map(access).collect() }
}

fn target_as(device: &DeviceSettings, configured: &Configured) -> Arc<Target> {
    Arc::new(Target {
        name: Arc::clone(&device.name),
        address: device.address,
        credentials: credentials(configured),
        patience: Patience {
            min_timeout: device.patience.min_timeout,
            max_timeout: device.patience.max_timeout,
            tries: device.patience.tries,
        },
    })
}

/// What pages and metrics call a configured device.
pub(super) fn label(id: DeviceId, device: &DeviceSettings) -> Arc<DeviceLabel> {
    Arc::new(DeviceLabel {
        id,
        name: Arc::clone(&device.name),
        address: device.address,
        site: Arc::clone(&device.site),
        zone: device.zone,
        interval_s: u32::try_from(device.interval.as_secs()).unwrap_or(u32::MAX),
    })
}

fn credentials(configured: &Configured) -> Credentials {
    match configured {
        Configured::V1 { community } => Credentials::Community { version: Version::V1, community: secret(community) },
        Configured::V2c { community } => Credentials::Community { version: Version::V2c, community: secret(community) },
        Configured::V3(user) => self::user(user),
    }
}

/// What the rooms of the wire call a user of SNMPv3.
pub(super) fn user(user: &User) -> Credentials {
    Credentials::User {
        user: user.name.clone(),
        auth: user.auth.as_ref().map(|(protocol, phrase)| (auth(*protocol), secret(phrase))),
        privacy: user.privacy.as_ref().map(|(protocol, phrase)| (privacy(*protocol), secret(phrase))),
        context: user.context.clone(),
    }
}

/// A secret, as the rooms of the wire hold it.
pub(super) fn secret(configured: &ConfiguredSecret) -> Secret {
    Secret::new(configured.expose().as_bytes())
}

const fn auth(protocol: Auth) -> AuthProtocol {
    match protocol {
        Auth::Md5 => AuthProtocol::Md5,
        Auth::Sha1 => AuthProtocol::Sha1,
        Auth::Sha224 => AuthProtocol::Sha224,
        Auth::Sha256 => AuthProtocol::Sha256,
        Auth::Sha384 => AuthProtocol::Sha384,
        Auth::Sha512 => AuthProtocol::Sha512,
    }
}

const fn privacy(protocol: Privacy) -> PrivProtocol {
    match protocol {
        Privacy::Des => PrivProtocol::Des,
        Privacy::Aes128 => PrivProtocol::Aes128,
        Privacy::Aes192 => PrivProtocol::Aes192,
        Privacy::Aes256 => PrivProtocol::Aes256,
    }
}

/// What the poller takes.
pub(super) fn poll_device(id: DeviceId, device: &DeviceSettings) -> PollDevice {
    PollDevice {
        id,
        target: target(device),
        interval: device.interval,
        port_intervals: device.ports.iter().map(|rule| PortInterval { if_name: rule.matches.clone(), interval: rule.interval }).collect(),
    }
}
