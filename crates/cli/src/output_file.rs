//! The file of `--output`.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use crate::failure::{Failure, cannot};

/// Writes to a file, which is replaced in one step, or else to standard output.
pub(crate) fn to(
    file: Option<&Path>,
    mut standard: impl Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    match file {
        Some(file) => replace(file, write),
        None => {
            write(&mut standard)?;
            Ok(standard.flush()?)
        }
    }
}

/// Replaces a file in one step: a reader sees either the old or the new content, whole, also after a power cut.
fn replace(file: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    /// For a web server or a collector of metrics, which run as other users. The umask may take from it.
    const READABLE_BY_ALL: u32 = 0o644;
    let action = || format!("write {}", file.display());
    if fs::metadata(file).is_ok_and(|found| !found.is_file()) {
        let text = format!("cannot {}: it is not a file; without --output, tlsrpt writes to standard output", action());
        return Err(Failure::Failed(text));
    }
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let new = tempfile::Builder::new()
        .permissions(Permissions::from_mode(READABLE_BY_ALL))
        .tempfile_in(directory)
        .map_err(cannot(action()))?;
    let mut out = io::BufWriter::new(&new);
    write(&mut out).and_then(|()| out.flush()).map_err(cannot(action()))?;
    drop(out);
    new.as_file().sync_all().map_err(cannot(action()))?;
    new.persist(file).map(drop).map_err(|failed| cannot(action())(failed.error))
}
