//! Who we are to each device: communities and SNMPv3 users (RFC 3414), from the device, else from `[snmp]`.

use std::collections::BTreeMap;

use super::problem::Code;
use super::raw::{RawDevice, RawSnmp, RawUser, Version};
use super::resolve::Judge;
use super::secret::Secret;
use super::secrets::Ways;
use super::settings::{Credentials, User};
use super::source::At;
use super::suggest::nearest;

/// RFC 3414 section 11.2.
const SHORTEST_PASS_PHRASE: usize = 8;

/// The communities that are in every scanner's list, so that hiding them is no use.
const PUBLIC: [&str; 2] = ["public", "private"];

/// What `[snmp]` has to offer to its devices.
pub(super) struct Users {
    community: Option<Secret>,
    write: Option<Secret>,
    /// `None` for a user that is at fault, which was told.
    users: BTreeMap<String, Option<User>>,
}

impl Users {
    pub(super) fn resolve(judge: &mut Judge<'_>, snmp: &RawSnmp) -> Self {
        let community = judge.secret(&snmp.community_ways());
        let write = judge.secret(&snmp.write_ways());
        let users = snmp.users.iter().flatten().map(|(key, raw)| (key.clone(), user(judge, key, raw))).collect();
        Self { community, write, users }
    }

    /// All users without fault.
    pub(super) fn all(self) -> Vec<User> {
        self.users.into_values().flatten().collect()
    }
}

/// The credentials of one device; `None` when something is wrong, which was told. `missing` is where to tell what is not
/// there; `None` where damage elsewhere may be the cause.
pub(super) fn credentials(
    judge: &mut Judge<'_>,
    snmp: &RawSnmp,
    users: &Users,
    device: &RawDevice,
    missing: Option<usize>,
) -> Option<Credentials> {
    let own = device.community_ways();
    let own_community = own.offsets().next();
    let version = match (&device.version, &device.user, own_community, &snmp.version) {
        (Some(at), ..) => at.value,
        (None, Some(_), None, _) => Version::V3,
        (None, None, Some(_), Some(at)) if at.value == Version::V3 => Version::V2c,
        (.., Some(at)) => at.value,
        (.., None) if own_community.is_none() && users.community.is_none() && snmp.user.is_some() => Version::V3,
        (.., None) => Version::V2c,
    };
    if version == Version::V3 {
        if let Some(at) = own_community {
            judge.error(at, Code::BadCredentials, "SNMPv3 has no community", "remove the community, or write version = \"2c\"");
        }
        return v3(judge, snmp, users, device, missing);
    }
    if let Some(at) = &device.user {
        judge.error(at.offset, Code::BadCredentials, "only SNMPv3 has users", "remove `user`, or write version = \"3\"");
    }
    let community = match own_community {
        Some(_) => judge.secret(&own)?,
        None => match &users.community {
            Some(community) => community.clone(),
            // A default that cannot be read was told once; every device need not repeat it.
            None if snmp.community_ways().offsets().next().is_some() => {
                return None;
            }
            None => {
                let remedy = "add community_file = \"...\" (or community = \"...\") to the device or to [snmp]";
                let offset = missing.filter(|_| !judge.is_section_damaged("snmp"))?;
                judge.error(offset, Code::MissingSecret, "this device has no community", remedy);
                return None;
            }
        },
    };
    Some(if version == Version::V1 { Credentials::V1 { community } } else { Credentials::V2c { community } })
}

fn v3(judge: &mut Judge<'_>, snmp: &RawSnmp, users: &Users, device: &RawDevice, missing: Option<usize>) -> Option<Credentials> {
    let Some(at) = device.user.as_ref().or(snmp.user.as_ref()) else {
        let remedy = "add user = \"KEY\" to the device or to [snmp], and [snmp.users.KEY] with its pass phrases";
        let offset = missing.filter(|_| !judge.is_section_damaged("snmp"))?;
        judge.error(offset, Code::MissingKey, "this SNMPv3 device has no `user`", remedy);
        return None;
    };
    named(judge, users, at)
}

