//! Archives.

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use zip::{ZipArchive, read::ZipFile};

use super::{At, Search, budget::Refused};
use crate::limits;

impl Search<'_> {
    pub(super) fn gzip(&mut self, packed: &[u8], at: &At) {
        match self.budget.unpack(MultiGzDecoder::new(packed)) {
            Ok(bytes) => self.search(&bytes, &at.inside("")),
            Err(refused) => self.refuse(at, &refused),
        }
    }

    pub(super) fn zip(&mut self, packed: &[u8], at: &At) {
        let mut archive = match ZipArchive::new(Cursor::new(packed)) {
            Ok(archive) => archive,
            Err(error) => return self.refuse(at, &Refused::Damaged(error.to_string())),
        };
        if archive.len() > limits::MEMBERS {
            return self.problem(at, format!("it has more than {} members, which no report needs", limits::MEMBERS));
        }
        for index in 0..archive.len() {
            match archive.by_index(index) {
                Ok(member) if member.is_dir() => {}
                Ok(member) => self.member(member, at),
                Err(error) => self.refuse(at, &Refused::Damaged(error.to_string())),
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

    /// A bomb is told of in any case; a damaged archive that nobody calls a report is no business of this search.
    fn refuse(&mut self, at: &At, refused: &Refused) {
        if at.is_declared || matches!(refused, Refused::TooLarge(_)) {
            self.problem(at, refused.to_string());
        }
    }
}
