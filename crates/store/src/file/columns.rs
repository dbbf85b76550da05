//! Reads the values of columns that this program writes.

use jiff::{Timestamp, civil::Date};
use rusqlite::{Row, types::Type};

use crate::day;

/// The number for SQLite, whose integers are signed.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The same for a limit.
pub(crate) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A number that [`number`] made.
pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    Ok(u64::try_from(number).unwrap_or_default())
}

/// A day.
pub(crate) fn date(row: &Row<'_>, column: usize) -> rusqlite::Result<Date> {
    day::of_number(row.get(column)?).ok_or_else(|| unreadable(column, Type::Integer))
}

/// Seconds since 1970, or NULL.
pub(crate) fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let seconds: Option<i64> = row.get(column)?;
    seconds.map(|seconds| Timestamp::from_second(seconds).map_err(|_| unreadable(column, Type::Integer))).transpose()
}

/// The error for a value that this program does not write.
pub(crate) fn unreadable(column: usize, kind: Type) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, "not what this program writes there".into())
}
