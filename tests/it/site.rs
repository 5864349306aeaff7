//! Who sits where, from outside: tables read between the polls of a running daemon, both sides of a separated network found
//! touching, exemptions at the command line, and what `detect explain` says.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use netroom::demo::agent::{Agent, Datum, Running, Table};
use serde_json::Value;

use crate::process::{Daemon, device, loopback, program, write};

/// A switch with two ports. Behind the second sits the machine 02:00:00:00:00:07, and it knows 10.1.0.7 by that address.
fn switch(serial: &str) -> Table {
    let mut rows = vec![
        ("1.3.6.1.2.1.1.1.0".to_owned(), Datum::octets("a switch")),
        ("1.3.6.1.2.1.1.3.0".to_owned(), Datum::TimeTicks(100_000)),
        ("1.3.6.1.2.1.1.5.0".to_owned(), Datum::octets(serial)),
        ("1.3.6.1.2.1.4.22.1.2.1.10.1.0.7".to_owned(), Datum::octets([2, 0, 0, 0, 0, 7])),
        ("1.3.6.1.2.1.4.22.1.4.1.10.1.0.7".to_owned(), Datum::Integer(3)),
        ("1.3.6.1.2.1.17.4.3.1.2.2.0.0.0.0.7".to_owned(), Datum::Integer(2)),
        ("1.3.6.1.2.1.17.4.3.1.3.2.0.0.0.0.7".to_owned(), Datum::Integer(3)),
        ("1.3.6.1.2.1.47.1.1.1.1.11.1".to_owned(), Datum::octets(serial)),
    ];
    for port in 1..=2 {
        rows.push((format!("1.3.6.1.2.1.2.2.1.2.{port}"), Datum::octets(format!("Gi0/{port}"))));
        rows.push((format!("1.3.6.1.2.1.2.2.1.3.{port}"), Datum::Integer(6)));
        rows.push((format!("1.3.6.1.2.1.2.2.1.7.{port}"), Datum::Integer(1)));
        rows.push((format!("1.3.6.1.2.1.2.2.1.8.{port}"), Datum::Integer(1)));
        rows.push((format!("1.3.6.1.2.1.2.2.1.10.{port}"), Datum::Counter32(1_000)));
        rows.push((format!("1.3.6.1.2.1.2.2.1.16.{port}"), Datum::Counter32(1_000)));
        rows.push((format!("1.3.6.1.2.1.17.1.4.1.2.{port}"), Datum::Integer(port)));
    }
    rows.into_iter().map(|(name, value)| (name.parse().unwrap(), value)).collect()
}

