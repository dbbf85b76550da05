//! Removes old days, and checks the tables.

use std::time::Duration;

use super::{
    columns::{count, date},
    failure::Failed,
    link::Link,
};
use crate::{KeptDays, Purged, day};

/// How long the server may work on one statement here.
const LONG: Duration = Duration::from_secs(30 * 60);

/// The tables with counters of a day. `day` is the last.
const OF_A_DAY: [&str; 5] = ["failures", "sessions", "domain_of_day", "invalid", "day"];

/// Tables whose rows go with the days before the first that is kept.
const BESIDE: [&str; 6] = ["writer", "report", "mx_host_share", "mx_host", "day_reported", "judged"];

/// Each table of texts, and the columns that refer to it.
const TEXTS: [(&str, &str); 4] =
    [("failure", "failures"), ("policy", "sessions"), ("record", "sessions"), ("domain", "domain_of_day")];

/// Removes the days that are not kept. Each has its own transaction, so that a batch waits for one day at most.
pub(super) fn purge(link: &mut Link, kept: KeptDays) -> Result<Purged, Failed> {
    let days = link.rows("SELECT day FROM day ORDER BY day", &[])?;
    let days = days.iter().map(|row| date(row, 0)).collect::<Result<Vec<_>, Failed>>()?;
    let old: Vec<_> = days.iter().filter(|day| **day < kept.first).map(|day| day::to_number(*day)).collect();
    if old.is_empty() || !kept.are_plausible(days) {
        return Ok(Purged::default());
    }
    let first = day::to_number(kept.first);
    let mut number = |query: &str| match link.row(query, &[&first])? {
        Some(row) => count(&row, 0),
        None => Ok(0),
    };
    let removed = Purged {
        days: old.len() as u64,
        unreported: number("SELECT coalesce(sum(events - reported), 0)::bigint FROM domain_of_day WHERE day < $1")?,
        waiting: number(
            "SELECT count(*) FROM delivery JOIN report ON report = report.id WHERE day < $1 AND state = 'waiting'",
        )?,
    };
    for day in &old {
        link.transaction(|link| remove_day(link, *day))?;
    }
    link.transaction(|link| {
        link.allow(LONG)?;
        for table in BESIDE {
            link.execute(&format!("DELETE FROM {table} WHERE day < $1"), &[&first])?;
        }
        Ok(())
    })?;
    link.transaction(remove_texts)?;
    Ok(removed)
}

fn remove_day(link: &mut Link, day: i64) -> Result<(), Failed> {
    link.allow(LONG)?;
    // Before all else, as a batch does.
    link.execute("SELECT 1 FROM day WHERE day = $1 FOR UPDATE", &[&day])?;
    for table in OF_A_DAY {
        link.execute(&format!("DELETE FROM {table} WHERE day = $1"), &[&day])?;
    }
    Ok(())
}

/// Removes texts that no day refers to any more. No batch is added meanwhile, which could refer to one of them.
fn remove_texts(link: &mut Link) -> Result<(), Failed> {
    link.allow(LONG)?;
    link.run("LOCK TABLE domain IN EXCLUSIVE MODE")?;
    for (text, table) in TEXTS {
        let unused = format!(
            "DELETE FROM {text} AS t WHERE id > 0 AND NOT EXISTS (SELECT 1 FROM {table} AS c WHERE c.{text} = t.id)"
        );
        link.run(&unused)?;
    }
    Ok(())
}

/// The rows that refer to rows that are missing, a line for each kind.
pub(super) fn check(link: &mut Link) -> Result<Vec<String>, Failed> {
    link.allow(LONG)?;
    let counters = [
        ("domain_of_day", "day", "p.day = c.day"),
        ("sessions", "domain_of_day", "p.day = c.day AND p.domain = c.domain"),
        (
            "failures",
            "sessions",
            "p.day = c.day AND p.domain = c.domain AND p.record = c.record AND p.policy = c.policy",
        ),
        ("invalid", "day", "p.day = c.day"),
    ];
    let texts = TEXTS.map(|(text, table)| (table, text, format!("p.id = c.{text}")));
    let counters = counters.map(|(table, parent, condition)| (table, parent, condition.to_string()));
    let mut wrong = Vec::new();
    for (table, parent, condition) in counters.into_iter().chain(texts) {
        let missing = format!(
            "SELECT count(*) FROM {table} AS c WHERE NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {condition})"
        );
        let rows = match link.row(&missing, &[])? {
            Some(row) => count(&row, 0)?,
            None => 0,
        };
        if rows > 0 {
            wrong.push(format!("rows of {table} that refer to a missing row of {parent}: {rows}"));
        }
    }
    Ok(wrong)
}
