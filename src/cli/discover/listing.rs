//! What the sweep found, as configuration for conf.d or as JSON. Pure.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use super::super::snmp_args::Known;
use super::sweep::{Found, Speaker};
use crate::snmp::job::Credentials;
use crate::snmp::message::Version;

/// The SNMP port that needs no mention.
const USUAL_PORT: u16 = 161;
/// The longest name of a device in the configuration.
const LONGEST_NAME: usize = 63;

/// A device and all addresses that it answers at.
struct Device<'a> {
    first: &'a Found,
    speaker: &'a Speaker,
    others: Vec<IpAddr>,
}

/// Addresses of one device are joined: the same snmpEngineID, or the same sysName and MAC address.
fn devices(found: &[Found]) -> Vec<Device<'_>> {
    let mut devices: Vec<Device<'_>> = Vec::new();
    for (one, speaker) in found.iter().filter_map(|one| Some((one, one.snmp.as_ref()?))) {
        match devices.iter_mut().find(|device| is_same(device.speaker, speaker)) {
            Some(device) => device.others.push(one.address),
            None => devices.push(Device { first: one, speaker, others: Vec::new() }),
        }
    }
    devices
}

fn is_same(one: &Speaker, other: &Speaker) -> bool {
    // Some makers give all their devices the same engine: a different name or address tells them apart all the same.
    let differs = one.mac.zip(other.mac).is_some_and(|(one, other)| one != other);
    let same_engine = !one.engine.is_empty() && one.engine == other.engine;
    let same_name = !one.name.is_empty() && one.name == other.name && one.mac.is_some() && one.mac == other.mac;
    !differs && (same_name || (same_engine && one.name == other.name))
}

