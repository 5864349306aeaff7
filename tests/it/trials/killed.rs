//! kill -9 of the whole program while incidents begin and end and their mails are under way: what was seen before is there
//! after, everybody is told of everything, and nobody twice without its mark.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use serde_json::Value;

use crate::outbox::server::{Act, Hook, Server, Step, header};
use crate::process::{Daemon, PATIENCE, agents, device, program, write};

/// Ports that are told to go down in each of the lives.
const PORTS: [std::ops::Range<usize>; 5] = [0..4, 2..6, 4..8, 0..8, 0..8];
/// The moments of a mail at which the program dies, at the so-manieth mail that the server has seen.
const DEATHS: [(Step, usize); 4] = [(Step::Received, 2), (Step::Recipient, 5), (Step::Answered, 7), (Step::Received, 9)];
const PEOPLE: [&str; 2] = ["anna", "boris"];

/// A server that kills the program at each of the moments once, and says so.
fn deadly(victim: &Arc<AtomicU32>) -> (Server, mpsc::Receiver<()>) {
    let (died, deaths) = mpsc::sync_channel(DEATHS.len());
    let (victim, left) = (Arc::clone(victim), Mutex::new(DEATHS.to_vec()));
    let hook: Hook = Box::new(move |step, count| {
        let mut left = left.lock().unwrap();
        if left.first().is_none_or(|(wanted, from)| step != *wanted || count < *from) {
            return Act::On;
        }
        left.remove(0);
        kill(victim.load(Ordering::SeqCst));
        died.send(()).unwrap();
        Act::HangUp
    });
    (Server::start(hook), deaths)
}

#[expect(clippy::disallowed_methods, reason = "signals are sent by kill(1)")]
fn kill(pid: u32) {
    assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
}

/// linkDown of the ports at these places, from the device's own address.
#[expect(clippy::disallowed_methods, reason = "the sender is net-snmp's")]
fn link_down(to: &str, if_indexes: &[u64]) {
    for index in if_indexes {
        let (object, index) = (format!("1.3.6.1.2.1.2.2.1.1.{index}"), index.to_string());
        let sent = Command::new("snmptrap")
            .env("MIBS", "")
            .args(["-v2c", "-c", "public", to, "", "1.3.6.1.6.3.1.1.5.3", &object, "i", &index])
            .status();
        assert!(sent.unwrap_or_else(|error| panic!("snmptrap: {error}; install the package snmp")).success());
    }
}

