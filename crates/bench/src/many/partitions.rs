//! Whether partitions by day pay: adding, and removing a day.

use std::{
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    figures::{Run, TABLES, bytes, grouped},
    load::Load,
    site::Site,
};
use crate::table;

const DOMAINS: usize = 50_000;
const EVENTS: usize = 300_000;
const COLLECTORS: usize = 4;
/// Days beside today, copies of it.
const DAYS: u64 = 19;

/// The time and the write-ahead log of statements.
#[derive(Debug, Clone, Copy)]
struct Cost {
    time: Duration,
    wal: u64,
}

pub(crate) fn measure(command: &Path) -> Result<String, Box<dyn Error>> {
    let mut rows = Vec::new();
    for (name, is_partitioned) in [("one table for all days", false), ("a partition for each day", true)] {
        let site = Site::new(command, "autovacuum = off")?;
        if is_partitioned {
            site.sql(&partition());
        }
        Run::measure(&site, Load::new(DOMAINS, DOMAINS), COLLECTORS)?;
        site.sql(&copies());
        site.sql("VACUUM ANALYZE");
        let run = Run::measure(&site, Load::new(DOMAINS, EVENTS), COLLECTORS)?;
        let removed = cost(&site, &remove_oldest(is_partitioned))?;
        let vacuumed = cost(&site, &vacuum_counters())?;
        let texts = cost(&site, &unused_texts())?;
        rows.push(vec![
            name.into(),
            grouped(run.rate()),
            format!("{:.1} s", run.server_seconds * 1e6 / EVENTS as f64),
            in_words(removed),
            in_words(vacuumed),
            in_words(texts),
        ]);
    }
    let explanation = format!(
        "{} days of {} domains each. {COLLECTORS} collectors send {} events of today; then the counters of the oldest day are \
         removed, with DELETE or by removing its partitions, and the texts that no day refers to any more are looked for.",
        DAYS + 1,
        grouped(DOMAINS as f64),
        grouped(EVENTS as f64)
    );
    let header = [
        "counters in",
        "events a second",
        "processor time of the server for a million events",
        "removing a day (write-ahead log)",
        "VACUUM afterwards",
        "looking for unused texts",
    ];
    Ok(table::section("Partitions", &explanation, &header, &rows))
}

fn cost(site: &Site, statements: &str) -> Result<Cost, Box<dyn Error>> {
    let wal = || site.number("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
    let (before, begin) = (wal()?, Instant::now());
    site.sql(statements);
    let time = begin.elapsed();
    Ok(Cost { time, wal: wal()? - before })
}

fn in_words(cost: Cost) -> String {
    format!("{:.2} s ({})", cost.time.as_secs_f64(), bytes(cost.wal as f64))
}

/// Puts partitioned tables in the place of those with the counters of a day, which must be empty.
fn partition() -> String {
    let tables = TABLES[0].1.iter().map(|table| {
        let old_days = (1..=DAYS).map(|number| (old_day(number).to_string(), old_day(number).to_string()));
        let today = ("today".to_owned(), "to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')::bigint".to_owned());
        let partitions = old_days.chain([today]).map(|(name, day)| {
            format!("CREATE TABLE {table}_{name} PARTITION OF {table} FOR VALUES IN ({day}) WITH (fillfactor = 80);\n")
        });
        format!(
            "CREATE TABLE new (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES) PARTITION BY LIST (day);\n\
             DROP TABLE {table};\nALTER TABLE new RENAME TO {table};\n{}",
            partitions.collect::<String>()
        )
    });
    // The owner of the function that adds.
    format!("SET ROLE tlsrpt_reporter;\n{}", tables.collect::<String>())
}

fn old_day(number: u64) -> u64 {
    20_000_100 + number
}

/// Copies the counters of today to the other days.
fn copies() -> String {
    let columns = [
        ("domain_of_day", "domain, events, failed, reported"),
        ("sessions", "domain, record, policy, succeeded, failed, reported_succeeded, reported_failed"),
        ("failures", "domain, record, policy, failure, times, reported"),
    ];
    let copy = |(table, columns)| {
        let first = old_day(0);
        format!(
            "INSERT INTO {table} (day, {columns}) SELECT {first} + n, {columns} FROM {table}, generate_series(1, {DAYS}) AS n \
             ORDER BY n, domain;\n"
        )
    };
    columns.map(copy).concat()
}

fn remove_oldest(is_partitioned: bool) -> String {
    let day = old_day(1);
    let remove = |table: &&str| match is_partitioned {
        true => format!("DROP TABLE {table}_{day};\n"),
        false => format!("DELETE FROM {table} WHERE day = {day};\n"),
    };
    TABLES[0].1.iter().map(remove).collect()
}

fn vacuum_counters() -> String {
    format!("VACUUM {}", TABLES[0].1.join(", "))
}

/// As the store does it when it has removed a day.
fn unused_texts() -> String {
    let tables = [("failure", "failures"), ("policy", "sessions"), ("record", "sessions"), ("domain", "domain_of_day")];
    let remove = |(text, table)| {
        format!(
            "DELETE FROM {text} AS t WHERE id > 0 AND NOT EXISTS (SELECT 1 FROM {table} AS c WHERE c.{text} = t.id);\n"
        )
    };
    tables.map(remove).concat()
}
