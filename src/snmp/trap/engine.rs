//! Our own SNMP engine: as the receiver of informs we are the authoritative side (RFC 3414 section 1.5.1), so our engine id
//! must stay the same for good and snmpEngineBoots must grow with every start.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

/// Enterprise 0 with format 5: octets given by the administrator, here drawn once (RFC 3411, SnmpEngineID).
const HEAD: [u8; 5] = [0x80, 0, 0, 0, 5];
/// snmpEngineBoots has come to its end (RFC 3414 section 2.2.2): a new engine id is due.
const LAST_BOOT: u32 = i32::MAX.unsigned_abs() - 1;

/// Who we are to senders of SNMPv3 informs.
#[derive(Clone, Debug)]
pub struct Engine {
    id: Vec<u8>,
    boots: u32,
    started: Instant,
}

/// The file of the engine cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the SNMP engine's number cannot be kept in {path}: {source}; check the disk and the permissions of the data directory")]
pub struct EngineError {
    /// The file.
    pub path: String,
    /// Why.
    pub source: io::Error,
}

impl Engine {
    /// Takes up the engine kept in `path`, one boot later; draws a new one when there is none or it cannot be read.
    ///
    /// # Errors
    /// When the new count cannot be brought to the disk: senders would take our messages for old ones.
    pub fn start(path: &Path, started: Instant) -> Result<Self, EngineError> {
        let failed = |source| EngineError { path: path.display().to_string(), source };
        let kept = fs::read_to_string(path).ok().and_then(|text| parse(&text)).filter(|(_, boots)| *boots < LAST_BOOT);
        let (id, boots) = match kept {
            Some((id, boots)) => (id, boots + 1),
            None => (draw().map_err(failed)?, 1),
        };
        keep(path, &id, boots).map_err(failed)?;
        Ok(Self { id, boots, started })
    }

    /// snmpEngineID.
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// snmpEngineBoots and snmpEngineTime (seconds).
    pub fn clock(&self, now: Instant) -> (u32, u32) {
        let seconds = now.saturating_duration_since(self.started).as_secs();
        (self.boots, u32::try_from(seconds).unwrap_or(u32::MAX).min(i32::MAX.unsigned_abs()))
    }
}

fn draw() -> io::Result<Vec<u8>> {
    let mut tail = [0; 8];
    getrandom::fill(&mut tail).map_err(io::Error::other)?;
    Ok([&HEAD[..], &tail].concat())
}

/// `80000000051122334455667788 17`.
fn parse(text: &str) -> Option<(Vec<u8>, u32)> {
    let (id, boots) = text.trim().split_once(' ')?;
    let digits = id.as_bytes();
    let octets: Option<Vec<u8>> =
        digits.chunks(2).map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())).collect();
    let id = octets.filter(|id| (5..=32).contains(&id.len()) && digits.len() % 2 == 0)?;
    Some((id, boots.parse().ok()?))
}

fn keep(path: &Path, id: &[u8], boots: u32) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut file = File::create(&part)?;
    let digits: String = id.iter().map(|octet| format!("{octet:02x}")).collect();
    writeln!(file, "{digits} {boots}")?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::clock;

    #[test]
    fn the_engine_stays_and_its_boots_grow() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("snmp-engine");
        let now = clock::monotonic();
        let first = Engine::start(&path, now).unwrap();
        let second = Engine::start(&path, now).unwrap();
        assert_eq!(first.id(), second.id());
        assert_eq!((first.clock(now), second.clock(now)), ((1, 0), (2, 0)));
    }

    #[test]
    fn an_unreadable_or_worn_out_engine_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("snmp-engine");
        for text in ["", "8000 1", "zz 1", "8000000005112233445566778 1", "80000000051122334455667788 2147483646"] {
            fs::write(&path, text).unwrap();
            let engine = Engine::start(&path, clock::monotonic()).unwrap();
            assert_eq!((engine.id().len(), engine.boots), (13, 1), "{text}");
        }
    }
}
