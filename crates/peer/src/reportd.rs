//! The reports in a database of tlsrpt-reportd, and what it has fetched.

use std::collections::HashSet;

use jiff::civil::Date;
use tlsrpt_deliver::{ForeignDelivery, ForeignReport};
use tlsrpt_store::{DeliveryState, Timestamp};

use crate::{
    database::{Database, moment, text},
    error::Error,
};

/// The states of a delivery. An open one has none.
const SENT: &str = "sent";
const GIVEN_UP: &str = "timedout";

/// The first day that it fetched. None if it has fetched none yet.
pub(crate) fn first_day(database: &Database) -> Result<Option<Date>, Error> {
    let days = database.rows("SELECT day FROM fetchjobs ORDER BY day LIMIT 1", [], |row| text(row, 0))?;
    days.first().map(|day| database.day(day)).transpose()
}

/// The domains with a report about a day.
pub(crate) fn reported(database: &Database, day: Date) -> Result<HashSet<String>, Error> {
    let query = "SELECT DISTINCT domain FROM reports WHERE day = ?1";
    Ok(database.rows(query, [day.to_string()], |row| text(row, 0))?.into_iter().collect())
}

/// The commands whose list of domains of a day it did not get, although it made reports about that day.
pub(crate) fn silent_fetchers(database: &Database) -> Result<Vec<(String, String)>, Error> {
    database.rows(
        "SELECT day, fetcher FROM fetchjobs WHERE status IS NOT 'ok' AND day IN (SELECT day FROM reports) \
         ORDER BY day, fetcherindex",
        [],
        |row| Ok((text(row, 0)?, text(row, 1)?)),
    )
}

/// The days and domains whose sessions it has fetched, and about which it has made no report.
pub(crate) fn unreported(database: &Database) -> Result<Vec<(Date, String)>, Error> {
    let found = database.rows(
        "SELECT DISTINCT day, domain FROM reportdata WHERE status = 'fetched' AND data <> '{}' \
         AND (day, domain) NOT IN (SELECT day, domain FROM reports) ORDER BY day, domain",
        [],
        |row| Ok((text(row, 0)?, text(row, 1)?)),
    )?;
    found.into_iter().map(|(day, domain)| Ok((database.day(&day)?, domain))).collect()
}

/// The numbers of the reports that have an open delivery.
pub(crate) fn open_reports(database: &Database) -> Result<Vec<i64>, Error> {
    let query =
        "SELECT r_id FROM reports WHERE r_id IN (SELECT d_r_id FROM destinations WHERE status IS NULL) ORDER BY r_id";
    database.rows(query, [], |row| row.get(0))
}

/// A report with its deliveries.
pub(crate) fn report(database: &Database, number: i64) -> Result<ForeignReport, Error> {
    let found = database.rows(
        "SELECT day, domain, ifnull(uniqid, 1), report, its FROM reports WHERE r_id = ?1",
        [number],
        |row| Ok((text(row, 0)?, text(row, 1)?, row.get::<_, u32>(2)?, text(row, 3)?, text(row, 4)?)),
    )?;
    let (day, domain, unique, json, made) =
        found.into_iter().next().ok_or_else(|| database.wrong(format!("there is no report {number}")))?;
    Ok(ForeignReport {
        day: database.day(&day)?,
        domain,
        number: unique,
        made: moment(&made).unwrap_or(Timestamp::UNIX_EPOCH),
        json,
        deliveries: deliveries(database, number)?,
    })
}

fn deliveries(database: &Database, report: i64) -> Result<Vec<ForeignDelivery>, Error> {
    database.rows(
        "SELECT destination, ifnull(status, ''), retries, nexttry FROM destinations WHERE d_r_id = ?1 ORDER BY rowid",
        [report],
        |row| {
            let (status, retries) = (text(row, 1)?, row.get::<_, Option<i64>>(2)?.unwrap_or_default());
            let (state, answer) = match status.as_str() {
                "" => (DeliveryState::Waiting, format!("taken over from tlsrpt-reportd after {retries} attempts")),
                SENT => (DeliveryState::Delivered, "delivered by tlsrpt-reportd".into()),
                GIVEN_UP => (DeliveryState::Failed, "given up by tlsrpt-reportd".into()),
                other => (DeliveryState::Failed, format!("left by tlsrpt-reportd as \"{other}\"")),
            };
            let due = moment(&text(row, 3)?).unwrap_or(Timestamp::UNIX_EPOCH);
            Ok(ForeignDelivery { uri: text(row, 0)?, state, due, answer })
        },
    )
}