fn netroom(config: &Path, data: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = program().args(arguments).arg("--config").arg(config).arg("--data").arg(data).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn a_machine_on_both_sides_is_found_and_explained() {
    let dir = tempfile::tempdir().unwrap();
    let agents = ["FOC1111A1AA", "FOC2222B2BB"].map(|serial| Agent::new(loopback(), Arc::new(switch(serial))));
    let running = Running::start(agents.into()).unwrap();
    let [inner, outer]: [SocketAddr; 2] = running.addresses().try_into().unwrap();
    let devices = [device("in", inner, "zone = \"inner\""), device("out", outer, "zone = \"outer\"")].concat();
    let (config, data) = (write(dir.path(), &devices), dir.path().join("data"));
    let daemon = Daemon::start(&config, &data);
    daemon.wait_metric("netroom_table_readings_total", "both readings", |readings| readings >= 2.0).await;
    let breach = |incidents: &Value| {
        let list = incidents["incidents"].as_array().cloned().unwrap_or_default();
        list.into_iter().find(|incident| incident["rule"] == "zone-breach" && incident["subject"] == "machine:02:00:00:00:00:07")
    };
    let told = daemon.wait("/api/v1/incidents", "the breach", |incidents| breach(incidents).is_some()).await;
    assert_eq!(breach(&told).unwrap()["severity"], "critical");
    assert_eq!(daemon.metric("netroom_table_readings_broken_total").await, 0.0, "{}", daemon.log());
    daemon.stop().await;

    let (code, said, _) = netroom(&config, &data, &["detect", "explain", "10.1.0.7", "--json"]);
    assert_eq!(code, 1, "something is held against it: {said}");
    let explained: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(explained["places"][0]["port"], "Gi0/2", "{said}");
    assert_eq!(explained["places"][0]["beside"], 1, "{said}");
    assert_eq!(explained["addresses"].as_array().map(Vec::len), Some(2), "both devices know it: {said}");
    assert_eq!(explained["incidents"][0]["rule"], "zone-breach", "{said}");
    let (code, said, _) = netroom(&config, &data, &["detect", "explain", "10.1.0.8"]);
    assert_eq!(code, 0);
    assert!(said.contains("seen behind no port") && said.contains("against it:\n  nothing"), "{said}");
}

#[test]
fn exemptions_are_made_shown_explained_and_ended() {
    let dir = tempfile::tempdir().unwrap();
    let configured = "[site]\nservers = [\"10.1.0.20\"]\n[[exempt]]\nwho = \"10.1.9.0/24\"\nowner = \"Li Ming\"\nreason = \"lab\"\nuntil = \"2099-01-01\"\n";
    let (config, data) = (write(dir.path(), configured), dir.path().join("data"));
    let run = |arguments: &[&str]| netroom(&config, &data, arguments);
    let add = |until: &str, kind: &str| {
        run(&[
            "detect",
            "exempt",
            "add",
            "00-25-90-ab-cd-ef",
            "--kind",
            kind,
            "--owner",
            "Zhang San",
            "--reason",
            "scanner",
            "--until",
            until,
        ])
    };
    assert_eq!(add("2020-01-01", "tcp-scan").0, 1, "the past is refused");
    assert_eq!(add("2099-01-01", "tcp-scan").0, 1, "for ever is refused");
    assert_eq!(add("2099-01-01", "tcp-scam").0, 64, "no such kind");
    let month = jiff::Timestamp::from_millisecond(netroom::model::clock::wall().millis() + 30 * 86_400_000).unwrap();
    let until = month.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d").to_string();
    let (code, said, _) = add(&until, "tcp-scan");
    assert_eq!((code, said.starts_with("exemption 1 of 00:25:90:ab:cd:ef is in force until ")), (0, true), "{said}");
    let (_, listed, _) = run(&["detect", "exempt", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["who"], "10.1.9.0/24");
    assert_eq!((&listed[0]["id"], &listed[1]["id"], &listed[1]["kinds"][0]), (&Value::Null, &1.into(), &"tcp-scan".into()));
    let (code, said, _) = run(&["detect", "explain", "0025.90ab.cdef"]);
    assert_eq!((code, said.contains("exempt from tcp-scan until") && said.contains("Zhang San, scanner")), (0, true), "{said}");
    let (_, said, _) = run(&["detect", "explain", "10.1.0.20"]);
    assert!(said.contains("server (configuration)"), "{said}");
    assert_eq!(run(&["detect", "exempt", "end", "1"]).0, 0);
    assert_eq!(run(&["detect", "exempt", "end", "1"]).0, 1, "it has ended");
    assert!(!run(&["detect", "explain", "00:25:90:ab:cd:ef"]).1.contains("Zhang San"));
    let (code, said, _) = run(&["journal", "verify"]);
    assert_eq!((code, said.contains("2 events, the chain is whole")), (0, true), "{said}");
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    for (text, told) in [
        (
            "[[exempt]]\nwho = \"10.1.9.20\"\nowner = \"Li\"\nreason = \"scanner\"\n",
            ":7:1: error[missing-key]: this exemption has no `until`",
        ),
        (
            "[[exempt]]\nwho = \"10.1.9.20\"\nkinds = [\"tcp-scna\"]\nowner = \"Li\"\nreason = \"x\"\nuntil = \"2027-01-01\"\n",
            "did you mean \"tcp-scan\"?",
        ),
        ("[[exempt]]\nwho = \"10.1.9\"\nowner = \"Li\"\nreason = \"x\"\nuntil = \"soon\"\n", "\"soon\" is no day"),
        ("[site]\nresolvers = [\"dns.example\"]\n", ":8:14: error[bad-address]: \"dns.example\" cannot be read"),
        ("[site]\nserver = [\"10.1.0.20\"]\n", "did you mean"),
        ("[tables]\nevery = \"10s\"\n", "take 1m to 1d"),
        ("[zones]\ninner = [\"10.0.0.0/8\"]\nouter = [\"10.0.0.0/8\"]\n", "named as an inner and as an outer network"),
        ("[zones]\nallow_both_zones = \"\"\n", "gives no reason"),
    ] {
        let config = write(dir.path(), text);
        let (code, _, said) = netroom(&config, &dir.path().join("data"), &["check"]);
        assert_eq!(code, 1, "{text}");
        assert!(said.contains(told) && said.contains("netroom.toml:"), "{text}\n{said}");
    }
}