/// The user of this key.
fn named(judge: &mut Judge<'_>, users: &Users, at: &At<String>) -> Option<Credentials> {
    if let Some(user) = users.users.get(&at.value) {
        return user.clone().map(Credentials::V3);
    }
    let remedy = match nearest(&at.value, users.users.keys().map(String::as_str)) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("add a section [snmp.users.{}]", at.value),
    };
    if judge.is_section_damaged("snmp.users") {
        return None;
    }
    judge.error(at.offset, Code::UnknownUser, format!("there is no SNMPv3 user \"{}\"", at.value), remedy);
    None
}

/// Who we are to a device where we change something: what the device says, else what `[snmp]` says, else nobody. The outer
/// `None` means that something is wrong, which was told.
pub(super) fn write(judge: &mut Judge<'_>, snmp: &RawSnmp, users: &Users, device: &RawDevice) -> Option<Option<Credentials>> {
    let own = device.write_ways();
    let own_community = own.offsets().next();
    if let (Some(user), Some(at)) = (&device.write_user, own_community) {
        let message = "`write_user` and `write_community` are both given";
        judge.conflict(at, user.offset, Code::TwoWays, message.into(), "keep one of them, best the user");
        return None;
    }
    if let Some(at) = &device.write_user {
        return named(judge, users, at).map(Some);
    }
    let version = device.version.as_ref().or(snmp.version.as_ref()).map(|at| at.value);
    let by = |community| match version {
        Some(Version::V1) => Credentials::V1 { community },
        _ => Credentials::V2c { community },
    };
    if own_community.is_some() {
        return judge.secret(&own).map(by).map(Some);
    }
    match (&snmp.write_user, snmp.write_ways().offsets().next(), &users.write) {
        (Some(user), Some(at), _) => {
            let message = "`write_user` and `write_community` are both given";
            judge.conflict(at, user.offset, Code::TwoWays, message.into(), "keep one of them, best the user");
            None
        }
        (Some(at), None, _) => named(judge, users, at).map(Some),
        // One that cannot be read was told once.
        (None, Some(_), None) => None,
        (None, _, community) => Some(community.clone().map(by)),
    }
}

fn user(judge: &mut Judge<'_>, key: &str, at: &At<RawUser>) -> Option<User> {
    let raw = &at.value;
    let auth = Ways {
        key: "auth_password",
        inline: raw.auth_password.as_ref(),
        file: raw.auth_password_file.as_ref(),
        credential: raw.auth_password_credential.as_ref(),
    };
    let privacy = Ways {
        key: "privacy_password",
        inline: raw.privacy_password.as_ref(),
        file: raw.privacy_password_file.as_ref(),
        credential: raw.privacy_password_credential.as_ref(),
    };
    let has_auth = raw.auth.as_ref().map(|at| at.offset);
    let damaged = judge.is_section_damaged(&format!("snmp.users.{key}."));
    let auth = pass_phrase(judge, damaged, raw.auth.as_ref().map(|at| (at.value, at.offset)), &auth, "auth = \"sha256\"");
    let private = pass_phrase(judge, damaged, raw.privacy.as_ref().map(|at| (at.value, at.offset)), &privacy, "privacy = \"aes128\"");
    if let (Some(at), None) = (&raw.privacy, has_auth) {
        judge.error(at.offset, Code::BadCredentials, "privacy needs authentication too", "add `auth` and its pass phrase");
    }
    let name = raw.name.as_ref().map_or(key, |at| &at.value);
    if name.is_empty() || name.len() > 32 {
        judge.error(
            at.offset,
            Code::BadName,
            "the name of an SNMPv3 user has 1 to 32 octets",
            "write the securityName that the device knows",
        );
    }
    let context = raw.context.as_ref().map(|at| at.value.clone()).unwrap_or_default();
    Some(User { name: name.to_owned(), context, auth: auth.ok()?, privacy: private.ok()? })
}

