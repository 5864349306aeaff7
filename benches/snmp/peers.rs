//! What others need for the same 13 columns of the same farm.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::farm::formula;
use crate::runs::start_farm;
use crate::table::{Bound, Table};
use crate::yardstick::median;
use crate::{Failure, machine};

const DEVICES: u32 = 1_000;
const PORTS: u32 = 48;

/// Adds the peers that this machine has to the table.
pub(crate) fn compare(table: &mut Table, ours: f64) -> Result<(), Failure> {
    match net_snmp() {
        Ok(theirs) => {
            table.row("net-snmp C library, asynchronous, 1,000 x 48", "ports/CPU-s", theirs, Bound::None);
            table.row("  the engine is faster by", "x", ours / theirs, Bound::AtLeast(3.5));
        }
        Err(error) => eprintln!("SKIPPED net-snmp: {error}; install libsnmp-dev and a C compiler"),
    }
    match exporter() {
        Ok(theirs) => {
            table.row("snmp_exporter, 13 columns, 1,000 x 48", "ports/CPU-s", theirs, Bound::None);
            table.row("  the engine is faster by", "x", ours / theirs, Bound::AtLeast(50.0));
        }
        Err(error) => eprintln!("SKIPPED snmp_exporter: {error}; install prometheus-snmp-exporter"),
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "peers are other programs")]
fn command(program: &str) -> Command {
    Command::new(program)
}

fn run(command: &mut Command) -> Result<Output, Failure> {
    let output = command.output()?;
    if output.status.success() { Ok(output) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned().into()) }
}

/// Ports per CPU-second of `benches/peers/net_snmp_poller.c`; the median of five runs.
fn net_snmp() -> Result<f64, Failure> {
    let directory = tempfile::tempdir()?;
    let program = directory.path().join("net_snmp_poller");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/net_snmp_poller.c");
    run(command("cc").arg("-O2").arg("-o").arg(&program).arg(source).arg("-lnetsnmp"))?;
    let farm = start_farm(DEVICES, PORTS, &[])?;
    let mut rates = Vec::new();
    for _ in 0..5 {
        let words = [farm.port.to_string(), DEVICES.to_string(), PORTS.to_string()];
        let output = run(command("taskset").args(["-c", "1"]).arg(&program).args(words).env("MIBS", ""))?;
        let text = String::from_utf8(output.stdout)?;
        let mut words = text.split_whitespace();
        let values: u32 = words.next().ok_or("no output")?.parse()?;
        let cpu: f64 = words.next().ok_or("no output")?.parse()?;
        if values != DEVICES * PORTS * 13 {
            return Err(format!("it read {values} values").into());
        }
        rates.push(f64::from(DEVICES * PORTS) / cpu);
    }
    farm.stop()?;
    Ok(median(&mut rates))
}

/// Ends a program with its handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ports per CPU-second of snmp_exporter with a module of just these columns, 32 scrapes at once.
fn exporter() -> Result<f64, Failure> {
    let directory = tempfile::tempdir()?;
    let configuration = directory.path().join("snmp.yml");
    std::fs::write(&configuration, module())?;
    let listen = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let farm = start_farm(DEVICES, PORTS, &[])?;
    let words = [format!("--config.file={}", configuration.display()), format!("--web.listen-address={listen}")];
    let running = command("taskset")
        .args(["-c", "1", "prometheus-snmp-exporter"])
        .args(words)
        .env("GOMAXPROCS", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let running = Running(running);
    let tries = (0..100).find_map(|_| {
        std::thread::park_timeout(Duration::from_millis(50));
        TcpStream::connect(listen).ok()
    });
    drop(tries.ok_or("it does not listen")?);
    let before = machine::cpu_seconds_of(running.0.id()).ok_or("it has ended")?;
    let (next, values) = (AtomicU32::new(1), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                loop {
                    let device = next.fetch_add(1, Ordering::Relaxed);
                    if device > DEVICES {
                        return;
                    }
                    let text = scrape(&listen.to_string(), &format!("{}:{}", formula::address(device), farm.port)).unwrap_or_default();
                    let count = text.lines().filter(|line| line.starts_with("if") && line.contains("ifIndex=")).count();
                    values.fetch_add(count as u32, Ordering::Relaxed);
                }
            });
        }
    });
    let cpu = machine::cpu_seconds_of(running.0.id()).ok_or("it has ended")? - before;
    farm.stop()?;
    let values = values.into_inner();
    if values != DEVICES * PORTS * 13 {
        return Err(format!("it gave {values} values").into());
    }
    Ok(f64::from(DEVICES * PORTS) / cpu)
}

fn scrape(listen: &str, target: &str) -> Result<String, Failure> {
    let mut stream = TcpStream::connect(listen)?;
    write!(stream, "GET /snmp?module=bench&target={target} HTTP/1.0\r\nHost: {listen}\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// Its configuration, as its generator would write it.
fn module() -> String {
    let columns = [
        ("ifOperStatus", "2.2.1.8", "gauge"),
        ("ifInDiscards", "2.2.1.13", "counter"),
        ("ifInErrors", "2.2.1.14", "counter"),
        ("ifOutDiscards", "2.2.1.19", "counter"),
        ("ifOutErrors", "2.2.1.20", "counter"),
        ("ifHCInOctets", "31.1.1.1.6", "counter"),
        ("ifHCInUcastPkts", "31.1.1.1.7", "counter"),
        ("ifHCInMulticastPkts", "31.1.1.1.8", "counter"),
        ("ifHCInBroadcastPkts", "31.1.1.1.9", "counter"),
        ("ifHCOutOctets", "31.1.1.1.10", "counter"),
        ("ifHCOutUcastPkts", "31.1.1.1.11", "counter"),
        ("ifHCOutMulticastPkts", "31.1.1.1.12", "counter"),
        ("ifHCOutBroadcastPkts", "31.1.1.1.13", "counter"),
    ];
    let mut text = String::from("bench:\n  version: 2\n  max_repetitions: 50\n  auth:\n    community: public\n  walk:\n");
    for (_, column, _) in columns {
        text += &format!("  - 1.3.6.1.2.1.{column}\n");
    }
    text += "  metrics:\n";
    for (name, column, kind) in columns {
        text += &format!("  - name: {name}\n    oid: 1.3.6.1.2.1.{column}\n    type: {kind}\n    help: {name}\n");
        text += "    indexes:\n    - labelname: ifIndex\n      type: gauge\n";
    }
    text
}
