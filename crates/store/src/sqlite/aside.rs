//! Renames a damaged file.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::schema::APPLICATION;
use crate::{Error, ErrorKind};

/// The first bytes of every database of SQLite, and the position of the application's number.
const MAGIC: &[u8] = b"SQLite format 3\0";
const APPLICATION_AT: std::ops::Range<usize> = 68..72;

/// The endings of the files that SQLite keeps beside the database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// See [`crate::set_aside`].
pub(crate) fn set_aside(path: &Path, stamp: &str) -> Result<PathBuf, Error> {
    let failed = |error: io::Error| Error::new(ErrorKind::Unreachable, format!("{}: {error}", path.display()));
    if !is_ours(path).map_err(failed)? {
        let text = format!(
            "{}: not a store of tlsrpt: refusing to rename it; move it away, or set another url",
            path.display()
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

fn is_ours(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(APPLICATION_AT.end as u64).read_to_end(&mut head)?;
    let mark = head.get(APPLICATION_AT).is_some_and(|mark| mark == APPLICATION.to_be_bytes());
    Ok(mark && head.starts_with(MAGIC))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}