/// A protocol with its pass phrase, both or neither. `Err` when something is wrong, which was told.
fn pass_phrase<P>(
    judge: &mut Judge<'_>,
    damaged: bool,
    protocol: Option<(P, usize)>,
    ways: &Ways<'_>,
    example: &str,
) -> Result<Option<(P, Secret)>, ()> {
    let key = ways.key;
    match (protocol, ways.offsets().next()) {
        (None, None) => Ok(None),
        (None, Some(_)) | (Some(_), None) if damaged => Err(()),
        (None, Some(at)) => {
            judge.error(at, Code::BadCredentials, format!("`{key}` is given, but not its protocol"), format!("add a line like {example}"));
            Err(())
        }
        (Some((_, at)), None) => {
            let remedy = format!("add {key}_file = \"...\" (or {key} = \"...\")");
            judge.error(at, Code::MissingSecret, format!("this protocol has no `{key}`"), remedy);
            Err(())
        }
        (Some((protocol, _)), Some(at)) => {
            let secret = judge.secret(ways).ok_or(())?;
            if secret.expose().chars().count() < SHORTEST_PASS_PHRASE {
                let remedy =
                    format!("take {SHORTEST_PASS_PHRASE} characters or more, as the device itself demands (RFC 3414 section 11.2)");
                judge.error(at, Code::BadCredentials, format!("the pass phrase of `{key}` is too short"), remedy);
            }
            Ok(Some((protocol, secret)))
        }
    }
}

impl Judge<'_> {
    /// The secret by the one way it is given; `None` when by none, or when something is wrong, which was told.
    pub(super) fn secret(&mut self, ways: &Ways<'_>) -> Option<Secret> {
        let key = ways.key;
        let mut offsets = ways.offsets();
        let first = offsets.next()?;
        if let Some(second) = offsets.next() {
            let message = format!("`{key}` is given in two ways");
            self.conflict(second, first, Code::TwoSecrets, message, "keep one of them, best the file or the credential");
            return None;
        }
        if [ways.file, ways.credential].into_iter().flatten().any(|at| at.value.is_empty()) {
            self.error(
                first,
                Code::MissingSecret,
                format!("`{key}_file` or `{key}_credential` is empty"),
                "name the file or the credential",
            );
            return None;
        }
        let (found, from_file) = match *ways {
            Ways { inline: Some(at), .. } => return self.inline_secret(at, key),
            Ways { file: Some(at), .. } => (self.secrets.file(&self.sources.relative(at.offset, &at.value)), true),
            Ways { credential: Some(at), .. } => (self.secrets.credential(&at.value), false),
            _ => return None,
        };
        match found {
            Ok(found) => {
                if from_file && found.exposed {
                    let remedy = "take the others' right away: chmod 600, owned by the account that netroom runs as";
                    self.warn(first, Code::ExposedSecret, format!("others on this machine can read the file of `{key}`"), remedy);
                }
                Some(found.secret)
            }
            Err(unreadable) => {
                self.error(first, Code::UnreadableSecret, format!("`{key}`: {unreadable}"), unreadable.remedy);
                None
            }
        }
    }

    fn inline_secret(&mut self, at: &At<String>, key: &str) -> Option<Secret> {
        if at.value.is_empty() {
            self.error(at.offset, Code::MissingSecret, format!("`{key}` is empty"), format!("write it, or use {key}_file"));
            return None;
        }
        let exposed = self.sources.file(at.offset).is_some_and(|file| file.exposed);
        if exposed && !PUBLIC.contains(&at.value.as_str()) {
            let remedy = format!("move it to a file of its own and write {key}_file = \"...\", or chmod 600 this one");
            self.warn(at.offset, Code::ExposedSecret, format!("every account of this machine can read `{key}` in this file"), remedy);
        }
        Some(Secret::new(at.value.as_str()))
    }
}
