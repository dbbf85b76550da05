//! `tlsrpt deliver`: the reporter.

use std::{io::Write, time::Duration};

use jiff::{SignedDuration, Timestamp, civil::Date};
use tlsrpt_alert::Watch;
use tlsrpt_config::Configuration;
use tlsrpt_deliver::{
    Housekeeping, NoReport, Reporter, ReporterSettings, plan,
    schedule::complete_before,
    service::{self, Summary, observer},
};
use tlsrpt_format::printable;
use tlsrpt_service::{Ending, Level, Log, Notifier};
use tlsrpt_store::{DeliveryState, NewReport, ReportFilter, ReportStore, Url};

use crate::{
    configuration::ConfigFile,
    day::Day,
    failure::{Failure, cannot},
    output,
    reporting::{self, failed},
};

/// How many domains a dry run reads from the store at once.
const DOMAINS_AT_ONCE: usize = 1000;

/// Makes the reports of each day that has ended, and delivers them by mail and HTTPS.
///
/// It runs in the foreground until SIGINT or SIGTERM.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt deliver
  tlsrpt deliver --once
  tlsrpt deliver --day today --dry-run")]
pub(crate) struct Arguments {
    /// Make and deliver what is due now, then end: exit code 1 if deliveries are left
    #[arg(long)]
    once: bool,
    /// Only the reports about this day, for instance 2026-11-24, today or yesterday; implies --once
    #[arg(long, value_name = "DAY")]
    day: Option<Day>,
    /// Print the reports and deliveries that are due; change and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    file: ConfigFile,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let configuration = arguments.file.load()?.configuration;
    let day = arguments.day.map(|Day(day)| day);
    if arguments.dry_run {
        let settings = reporting::settings(&configuration, &reporting::identity(&configuration.report)?);
        return dry_run(reporting::store(&configuration)?, &settings, day);
    }
    let log = Log::start().map_err(cannot("start a thread"))?;
    let (ending, _end) = Ending::new(None).map_err(cannot("wait for signals"))?;
    if arguments.once || day.is_some() {
        if day.is_none() {
            watch(&configuration, log)?.into_iter().for_each(Watch::once);
        }
        once(reporter(&configuration, reporting::store(&configuration)?, Mode::Once(day), log)?, &ending, log)
    } else {
        serve(&configuration, reporting::store(&configuration)?, &ending, log, Notifier::new())
    }
}

/// How long the reporter runs.
#[derive(Debug, Clone, Copy)]
enum Mode {
    UntilEnded,
    /// Until nothing is due; with a day, only its reports.
    Once(Option<Date>),
}

fn reporter(
    configuration: &Configuration,
    store: Box<dyn ReportStore>,
    mode: Mode,
    log: Log,
) -> Result<Reporter, Failure> {
    let identity = reporting::identity(&configuration.report)?;
    let mut settings = reporting::settings(configuration, &identity);
    // With --once, standard error has only problems.
    let mut least = Level::Info;
    if let Mode::Once(day) = mode {
        (settings.spread, settings.day, least) = (Duration::ZERO, day, Level::Notice);
    }
    let carrier = reporting::carrier(configuration, &identity)?;
    let (reporter, interrupted) = Reporter::new(store, settings, carrier, observer(log, least)).map_err(failed)?;
    if interrupted > 0 {
        let text = "deliveries were interrupted; they are tried again with the same ids";
        log.say(Level::Warning, format_args!("{interrupted} {text}"));
    }
    if !configuration.report.report_mx_hosts {
        return Ok(reporter);
    }
    Ok(reporter.with_mx_hosts(reporting::record_lookup()?))
}

/// Runs the reporter until `ending`.
pub(crate) fn serve(
    configuration: &Configuration,
    store: Box<dyn ReportStore>,
    ending: &Ending,
    log: Log,
    manager: Notifier,
) -> Result<(), Failure> {
    let reporter = reporter(configuration, store, Mode::UntilEnded, log)?;
    let _housekeeping = housekeeping(configuration, log)?;
    let watch = watch(configuration, log)?;
    let _watching = watch.map(Watch::start).transpose().map_err(cannot("start a thread"))?;
    let spread = SignedDuration::try_from(configuration.report.spread).unwrap_or_default();
    log.say(Level::Info, format_args!("delivering; the reports of a day are spread over {spread:#}"));
    service::run(reporter, ending, log, manager).map_err(failed)
}