/// TOML for conf.d.
pub(super) fn toml(found: &[Found], known: &[Known], port: u16) -> String {
    let devices = devices(found);
    let mut text = String::new();
    let mut names = HashSet::new();
    if known.iter().enumerate().any(|(place, known)| is_user(known) && devices.iter().any(|device| device.speaker.known == place)) {
        text.push_str("# These devices use the SNMPv3 user of [snmp] in the main file; name it there:\n");
        text.push_str("# [snmp]\n# user = \"KEY\"\n# [snmp.users.KEY]   with its name, protocols and pass phrase files\n\n");
    }
    for device in &devices {
        let name = free_name(device, &mut names);
        let mut line = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        for comment in [first_line(device.speaker.descr.as_str()), &device.speaker.object_id] {
            if !comment.is_empty() {
                line(format!("# {comment}"));
            }
        }
        line("[[device]]".into());
        line(format!("name = {}", quoted(&name)));
        line(format!("address = {}", quoted(&device.first.address.to_string())));
        if port != USUAL_PORT {
            line(format!("port = {port}"));
        }
        known.get(device.speaker.known).into_iter().flat_map(credentials).for_each(&mut line);
        if !device.others.is_empty() {
            let others: Vec<String> = device.others.iter().map(ToString::to_string).collect();
            line(format!("# the same device also answers at {}", others.join(", ")));
        }
        line(String::new());
    }
    for one in found.iter().filter(|one| one.snmp.is_none()) {
        let what = if one.refused.is_some() { "speaks SNMP, but refuses these credentials" } else { "answers ping, but not SNMP" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# {} {what}", one.address);
    }
    text
}

/// A JSON array, one object for each address that answers.
pub(super) fn json(found: &[Found]) -> Vec<serde_json::Value> {
    let one = |one: &Found| {
        let speaker = one.snmp.as_ref();
        serde_json::json!({
            "address": one.address,
            "ping_ms": one.ping.map(|rtt| rtt.as_secs_f64() * 1000.0),
            "snmp": speaker.is_some(),
            "error": one.refused,
            "sysName": speaker.map(|speaker| speaker.name.as_str()),
            "sysDescr": speaker.map(|speaker| speaker.descr.as_str()),
            "sysObjectID": speaker.map(|speaker| speaker.object_id.as_str()),
            "snmpEngineID": speaker.map(|speaker| speaker.engine.iter().map(|octet| format!("{octet:02x}")).collect::<String>()),
            "ifPhysAddress": speaker.and_then(|speaker| speaker.mac).map(|mac| mac.to_string()),
        })
    };
    found.iter().map(one).collect()
}

const fn is_user(known: &Known) -> bool {
    matches!(known.credentials, Credentials::User { .. })
}

/// The lines of the credentials that the device took. A community that came from a file stays there.
fn credentials(known: &Known) -> Vec<String> {
    let Credentials::Community { version, community } = &known.credentials else { return vec!["version = \"3\"".into()] };
    let secret = match &known.file {
        Some(file) => {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            format!("community_file = {}", quoted(&file.to_string_lossy()))
        }
        None => format!("community = {}", quoted(&String::from_utf8_lossy(community.expose()))),
    };
    let version = match version {
        Version::V1 => Some("version = \"1\"".to_owned()),
        Version::V2c => None,
    };
    version.into_iter().chain([secret]).collect()
}

/// A name that the configuration takes and no other device here has: sysName without its domain, else the address.
fn free_name(device: &Device<'_>, taken: &mut HashSet<String>) -> String {
    let plain = |text: &str| -> String {
        let letters = text.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' });
        let text: String = letters.take(LONGEST_NAME - 4).collect();
        text.trim_matches(['-', '_']).to_owned()
    };
    let short = device.speaker.name.as_str().split('.').next().unwrap_or_default();
    let own = Some(plain(short)).filter(|name| !name.is_empty());
    let base = own.unwrap_or_else(|| format!("sw-{}", plain(&device.first.address.to_string().replace([':', '.'], "-"))));
    let numbered = (2..).map(|number: u32| format!("{base}-{number}"));
    let name = std::iter::once(base.clone()).chain(numbered).find(|name| !taken.contains(&name.to_lowercase())).unwrap_or(base);
    taken.insert(name.to_lowercase());
    name
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim()
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeviceText, MacAddr};
    use crate::snmp::job::Secret;

    fn known(community: &str, file: Option<&str>) -> Known {
        let credentials = Credentials::Community { version: Version::V2c, community: Secret::new(community.as_bytes()) };
        Known { credentials, file: file.map(Into::into) }
    }

    fn found(address: &str, name: &str, mac: u8, engine: &[u8]) -> Found {
        let speaker = Speaker {
            known: 0,
            name: DeviceText::from(name),
            descr: DeviceText::from("Switch 5000\nVersion \"7\""),
            object_id: "1.3.6.1.4.1.9.1.1".into(),
            engine: engine.to_vec(),
            mac: Some(MacAddr([2, 0, 0, 0, 0, mac])),
        };
        Found { address: address.parse().unwrap(), ping: None, snmp: Some(speaker), refused: None }
    }

    #[test]
    fn what_is_found_is_configuration_that_can_be_read_back() {
        let ping =
            Found { address: "10.0.0.9".parse().unwrap(), ping: Some(std::time::Duration::from_millis(1)), snmp: None, refused: None };
        let list = [
            found("10.0.0.1", "core-1.office.example", 1, b"one"),
            found("10.0.0.2", "core-1.office.example", 1, b"one"),
            found("10.0.0.3", "core-1.other.example", 3, b"three"),
            found("10.0.0.4", "三楼 交换机", 4, b""),
            found("10.0.0.5", "", 5, b"five"),
            ping,
        ];
        let text = toml(&list, &[known("pub\"lic", None)], 1161);
        let read: toml::Table = text.parse().unwrap();
        let devices = read["device"].as_array().unwrap();
        let names: Vec<_> = devices.iter().map(|device| device["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["core-1", "core-1-2", "三楼-交换机", "sw-10-0-0-5"]);
        assert!(devices.iter().all(|device| device["community"].as_str() == Some("pub\"lic") && device["port"].as_integer() == Some(1161)));
        assert!(text.contains("# the same device also answers at 10.0.0.2\n"));
        assert!(text.contains("# 10.0.0.9 answers ping, but not SNMP\n"));
    }

    #[test]
    fn a_community_from_a_file_is_not_printed() {
        let text = toml(&[found("10.0.0.1", "a", 1, b"")], &[known("hidden", Some("/etc/netroom/community"))], 161);
        assert!(text.contains("community_file = \"/etc/netroom/community\"") && !text.contains("hidden") && !text.contains("port"));
    }

    #[test]
    fn devices_of_one_maker_that_share_an_engine_are_still_two() {
        let list = [found("10.0.0.1", "switch", 1, b"maker"), found("10.0.0.2", "switch", 2, b"maker")];
        assert_eq!(devices(&list).len(), 2);
    }
}
