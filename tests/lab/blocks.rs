//! A worm on a real network: seen at the mirror port, found at its port, cut off by SET on a real agent, given back; and whom
//! the rails keep from being cut off.

use serde_json::Value;

use crate::alarm;
use crate::daemon::Daemon;
use crate::network::Network;
use crate::scans::{Office, script};
use crate::seats::netroom;

/// The lab's office with the right to change `sw1` and `sw2`, tables read each minute, and these lines.
fn office(dir: &std::path::Path, more: &str) -> String {
    let secret = dir.join("write");
    std::fs::write(&secret, "private\n").unwrap();
    let may = |config: String, address: &str| {
        let line = format!("address = \"{address}\"\n");
        config.replace(&line, &format!("{line}write_community_file = \"{}\"\n", secret.display()))
    };
    let config = may(may(alarm::office("10s", ""), "10.77.0.11"), "10.77.0.12");
    format!("{config}\n[tables]\nevery = \"1m\"\n{more}\n")
}

/// One question on the command line, whatever its answer is.
fn ask(network: &Network, dir: &std::path::Path, arguments: &[&str]) -> String {
    let (code, said, complaint) = netroom(network, dir, arguments);
    assert!(code < 2, "{arguments:?}: {complaint}");
    said
}

fn cases(network: &Network, dir: &std::path::Path) -> Vec<Value> {
    serde_json::from_str(&ask(network, dir, &["block", "list", "--all", "--json"])).unwrap()
}

/// The newest case of a machine.
fn case(network: &Network, dir: &std::path::Path, mac: &str) -> Option<Value> {
    cases(network, dir).into_iter().filter(|case| machine(case) == mac).max_by_key(|case| case["id"].as_i64())
}

fn machine(case: &Value) -> String {
    let octets: Vec<String> =
        case["mac"].as_array().into_iter().flatten().map(|octet| format!("{:02x}", octet.as_u64().unwrap())).collect();
    if octets.is_empty() { case["mac"].as_str().unwrap_or_default().to_owned() } else { octets.join(":") }
}

fn mac(network: &Network, host: &str) -> String {
    network.read(host, &["cat", "/sys/class/net/eth0/address"]).trim().to_owned()
}

/// ifAdminStatus, as the kernel has it.
fn is_up(network: &Network, switch: &str, port: &str) -> bool {
    let flags = network.read(switch, &["cat", &format!("/sys/class/net/{port}/flags")]);
    u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).unwrap() & 1 == 1
}

fn reaches(network: &Network, from: &str, to: &str) -> bool {
    network.command(from, "ping").args(["-q", "-c", "1", "-W", "2", to]).output().unwrap().status.success()
}

fn phase(network: &Network, dir: &std::path::Path, mac: &str) -> String {
    case(network, dir, mac).map(|case| case["phase"].as_str().unwrap().to_owned()).unwrap_or_default()
}

fn rails(case: &Value) -> Vec<String> {
    case["rails"].as_array().into_iter().flatten().map(|rail| rail["rail"].as_str().unwrap().to_owned()).collect()
}

/// Everybody speaks with everybody, so that the bridges know who sits where.
fn talk(network: &Network) {
    for host in ["h1", "h2", "h3", "h4", "h5"] {
        for other in ["10.77.0.11", "10.77.0.12", "10.77.0.101", "10.77.0.105"] {
            let _ = reaches(network, host, other);
        }
    }
}

fn read_tables(network: &Network, daemon: &Daemon<'_>) {
    daemon.wait("tables of both switches", || {
        talk(network);
        daemon.metric("/metrics", "netroom_table_readings_total", &[]).is_some_and(|readings| readings >= 2.0)
    });
}

/// Spreads to machines that are not there, and to ports by which worms enter: two rules of their own.
fn spread(network: &Network) {
    let _ = network.command("h3", "ip").args(["route", "replace", "10.88.0.0/24", "via", "10.77.0.11"]).output().unwrap();
    network.read("h3", &["/usr/bin/python3", &script().display().to_string(), "worm", "120", "0.05", "10.88.0."]);
}

