//! SNMPv3 against net-snmp's agent: every protocol, and a clear sentence for each thing that can be wrong.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use netroom::model::clock;
use netroom::snmp::ask::{self, QuestionError, Reply};
use netroom::snmp::job::{Ask, AskError, AuthProtocol, Credentials, Patience, PrivProtocol, Request, Secret, Target};
use netroom::snmp::message::encode_names;
use netroom::snmp::oid::Oid;
use netroom::snmp::udp::{Engine, Options, UdpTransport};
use netroom::snmp::value::Value;

use crate::snmpd::Snmpd;

const AUTH: [(AuthProtocol, &str); 6] = [
    (AuthProtocol::Md5, "MD5"),
    (AuthProtocol::Sha1, "SHA"),
    (AuthProtocol::Sha224, "SHA-224"),
    (AuthProtocol::Sha256, "SHA-256"),
    (AuthProtocol::Sha384, "SHA-384"),
    (AuthProtocol::Sha512, "SHA-512"),
];

/// net-snmp lengthens keys for AES-192 and AES-256 after Blumenthal, for AES-192-C and AES-256-C after Reeder.
const PRIVACY: [(PrivProtocol, &str); 6] = [
    (PrivProtocol::Des, "DES"),
    (PrivProtocol::Aes128, "AES"),
    (PrivProtocol::Aes192, "AES-192"),
    (PrivProtocol::Aes256, "AES-256"),
    (PrivProtocol::Aes192, "AES-192-C"),
    (PrivProtocol::Aes256, "AES-256-C"),
];

fn user(name: &str, auth: Option<(AuthProtocol, &str)>, privacy: Option<(PrivProtocol, &str)>, context: &str) -> Credentials {
    let secret = |phrase: &str| Secret::new(phrase.as_bytes());
    Credentials::User {
        user: name.to_owned(),
        auth: auth.map(|(protocol, phrase)| (protocol, secret(phrase))),
        privacy: privacy.map(|(protocol, phrase)| (protocol, secret(phrase))),
        context: context.to_owned(),
    }
}

async fn ask(
    transport: &UdpTransport,
    address: SocketAddr,
    credentials: Credentials,
    ask: Ask,
    name: &str,
) -> Result<Reply, QuestionError> {
    let patience = Patience { min_timeout: Duration::from_millis(300), max_timeout: Duration::from_secs(1), tries: 3 };
    let target = Arc::new(Target { name: "snmpd".into(), address, credentials, patience });
    let name: Oid = name.parse().unwrap();
    let request = Request { ask, varbinds: encode_names([name].iter()).into() };
    ask::question(transport, &target, request, clock::monotonic() + Duration::from_secs(20)).await
}

async fn location(transport: &UdpTransport, address: SocketAddr, credentials: Credentials) -> Result<String, QuestionError> {
    let reply = ask(transport, address, credentials, Ask::Get, "1.3.6.1.2.1.1.6.0").await?;
    let (_, value) = reply.varbinds().next().unwrap().unwrap();
    Ok(String::from_utf8(value.octets().unwrap().to_vec()).unwrap())
}

fn configuration() -> String {
    let mut text = String::from("sysLocation room 301\ncreateUser open\nrouser open noauth\n");
    for (_, auth) in AUTH {
        text += &format!("createUser a{auth} {auth} authpass{auth}\nrouser a{auth} auth\n");
        for (_, privacy) in PRIVACY {
            text +=
                &format!("createUser a{auth}p{privacy} {auth} authpass{auth} {privacy} privpass{privacy}\nrouser a{auth}p{privacy} priv\n");
        }
    }
    text
}

