//! Reads the values of columns that this program writes.

use jiff::{Timestamp, civil::Date};
use tlsrpt_format::datagram::{Failure, PolicyDescription};
use tokio_postgres::Row;

use super::failure::Failed;
use crate::{DeliveryState, FailureCounts, day};

/// The number for the server, whose integers are signed.
pub(super) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The same for a limit.
pub(super) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn count(row: &Row, column: usize) -> Result<u64, Failed> {
    let number: i64 = row.try_get(column)?;
    Ok(u64::try_from(number).unwrap_or_default())
}

pub(super) fn date(row: &Row, column: usize) -> Result<Date, Failed> {
    day::of_number(row.try_get(column)?).ok_or_else(|| unreadable(row, column))
}

pub(super) fn state(row: &Row, column: usize) -> Result<DeliveryState, Failed> {
    let name: &str = row.try_get(column)?;
    DeliveryState::from_name(name).ok_or_else(|| unreadable(row, column))
}

pub(super) fn timestamp(row: &Row, column: usize) -> Result<Option<Timestamp>, Failed> {
    let seconds: Option<i64> = row.try_get(column)?;
    seconds.map(|seconds| Timestamp::from_second(seconds).map_err(|_| unreadable(row, column))).transpose()
}

pub(super) fn policy(row: &Row, column: usize) -> Result<Option<PolicyDescription>, Failed> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| PolicyDescription::from_json(text).map_err(|_| unreadable(row, column))).transpose()
}

/// How many times, and the failure behind it.
pub(super) fn failure_counts(row: &Row, column: usize) -> Result<FailureCounts, Failed> {
    let text: Option<&str> = row.try_get(column + 1)?;
    let failure = text.map(|text| Failure::from_json(text).map_err(|_| unreadable(row, column + 1))).transpose()?;
    Ok(FailureCounts { failure, times: count(row, column)? })
}

fn unreadable(row: &Row, column: usize) -> Failed {
    Failed::unreadable(row.columns().get(column).map_or("a column", tokio_postgres::Column::name))
}
