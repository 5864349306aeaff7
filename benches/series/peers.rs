//! The same samples into Prometheus' blocks (by promtool) and into VictoriaMetrics (by its import of Prometheus' text).

#![expect(clippy::disallowed_methods, reason = "the peers that are measured are other programs, and one must be waited for")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::START;
use super::generator::{PORTS, Switch, TWELVE};
use super::measure::{Usage, bytes_of};

const POLLS: i64 = 1440;

/// A day of one switch into each; prints bytes a sample and processor time.
pub(crate) fn compare(dir: &Path, ours: f64) {
    fs::create_dir_all(dir).unwrap();
    let samples = f64::from(PORTS) * POLLS as f64 * TWELVE.len() as f64;
    let say = |name: &str, (cpu, bytes): (f64, u64)| {
        let cost = cpu * 1e6 / samples;
        println!("{name}: {cost:.2} CPU-s per M samples, {:.0} times ours; {:.3} B per sample", cost / ours, bytes as f64 / samples);
    };
    prometheus(dir).map_or_else(|| skipped("promtool", "prometheus"), |found| say("Prometheus (blocks by promtool)", found));
    victoria(dir).map_or_else(|| skipped("victoria-metrics", "victoria-metrics"), |found| say("VictoriaMetrics (import)", found));
}

fn skipped(program: &str, package: &str) {
    eprintln!("SKIPPED: {program} is not installed, no comparison with it (apt-get install {package})");
}

/// OpenMetrics wants each series' samples together; time in seconds.
fn prometheus(dir: &Path) -> Option<(f64, u64)> {
    let (text, blocks) = (dir.join("day.om"), dir.join("blocks"));
    let mut columns: Vec<String> = vec![String::new(); PORTS as usize * TWELVE.len()];
    let mut switch = Switch::new(0);
    for poll in 0..POLLS {
        for row in switch.poll(START + poll * 60_000, 60).rows {
            for (at, metric) in TWELVE.iter().enumerate() {
                let value = row.values[metric.index()].unwrap_or(0);
                let (port, seconds) = (row.port.0, START / 1000 + poll * 60);
                let column = &mut columns[port as usize * TWELVE.len() + at];
                writeln!(column, "m_{}{{device=\"sw-0\",port=\"{port}\"}} {value} {seconds}", metric.word()).unwrap();
            }
        }
    }
    let mut file = BufWriter::new(File::create(&text).unwrap());
    for (at, metric) in TWELVE.iter().enumerate() {
        writeln!(file, "# TYPE m_{} gauge", metric.word()).unwrap();
        columns.iter().skip(at).step_by(TWELVE.len()).for_each(|column| file.write_all(column.as_bytes()).unwrap());
    }
    writeln!(file, "# EOF").unwrap();
    file.flush().unwrap();
    let arguments = ["tsdb", "create-blocks-from", "openmetrics"];
    let child = start(Command::new("promtool").args(arguments).arg(&text).arg(&blocks))?;
    Some((until_it_ends(child), bytes_of(&blocks)))
}

/// The text that VictoriaMetrics takes has milliseconds and any order.
fn victoria(dir: &Path) -> Option<(f64, u64)> {
    let store = dir.join("victoria");
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut program = Command::new("victoria-metrics");
    program.arg(format!("-storageDataPath={}", store.display())).arg(format!("-httpListenAddr={address}")).arg("-retentionPeriod=100y");
    let mut child = start(&mut program)?;
    let process = child.id().to_string();
    let mut switch = Switch::new(0);
    for hour in 0..POLLS / 60 {
        let mut body = String::new();
        for poll in hour * 60..(hour + 1) * 60 {
            let at = START + poll * 60_000;
            for row in switch.poll(at, 60).rows {
                for metric in TWELVE {
                    let value = row.values[metric.index()].unwrap_or(0);
                    writeln!(body, "m_{}{{device=\"sw-0\",port=\"{}\"}} {value} {at}", metric.word(), row.port.0).unwrap();
                }
            }
        }
        post(address, "/api/v1/import/prometheus", &body);
    }
    post(address, "/internal/force_flush", "");
    post(address, "/internal/force_merge", "");
    std::thread::sleep(Duration::from_secs(3));
    let cpu = Usage::of(&process).since(Usage::none());
    child.kill().unwrap();
    child.wait().unwrap();
    Some((cpu, bytes_of(&store)))
}

fn start(program: &mut Command) -> Option<Child> {
    match program.stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        started => Some(started.unwrap()),
    }
}

/// The processor time of a program that ends by itself.
fn until_it_ends(mut child: Child) -> f64 {
    let before = Usage::of_children();
    child.wait().unwrap();
    Usage::of_children().since(before)
}

/// One request; the server may still be starting.
fn post(address: std::net::SocketAddr, path: &str, body: &str) {
    let connected = (0..100).find_map(|_| TcpStream::connect(address).map_err(|_| std::thread::sleep(Duration::from_millis(100))).ok());
    let mut stream = connected.unwrap();
    write!(stream, "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 2"), "{path}: {answer}");
}
