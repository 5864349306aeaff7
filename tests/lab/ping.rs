//! The prober against nftables: what it calls lost is what the kernel counted as dropped, to the packet; a host that
//! rejects is never up; fping agrees. Two namespaces and one cable; the prober runs in this test program, started anew
//! within the first namespace.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netroom::ping::codec::Family;
use netroom::ping::prober::Prober;
use netroom::ping::round::Outcome;
use netroom::ping::schedule::{Event, HostId, Target};
use netroom::ping::socket::{Mode, Wire};

const HOSTS: u32 = 200;

/// Two namespaces: the prober's, and one that answers for 10.99.1.0/24 and fd99:1::/64.
struct Cable(String);

impl Cable {
    fn lay(name: &str) -> Option<Self> {
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"));
        let has = |tool: &str| Command::new(tool).arg("-V").output().is_ok();
        if !is_root || !has("ip") || !has("nft") {
            assert!(std::env::var_os("NETROOM_REQUIRE_ALL").is_none(), "namespaces need root, iproute2 and nftables");
            eprintln!("NOT RUN: {name}: namespaces need root, iproute2 and nftables");
            return None;
        }
        let cable = Self(format!("nrp-{name}"));
        let (a, b) = (cable.end("a"), cable.end("b"));
        cable.run(&format!("ip netns add {a}"));
        cable.run(&format!("ip netns add {b}"));
        cable.run(&format!("ip link add p0 netns {a} type veth peer name p0 netns {b}"));
        for (end, number) in [(&a, 1), (&b, 2)] {
            cable.run(&format!("ip -n {end} addr add 10.99.0.{number}/24 dev p0"));
            cable.run(&format!("ip -n {end} -6 addr add fd99::{number}/64 dev p0 nodad"));
            cable.run(&format!("ip -n {end} link set lo up"));
            cable.run(&format!("ip -n {end} link set p0 up"));
        }
        cable.run(&format!("ip -n {a} route add 10.99.1.0/24 via 10.99.0.2"));
        cable.run(&format!("ip -n {a} -6 route add fd99:1::/64 via fd99::2"));
        cable.run(&format!("ip -n {b} route add local 10.99.1.0/24 dev lo"));
        cable.run(&format!("ip -n {b} -6 route add local fd99:1::/64 dev lo"));
        // Errors are told at the pace at which they come.
        cable.run(&format!("ip netns exec {b} sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0"));
        cable.run(&format!("ip netns exec {a} ping -c 1 -w 10 10.99.1.1"));
        cable.run(&format!("ip netns exec {a} ping -c 1 -w 10 fd99:1::1"));
        Some(cable)
    }

    fn end(&self, which: &str) -> String {
        format!("{}-{which}", self.0)
    }

