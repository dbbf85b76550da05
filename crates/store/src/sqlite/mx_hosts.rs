//! The shares of MX hosts in the reports of domains, in the database.

use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, Transaction, params, types::Type};

use crate::{
    MxHostShare, day,
    file::unreadable,
    share_text::{BYTES_AT_ONCE, SHARES_AT_ONCE, from_json, to_json},
};

pub(super) fn keep(
    transaction: &Transaction<'_>,
    day: Date,
    shares: &[MxHostShare],
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO mx_host_share (day, host, content, next_lookup) VALUES (?1, ?2, ?3, ?4)")?;
    shares.iter().try_for_each(|share| {
        insert.execute(params![day::to_number(day), share.host, to_json(share), now.as_second()]).map(drop)
    })
}

/// The shares of a host, and the number of the last one.
pub(super) fn of_host(connection: &Connection, day: Date, host: &str) -> rusqlite::Result<(Vec<MxHostShare>, i64)> {
    let mut query = connection
        .prepare_cached("SELECT id, content FROM mx_host_share WHERE day = ?1 AND host = ?2 ORDER BY id LIMIT ?3")?;
    let mut rows = query.query(params![day::to_number(day), host, SHARES_AT_ONCE])?;
    let (mut shares, mut last, mut bytes) = (Vec::new(), 0, 0);
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        let content: String = row.get(1)?;
        bytes += content.len();
        shares.push(from_json(host, &content).ok_or_else(|| unreadable(1, Type::Text))?);
        if bytes > BYTES_AT_ONCE {
            break;
        }
    }
    Ok((shares, last))
}

pub(super) fn remove(connection: &Connection, day: Date, host: &str, last: i64) -> rusqlite::Result<()> {
    let mut remove =
        connection.prepare_cached("DELETE FROM mx_host_share WHERE day = ?1 AND host = ?2 AND id <= ?3")?;
    remove.execute(params![day::to_number(day), host, last]).map(drop)
}
