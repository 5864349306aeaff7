//! Traps and informs of net-snmp's own senders: every version, every protocol, and what is refused.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Output};

use netroom::model::clock;
use netroom::snmp::job::{AuthProtocol, Credentials, PrivProtocol, Secret};
use netroom::snmp::trap::{Engine, Handle, Limit, Options, Refused, Senders, Standard, Trap, start};
use tokio::sync::mpsc;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A user with its protocols, ours and net-snmp's words for them.
type Level = (&'static str, Option<(AuthProtocol, &'static str)>, Option<(PrivProtocol, &'static str)>);

const LEVELS: [Level; 9] = [
    ("plain", None, None),
    ("md5", Some((AuthProtocol::Md5, "MD5")), None),
    ("sha", Some((AuthProtocol::Sha1, "SHA")), Some((PrivProtocol::Des, "DES"))),
    ("sha224", Some((AuthProtocol::Sha224, "SHA-224")), Some((PrivProtocol::Aes128, "AES"))),
    ("sha256", Some((AuthProtocol::Sha256, "SHA-256")), Some((PrivProtocol::Aes128, "AES"))),
    ("sha384", Some((AuthProtocol::Sha384, "SHA-384")), Some((PrivProtocol::Aes192, "AES-192"))),
    ("sha512", Some((AuthProtocol::Sha512, "SHA-512")), Some((PrivProtocol::Aes256, "AES-256"))),
    ("blumenthal", Some((AuthProtocol::Sha1, "SHA")), Some((PrivProtocol::Aes256, "AES-256"))),
    ("reeder", Some((AuthProtocol::Sha1, "SHA")), Some((PrivProtocol::Aes256, "AES-256-C"))),
];

struct Room {
    handle: Handle,
    traps: mpsc::Receiver<Trap>,
    _dir: tempfile::TempDir,
}

impl Room {
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (queue, traps) = mpsc::channel(64);
        let secret = |phrase: &str| Secret::new(phrase.as_bytes());
        let users = LEVELS.iter().map(|(name, auth, privacy)| Credentials::User {
            user: (*name).to_owned(),
            auth: auth.map(|(protocol, _)| (protocol, secret("authpass1"))),
            privacy: privacy.map(|(protocol, _)| (protocol, secret("privpass1"))),
            context: String::new(),
        });
        let options = Options {
            listen: vec![(LOOPBACK, 0).into()],
            receive_buffer: 1 << 20,
            limit: Limit::default(),
            senders: Senders { devices: HashMap::from([(LOOPBACK, secret("traps"))]), anywhere: Vec::new() },
            users: users.collect(),
            engine: Engine::start(&dir.path().join("engine"), clock::monotonic()).unwrap(),
        };
        Self { handle: start(options, queue).unwrap(), traps, _dir: dir }
    }

    fn to(&self) -> String {
        self.handle.addresses()[0].to_string()
    }

    async fn next(&mut self) -> Trap {
        self.traps.recv().await.expect("the receiver runs")
    }
}

/// net-snmp keeps the engines that it has met in a directory; each sender gets an empty one.
#[expect(clippy::disallowed_methods, reason = "the test's peer is another program")]
fn send(program: &str, arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let run = Command::new(program)
        .env("SNMP_PERSISTENT_DIR", home.path())
        .env("SNMPCONFPATH", home.path())
        .env("MIBS", "")
        .args(arguments)
        .output();
    run.unwrap_or_else(|error| panic!("{program}: {error}; install the package snmp"))
}

fn told(output: &Output) -> String {
    format!("{} {}", output.status, String::from_utf8_lossy(&output.stderr))
}

const LINK_DOWN: [&str; 8] = ["1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.7", "i", "7", "1.3.6.1.2.1.2.2.1.8.7", "i", "2", ""];

fn link_down() -> Vec<&'static str> {
    LINK_DOWN.iter().copied().filter(|word| !word.is_empty()).collect()
}

