//! The limits of what is read.

/// The largest file, mail or mailbox, in bytes.
pub const INPUT: u64 = 256 << 20;
/// The largest report after unpacking, in bytes.
pub const REPORT: u64 = 64 << 20;
/// The most bytes that all archives in one file or mail may unpack to.
pub const UNPACKED: u64 = 128 << 20;
/// The most members of a zip archive.
pub const MEMBERS: usize = 100;
/// How deep archives and the parts of a mail may be nested.
pub const DEPTH: usize = 16;
/// The most parts of a mail.
pub const PARTS: usize = 1000;
/// The most fields in a header of a mail or of one of its parts.
pub const FIELDS: usize = 1000;
/// The most values in the JSON text of a report. They take memory before any is looked at, at most some 100 bytes each: an object
/// counts as [`OF_OBJECT`] values, an array as [`OF_ARRAY`], and a text or name as one more.
pub const VALUES: usize = 2_000_000;
/// How many values an object counts as.
pub const OF_OBJECT: usize = 16;
/// How many values an array counts as.
pub const OF_ARRAY: usize = 4;
/// The most policies of a report that are kept.
pub const POLICIES: usize = 10_000;
/// The most failures of a report that are kept.
pub const FAILURES: usize = 100_000;
/// The most lines of a policy, and MX host patterns, that are kept.
pub const LINES: usize = 1000;
/// The longest text of a report that is kept, in bytes.
pub const TEXT: usize = 4096;
/// The longest name of a file inside an archive or mail that is shown, in characters.
pub const NAME: usize = 100;
/// The most different departures from the RFC that are listed.
pub const DEPARTURES: usize = 100;
/// The most files of a directory.
pub const FILES: usize = 1_000_000;