#[test]
fn a_worm_is_found_at_its_port_cut_off_and_given_back() {
    let Some(network) = Network::up("nrtd") else { return };
    let dir = tempfile::tempdir().unwrap();
    let lines = "[capture]\ninterfaces = [\"span0\"]\nring = \"4MiB\"\n[block]\nmode = \"auto\"\nfirst = \"1h\"\n";
    let config = office(dir.path(), lines);
    let daemon = Daemon::start(&network, dir.path(), &config);
    let _office = Office::open(&network, dir.path());
    read_tables(&network, &daemon);
    let ill = mac(&network, "h3");

    spread(&network);
    daemon.wait("the worm to be cut off", || phase(&network, dir.path(), &ill) == "blocked");
    let cut = case(&network, dir.path(), &ill).unwrap();
    let took = cut["blocked"].as_i64().unwrap() - cut["first"].as_i64().unwrap();
    eprintln!("from the first packet of the evidence to the cut that was read back: {:.1} s", took as f64 / 1000.0);
    assert_eq!((cut["order"]["spot"]["device"].as_str(), cut["order"]["spot"]["if_name"].as_str()), (Some("sw1"), Some("port3")));
    assert!(!is_up(&network, "sw1", "port3"), "{cut}");
    assert_eq!((cut["before"]["admin"].as_u64(), cut["after"]["admin"].as_u64()), (Some(1), Some(2)));
    assert!(!reaches(&network, "h3", "10.77.0.101"), "it is cut off");
    for other in ["port1", "port2", "port8", "up1"] {
        assert!(is_up(&network, "sw1", other), "{other} is nobody's business");
    }
    assert!(reaches(&network, "h1", "10.77.0.102") && reaches(&network, "h4", "10.77.0.101"), "the others work on");
    assert_eq!(cases(&network, dir.path()).len(), 1, "nobody else is accused");
    let open = daemon.get("/api/v1/incidents");
    assert!(open.contains("block-made"), "{open}");

    // Somebody at the switch: what a hand has made is told and left alone.
    network.read("sw1", &["ip", "link", "set", "port3", "up"]);
    daemon.wait("the drift to be told", || phase(&network, dir.path(), &ill) == "drifted");
    assert!(is_up(&network, "sw1", "port3"));
    let id = format!("B{}", cut["id"]);
    let said = ask(&network, dir.path(), &["block", "approve", &id, "--as", "wang"]);
    assert!(said.contains("is blocked"), "{said}");
    assert!(!is_up(&network, "sw1", "port3"));

    // The program dies; what it has cut stays cut, and it knows.
    daemon.kill();
    let daemon = Daemon::start(&network, dir.path(), &config);
    assert_eq!(phase(&network, dir.path(), &ill), "blocked");
    assert!(!is_up(&network, "sw1", "port3"));

    let said = ask(&network, dir.path(), &["block", "release", &id, "--as", "wang", "--reason", "cleaned"]);
    assert!(said.contains("is released"), "{said}");
    assert!(is_up(&network, "sw1", "port3"));
    daemon.wait("the machine to be back", || reaches(&network, "h3", "10.77.0.101"));
    assert_eq!(phase(&network, dir.path(), &ill), "released");
    let (code, said, complaint) = netroom(&network, dir.path(), &["journal", "verify"]);
    assert_eq!(code, 0, "{said}{complaint}");
    daemon.stop();
}

