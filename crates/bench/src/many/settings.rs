//! What settings of PostgreSQL change.

use std::{error::Error, path::Path};

use super::{
    figures::{Run, Size, TABLES, bytes, grouped},
    load::Load,
    site::Site,
};
use crate::table;

const DOMAINS: usize = 50_000;
const COLLECTORS: usize = 4;
const EVENTS: usize = 200_000;

/// Each with what it replaces.
const CHANGES: [(&str, &str); 8] = [
    ("", "the defaults"),
    ("shared_buffers = 32MB", "128MB"),
    ("shared_buffers = 1GB", "128MB"),
    ("max_wal_size = 128MB", "1GB"),
    ("max_wal_size = 8GB", "1GB"),
    ("wal_compression = on", "off"),
    ("fsync = off", "on; unsafe, only to see what waiting for the disk costs"),
    ("autovacuum = off", "on"),
];

/// A statement between the two loads: what each end of `checkpoint_timeout` costs.
const CHECKPOINT: (&str, &str) = ("CHECKPOINT", "none between the two loads");

pub(crate) fn measure(command: &Path) -> Result<String, Box<dyn Error>> {
    let mut rows = Vec::new();
    for (setting, instead) in CHANGES.into_iter().chain([CHECKPOINT]) {
        let site = Site::new(command, if setting == CHECKPOINT.0 { "" } else { setting })?;
        let fill = Run::measure(&site, Load::new(DOMAINS, DOMAINS), COLLECTORS)?;
        if setting == CHECKPOINT.0 {
            site.sql(setting);
        }
        let run = Run::measure(&site, Load::new(DOMAINS, EVENTS), COLLECTORS)?;
        let size = Size::of(&site, TABLES[0].1)?;
        let name = if setting.is_empty() { instead.into() } else { format!("`{setting}` (default: {instead})") };
        rows.push(vec![
            name,
            grouped(fill.rate()),
            grouped(run.rate()),
            bytes(run.wal_of_an_event()),
            format!("{:.1} s", run.server_seconds * 1e6 / EVENTS as f64),
            bytes(size.bytes() as f64),
        ]);
    }
    let explanation = format!(
        "{COLLECTORS} collectors send one event of each of {} domains, then {} events of the same domains.",
        grouped(DOMAINS as f64),
        grouped(EVENTS as f64)
    );
    let header = [
        "setting",
        "new domains a second",
        "then events a second",
        "write-ahead log for an event",
        "processor time of the server for a million events",
        "counters at the end",
    ];
    Ok(table::section("Settings of PostgreSQL", &explanation, &header, &rows))
}