#[tokio::test]
async fn every_level_and_protocol_is_understood() {
    let directory = tempfile::tempdir().unwrap();
    let Some(agent) = Snmpd::start(&configuration(), directory.path(), None) else { return };
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let mut all = vec![user("open", None, None, "")];
    for (auth, word) in AUTH {
        let phrase = format!("authpass{word}");
        all.push(user(&format!("a{word}"), Some((auth, &phrase)), None, ""));
        for (privacy, secret) in PRIVACY {
            let name = format!("a{word}p{secret}");
            all.push(user(&name, Some((auth, &phrase)), Some((privacy, &format!("privpass{secret}"))), ""));
        }
    }
    for credentials in all {
        let found = location(&transport, agent.address, credentials.clone()).await;
        assert_eq!(found.as_deref(), Ok("room 301"), "{credentials:?}");
        let bulk = Ask::GetBulk { non_repeaters: 0, max_repetitions: 30 };
        let reply = ask(&transport, agent.address, credentials, bulk, "1.3.6.1.2.1.1").await.unwrap();
        let names = reply.varbinds().filter(|item| item.is_ok_and(|(_, value)| value != Value::EndOfMibView)).count();
        assert_eq!(names, 30);
    }
    transport.stop();
    thread.join().unwrap();
    assert_eq!(transport.stats().timeouts, 0);
}

#[tokio::test]
async fn each_wrong_part_of_the_credentials_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let Some(agent) = Snmpd::start(&configuration(), directory.path(), None) else { return };
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let sha = Some((AuthProtocol::Sha1, "authpassSHA"));
    let aes = Some((PrivProtocol::Aes128, "privpassAES"));
    for (credentials, words) in [
        (user("nobody", sha, aes, ""), "no user \"nobody\""),
        (user("aSHApAES", Some((AuthProtocol::Sha1, "authpassXXX")), aes, ""), "authentication of user \"aSHApAES\" is wrong"),
        (user("aSHApAES", Some((AuthProtocol::Md5, "authpassSHA")), aes, ""), "that it is MD5"),
        (user("aSHA", sha, aes, ""), "may not speak at level authPriv"),
        (user("aSHApAES", sha, None, ""), "may not read this at this security level"),
        (user("aSHApAES", None, None, ""), "may not read this at this security level"),
        (user("aSHApAES", None, aes, ""), "without authentication"),
        (user("aSHApAES", Some((AuthProtocol::Sha1, "")), aes, ""), "pass phrase of user \"aSHApAES\" is empty"),
        (user("aSHApAES", sha, Some((PrivProtocol::Aes128, "privpassXXX")), ""), "most likely the privacy pass phrase is wrong"),
        (user("aSHApAES", sha, Some((PrivProtocol::Des, "privpassAES")), ""), "its protocol is not DES"),
        (user("aSHApAES", sha, aes, "vlan-9"), "no context \"vlan-9\""),
    ] {
        let error = location(&transport, agent.address, credentials).await.unwrap_err();
        let QuestionError::Unanswered(AskError::Refused { why, .. }) = &error else { panic!("{words}: {error:?}") };
        assert!(why.contains(words), "{why}");
        let shown = error.to_string();
        assert!(!shown.contains("authpass") && !shown.contains("privpass"), "a secret is shown: {shown}");
    }
    transport.stop();
    thread.join().unwrap();
}

#[tokio::test]
async fn a_restarted_agent_is_answered_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let Some(agent) = Snmpd::start(&configuration(), directory.path(), None) else { return };
    let (transport, thread) = Engine::start(&Options::default()).unwrap();
    let credentials = user("aSHApAES", Some((AuthProtocol::Sha1, "authpassSHA")), Some((PrivProtocol::Aes128, "privpassAES")), "");
    let address = agent.address;
    assert_eq!(location(&transport, address, credentials.clone()).await.as_deref(), Ok("room 301"));

    // The same engine with another boot: our time is refused once and learnt.
    agent.stop();
    let agent = Snmpd::start(&configuration(), directory.path(), Some(address.port())).unwrap();
    assert_eq!(location(&transport, address, credentials.clone()).await.as_deref(), Ok("room 301"));

    // Another engine at the same address: found anew.
    agent.stop();
    let fresh = tempfile::tempdir().unwrap();
    let _agent = Snmpd::start(&configuration(), fresh.path(), Some(address.port())).unwrap();
    assert_eq!(location(&transport, address, credentials).await.as_deref(), Ok("room 301"));
    transport.stop();
    thread.join().unwrap();
    let stats = transport.stats();
    assert_eq!((stats.timeouts, stats.refused, stats.accepted), (0, 0, 3));
}
