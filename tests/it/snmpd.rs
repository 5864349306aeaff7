//! A net-snmp agent on loopback, with its own directories and a free port, ended with its handle.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running agent.
pub(crate) struct Snmpd {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Snmpd {
    /// Starts an agent with this configuration, keeping its state in `directory`; on `port`, or on a free one.
    /// `None`, said loudly, when snmpd is not installed.
    #[expect(clippy::disallowed_methods, reason = "the test's peer is another program")]
    pub(crate) fn start(configuration: &str, directory: &Path, port: Option<u16>) -> Option<Self> {
        let port = port.unwrap_or_else(|| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let file = directory.join("snmpd.conf");
        std::fs::write(&file, format!("agentAddress udp:{address}\n{configuration}")).unwrap();
        let spawned = Command::new("/usr/sbin/snmpd")
            .args(["-f", "-Lo", "-C", "-c"])
            .arg(&file)
            .env("SNMP_PERSISTENT_DIR", directory.join("state"))
            .env("SNMPCONFPATH", directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .stdin(Stdio::null())
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                eprintln!("SKIPPED: /usr/sbin/snmpd cannot be started ({error}); install the Debian package snmpd");
                return None;
            }
        };
        // It says its name once it listens.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().any(|line| line.is_ok_and(|line| line.contains("NET-SNMP version")));
        std::thread::spawn(move || lines.for_each(drop));
        assert!(ready, "snmpd ended at once");
        Some(Self { child, address })
    }

    /// Ends the agent gently, so that it keeps its state.
    pub(crate) fn stop(mut self) {
        let pid = i32::try_from(self.child.id()).unwrap();
        terminate(pid);
        self.child.wait().unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "std can only kill, and a killed agent does not save its state")]
fn terminate(pid: i32) {
    assert!(Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap().success());
}

impl Drop for Snmpd {
    fn drop(&mut self) {
        // Already gone after a stop.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