    fn run(&self, line: &str) -> String {
        let mut words = line.split_whitespace();
        let out = Command::new(words.next().unwrap()).args(words).output().unwrap();
        assert!(out.status.success(), "{line}: {}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Puts one rule in the way of what comes in at the far end.
    fn rule(&self, rule: &str) {
        let text = format!("table inet lab {{\n chain in {{\n type filter hook input priority 0;\n {rule}\n }}\n}}\n");
        let file = std::env::temp_dir().join(format!("{}.nft", self.0));
        std::fs::write(&file, text).unwrap();
        let b = self.end("b");
        self.run(&format!("ip netns exec {b} nft flush ruleset"));
        self.run(&format!("ip netns exec {b} nft -f {}", file.display()));
        std::fs::remove_file(file).unwrap();
    }

    /// How many packets the rule has counted.
    fn counted(&self) -> u64 {
        let text = self.run(&format!("ip netns exec {} nft list ruleset", self.end("b")));
        text.split("counter packets ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap()
    }

    /// Runs the prober at the near end until so many probes are settled.
    fn probe(&self, family: &str, probes: u64) -> Told {
        let out = Command::new("ip")
            .args(["netns", "exec", &self.end("a")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "ping::the_probers_process", "--ignored", "--nocapture", "--test-threads=1"])
            .env("LAB_FAMILY", family)
            .env("LAB_PROBES", probes.to_string())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout);
        let line = said.lines().find_map(|line| line.split_once("TOLD ").map(|(_, told)| told)).unwrap_or_else(|| panic!("{said}"));
        let numbers: Vec<u64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        let &[sent, answered, lost, refused, unmeasured] = numbers.as_slice() else { panic!("{line}") };
        Told { sent, answered, lost, refused, unmeasured }
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for which in ["a", "b"] {
            let _ = Command::new("ip").args(["netns", "del", &self.end(which)]).status();
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Told {
    sent: u64,
    answered: u64,
    lost: u64,
    refused: u64,
    unmeasured: u64,
}

/// No test: what [`Cable::probe`] starts within a namespace.
#[test]
#[ignore = "started by the tests of this file, within a namespace"]
fn the_probers_process() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let Ok(probes) = variable("LAB_PROBES").parse::<u64>() else { return };
    let family = if variable("LAB_FAMILY") == "v6" { Family::V6 } else { Family::V4 };
    let wire = Wire::open(family, 4712).unwrap();
    assert_eq!(wire.mode(), Mode::Raw);
    let mut prober = Prober::new(vec![wire], Duration::from_secs(2));
    let address = |id: u32| match family {
        Family::V4 => [10, 99, 1, 1 + id as u8].into(),
        Family::V6 => [0xfd99, 1, 0, 0, 0, 0, 0, 1 + id as u16].into(),
    };
    // Two seconds a probe and host: the timeout.
    let target = |id: u32| Target { id: HostId(id), address: address(id), interval: Duration::from_secs(10), probes: 5, size: 56 };
    let now_ns = prober.now_ns();
    // As many hosts as it takes probes: the same addresses again and again.
    let hosts = u32::try_from(probes / 2).unwrap();
    let targets: Vec<Target> = (0..hosts).map(|id| Target { id: HostId(id), ..target(id % HOSTS) }).collect();
    prober.schedule().set_targets(&targets, now_ns);
    let mut settled = 0;
    let mut answered = 0;
    let mut take = |event: Event| {
        if let Event::Probe { outcome, .. } = event {
            settled += 1;
            answered += u64::from(matches!(outcome, Outcome::Answered(_)));
        }
    };
    while prober.counts().sent < probes {
        prober.turn(&mut take).unwrap();
        prober.sleep(None).unwrap();
    }
    let last = Instant::now() + Duration::from_secs(3);
    while Instant::now() < last {
        prober.turn_without_sending(&mut take).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    let counts = prober.counts();
    assert_eq!((counts.answered, counts.sent), (answered, settled), "every probe has an end");
    assert_eq!((counts.strange, counts.duplicates, counts.late), (0, 0, 0));
    println!("TOLD {} {} {} {} {}", counts.sent, counts.answered, counts.lost, counts.refused, counts.unmeasured);
}

#[test]
fn loss_is_what_the_kernel_dropped_to_the_packet() {
    let Some(cable) = Cable::lay("loss") else { return };
    for (family, echo) in [("v4", "icmp type echo-request"), ("v6", "icmpv6 type echo-request")] {
        for (per_mille, probes) in [(50, 10_000), (1, 20_000), (1000, 1_000)] {
            let share = if per_mille < 1000 { format!("numgen random mod 1000 < {per_mille}") } else { String::new() };
            cable.rule(&format!("{echo} {share} counter drop"));
            let told = cable.probe(family, probes);
            let dropped = cable.counted();
            println!("{family} {per_mille} per mille: {told:?}, nft {dropped}");
            assert_eq!((told.lost, told.refused, told.unmeasured), (dropped, 0, 0), "{family} {per_mille}: {told:?}");
            assert_eq!(told.answered, told.sent - dropped);
            assert!(dropped > 0, "the rule was not tried");
        }
    }
}

#[test]
fn a_rejecting_host_is_never_up() {
    let Some(cable) = Cable::lay("reject") else { return };
    for (family, rule) in [
        ("v4", "icmp type echo-request counter reject with icmp type host-prohibited"),
        ("v4", "icmp type echo-request counter reject with icmp type port-unreachable"),
        ("v6", "icmpv6 type echo-request counter reject with icmpv6 type admin-prohibited"),
    ] {
        cable.rule(rule);
        let told = cable.probe(family, 600);
        println!("{rule}: {told:?}");
        assert_eq!((told.answered, told.refused + told.lost), (0, told.sent), "{rule}: {told:?}");
        assert!(told.refused > 0, "{rule}: {told:?}");
    }
}

#[test]
fn fping_agrees() {
    let Some(cable) = Cable::lay("fping") else { return };
    if Command::new("fping").arg("-v").output().is_err() {
        eprintln!("NOT RUN: fping is not installed");
        return;
    }
    cable.rule("icmp type echo-request numgen random mod 1000 < 50 counter drop");
    let ours = cable.probe("v4", 4_000);
    assert_eq!(ours.lost, cable.counted());
    cable.rule("icmp type echo-request numgen random mod 1000 < 50 counter drop");
    let out = Command::new("ip")
        .args(["netns", "exec", &cable.end("a"), "fping", "-q", "-c", "20", "-p", "100", "-t", "2000", "-g", "10.99.1.1", "10.99.1.200"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    // 10.99.1.1 : xmt/rcv/%loss = 20/19/5%, ...
    let lost: u64 = said
        .lines()
        .filter_map(|line| line.split("= ").nth(1)?.split('%').next())
        .map(|counts| {
            let numbers: Vec<u64> = counts.split('/').map(|number| number.parse().unwrap()).collect();
            numbers[0] - numbers[1]
        })
        .sum();
    println!("ours {ours:?}; fping lost {lost} of 4000, nft {}", cable.counted());
    assert_eq!(lost, cable.counted(), "fping says the same as the kernel too");
}
