//! The files of recordings: where they are, what they hold, whether there is room for another. A file that a crash left in
//! the middle of a frame is cut back to its last whole one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::life::Counts;

/// What must stay free on the file system beside a recording, octets: the database and the samples need it.
pub(super) const RESERVE: u64 = 128 << 20;
/// The head of a pcap file, and of each frame in it.
const HEAD: u64 = 24;
const FRAME_HEAD: u64 = 16;

/// Where the file of a recording is.
pub(super) fn path(dir: &Path, id: i64) -> PathBuf {
    dir.join(format!("{id}.pcap"))
}

/// Makes the directory, for our user only.
pub(super) fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Octets that this user may still write where the recordings are, or will be.
pub(super) fn free(dir: &Path) -> io::Result<u64> {
    let there = dir.ancestors().find(|path| path.exists()).unwrap_or(dir);
    let found = rustix::fs::statvfs(there)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The SHA-256 of a file, hexadecimal; the file stands at its beginning after.
pub(super) fn digest(file: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    file.rewind()?;
    loop {
        match file.read(&mut piece)? {
            0 => break,
            length => hash.update(piece.get(..length).unwrap_or_default()),
        }
    }
    file.rewind()?;
    Ok(hash.finalize().iter().map(|octet| format!("{octet:02x}")).collect())
}

/// Cuts a file back to its last whole frame and counts what it holds. A file without even its head holds nothing.
pub(super) fn mend(path: &Path) -> io::Result<Counts> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let (mut reader, mut counts, mut at) = (BufReader::new(&file), Counts::default(), HEAD);
    reader.seek(SeekFrom::Start(HEAD))?;
    while at + FRAME_HEAD <= length {
        let mut head = [0; FRAME_HEAD as usize];
        reader.read_exact(&mut head)?;
        let [_, _, _, _, _, _, _, _, a, b, c, d, ..] = head;
        let octets = u64::from(u32::from_le_bytes([a, b, c, d]));
        let end = at + FRAME_HEAD + octets;
        if end > length {
            break;
        }
        reader.seek_relative(i64::try_from(octets).unwrap_or(i64::MAX))?;
        (at, counts.packets) = (end, counts.packets + 1);
    }
    if length < HEAD {
        return Ok(counts);
    }
    if at < length {
        file.set_len(at)?;
        file.sync_all()?;
    }
    Ok(Counts { octets: at, ..counts })
}

/// The numbers of the files that are there.
pub(super) fn numbers(dir: &Path) -> io::Result<Vec<i64>> {
    let number = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.strip_suffix(".pcap")?.parse().ok();
    match fs::read_dir(dir) {
        Ok(entries) => Ok(entries.filter_map(number).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::file::Writer;
    use crate::capture::packet::Nanos;

    #[test]
    fn a_file_cut_anywhere_is_mended_to_its_whole_frames() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(Vec::new()).unwrap();
        let mut ends = vec![24];
        for length in [60_usize, 0, 1514] {
            writer.frame(Nanos(7), 1514, &[&vec![3; length]]).unwrap();
            ends.push(writer.octets() as usize);
        }
        let whole = writer.finish().unwrap();
        let path = path(dir.path(), 1);
        for cut in 0..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let frames = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
            let counts = mend(&path).unwrap();
            assert_eq!(counts.packets, frames as u64, "cut at {cut}");
            if cut >= 24 {
                assert_eq!(fs::read(&path).unwrap(), whole[..ends[frames]]);
                assert_eq!(counts.octets, ends[frames] as u64);
            }
        }
        assert_eq!(numbers(dir.path()).unwrap(), [1]);
        assert!(numbers(&dir.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn a_digest_is_of_the_whole_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = path(dir.path(), 1);
        fs::write(&path, b"abc").unwrap();
        let mut file = File::open(&path).unwrap();
        // FIPS 180-2, appendix B.1.
        assert_eq!(digest(&mut file).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest(&mut file).unwrap().len(), 64, "and can be taken again");
    }
}
