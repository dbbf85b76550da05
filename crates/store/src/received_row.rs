//! What both engines write into the row of a received report.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};

use crate::{
    NewReceived,
    hash::{Hash, hash},
};

/// The keys and the content of a row.
pub(crate) struct Row {
    /// Identifies organization and id, which strangers choose in any length.
    pub(crate) key: Hash,
    /// Identifies the content.
    pub(crate) content: Hash,
    pub(crate) compressed: Vec<u8>,
    pub(crate) bytes: u64,
}

pub(crate) fn key(organization: &str, report_id: &str) -> Hash {
    // With its length, so that no other pair gives the same text.
    hash(&format!("{} {organization}{report_id}", organization.len()))
}

pub(crate) fn row(report: &NewReceived) -> io::Result<Row> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&report.json)?;
    Ok(Row {
        key: key(&report.organization, &report.report_id),
        content: hash(&String::from_utf8_lossy(&report.json)),
        compressed: packed.finish()?,
        bytes: report.json.len() as u64,
    })
}
