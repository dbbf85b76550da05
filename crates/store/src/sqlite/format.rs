//! The format of the file.

use crate::file::Format;

/// Version by version.
pub(crate) const FORMAT: Format = Format {
    name: "store",
    key: "url",
    remedy_if_full: "free some space, or lower keep-days",
    // "TLSR"
    application: 0x544c_5352,
    migrations: &[
        include_str!("schema.sql"),
        include_str!("schema-2.sql"),
        include_str!("schema-3.sql"),
        include_str!("schema-4.sql"),
    ],
    shrinks: false,
};
