//! Archives.

use std::io::{self, Cursor, Read};

use flate2::bufread::GzDecoder;
use zip::{ZipArchive, read::ZipFile, result::ZipError};

use super::{At, Item, Problem, Search, budget::Refused, form::GZIP};
use crate::limits;

impl Search<'_> {
    pub(super) fn gzip(&mut self, packed: &[u8], at: &At) {
        match self.budget.unpack(Members(GzDecoder::new(packed))) {
            Ok(bytes) => self.search(&bytes, &at.inside("")),
            Err(refused) => self.refuse(at, &refused),
        }
    }

    pub(super) fn zip(&mut self, packed: &[u8], at: &At) {
        let mut archive = match ZipArchive::new(Cursor::new(packed)) {
            Ok(archive) => archive,
            Err(error) => return self.refuse(at, &error.into()),
        };
        if archive.len() > limits::MEMBERS {
            return self.problem(at, format!("it has more than {} members, which no report needs", limits::MEMBERS));
        }
        for index in 0..archive.len() {
            match archive.by_index(index) {
                Ok(member) if member.is_dir() || is_of_macos(member.name()) => {}
                Ok(member) => self.member(member, at),
                Err(error) => self.refuse(at, &error.into()),
            }
        }
    }

    fn member<R: Read>(&mut self, member: ZipFile<'_, R>, at: &At) {
        let inside = at.inside(member.name());
        match self.budget.unpack(member) {
            Ok(bytes) => self.search(&bytes, &inside),
            Err(refused) => self.refuse(&inside, &refused),
        }
    }

    /// A bomb and a lack of memory are told of in any case; a damaged archive that nobody calls a report is no business of this search.
    fn refuse(&mut self, at: &At, refused: &Refused) {
        let problem =
            Problem { is_of_host: *refused == Refused::NoMemory, ..Problem::new(&at.place, refused.to_string()) };
        if at.is_declared || !matches!(refused, Refused::Damaged(_)) {
            self.item(Item::Problem(problem));
        }
    }
}

impl From<ZipError> for Refused {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) => error.into(),
            error => Self::Damaged(error.to_string()),
        }
    }
}

/// Whether macOS has added this to an archive: it keeps there what it knows about the files.
fn is_of_macos(name: &str) -> bool {
    name.starts_with("__MACOSX/") || name == ".DS_Store" || name.ends_with("/.DS_Store")
}

/// The content of all members of a gzip file. What is behind the last one is left out, as gzip itself does: zeros that fill a block, or
/// line ends and text that a program on the way added.
struct Members<'p>(GzDecoder<&'p [u8]>);

impl Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.0.read(buffer)?;
            let rest = *self.0.get_ref();
            if length > 0 || buffer.is_empty() || !rest.starts_with(GZIP) {
                return Ok(length);
            }
            self.0 = GzDecoder::new(rest);
        }
    }
}
