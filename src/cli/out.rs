//! Words to the person at the terminal: answers to stdout, complaints to stderr.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Writes an answer and its newline to stdout. A reader that has gone away (`| head`) is not an error.
pub fn say(text: impl Display) -> anyhow::Result<()> {
    quiet_on_closed_pipe(writeln!(io::stdout().lock(), "{text}"))
}

/// Writes octets to stdout as they are.
pub fn say_raw(bytes: &[u8]) -> anyhow::Result<()> {
    quiet_on_closed_pipe(io::stdout().lock().write_all(bytes))
}

/// Writes something beside the answer to stderr.
pub fn note(text: impl Display) -> anyhow::Result<()> {
    quiet_on_closed_pipe(writeln!(io::stderr().lock(), "{text}"))
}

/// Writes why something could not be done to stderr, causes in one line.
pub fn complain(error: &anyhow::Error) {
    // Nobody is left to tell when stderr is gone too.
    let _ = writeln!(io::stderr().lock(), "netroom: {error:#}");
}

fn quiet_on_closed_pipe(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
