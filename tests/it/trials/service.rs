//! The daemon as its unit starts it, without systemd: the words of sd_notify(3), and, where this is root, the account and
//! the capabilities of `systemd/netroom.service`.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process::{Daemon, PATIENCE, agents, device, program, state, write};

/// nobody.
const ACCOUNT: u32 = 65_534;

/// A key of the unit, as it is in force: lines that begin with `#` are not.
fn unit(key: &str) -> String {
    let text = include_str!("../../../systemd/netroom.service");
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("the unit has no {key}")).to_owned()
}

/// The program without the rights that the unit takes away; as it is when this is not root.
#[expect(clippy::disallowed_methods, reason = "rights are taken away by setpriv(1)")]
fn confined(dir: &Path) -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"));
    if !root {
        eprintln!("the account and the capabilities of the unit are not tried: this is not root");
        return program();
    }
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = dir.join("netroom");
    std::fs::copy(program().get_program(), &copy).unwrap();
    let named: Vec<String> =
        unit("CapabilityBoundingSet").split(' ').map(|name| format!("+{}", name.trim_start_matches("CAP_").to_lowercase())).collect();
    assert_eq!(unit("AmbientCapabilities"), unit("CapabilityBoundingSet"));
    let only = format!("-all,{}", named.join(","));
    let mut command = Command::new("setpriv");
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.args([format!("--reuid={ACCOUNT}"), format!("--regid={ACCOUNT}"), "--clear-groups".to_owned(), "--no-new-privs".to_owned()]);
    command.args([format!("--bounding-set={only}"), format!("--inh-caps={only}"), format!("--ambient-caps={only}")]);
    command.arg(copy);
    chown(dir, Some(ACCOUNT), Some(ACCOUNT)).unwrap();
    command
}

#[test]
fn a_data_directory_of_another_account_is_refused_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let config = write(dir.path(), "");
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = confined(dir.path());
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o500)).unwrap();
    let refused = command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config).arg("--data").arg(&data).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    let last = said.lines().last().unwrap();
    assert!(last.contains(data.to_str().unwrap()) && last.contains("give its directory to the user that netroom runs as"), "{said}");
}

/// Reads words until one begins so; what came before it is given back.
fn hear(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("no {wanted} after {heard:?}: {error}"));
        let word = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let found = word.starts_with(wanted);
        heard.push(word);
        if found {
            return heard;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_manager_hears_ready_watchdog_reload_and_stop() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let running = agents(vec![netroom::demo::agent::Faults::default()]);
    let config = write(dir.path(), &device("switch", running.addresses()[0], ""));
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = confined(dir.path());
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "2000000").env("TZ", "Asia/Shanghai");
    let daemon = Daemon::start_by(command, &config, &dir.path().join("data"));
    let ready = hear(&socket, "READY=1").pop().unwrap();
    assert!(ready.contains("STATUS=1 devices, pages on http://127.0.0.1:"), "{ready}");
    for _ in 0..3 {
        hear(&socket, "WATCHDOG=1");
    }
    daemon.wait("/api/v1/devices", "the device", |all| state(all, "switch")["health"]["state"] == "up").await;
    daemon.signal("-HUP");
    let reload = hear(&socket, "READY=1");
    assert!(reload.iter().any(|word| word.starts_with("RELOADING=1") && word.contains("MONOTONIC_USEC=")), "{reload:?}");
    let told = tokio::task::spawn_blocking(move || hear(&socket, "STOPPING=1"));
    let (_, told) = tokio::join!(daemon.stop(), tokio::time::timeout(Duration::from_secs(60), told));
    assert!(told.unwrap().unwrap().pop().unwrap().contains("STATUS="));
}
