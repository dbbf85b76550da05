//! Reads the values of columns that this program writes.

use jiff::{Timestamp, civil::Date};
use rusqlite::{Row, types::Type};

use crate::{DeliveryState, day};

pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    Ok(u64::try_from(number).unwrap_or_default())
}

pub(super) fn date(row: &Row<'_>, column: usize) -> rusqlite::Result<Date> {
    day::of_number(row.get(column)?).ok_or_else(|| unreadable(column, Type::Integer))
}

pub(super) fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<DeliveryState> {
    let name: String = row.get(column)?;
    DeliveryState::from_name(&name).ok_or_else(|| unreadable(column, Type::Text))
}

pub(super) fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let seconds: Option<i64> = row.get(column)?;
    seconds.map(|seconds| Timestamp::from_second(seconds).map_err(|_| unreadable(column, Type::Integer))).transpose()
}

pub(super) fn unreadable(column: usize, kind: Type) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, "not what this program writes there".into())
}
