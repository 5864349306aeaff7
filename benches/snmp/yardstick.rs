//! The limit of the machine: requests of 300 octets answered by 1,400 octets, with nothing done to either.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Command, Stdio};

use crate::farm::wire::{Outgoing, Wire};
use crate::{Failure, farm, machine};

const SERVE: &str = "--serve-echo";
const WINDOW: usize = 64;
const ROUNDS: usize = 1_000;

/// Turns this program into the echo when it was started so.
pub(crate) fn serve_if_asked() -> Result<(), Failure> {
    if std::env::args().nth(1).is_none_or(|word| word != SERVE) {
        return Ok(());
    }
    // In batches, as the farm does: an echo that sleeps between two datagrams makes each of the asker's sends a wake-up.
    let mut wire = Wire::open(0, 16 << 20)?;
    println!("{}", wire.port()?);
    loop {
        let got = wire.receive(1_000)?;
        let answers: Vec<Outgoing> = (0..got)
            .map(|slot| {
                let (to, from, _) = wire.request(slot);
                Outgoing { from, to, octets: vec![0; 1_400] }
            })
            .collect();
        let mut rest = &answers[..];
        while !rest.is_empty() {
            rest = &rest[wire.send(rest).clamp(1, rest.len())..];
        }
    }
}

/// Pairs per CPU-second of the asking process; the median of seven rounds.
pub(crate) fn pairs_per_cpu_second() -> Result<f64, Failure> {
    #[expect(clippy::disallowed_methods, reason = "the echo needs a process of its own")]
    let mut echo = Command::new(std::env::current_exe()?).arg(SERVE).stdout(Stdio::piped()).spawn()?;
    machine::pin(echo.id(), 0);
    let mut line = String::new();
    BufReader::new(echo.stdout.take().ok_or("the echo has no output")?).read_line(&mut line)?;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect((Ipv4Addr::LOCALHOST, line.trim().parse()?))?;
    socket.set_read_timeout(Some(std::time::Duration::from_secs(1)))?;
    let (request, mut answer) = ([0; 300], [0; 2_048]);
    let mut rates = Vec::new();
    for _ in 0..7 {
        let before = farm::wire::cpu_seconds();
        for _ in 0..ROUNDS {
            for _ in 0..WINDOW {
                socket.send(&request)?;
            }
            for _ in 0..WINDOW {
                socket.recv(&mut answer)?;
            }
        }
        rates.push((ROUNDS * WINDOW) as f64 / (farm::wire::cpu_seconds() - before));
    }
    echo.kill()?;
    echo.wait()?;
    Ok(median(&mut rates))
}

/// The middle value.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
