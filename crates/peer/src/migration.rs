//! From the databases of tlsrpt-reporter into our store.
//!
//! Each source is only read, and each step can be repeated: batches of counts have ids, and reports are known by theirs. So a
//! migration that was interrupted goes on, and one that is done changes nothing.

use std::{collections::HashSet, path::PathBuf};

use jiff::civil::Date;
use tlsrpt_deliver::{ForeignReport, NotTaken};
use tlsrpt_format::printable;
use tlsrpt_store::{Batch, BatchId, CountedEvent, DeliveryState, KeptDays, NewReport, ReportStore};

use crate::{
    collectd::{self, Counted},
    database::{Database, Writer},
    error::Error,
    reportd,
    sessions::sessions,
};

/// What decides about a migration.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The days that the store keeps. Older ones are left out.
    pub kept: KeptDays,
    /// No tlsrpt-reportd has reported the days that are over, unless its database is a source and says otherwise.
    pub unreported: bool,
}

/// What a migration tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A result.
    Done(String),
    /// Something that was not taken over, and that somebody should look at.
    LeftOut(String),
}

/// A report of ours, or why there is none. The outer error ends the migration.
pub type Taken = Result<Result<NewReport, NotTaken>, Error>;

type TakeOver<'a> = dyn FnMut(&ForeignReport) -> Taken + 'a;

/// Reads the databases at `paths` into the store.
///
/// `take_over` makes a report of ours from one of tlsrpt-reportd.
///
/// # Errors
///
/// What was added until then stays. The next run goes on.
pub fn migrate(
    paths: &[PathBuf],
    store: &mut dyn ReportStore,
    settings: Settings,
    take_over: &mut dyn FnMut(&ForeignReport) -> Taken,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Error> {
    let databases = paths.iter().map(|path| Database::open(path)).collect::<Result<Vec<_>, _>>()?;
    let (collected, reporters): (Vec<_>, Vec<_>) =
        databases.into_iter().partition(|database| database.writer == Writer::Collectd);
    let mut counted = Vec::new();
    for database in &collected {
        counted.push((database, collectd::days(database)?));
    }
    let mut migration = Migration { reporters: &reporters, store, settings, tell };
    for (database, days) in &counted {
        days.iter().try_for_each(|day| migration.check(database, day))?;
    }
    for database in &reporters {
        migration.take_over_reports(database, take_over)?;
    }
    for (database, days) in &counted {
        days.iter().try_for_each(|day| migration.count(database, day))?;
    }
    migration.tell_missing(&collected)
}

struct Migration<'a> {
    reporters: &'a [Database],
    store: &'a mut dyn ReportStore,
    settings: Settings,
    tell: &'a mut dyn FnMut(Told),
}

