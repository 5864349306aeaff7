//! The configuration as its users meet it: bad files with what is said about them, layers, secrets that stay secret.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::problem::{Code, Severity};
use super::settings::{Credentials, LogFormat};
use super::*;

/// A directory with files in it, all of them for its owner and others to read but those in `secrets/`.
struct Room(tempfile::TempDir);

impl Room {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let room = Self(tempfile::tempdir().unwrap());
        for (name, bytes) in files {
            let path = room.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
            let secret = name.starts_with("secrets/") && !name.ends_with("exposed");
            fs::set_permissions(&path, fs::Permissions::from_mode(if secret { 0o600 } else { 0o644 })).unwrap();
        }
        room
    }

    fn origin(&self) -> Origin {
        Origin { main: self.0.path().join("netroom.toml"), overrides: Overrides::default(), credentials: None }
    }

    /// The settings or the problems, with the directory's name taken out of the words.
    fn load(&self) -> (Option<Loaded>, String) {
        let prefix = format!("{}/", self.0.path().display());
        match self.origin().load() {
            Ok(loaded) => {
                let words = loaded.warnings.to_string().replace(&prefix, "");
                (Some(loaded), words)
            }
            Err(problems) => (None, problems.to_string().replace(&prefix, "")),
        }
    }
}

fn load(text: &str) -> (Option<Loaded>, String) {
    Room::new(&[("netroom.toml", text.as_bytes())]).load()
}

fn good(text: &str) -> Settings {
    let (loaded, words) = load(text);
    loaded.unwrap_or_else(|| panic!("{words}")).settings
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config")
}

