//! Removes old days, and checks the database.

use jiff::civil::Date;
use rusqlite::Connection;

use crate::{Purged, day, file::count};

/// Texts that no day refers to any more.
const UNUSED: [&str; 4] = [
    "DELETE FROM failure WHERE id > 0 AND id NOT IN (SELECT failure FROM failures)",
    "DELETE FROM policy WHERE id > 0 AND id NOT IN (SELECT policy FROM sessions)",
    "DELETE FROM record WHERE id > 0 AND id NOT IN (SELECT record FROM sessions)",
    "DELETE FROM domain WHERE id > 0 AND id NOT IN (SELECT domain FROM domain_of_day)",
];

/// Removes the days before `first`. Returns what it removed. Each day has its own transaction, so that a batch waits
/// for one day at most.
pub(crate) fn purge(connection: &mut Connection, first: Date) -> rusqlite::Result<Purged> {
    let first = day::to_number(first);
    let mut removed = Purged {
        days: 0,
        unreported: number(
            connection,
            "SELECT ifnull(sum(events - reported), 0) FROM domain_of_day WHERE day < ?1",
            first,
        )?,
        waiting: number(
            connection,
            "SELECT count(*) FROM delivery JOIN report ON report = report.id WHERE day < ?1 AND state = 'waiting'",
            first,
        )?,
    };
    while remove_oldest(connection, first)? {
        removed.days += 1;
    }
    if removed.days > 0 {
        connection.execute("DELETE FROM writer WHERE day < ?1", [first])?;
        connection.execute("DELETE FROM report WHERE day < ?1", [first])?;
        connection.execute("DELETE FROM mx_host_share WHERE day < ?1", [first])?;
        connection.execute("DELETE FROM judged WHERE day < ?1", [first])?;
        // With foreign keys on, SQLite would search all counters for each removed text. The statements remove only
        // texts without references.
        connection.pragma_update(None, "foreign_keys", false)?;
        let all = UNUSED.iter().try_for_each(|statement| connection.execute(statement, []).map(drop));
        connection.pragma_update(None, "foreign_keys", true)?;
        all?;
    }
    Ok(removed)
}

fn number(connection: &Connection, query: &str, first: i64) -> rusqlite::Result<u64> {
    connection.query_row(query, [first], |row| count(row, 0))
}

fn remove_oldest(connection: &Connection, first: i64) -> rusqlite::Result<bool> {
    let removed =
        connection.execute("DELETE FROM day WHERE day = (SELECT min(day) FROM day WHERE day < ?1)", [first])?;
    Ok(removed > 0)
}

/// The faults of the database: pages, indexes, references.
pub(crate) fn check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let lines = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let mut wrong: Vec<_> = lines.into_iter().filter(|line| line != "ok").collect();
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        wrong.push(format!("a row of {table} refers to a missing row of {parent}"));
    }
    Ok(wrong)
}