#[test]
fn rails_keep_ports_from_being_cut() {
    let Some(network) = Network::up("nrte") else { return };
    let dir = tempfile::tempdir().unwrap();
    let lines = "[block]\nmode = \"approve\"\n\
        [[protect]]\nwho = \"10.77.0.101\"\nowner = \"Wang\"\nreason = \"the registry\"\n\
        [[block.scope]]\ndevices = [\"sw2\"]\nmode = \"observe\"\n";
    let config = office(dir.path(), lines);
    // Four more machines behind the socket of h2.
    for number in 1..=4 {
        let name = format!("vm{number}");
        network.read("h2", &["ip", "link", "add", &name, "link", "eth0", "type", "macvlan"]);
        network.read("h2", &["ip", "addr", "add", &format!("10.77.0.20{number}/24"), "dev", &name]);
        network.read("h2", &["ip", "link", "set", &name, "up"]);
    }
    let crowd = || {
        for number in 1..=4 {
            let _ = network.command("h2", "ping").args(["-q", "-c", "1", "-W", "2", "-I", &format!("vm{number}"), "10.77.0.11"]).output();
        }
    };
    let daemon = Daemon::start(&network, dir.path(), &config);
    crowd();
    read_tables(&network, &daemon);
    let wish = |mac: &str| {
        ask(&network, dir.path(), &["block", "request", mac, "--as", "li", "--reason", "a test of rails"]);
        let mut found = None;
        daemon.wait(&format!("the case of {mac} to be judged"), || {
            talk(&network);
            crowd();
            found = case(&network, dir.path(), mac).filter(|case| case["phase"] != "open" && !rails(case).contains(&"nowhere".to_owned()));
            found.is_some()
        });
        let case = found.unwrap();
        (case["phase"].as_str().unwrap().to_owned(), rails(&case), case)
    };

    let (phase, in_the_way, _) = wish(&mac(&network, "h1"));
    assert_eq!((phase.as_str(), in_the_way.first().map(String::as_str)), ("refused", Some("protected")), "{in_the_way:?}");
    let (phase, in_the_way, _) = wish(&mac(&network, "mon"));
    assert!(phase == "refused" && in_the_way.contains(&"our-path".to_owned()), "{phase} {in_the_way:?}");
    let (phase, in_the_way, shared) = wish(&mac(&network, "h2"));
    assert!(phase == "waiting" && in_the_way.contains(&"shared".to_owned()), "{phase} {in_the_way:?}");
    assert!(shared["rails"].to_string().contains("others"), "{shared}");
    let (phase, _, seen) = wish(&mac(&network, "h5"));
    assert_eq!(phase, "observed", "{seen}");
    let index = network.read("sw2", &["cat", "/sys/class/net/port2/ifindex"]);
    assert_eq!(seen["varbinds"][0], format!("1.3.6.1.2.1.2.2.1.7.{} = INTEGER: 2", index.trim()));

    for (switch, port) in [("sw1", "port1"), ("sw1", "port2"), ("sw1", "port8"), ("sw2", "port2")] {
        assert!(is_up(&network, switch, port), "{switch} {port}");
    }
    let id = format!("B{}", shared["id"]);
    let said = ask(&network, dir.path(), &["block", "decline", &id, "--as", "wang", "--reason", "it is the server"]);
    assert!(said.contains("is declined"), "{said}");
    // What the daemon knows of places is on the disk at the latest when it has ended.
    daemon.stop();
    let (code, said, _) = netroom(&network, dir.path(), &["block", "explain", "10.77.0.101"]);
    assert!(code == 1 && said.contains("netroom.toml:") && said.contains("the registry; Wang"), "{code} {said}");
    let (code, said, _) = netroom(&network, dir.path(), &["block", "explain", "10.77.0.104"]);
    assert!(code == 1 && said.contains("watched as h4"), "{code} {said}");
    let (code, said, _) = netroom(&network, dir.path(), &["block", "explain", "10.77.0.103"]);
    assert!(code == 0 && said.contains("sw1 port3"), "{code} {said}");
}

/// The program is killed at moments of a block and of a release; whatever it was about to do, the end is what was wanted.
#[test]
fn killed_at_any_moment_the_end_is_what_was_wanted() {
    let Some(network) = Network::up("nrtf") else { return };
    let dir = tempfile::tempdir().unwrap();
    let config = office(dir.path(), "[block]\nmode = \"approve\"\n");
    let mut daemon = Daemon::start(&network, dir.path(), &config);
    read_tables(&network, &daemon);
    let ill = mac(&network, "h3");
    for pause_ms in [0, 200, 700] {
        ask(&network, dir.path(), &["block", "request", &ill, "--as", "li", "--reason", "a virus"]);
        daemon.wait("the case to be judged", || {
            talk(&network);
            phase(&network, dir.path(), &ill) == "waiting"
        });
        let id = format!("B{}", case(&network, dir.path(), &ill).unwrap()["id"]);
        for (verb, more, wanted) in [("approve", &[][..], "blocked"), ("release", &["--reason", "cleaned"][..], "released")] {
            let mut wish = network.command("mon", env!("CARGO_BIN_EXE_netroom"));
            wish.args(["block", verb, &id, "--as", "wang"]).args(more).arg("--data").arg(dir.path().join("data"));
            let mut wish = wish.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(pause_ms));
            daemon.kill();
            daemon = Daemon::start(&network, dir.path(), &config);
            wish.wait().unwrap();
            daemon.wait(&format!("{id} to be {wanted}, killed after {pause_ms} ms"), || {
                talk(&network);
                phase(&network, dir.path(), &ill) == wanted
            });
            assert_eq!(is_up(&network, "sw1", "port3"), wanted == "released", "{id} is {wanted}, killed after {pause_ms} ms");
        }
    }
    daemon.stop();
    let (code, said, complaint) = netroom(&network, dir.path(), &["journal", "verify"]);
    assert_eq!(code, 0, "{said}{complaint}");
}

