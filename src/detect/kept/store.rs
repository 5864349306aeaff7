//! The file of what is kept: read within limits, written beside and then renamed over the old one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::{Kept, VERSION};

/// Its name within the data directory.
const NAME: &str = "machines.json.gz";
/// More than this is none of ours, however well it was packed.
const LARGEST: u64 = 512 << 20;

/// Why what was kept cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The disk.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no such file.
    #[error("{path} is damaged: {source}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        source: serde_json::Error,
    },
    /// A newer netroom wrote it.
    #[error("{path} was written by a newer netroom (form {version}, this one reads up to {VERSION})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its form.
        version: u64,
    },
}

/// Where it is in a data directory.
pub fn file(data: &Path) -> PathBuf {
    data.join(NAME)
}

/// Reads what was kept; `None` when nothing was.
///
/// # Errors
/// When the file cannot be read or is none of ours.
pub fn read(data: &Path) -> Result<Option<Kept>, KeptError> {
    let path = file(data);
    let packed = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(KeptError::Io { path, source }),
    };
    let mut text = Vec::new();
    if let Err(source) = GzDecoder::new(BufReader::new(packed)).take(LARGEST).read_to_end(&mut text) {
        return Err(KeptError::Io { path, source });
    }
    #[derive(serde::Deserialize)]
    struct Form {
        version: u64,
    }
    let damaged = |source| KeptError::Damaged { path: path.clone(), source };
    let Form { version } = serde_json::from_slice(&text).map_err(damaged)?;
    if version > u64::from(VERSION) {
        return Err(KeptError::Newer { path, version });
    }
    serde_json::from_slice(&text).map(Some).map_err(damaged)
}

/// Writes what is to be kept. Either the old file or the new one is there, whenever the power fails.
///
/// # Errors
/// When the disk does not take it; the old file stays.
pub fn write(data: &Path, kept: &Kept) -> Result<(), KeptError> {
    let (path, beside) = (file(data), data.join(format!("{NAME}.new")));
    let io = |source| KeptError::Io { path: beside.clone(), source };
    // It tells whom people turn to: for our user only.
    let new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside).map_err(io)?;
    let mut packed = GzEncoder::new(BufWriter::new(new), Compression::fast());
    serde_json::to_writer(&mut packed, kept).map_err(|error| io(error.into()))?;
    let mut written = packed.finish().map_err(io)?;
    written.flush().map_err(io)?;
    written.get_ref().sync_all().map_err(io)?;
    fs::rename(&beside, &path).map_err(|source| KeptError::Io { path, source })
}

/// Sets a file aside that cannot be read, so that it can be looked at; where it is now.
///
/// # Errors
/// When the disk does not take it.
pub fn set_aside(data: &Path) -> io::Result<PathBuf> {
    let to = data.join(format!("{NAME}.damaged"));
    fs::rename(file(data), &to)?;
    Ok(to)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::capture::packet::Nanos;
    use crate::detect::learn::{Known, Progress, Role};
    use crate::detect::portrait::{NameSource, Portraits, Service, Way};
    use crate::detect::{Detection, Kind, Level, Machine};
    use crate::model::{Evidence, Fact, MacAddr, Timestamp};

    fn kept() -> Kept {
        let machine = Machine { ip: "10.1.0.9".parse().ok(), mac: Some(MacAddr([0, 1, 2, 3, 4, 5])), vlan: Some(20) };
        let mut portraits = Portraits::default();
        for number in 0..30 {
            let (target, service) = (format!("10.2.0.{number}").parse().unwrap(), Service { way: Way::Tcp, port: 445 });
            portraits.contact(&machine, target, service, Nanos(7_000_000_000));
            portraits.outcome(&machine, target, service, number % 3 == 0, Nanos(8_000_000_000));
        }
        portraits.named(&machine, NameSource::Dhcp, "A301-07", Nanos(7_000_000_000));
        portraits.seen(&Machine { ip: "2001:db8::7".parse().ok(), ..Machine::default() }, Nanos(9));
        let evidence = Evidence::from([("count".to_owned(), Fact::Count(7)), ("port".to_owned(), Fact::Text("445".to_owned()))]);
        let held = Kind::ALL.map(|kind| {
            let (first, last, evidence) = (Nanos(1), Nanos(u64::MAX), evidence.clone());
            Arc::new(Detection { kind, level: Level::Virus, cleared: false, machine, first, last, contacts: 7, evidence })
        });
        let progress = Role::ALL.map(|role| Progress { role, days: 3, last: 20_000, facts: evidence.clone() });
        let learnt = vec![Known { ip: "10.1.0.9".parse().unwrap(), progress: progress.into() }];
        let mut machines = portraits.snapshot();
        machines.sort_by_key(|portrait| portrait.key);
        Kept { version: VERSION, at: Timestamp::from_secs(1_800_000_000), machines, learnt, held: held.into() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap(), None);
        let kept = kept();
        write(dir.path(), &kept).unwrap();
        write(dir.path(), &kept).unwrap();
        let back = read(dir.path()).unwrap().unwrap();
        assert_eq!(back, kept);
        assert_eq!(back.portrait("10.1.0.9".parse().unwrap()).unwrap().names[0].1, "A301-07".into());
        assert_eq!(back.held_against("00:01:02:03:04:05".parse().unwrap()).len(), Kind::ALL.len());
        assert_eq!(back.held_against("10.1.0.10".parse().unwrap()).len(), 0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_broken_or_of_another_age_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &Kept { version: VERSION + 1, ..kept() }).unwrap();
        assert!(matches!(read(dir.path()), Err(KeptError::Newer { version: 2, .. })));
        let whole = fs::read(file(dir.path())).unwrap();
        fs::write(file(dir.path()), &whole[..whole.len() / 2]).unwrap();
        assert!(matches!(read(dir.path()), Err(KeptError::Io { .. })));
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(b"{\"version\":1,\"machines\":7}").unwrap();
        fs::write(file(dir.path()), packed.finish().unwrap()).unwrap();
        assert!(matches!(read(dir.path()), Err(KeptError::Damaged { .. })));
        assert!(set_aside(dir.path()).unwrap().exists() && read(dir.path()).unwrap().is_none());
    }
}
