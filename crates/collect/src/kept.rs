//! Keeps invalid datagrams as files for analysis.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

/// How many files there may be.
const MOST_FILES: usize = 1_000;

/// How many bytes the files may have together.
const MOST_BYTES: u64 = 16 << 20;

/// The ending of the names of these files.
const ENDING: &str = "datagram";

/// The directory, and the number and size of its files.
#[derive(Debug)]
pub(crate) struct Kept {
    directory: PathBuf,
    files: usize,
    bytes: u64,
    /// Makes names differ within a second.
    next: u64,
}

/// Whether a datagram was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// It was written to a file.
    Kept,
    /// It was not written: a limit of the directory is reached.
    Full,
}

impl Kept {
    /// Counts the files in the directory. Creates the directory if it does not exist; its parent must exist.
    pub(crate) fn new(directory: &Path) -> io::Result<Self> {
        match fs::create_dir(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let mut kept = Self { directory: directory.into(), files: 0, bytes: 0, next: 0 };
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.path().extension().is_some_and(|ending| ending == ENDING) {
                kept.files += 1;
                kept.bytes += entry.metadata().map(|metadata| metadata.len()).unwrap_or_default();
            }
        }
        Ok(kept)
    }

    /// Writes a datagram to a file, whose name has the time of arrival and the reason.
    pub(crate) fn keep(&mut self, at: Timestamp, reason: &str, bytes: &[u8]) -> io::Result<Keeping> {
        let size = bytes.len() as u64;
        if self.files >= MOST_FILES || self.bytes + size > MOST_BYTES {
            return Ok(Keeping::Full);
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o640);
        let mut file = loop {
            let name = format!("{}-{}-{reason}.{ENDING}", at.strftime("%Y%m%dT%H%M%SZ"), self.next);
            self.next += 1;
            match options.open(self.directory.join(name)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => break opened?,
            }
        };
        self.files += 1;
        self.bytes += size;
        file.write_all(bytes)?;
        Ok(Keeping::Kept)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use jiff::Timestamp;

    use super::{Keeping, Kept, MOST_BYTES, MOST_FILES};

    #[test]
    fn datagrams_are_kept_up_to_a_number_and_a_size() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("invalid");
        let mut kept = Kept::new(&place).unwrap();
        let at = Timestamp::from_second(1_795_262_400).unwrap();
        assert_eq!(kept.keep(at, "not-json", b"\xff").unwrap(), Keeping::Kept);
        assert_eq!(fs::read(place.join("20261121T120000Z-0-not-json.datagram")).unwrap(), b"\xff");
        let large = vec![0; usize::try_from(MOST_BYTES).unwrap()];
        assert_eq!(kept.keep(at, "too-long", &large).unwrap(), Keeping::Full);
        // After a restart, numbers in names go on, and existing files count.
        let mut kept = Kept::new(&place).unwrap();
        for _ in 1..MOST_FILES {
            assert_eq!(kept.keep(at, "not-json", b"5").unwrap(), Keeping::Kept);
        }
        assert_eq!(kept.keep(at, "not-json", b"5").unwrap(), Keeping::Full);
        assert_eq!(fs::read_dir(&place).unwrap().count(), MOST_FILES);
        assert_eq!(Kept::new(&place).unwrap().keep(at, "not-json", b"5").unwrap(), Keeping::Full);
    }
}