fn free_udp_port() -> u16 {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Every entry of the incidents' log, by number.
async fn log(daemon: &Daemon) -> BTreeMap<i64, Value> {
    let history = daemon.json("/api/v1/incidents/history").await;
    let mut entries = BTreeMap::new();
    for incident in history["incidents"].as_array().unwrap() {
        let one = daemon.json(&format!("/api/v1/incidents/{}", incident["id"])).await;
        for entry in one["log"].as_array().unwrap() {
            entries.insert(entry["id"].as_i64().unwrap(), entry.clone());
        }
    }
    entries
}

fn verify(data: &Path) {
    let verify = program().args(["journal", "verify", "--data"]).arg(data).output().unwrap();
    assert!(verify.status.success(), "{}{}", String::from_utf8_lossy(&verify.stdout), String::from_utf8_lossy(&verify.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_killed_among_incidents_and_mails_loses_nothing_and_repeats_nothing_unmarked() {
    let dir = tempfile::tempdir().unwrap();
    let running = agents(vec![netroom::demo::agent::Faults::default()]);
    let victim = Arc::new(AtomicU32::new(0));
    let (server, deaths) = deadly(&victim);
    let traps = format!("127.0.0.1:{}", free_udp_port());
    let person = |name: &&str| format!("[[person]]\nname = \"{name}\"\nemail = \"{name}@example.org\"\nlanguage = \"en\"\n");
    let more = format!(
        "{}\n[incident]\nuplinks = [\"*\"]\nstorm = \"100%\"\nstorm_most = 1000\nflaps = 100\nreopen = \"1s\"\n[traps]\nlisten = [\"{traps}\"]\n\
         [notify]\nurl = \"https://netroom.example.org\"\nsettle = \"1s\"\n[notify.mail]\nserver = \"127.0.0.1\"\nport = {}\n\
         tls = \"none\"\nfrom = \"netroom@example.org\"\n\
         [[notify.rule]]\nname = \"all\"\nseverity = \"info\"\nto = [\"anna\", \"boris\"]\n{}",
        device("switch", running.addresses()[0], ""),
        server.address.port(),
        PEOPLE.iter().map(person).collect::<String>()
    );
    let (config, data) = (write(dir.path(), &more), dir.path().join("data"));

    let mut seen: BTreeMap<i64, Value> = BTreeMap::new();
    for (life, ports) in PORTS.into_iter().enumerate() {
        let daemon = Daemon::start(&config, &data);
        victim.store(daemon.child.id(), Ordering::SeqCst);
        for (id, entry) in log(&daemon).await {
            seen.insert(id, entry);
        }
        let up = |answer: &Value| -> Vec<u64> {
            let ports = answer["ports"].as_array().into_iter().flatten().filter(|port| port["state"] == "up");
            ports.filter_map(|port| port["if_index"].as_u64()).collect()
        };
        let indexes = up(&daemon.wait("/api/v1/devices/switch", "the ports", |answer| up(answer).len() >= 6).await);
        let chosen: Vec<u64> = ports.filter_map(|place| indexes.get(place % indexes.len()).copied()).collect();
        link_down(&traps, &chosen);
        if life < DEATHS.len() {
            tokio::task::block_in_place(|| deaths.recv_timeout(PATIENCE)).expect("the program did not come to the moment at which it dies");
            verify(&data);
            continue;
        }
        // The last life: everything is sent, and everything that was told of before is still known.
        let queued = "netroom_notices_queued";
        daemon
            .wait("/api/v1/incidents", "the ports to be as they are", |open| open["incidents"].as_array().is_some_and(Vec::is_empty))
            .await;
        daemon.wait_metric(queued, "all mails to be taken", |queued| queued == 0.0).await;
        let known = log(&daemon).await;
        for (id, entry) in &seen {
            assert_eq!(known.get(id), Some(entry), "what was in the log before the kill");
        }
        told_all(&known, &server.mails());
        daemon.stop().await;
    }
    verify(&data);
}

/// Everybody has every beginning and every end, and whatever came twice bears its mark.
fn told_all(log: &BTreeMap<i64, Value>, mails: &[String]) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let mut told: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for mail in mails {
        let times = times.entry(header(mail, "Message-ID").unwrap()).or_default();
        *times += 1;
        assert!(*times == 1 || header(mail, "X-Netroom-Repeat").is_some(), "sent again without its mark:\n{mail}");
        let name = PEOPLE.into_iter().find(|name| header(mail, "To").unwrap().contains(name)).unwrap();
        let text = mail.replace("=\n", "");
        let ids = text.split("/incident/").skip(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        told.entry(name).or_default().extend(ids.filter_map(|id| id.parse::<i64>().ok()));
    }
    let begun: BTreeSet<i64> =
        log.values().filter(|entry| entry["change"] == "opened").map(|entry| entry["incident"].as_i64().unwrap()).collect();
    assert!(begun.len() >= 8, "the trial needs incidents: {}", begun.len());
    for name in PEOPLE {
        let missing: Vec<_> = begun.difference(&told[name]).collect();
        assert!(missing.is_empty(), "{name} was never told of {missing:?}");
    }
    let repeated = times.values().filter(|times| **times > 1).count();
    eprintln!(
        "MEASURED: {} kills -9, {} incidents, {} mails to {} people, {repeated} of them twice, each with its mark",
        DEATHS.len(),
        begun.len(),
        times.len(),
        PEOPLE.len()
    );
    // A mail that was taken, whose answer was lost with the sender, comes again: the only thing that SMTP itself cannot tell.
    assert!((1..=DEATHS.len()).contains(&repeated), "{repeated}");
}
