//! The format of the file.

use crate::file::Format;

/// Version by version. A later form of the content of a batch needs a migration too, so that an older version of the
/// program refuses the file.
pub(super) const FORMAT: Format = Format {
    name: "spool",
    key: "spool",
    remedy_if_full: "free some space",
    // "TLSS"
    application: 0x544c_5353,
    migrations: &[include_str!("schema.sql")],
    shrinks: true,
};
