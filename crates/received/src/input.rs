//! What a command line names: files, directories with mails, and standard input.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use tlsrpt_format::without_error_numbers;

use crate::{Item, Problem, find, limits};

/// The name of standard input on the command line.
pub const STANDARD_INPUT: &str = "-";

/// The directories of a maildir that hold mails.
const OF_MAILDIR: [&str; 2] = ["new", "cur"];

/// Finds the reports in a file, in the mails of a maildir or the files of a directory, or in standard input. A file that
/// cannot be read is an [`Item::Problem`]. A file without a report is one too, but for the files of a directory.
pub fn find_in(name: &Path, out: &mut dyn FnMut(Item)) {
    if name.as_os_str() == STANDARD_INPUT {
        return of_one("standard input", read_limited(io::stdin().lock()), out);
    }
    match fs::metadata(name) {
        Ok(metadata) if metadata.is_dir() => directory(name, out),
        _ => of_one(&name.to_string_lossy(), File::open(name).and_then(read_limited), out),
    }
}

/// Reads all of it.
///
/// # Errors
///
/// It cannot be read, or it has more bytes than [`limits::INPUT`].
pub fn read_limited(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(limits::INPUT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limits::INPUT {
        let text = format!("it has more than {} MiB and is not read", limits::INPUT >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

/// One file. That it has no report is a problem, unless it is a mailbox with others.
fn of_one(place: &str, bytes: io::Result<Vec<u8>>, out: &mut dyn FnMut(Item)) {
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) => return out(unreadable(place, &error)),
    };
    let mut without: Vec<Problem> = Vec::new();
    let mut with = false;
    find(&bytes, place, &mut |item| match item {
        Item::NoReport(problem) if without.is_empty() => without.push(problem),
        Item::NoReport(_) => {}
        item => {
            with = true;
            out(item);
        }
    });
    let only = without.pop().filter(|_| !with);
    if let Some(Problem { reason, .. }) = only {
        out(problem(place, reason));
    }
}

fn directory(path: &Path, out: &mut dyn FnMut(Item)) {
    let mut some = false;
    let found = files(path);
    for file in found.into_iter().flatten() {
        match file {
            Ok(file) => find_quietly(&file, &mut some, out),
            Err(error) => out(unreadable(&path.to_string_lossy(), &error)),
        }
    }
    if !some {
        out(problem(&path.to_string_lossy(), "no file of this directory has a TLS report".into()));
    }
}

fn find_quietly(file: &Path, some: &mut bool, out: &mut dyn FnMut(Item)) {
    let place = file.to_string_lossy();
    match File::open(file).and_then(read_limited) {
        Ok(bytes) => find(&bytes, &place, &mut |item| {
            *some |= !matches!(item, Item::NoReport(_));
            out(item);
        }),
        Err(error) => {
            *some = true;
            out(unreadable(&place, &error));
        }
    }
}

/// The files of a directory by name: of `new` and `cur` if it is a maildir. Without pipes and devices.
fn files(path: &Path) -> Vec<Vec<io::Result<PathBuf>>> {
    let is_maildir = OF_MAILDIR.iter().all(|name| path.join(name).is_dir());
    match is_maildir {
        true => OF_MAILDIR.iter().map(|name| of_directory(&path.join(name))).collect(),
        false => vec![of_directory(path)],
    }
}

fn of_directory(path: &Path) -> Vec<io::Result<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return vec![Err(error)],
    };
    let mut files: Vec<_> = entries.take(limits::FILES).map(|entry| entry.map(|entry| entry.path())).collect();
    files.retain(|file| file.as_ref().map_or(true, |file| file.is_file()));
    files.sort_by(|one, other| one.as_ref().ok().cmp(&other.as_ref().ok()));
    files
}

fn unreadable(place: &str, error: &io::Error) -> Item {
    let is_of_host = error.kind() != io::ErrorKind::FileTooLarge;
    Item::Problem(Problem { is_of_host, ..Problem::new(place, without_error_numbers(&error.to_string())) })
}

fn problem(place: &str, reason: String) -> Item {
    Item::Problem(Problem::new(place, reason))
}