/// One file a rule: what is said about it is a snapshot beside it.
#[test]
fn bad_files_are_told_as_agreed() {
    let secrets: Vec<(String, Vec<u8>)> = fs::read_dir(fixtures().join("secrets"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (format!("secrets/{}", entry.file_name().display()), fs::read(entry.path()).unwrap()))
        .collect();
    let mut codes = BTreeSet::new();
    let mut files: Vec<PathBuf> = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    assert!(files.len() > 20, "the fixtures are not where they should be");
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let bytes = fs::read(&path).unwrap();
        let mut room: Vec<(&str, &[u8])> = secrets.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        room.push(("netroom.toml", &bytes));
        let room = Room::new(&room);
        match room.origin().load() {
            Ok(loaded) => codes.extend(loaded.warnings.iter().map(|problem| problem.code)),
            Err(problems) => codes.extend(problems.iter().map(|problem| problem.code)),
        }
        let (loaded, words) = room.load();
        assert_eq!(loaded.is_some(), ["good", "exposed-secret"].contains(&name.as_str()), "{name}:\n{words}");
        insta::with_settings!({ snapshot_path => fixtures().join("expected"), prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, words);
        });
    }
    codes.insert(Code::UnreadableFile); // Needs a directory or a missing file: below.
    assert_eq!(
        codes.len(),
        Code::ALL.len(),
        "rules without a bad file: {:?}",
        Code::ALL.iter().filter(|code| !codes.contains(code)).collect::<Vec<_>>()
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let room = Room::new(&[("conf.d/a.toml/inner", b"")]);
    let (loaded, words) = room.load();
    assert!(loaded.is_none());
    insta::assert_snapshot!(words, @r#"
    conf.d/a.toml: error[unreadable-file]: cannot be read: it is a directory
      to do: see that it is a plain file on a healthy disk
    netroom.toml: error[unreadable-file]: cannot be read: it does not exist
      to do: create it, or name another with --config
    2 errors, 0 warnings
    "#);
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let settings = good("");
    assert_eq!(settings.web.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.retention, settings::RetentionSettings::default());
    assert!(settings.devices.is_empty());
}

#[test]
fn a_device_takes_from_snmp_what_it_does_not_say() {
    let settings = good(
        r#"
        [snmp]
        community = "public"
        interval = "5m"
        tries = 5
        [[device]]
        name = "a"
        address = "10.0.0.1"
        [[device]]
        name = "b"
        address = "10.0.0.2"
        community = "private"
        interval = "10s"
        tries = 1
        port = 1161
        ports = [{ match = "Gi0/1", interval = "15s" }, { match = "Gi*", interval = "1m" }]
        "#,
    );
    let [a, b] = settings.devices.as_slice() else { panic!("{:?}", settings.devices) };
    assert_eq!((a.address.to_string().as_str(), a.interval.as_secs(), a.patience.tries), ("10.0.0.1:161", 300, 5));
    assert_eq!(a.credentials, Credentials::V2c { community: Secret::new("public") });
    assert_eq!((b.address.to_string().as_str(), b.interval.as_secs(), b.patience.tries), ("10.0.0.2:1161", 10, 1));
    assert_eq!(b.credentials, Credentials::V2c { community: Secret::new("private") });
    assert_eq!(["Gi0/1", "Gi0/2", "Te1"].map(|port| b.port_interval(port).as_secs()), [15, 60, 10], "the first rule that matches");
}

#[test]
fn a_device_is_changed_by_what_it_or_snmp_gives_for_that_alone() {
    let settings = good(
        "[snmp]\ncommunity = \"looker\"\nwrite_user = \"boss\"\n\
         [snmp.users.boss]\nauth = \"sha256\"\nauth_password = \"authpass-boss\"\n\
         [[device]]\nname = \"a\"\naddress = \"10.0.0.1\"\n\
         [[device]]\nname = \"b\"\naddress = \"10.0.0.2\"\nversion = \"1\"\nwrite_community = \"hunter2\"\n",
    );
    assert!(matches!(&settings.devices[0].write, Some(Credentials::V3(user)) if user.name == "boss"));
    assert!(matches!(&settings.devices[1].write, Some(Credentials::V1 { community }) if community.expose() == "hunter2"));
    assert!(!toml::to_string(&settings).unwrap().contains("hunter2") && !format!("{settings:?}").contains("hunter2"));
    let device = "[snmp]\ncommunity = \"looker\"\n[[device]]\nname = \"a\"\naddress = \"10.0.0.1\"\n";
    assert_eq!(good(device).devices[0].write, None, "whoever may look may not change");
    for (more, words) in [
        ("write_user = \"x\"\nwrite_community = \"y\"\n", "both given"),
        ("write_user = \"x\"\n", "there is no SNMPv3 user \"x\""),
        ("write_community = \"y\"\nwrite_community_file = \"z\"\n", "`write_community` is given in two ways"),
    ] {
        let (loaded, told) = load(&format!("{device}{more}"));
        assert!(loaded.is_none() && told.contains(words), "{told}");
    }
}

#[test]
fn layers_lie_over_each_other() {
    let room = Room::new(&[
        (
            "netroom.toml",
            b"data = 'a'\n[log]\nfilter = 'warn'\n[snmp]\ncommunity_file = 'nowhere'\n[[device]]\nname = 'a'\naddress = '10.0.0.1'\n",
        ),
        ("conf.d/20.toml", b"[log]\nfilter = 'debug'\n[[device]]\nname = 'c'\naddress = '10.0.0.3'\n"),
        (
            "conf.d/10.toml",
            b"data = 'b'\n[log]\nfilter = 'error'\n[snmp]\ncommunity = 'public'\n[[device]]\nname = 'b'\naddress = '10.0.0.2'\n",
        ),
        ("conf.d/.hidden.toml", b"not toml"),
        ("conf.d/README", b"not toml"),
    ]);
    let mut origin = room.origin();
    let settings = origin.load().unwrap_or_else(|problems| panic!("{problems}")).settings;
    assert_eq!(settings.devices.iter().map(|device| &*device.name).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(settings.log.filter, "debug");
    assert_eq!(settings.data, room.0.path().join("conf.d/b"), "a relative path counts from its own file");
    origin.overrides = Overrides {
        data: Some("/elsewhere".into()),
        listen: Some(([127, 0, 0, 9], 80).into()),
        log: Some("trace".into()),
        log_format: Some(LogFormat::Json),
    };
    let settings = origin.load().unwrap().settings;
    assert_eq!((settings.data, settings.web.listen.port()), ("/elsewhere".into(), 80));
    assert_eq!((settings.log.filter.as_str(), settings.log.format), ("trace", LogFormat::Json));
}

#[test]
fn two_files_that_contradict_each_other_are_both_named() {
    let device = b"[[device]]\nname = 'a'\naddress = '10.0.0.1'\ncommunity = 'public'\n";
    let (_, words) = Room::new(&[("netroom.toml", device), ("conf.d/x.toml", device)]).load();
    insta::assert_snapshot!(words, @r#"
    conf.d/x.toml:2:8: error[duplicate-name]: another device is called "a" already
      see also: netroom.toml:2:8
      to do: give each device its own name; its history is kept under it
    conf.d/x.toml:3:11: error[duplicate-address]: another device is asked at 10.0.0.1:161 already
      see also: netroom.toml:3:11
      to do: poll each device once; when one address forwards several agents, give each its own `port`
    2 errors, 0 warnings
    "#);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    assert_eq!(good("\u{feff}[log]\r\nfilter = 'warn'\r\n").log.filter, "warn");
}

#[test]
fn credentials_of_systemd_are_read() {
    let room = Room::new(&[
        ("netroom.toml", b"[snmp]\ncommunity_credential = 'snmp'\n[[device]]\nname = 'a'\naddress = '10.0.0.1'\n"),
        ("secrets/snmp", b"c0mpany\n"),
    ]);
    let mut origin = room.origin();
    origin.credentials = Some(room.0.path().join("secrets"));
    let loaded = origin.load().unwrap();
    assert_eq!(loaded.settings.devices[0].credentials, Credentials::V2c { community: Secret::new("c0mpany") });
    assert!(loaded.warnings.is_empty());
    fs::write(room.0.path().join("netroom.toml"), "[snmp]\ncommunity_credential = '../netroom.toml'\n").unwrap();
    assert!(origin.load().is_err(), "a credential is a name, not a path");
}

#[test]
fn the_sample_is_good_and_shows_every_setting() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/netroom.toml");
    let origin = Origin { main: sample.clone(), overrides: Overrides::default(), credentials: None };
    let loaded = origin.load().unwrap_or_else(|problems| panic!("{problems}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let mut settings = loaded.settings;
    settings.time_zone = jiff::tz::TimeZone::UTC;
    let defaults = Settings { data: settings.data.clone(), time_zone: jiff::tz::TimeZone::UTC, ..Settings::new("") };
    assert_eq!(toml::to_string(&settings).unwrap(), toml::to_string(&defaults).unwrap(), "the sample shows the defaults");

    // With every "# key" taken into force it holds each key of the schema, each known.
    let text = fs::read_to_string(sample).unwrap();
    let is_setting = |line: &str| {
        let key = line.trim_start_matches("# ");
        line.starts_with("# ")
            && (key.starts_with('[')
                || key
                    .split_once(" = ")
                    .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '5' || c == '1')))
    };
    let all: String =
        text.lines().map(|line| if is_setting(line) { &line[2..] } else { line }).fold(String::new(), |all, line| all + line + "\n");
    let table: toml::Table = all.parse().unwrap();
    let mut missing = Vec::new();
    compare(json_schema(), &toml::Value::Table(table), "", &mut missing);
    assert!(missing.is_empty(), "not in the sample: {missing:?}");
    // Some settings exclude each other; but none is misspelt, of a wrong type or out of range.
    let problems = Room::new(&[("netroom.toml", all.as_bytes())]).origin().load().unwrap_err();
    let excluding = [Code::TwoWays, Code::TwoSecrets, Code::BadCredentials, Code::UnreadableSecret, Code::UnreadableFile];
    assert!(problems.iter().all(|problem| excluding.contains(&problem.code)), "{problems}");
}

#[test]
fn the_example_of_conf_d_is_good_beside_the_sample() {
    let at = |path: &str| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(path)).unwrap();
    let room = Room::new(&[("netroom.toml", &at("netroom.toml")), ("conf.d/floor3.toml", &at("conf.d/floor3.toml.example"))]);
    let loaded = room.origin().load().unwrap_or_else(|problems| panic!("{problems}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    assert_eq!(loaded.settings.devices.len(), 3);
}

fn compare(schema: &serde_json::Value, value: &toml::Value, path: &str, missing: &mut Vec<String>) {
    if let Some(item) = value.as_array().and_then(|list| list.first()) {
        return compare(&schema["items"], item, path, missing);
    }
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        match value.get(key) {
            Some(value) => compare(inner, value, &format!("{path}.{key}"), missing),
            None => missing.push(format!("{path}.{key}")),
        }
    }
    if let (true, Some(value)) = (schema["additionalProperties"].is_object(), value.as_table().and_then(|table| table.values().next())) {
        compare(&schema["additionalProperties"], value, path, missing);
    }
}

#[test]
fn problems_are_json_too() {
    let problems = Room::new(&[("netroom.toml", b"dta = 1")]).origin().load().unwrap_err();
    let json = serde_json::to_value(&problems).unwrap();
    assert_eq!(json[0]["code"], "unknown-key");
    assert_eq!(json[0]["severity"], "error");
    assert_eq!((&json[0]["place"]["line"], &json[0]["place"]["column"]), (&1.into(), &1.into()));
    assert!(problems.iter().all(|problem| problem.severity == Severity::Error));
}

const SECRET: &str = "Xyzzy-Plugh-77";

/// A configuration with secrets at every place, one octet of it replaced or cut.
fn damaged() -> impl Strategy<Value = String> {
    let text = format!(
        "[snmp]\ncommunity = \"{SECRET}\"\nversion = '2c'\n[snmp.users.a]\nauth = 'md5'\nauth_password = '{SECRET}'\nprivacy = 'des'\n\
         privacy_password = \"\"\"\n{SECRET}\"\"\"\n[[device]]\nname = 'a'\naddress = '10.0.0.1'\ncommunity = \"{SECRET}\"\n"
    );
    (0..text.len(), 0..4_usize, prop::sample::select(vec!["", "\"", "'", "=", "[", "]", "\n", "\\", "5", "é", "#", "{", ","])).prop_map(
        move |(at, cut, with)| {
            let mut text = text.clone();
            text.replace_range(at..(at + cut).min(text.len()), with);
            text
        },
    )
}

proptest! {
    #[test]
    fn any_text_is_judged_without_panic(text in any::<String>()) {
        let _ = load(&text);
    }

    #[test]
    fn any_near_toml_is_judged_without_panic(text in "([\\[\\]{}=\",.#\n' ]|snmp|device|name|address|users|ports|match|5|1s|true){0,40}") {
        let _ = load(&text);
    }

    #[test]
    fn no_problem_shows_a_secret(text in damaged()) {
        let (loaded, words) = load(&text);
        // A cut within the secret itself leaves a shorter one; its core must not be seen either.
        prop_assert!(!words.contains("Plugh"), "{}", words);
        let shown = format!("{loaded:?}");
        prop_assert!(!shown.contains("Plugh"));
        if let Some(loaded) = loaded {
            prop_assert!(!toml::to_string(&loaded.settings).unwrap().contains("Plugh"));
        }
    }
}

#[test]
fn strangers_may_look_only_where_this_machine_alone_is_listened_to() {
    use super::access::Anonymous;
    let anonymous = |text: &str| good(text).access.anonymous;
    assert_eq!(anonymous(""), Anonymous::Viewer);
    assert_eq!(anonymous("[web]\nlisten = '[::1]:80'"), Anonymous::Viewer);
    assert_eq!(anonymous("[web]\nlisten = '0.0.0.0:80'\nplaintext = 'accept'"), Anonymous::None);
    assert_eq!(anonymous("[web]\ntrusted_proxies = ['127.0.0.1']"), Anonymous::None, "a proxy brings the whole world to loopback");
    assert_eq!(anonymous("[web]\nlisten = '0.0.0.0:80'\nplaintext = 'accept'\n[access]\nanonymous = 'viewer'"), Anonymous::Viewer);
}

#[test]
fn beyond_this_machine_there_is_tls_or_a_proxy_or_a_word_for_plain_text() {
    for (text, taken) in [
        ("listen = '10.0.0.1:80'", false),
        ("listen = '[::]:80'", false),
        ("listen = '10.0.0.1:80'\nplaintext = 'refuse'", false),
        ("listen = '10.0.0.1:80'\nplaintext = 'accept'", true),
        ("listen = '10.0.0.1:80'\ntrusted_proxies = ['10.0.0.0/24']", true),
        ("listen = '10.0.0.1:80'\ntls = { certificate = 'a', key = 'b' }", true),
        ("listen = '127.0.0.1:80'", true),
    ] {
        assert_eq!(load(&format!("[web]\n{text}")).0.is_some(), taken, "{text}");
    }
    // A flag counts as well as a file.
    let room = Room::new(&[("netroom.toml", b"")]);
    let overrides = Overrides { listen: Some("0.0.0.0:80".parse().unwrap()), ..Overrides::default() };
    let problems = Origin { overrides, ..room.origin() }.load().unwrap_err();
    assert!(problems.iter().any(|problem| problem.code == Code::Plaintext && problem.place.is_none()), "{problems}");
}