fn user(name: &'static str, auth: Option<&'static str>, privacy: Option<&'static str>, phrase: &'static str) -> Vec<&'static str> {
    let level = match (auth, privacy) {
        (None, _) => "noAuthNoPriv",
        (_, None) => "authNoPriv",
        _ => "authPriv",
    };
    let mut words = vec!["-v3", "-u", name, "-l", level];
    words.extend(auth.into_iter().flat_map(|protocol| ["-a", protocol, "-A", phrase]));
    words.extend(privacy.into_iter().flat_map(|protocol| ["-x", protocol, "-X", "privpass1"]));
    words
}

#[tokio::test(flavor = "multi_thread")]
async fn traps_of_v1_and_v2c_say_the_same() {
    let mut room = Room::open();
    let to = room.to();
    let v1 = ["-v1", "-c", "traps", &to, "1.3.6.1.4.1.9.1.1", "127.0.0.1", "2", "0", "", "1.3.6.1.2.1.2.2.1.1.7", "i", "7"];
    assert!(send("snmptrap", &v1).status.success());
    let first = room.next().await;
    let v2 = [&["-v2c", "-c", "traps", &to, ""][..], &link_down()].concat();
    assert!(send("snmptrap", &v2).status.success());
    let second = room.next().await;
    assert_eq!((first.version, second.version), (1, 2));
    for trap in [&first, &second] {
        assert_eq!((trap.standard, trap.if_index, trap.source), (Some(Standard::LinkDown), Some(7), LOOPBACK));
    }
    assert_eq!(second.oper, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn informs_of_v2c_are_acknowledged_and_those_of_strangers_are_not() {
    let mut room = Room::open();
    let to = room.to();
    let right = send("snmpinform", &[&["-v2c", "-c", "traps", "-r", "1", "-t", "20", &to, ""][..], &link_down()].concat());
    assert!(right.status.success(), "{}", told(&right));
    assert!(room.next().await.is_inform);
    let wrong = send("snmpinform", &[&["-v2c", "-c", "guess", "-r", "0", "-t", "0.2", &to, ""][..], &link_down()].concat());
    assert!(!wrong.status.success());
    assert_eq!(room.handle.stats().refused(Refused::Credentials), 1);
    assert_eq!(room.handle.stats().taken(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn v3_traps_and_informs_of_every_protocol_are_taken() {
    let mut room = Room::open();
    let to = room.to();
    for (name, auth, privacy) in LEVELS {
        let who = user(name, auth.map(|(_, word)| word), privacy.map(|(_, word)| word), "authpass1");
        let trap = [&who[..], &["-e", "0x80000000051122334455", &to, ""], &link_down()].concat();
        let sent = send("snmptrap", &trap);
        assert!(sent.status.success(), "{name}: {}", told(&sent));
        let taken = room.next().await;
        assert_eq!((taken.version, taken.if_index, taken.is_inform), (3, Some(7), false), "{name}");
        let inform = [&who[..], &["-r", "1", "-t", "20", &to, ""], &link_down()].concat();
        let sent = send("snmpinform", &inform);
        assert!(sent.status.success(), "{name}: {}", told(&sent));
        assert!(room.next().await.is_inform, "{name}");
    }
    let refused: u64 = Refused::ALL.iter().map(|&why| room.handle.stats().refused(why)).sum();
    assert_eq!(refused, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn v3_senders_with_anything_wrong_are_refused() {
    let room = Room::open();
    let to = room.to();
    let quick = ["-r", "0", "-t", "0.3"];
    for who in [
        user("sha256", Some("SHA-256"), Some("AES"), "otherpass"),
        user("sha256", Some("SHA"), Some("AES"), "authpass1"),
        user("sha256", Some("SHA-256"), None, "authpass1"),
        user("nobody", Some("SHA-256"), Some("AES"), "authpass1"),
    ] {
        let before = room.handle.stats().refused(Refused::Credentials);
        let sent = send("snmpinform", &[&who[..], &quick, &[&to, ""], &link_down()].concat());
        assert!(!sent.status.success(), "{who:?}");
        assert!(room.handle.stats().refused(Refused::Credentials) > before, "{who:?}");
    }
    assert_eq!(room.handle.stats().taken(), 0);
}
