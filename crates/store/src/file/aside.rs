//! Renames a damaged file.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::format::Format;
use crate::{Error, ErrorKind};

/// The first bytes of every database of SQLite, and the position of the application's number.
const MAGIC: &[u8] = b"SQLite format 3\0";
const APPLICATION_AT: std::ops::Range<usize> = 68..72;

/// The endings of the files that SQLite keeps beside the database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

impl Format {
    /// Renames a damaged file to a name that ends in `stamp`, so that a new one can be created. Returns the new name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unreachable`] if the file was never of this format. It is not renamed.
    pub(crate) fn set_aside(&self, path: &Path, stamp: &str) -> Result<PathBuf, Error> {
        let failed = |error: io::Error| Error::new(ErrorKind::Unreachable, format!("{}: {error}", path.display()));
        if !self.is_in(path).map_err(failed)? {
            let text = format!(
                "{}: not a {} of tlsrpt: refusing to rename it; move it away, or set another {}",
                path.display(),
                self.name,
                self.key
            );
            return Err(Error::new(ErrorKind::Unreachable, text));
        }
        let new = with_ending(path, &format!(".corrupt-{stamp}"));
        for ending in BESIDE {
            match fs::rename(with_ending(path, ending), with_ending(&new, ending)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        fs::rename(path, &new).map_err(failed)?;
        Ok(new)
    }

    /// Whether the file begins like one of this format.
    fn is_in(&self, path: &Path) -> io::Result<bool> {
        let mut head = Vec::new();
        File::open(path)?.take(APPLICATION_AT.end as u64).read_to_end(&mut head)?;
        let mark = head.get(APPLICATION_AT).is_some_and(|mark| mark == self.application.to_be_bytes());
        Ok(mark && head.starts_with(MAGIC))
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}
