//! The lab as a value: up when made, gone when dropped. Each test has its own, so tests may run side by side.

use std::path::PathBuf;
use std::process::{Command, Output};

/// One lab.
pub(crate) struct Network {
    name: &'static str,
}

impl Network {
    /// Builds a lab; `None`, with a loud word, where this machine cannot.
    pub(crate) fn up(name: &'static str) -> Option<Self> {
        let missing: Vec<_> = ["ip", "tc", "nft", "sysctl", "snmpd", "snmpset", "python3", "curl", "ping"]
            .into_iter()
            .filter(|tool| !installed(tool))
            .collect();
        let root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"));
        if !root || !missing.is_empty() {
            let why = if root { format!("missing: {}", missing.join(" ")) } else { "network namespaces need root".to_owned() };
            assert!(std::env::var_os("NETROOM_REQUIRE_ALL").is_none(), "the lab cannot be built: {why}");
            eprintln!("NOT RUN: the lab cannot be built here ({why})");
            return None;
        }
        let network = Self { name };
        let out = network.script(&["up"]);
        assert!(out.status.success(), "lab up: {}", String::from_utf8_lossy(&out.stderr));
        Some(network)
    }

    fn script(&self, args: &[&str]) -> Output {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/lab/lab.sh");
        Command::new(script).args(args).env("LAB", self.name).output().expect("bash runs the lab's script")
    }

    /// A command in one of the lab's namespaces, not yet started.
    pub(crate) fn command(&self, namespace: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &format!("{}-{namespace}", self.name), program]);
        command
    }

    /// What a command in a namespace printed; it must succeed.
    pub(crate) fn read(&self, namespace: &str, line: &[&str]) -> String {
        let (program, args) = line.split_first().unwrap();
        let out = self.command(namespace, program).args(args).output().unwrap();
        assert!(out.status.success(), "{line:?}: {}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// A kernel counter of an interface: `rx_bytes`, `tx_packets` ...
    pub(crate) fn kernel_counter(&self, namespace: &str, interface: &str, counter: &str) -> u64 {
        self.read(namespace, &["cat", &format!("/sys/class/net/{interface}/statistics/{counter}")]).trim().parse().unwrap()
    }

    /// The process number of the agent in a switch's namespace.
    pub(crate) fn agent_pid(&self, switch: &str) -> String {
        std::fs::read_to_string(format!("/run/netroom-lab-{}/{switch}/pid", self.name)).unwrap().trim().to_owned()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.script(&["down"]);
    }
}

fn installed(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")]).any(|dir| dir.join(tool).exists())
}