impl Migration<'_> {
    /// Fails if nobody knows whether a day was reported, or if more was counted after an earlier migration.
    fn check(&mut self, database: &Database, Counted { day, sessions, identity, .. }: &Counted) -> Result<(), Error> {
        let KeptDays { first, today } = self.settings.kept;
        if *day < first {
            return Ok(());
        }
        let before = self.store.last_batch(identity)?;
        if before != 0 && before != *sessions {
            return Err(database.wrong(format!(
                "its {before} sessions of {day} were counted by an earlier migration, and now it has {sessions}: \
                 tlsrpt-collectd ran again, and what is new cannot be told from what was counted"
            )));
        }
        if *day >= today || self.settings.unreported || self.fetched(*day)? {
            return Ok(());
        }
        let reporter = if self.reporters.is_empty() {
            "name the database of tlsrpt-reportd too"
        } else {
            "tlsrpt-reportd did not fetch it, or has forgotten it"
        };
        Err(database.wrong(format!(
            "tlsrpt-reportd may have reported {day} already: {reporter}; if no report was made, use --unreported"
        )))
    }

    /// Whether a reporter would know about reports about the day.
    fn fetched(&self, day: Date) -> Result<bool, Error> {
        for reporter in self.reporters {
            if reportd::first_day(reporter)?.is_some_and(|first| first <= day) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn reported(&self, day: Date) -> Result<HashSet<String>, Error> {
        let mut all = HashSet::new();
        for reporter in self.reporters {
            all.extend(reportd::reported(reporter, day)?);
        }
        Ok(all)
    }

    fn count(&mut self, database: &Database, counted: &Counted) -> Result<(), Error> {
        let Counted { day, sessions, .. } = counted;
        if *day < self.settings.kept.first {
            self.done(database, format_args!("{sessions} sessions of {day} are older than keep-days and left out"));
            return Ok(());
        }
        let reported = self.reported(*day)?;
        let mut sums = Sums::default();
        // What was counted is remembered first: a run that is interrupted goes on only with the same counters.
        self.add(&counted.identity, counted.sessions, counted, Vec::new())?;
        let rows = format!("{} rows", counted.identity);
        let mut after = 0;
        for number in 1.. {
            let chunk = collectd::chunk(database, *day, after)?;
            if chunk.rows.is_empty() {
                break;
            }
            after = chunk.last;
            let events = sums.of(chunk.rows, &reported);
            sums.new |= self.add(&rows, number, counted, events)?;
        }
        self.tell_sums(database, *day, &sums);
        Ok(())
    }

    /// Adds a batch. Returns whether the store did not have it.
    fn add(&mut self, writer: &str, number: u64, of: &Counted, events: Vec<CountedEvent>) -> Result<bool, Error> {
        let batch = Batch {
            id: BatchId { writer: writer.into(), number },
            day: of.day,
            last_event: of.last.filter(|_| !events.is_empty()),
            events,
            invalid: Vec::new(),
            dropped: 0,
        };
        Ok(!self.store.add(&batch)?.before)
    }

    fn tell_sums(&mut self, database: &Database, day: Date, sums: &Sums) {
        let Sums { sessions, reported, unreadable, unreadable_failures, why, .. } = sums;
        let before = if sums.new || *sessions == 0 { "" } else { "; they were counted before" };
        self.done(database, format_args!("{sessions} sessions of {day} counted{before}"));
        if *reported > 0 {
            let text = format!("{reported} sessions of {day} are in reports of tlsrpt-reportd and not counted");
            self.done(database, text);
        }
        if *unreadable > 0 {
            let text = format!("{unreadable} sessions of {day} under policies that cannot be read ({why})");
            self.left_out(database, text);
        }
        if *unreadable_failures > 0 {
            self.left_out(
                database,
                format_args!("details of {unreadable_failures} failures of {day} that cannot be read"),
            );
        }
    }

    fn take_over_reports(&mut self, database: &Database, take_over: &mut TakeOver<'_>) -> Result<(), Error> {
        let (mut reports, mut deliveries, mut before) = (0_u64, 0, 0_u64);
        for number in reportd::open_reports(database)? {
            let report = reportd::report(database, number)?;
            let ForeignReport { domain, day, .. } = &report;
            if *day < self.settings.kept.first {
                self.left_out(
                    database,
                    format_args!("the report about {domain} on {day}, which is older than keep-days"),
                );
                continue;
            }
            match take_over(&report)? {
                Err(why) => self.left_out(database, format_args!("the report about {domain} on {day}: {why}")),
                Ok(ours) if self.store.keep_report(*day, domain, &ours)? => {
                    reports += 1;
                    deliveries += ours.deliveries.iter().filter(|to| to.state == DeliveryState::Waiting).count();
                }
                Ok(_) => before += 1,
            }
        }
        let before = if before > 0 { format!("; {before} reports were taken over before") } else { String::new() };
        self.done(database, format_args!("{reports} reports with {deliveries} open deliveries taken over{before}"));
        for (day, fetcher) in reportd::silent_fetchers(database)? {
            self.done(
                database,
                format_args!("tlsrpt-reportd made its reports about {day} without an answer of \"{fetcher}\""),
            );
        }
        Ok(())
    }

    /// Tells the domains that tlsrpt-reportd fetched, has made no report about, and that are in no file that was named.
    fn tell_missing(&mut self, collected: &[Database]) -> Result<(), Error> {
        for reporter in self.reporters {
            for (day, domain) in reportd::unreported(reporter)? {
                let mut found = day < self.settings.kept.first;
                for database in collected {
                    found = found || collectd::has(database, day, &domain)?;
                }
                if !found {
                    self.left_out(
                        reporter,
                        format_args!(
                            "the sessions of {domain} on {day}, which tlsrpt-reportd fetched and has not reported; \
                         name the collectd.sqlite.yesterday of the host that counted them"
                        ),
                    );
                }
            }
        }
        Ok(())
    }

    fn done(&mut self, database: &Database, text: impl std::fmt::Display) {
        (self.tell)(Told::Done(line(database, text)));
    }

    fn left_out(&mut self, database: &Database, text: impl std::fmt::Display) {
        (self.tell)(Told::LeftOut(line(database, format_args!("not taken over: {text}"))));
    }
}

fn line(database: &Database, text: impl std::fmt::Display) -> String {
    printable(&format!("{}: {text}", database.path.display())).to_string()
}

/// What became of the sessions of a day.
#[derive(Debug, Default)]
struct Sums {
    sessions: u64,
    reported: u64,
    unreadable: u64,
    unreadable_failures: u64,
    /// Why the last policy could not be read.
    why: String,
    /// The store did not have all of them.
    new: bool,
}

impl Sums {
    /// The rows as events, without those of domains that were reported.
    fn of(&mut self, rows: Vec<collectd::PolicyRow>, reported: &HashSet<String>) -> Vec<CountedEvent> {
        let mut events = Vec::new();
        for row in rows {
            if reported.contains(&row.domain) {
                self.reported += row.sessions;
                continue;
            }
            match sessions(&row) {
                Ok(mut found) => {
                    self.sessions += row.sessions;
                    self.unreadable_failures += found.unreadable_failures;
                    events.append(&mut found.events);
                }
                Err(why) => {
                    self.unreadable += row.sessions;
                    self.why = why;
                }
            }
        }
        events
    }
}
