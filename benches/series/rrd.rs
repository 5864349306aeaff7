//! The same samples into rrdtool's files, twelve sources a file and archives as MRTG keeps them, by one `rrdtool -`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use netroom::model::PortMetric;

use super::START;
use super::generator::{PORTS, Switch, TWELVE};
use super::measure::Usage;

/// Feeds an hour of two switches and prints the ratio.
#[expect(clippy::disallowed_methods, reason = "the peer that is measured is another program")]
pub(crate) fn compare(dir: &Path, ours: f64) {
    let spawned = Command::new("rrdtool").arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut peer) = spawned else {
        eprintln!("SKIPPED: rrdtool is not installed, no comparison with it (apt-get install rrdtool)");
        return;
    };
    fs::create_dir_all(dir).unwrap();
    let (mut to, mut from) = (peer.stdin.take().unwrap(), BufReader::new(peer.stdout.take().unwrap()));
    let mut ask = |line: String| {
        writeln!(to, "{line}").unwrap();
        let mut answer = String::new();
        while !answer.starts_with("OK") {
            answer.clear();
            assert!(from.read_line(&mut answer).unwrap() > 0 && !answer.starts_with("ERROR"), "{answer}");
        }
    };
    let mut fleet: Vec<Switch> = (0..2).map(Switch::new).collect();
    let begin = START / 1000;
    for port in 0..2 * PORTS {
        let sources: String = TWELVE.iter().enumerate().map(|(at, metric)| source(at, *metric)).collect();
        let archives = "RRA:AVERAGE:0.5:1:44640 RRA:AVERAGE:0.5:5:8928 RRA:MAX:0.5:5:8928 RRA:AVERAGE:0.5:60:8760 RRA:MAX:0.5:60:8760";
        ask(format!("create {}/{port}.rrd --start {} --step 60{sources} {archives}", dir.display(), begin - 60));
    }
    let before = Usage::of(&peer.id().to_string());
    let polls = 60;
    for poll in 0..polls {
        for switch in &mut fleet {
            for row in switch.poll(START + poll * 60_000, 60).rows {
                let values: String = TWELVE.iter().map(|metric| format!(":{}", row.values[metric.index()].unwrap_or(0))).collect();
                ask(format!("update {}/{}.rrd {}{values}", dir.display(), row.port.0, begin + poll * 60));
            }
        }
    }
    let samples = f64::from(2 * PORTS) * polls as f64 * 12.0;
    let theirs = Usage::of(&peer.id().to_string()).since(before) * 1e6 / samples;
    println!("rrdtool (pipe mode, warm): {theirs:.2} CPU-s per M samples, {:.0} times ours   goal >= 40", theirs / ours);
    drop(to);
    peer.wait().unwrap();
}

fn source(at: usize, metric: PortMetric) -> String {
    let kind = if metric.is_gauge() { "GAUGE" } else { "COUNTER" };
    format!(" DS:d{at}:{kind}:120:0:U")
}