/// Watches for domains that begin to fail, if the configuration says so.
fn watch(configuration: &Configuration, log: Log) -> Result<Option<Watch>, Failure> {
    let Some((threshold, messenger)) = reporting::alert(configuration)? else { return Ok(None) };
    Ok(Some(Watch::new(reporting::store(configuration)?, threshold, messenger, log)))
}

/// Removes old days from a store that hosts share. From one of this host alone, the collector does.
fn housekeeping(configuration: &Configuration, log: Log) -> Result<Option<Housekeeping>, Failure> {
    let keep_days = u32::try_from(configuration.store.keep_days).unwrap_or(u32::MAX);
    match configuration.store.url {
        Url::Sqlite(_) => Ok(None),
        Url::Postgresql(_) => {
            let started = Housekeeping::start(reporting::store(configuration)?, keep_days, log);
            started.map(Some).map_err(cannot("start a thread"))
        }
    }
}

/// Makes and delivers what is due now.
fn once(reporter: Reporter, ending: &Ending, log: Log) -> Result<(), Failure> {
    let Summary { made, deliveries, waiting } = service::once(reporter, ending, log).map_err(failed)?;
    let mut out = output::for_people();
    writeln!(
        out,
        "{made} reports made, {} deliveries succeeded, {} failed for good or were suppressed, {waiting} are left",
        deliveries.delivered, deliveries.ended
    )?;
    out.flush()?;
    if waiting > 0 { Err(Failure::Found) } else { Ok(()) }
}

/// Prints the reports that would be made, and the deliveries that wait.
fn dry_run(mut store: Box<dyn ReportStore>, settings: &ReporterSettings, day: Option<Date>) -> Result<(), Failure> {
    let now = Timestamp::now();
    let days = match day {
        Some(day) => vec![day],
        None => {
            let hosts = store.hosts().map_err(failed)?;
            store.unreported_days(complete_before(now, settings.grace, &hosts)).map_err(failed)?
        }
    };
    let mut out = output::for_people();
    for day in days {
        let mut after = String::new();
        loop {
            let domains = store.domains(day, &after, DOMAINS_AT_ONCE).map_err(failed)?;
            let Some(last) = domains.last() else { break };
            after = last.domain.clone();
            for domain in &domains {
                let Some(unreported) =
                    store.unreported(day, &domain.domain, settings.plan.failures()).map_err(failed)?
                else {
                    continue;
                };
                let planned = plan(&unreported, day, now, now, &settings.plan);
                write_plan(&mut out, day, &unreported.domain, &planned)?;
            }
        }
    }
    write_waiting(&mut out, store.as_mut(), day)?;
    Ok(out.flush()?)
}

pub(crate) fn write_plan(
    out: &mut impl Write,
    day: Date,
    domain: &str,
    planned: &Result<NewReport, NoReport>,
) -> std::io::Result<()> {
    let name = printable(domain);
    match planned {
        Ok(report) => {
            let sessions = report.succeeded + report.failed;
            writeln!(out, "{day}  {name}: {sessions} sessions, {} failed", report.failed)?;
            for share in &report.mx_hosts {
                writeln!(out, "    and where the record of {} says", printable(&share.host))?;
            }
            report.deliveries.iter().try_for_each(|to| {
                let destination = printable(&to.destination);
                match to.state {
                    DeliveryState::Waiting => writeln!(out, "    to {destination}"),
                    _ => writeln!(out, "    not to {destination}: {}", printable(&to.answer)),
                }
            })
        }
        Err(why) => writeln!(out, "{day}  {name}: no report: {why}"),
    }
}

fn write_waiting(out: &mut impl Write, store: &mut dyn ReportStore, day: Option<Date>) -> Result<(), Failure> {
    let filter = ReportFilter { day, domain: None, state: Some(DeliveryState::Waiting) };
    for report in store.reports(&filter, usize::MAX).map_err(failed)? {
        writeln!(out, "{}  {}: report {} is made", report.day, printable(&report.domain), report.id)?;
        for delivery in store.deliveries(report.id).map_err(failed)? {
            if let Some(next) = delivery.next_attempt.filter(|_| delivery.state == DeliveryState::Waiting) {
                writeln!(out, "    to {}, next attempt {next:.0}", printable(&delivery.destination))?;
            }
        }
    }
    Ok(())
}
