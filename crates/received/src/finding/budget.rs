//! How much may be unpacked in one file or mail.

use std::io::{self, Read};

use crate::limits;

/// The bytes and parts that are left.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: u64,
    parts: usize,
}

/// Why nothing was unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// A limit.
    TooLarge(u64),
    /// The archive is damaged.
    Damaged(String),
    /// This host has not enough memory now.
    NoMemory,
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::OutOfMemory => Self::NoMemory,
            _ => Self::Damaged(error.to_string()),
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: limits::UNPACKED, parts: limits::PARTS }
    }
}

impl Budget {
    /// Reads all, up to the limit of a report.
    pub(super) fn unpack(&mut self, packed: impl Read) -> Result<Vec<u8>, Refused> {
        let most = self.bytes.min(limits::REPORT);
        let mut bytes = Vec::new();
        let read = packed.take(most + 1).read_to_end(&mut bytes);
        self.bytes = self.bytes.saturating_sub(bytes.len() as u64);
        match read {
            _ if bytes.len() as u64 > most => Err(Refused::TooLarge(most)),
            Ok(_) => Ok(bytes),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the mail may have another part.
    pub(super) fn take_part(&mut self) -> bool {
        let left = self.parts > 0;
        self.parts = self.parts.saturating_sub(1);
        left
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge(most) => {
                write!(out, "it unpacks to more than {} MiB, which no report needs: it is refused", most >> 20)
            }
            Self::Damaged(why) => write!(out, "it cannot be unpacked: {why}"),
            Self::NoMemory => out.write_str("it cannot be unpacked now: this host has not enough memory"),
        }
    }
}