#[test]
fn a_machine_goes_into_quarantine_and_comes_back() {
    let Some(network) = Network::up("nrtg") else { return };
    let dir = tempfile::tempdir().unwrap();
    let lines = "[block]\nmode = \"approve\"\naction = \"vlan 999\"\n[[block.scope]]\nports = [\"sw1/port2\"]\naction = \"vlan 998\"\n";
    let config = office(dir.path(), lines);
    let daemon = Daemon::start(&network, dir.path(), &config);
    read_tables(&network, &daemon);
    let bridge_of = |switch: &str, port: &str| {
        let path = network.read(switch, &["readlink", &format!("/sys/class/net/{port}/master")]);
        path.trim().rsplit('/').next().unwrap().to_owned()
    };
    let waiting = |mac: &str| {
        ask(&network, dir.path(), &["block", "request", mac, "--as", "li", "--reason", "a virus"]);
        daemon.wait(&format!("the case of {mac} to be judged"), || {
            talk(&network);
            phase(&network, dir.path(), mac) == "waiting"
        });
        format!("B{}", case(&network, dir.path(), mac).unwrap()["id"])
    };
    let ill = mac(&network, "h3");
    let id = waiting(&ill);
    let said = ask(&network, dir.path(), &["block", "approve", &id, "--as", "wang"]);
    assert!(said.contains("is blocked"), "{said} {:?}", case(&network, dir.path(), &ill));
    assert_eq!((bridge_of("sw1", "port3"), is_up(&network, "sw1", "port3")), ("br999".to_owned(), true), "it keeps its link");
    assert!(!reaches(&network, "h3", "10.77.0.101") && reaches(&network, "h1", "10.77.0.102"));
    let cut = case(&network, dir.path(), &ill).unwrap();
    assert_eq!((cut["before"]["pvid"].as_u64(), cut["after"]["pvid"].as_u64()), (Some(1), Some(999)));
    let said = ask(&network, dir.path(), &["block", "release", &id, "--as", "wang", "--reason", "cleaned"]);
    assert!(said.contains("is released"), "{said}");
    assert_eq!(bridge_of("sw1", "port3"), "br0");
    daemon.wait("the machine to be back", || reaches(&network, "h3", "10.77.0.101"));

    // A VLAN that the switch does not have is not set, and that is said.
    let other = mac(&network, "h2");
    let id = waiting(&other);
    let said = ask(&network, dir.path(), &["block", "approve", &id, "--as", "wang"]);
    assert!(said.contains("is failed"), "{said}");
    assert!(case(&network, dir.path(), &other).unwrap()["note"].as_str().unwrap().contains("does not have that VLAN"));
    assert_eq!(bridge_of("sw1", "port2"), "br0");
    daemon.stop();
}

#[test]
fn an_administrator_works_on_a_port_through_the_same_gate() {
    let Some(network) = Network::up("nrtw") else { return };
    let dir = tempfile::tempdir().unwrap();
    let lines = "[block]\nmode = \"observe\"\n[[block.scope]]\nrules = [\"work\"]\nmode = \"approve\"\n";
    let daemon = Daemon::start(&network, dir.path(), &office(dir.path(), lines));
    read_tables(&network, &daemon);
    let work = |deed: &str, port: &str| {
        netroom(&network, dir.path(), &["port", deed, "sw1", port, "--reason", "an unused socket", "--as", "wang"])
    };

    let (code, said, complaint) = work("down", "port3");
    assert!(code == 0 && said.contains("sw1 port3 down is done"), "{said}{complaint}");
    assert!(!is_up(&network, "sw1", "port3") && !reaches(&network, "h3", "10.77.0.101"));
    assert!(reaches(&network, "h2", "10.77.0.101"), "the others work on");
    let (code, said, complaint) = work("up", "port3");
    assert!(code == 0 && said.contains("sw1 port3 up is done"), "{said}{complaint}");
    daemon.wait("the machine to be back", || reaches(&network, "h3", "10.77.0.101"));

    let (code, said, complaint) = work("down", "up1");
    assert!(code == 1 && said.contains("is not done"), "{said}{complaint}");
    assert!(is_up(&network, "sw1", "up1"), "{said}");
    eprintln!("{}", said.trim());
    let (code, said, complaint) = work("down", "port99");
    assert!(code == 1 && said.contains("no such port"), "{said}{complaint}");
    let (code, said, complaint) = netroom(&network, dir.path(), &["journal", "verify"]);
    assert_eq!(code, 0, "{said}{complaint}");
    daemon.stop();
}
