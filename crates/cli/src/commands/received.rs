//! `tlsrpt received`: the kept reports of others, by domain and day.

use std::{io::Write, path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};
use tlsrpt_format::{datagram::normalized_domain, printable, printable_json};
use tlsrpt_pages::History;
use tlsrpt_received::{
    Item, find,
    history::{self, Alert, AlertLimits, DomainDay, Run},
    text,
};
use tlsrpt_store::{ReceivedFailure, ReceivedFilter, ReceivedReader, ReceivedSum, open_received_reader};

use crate::{
    arguments::{Format, PageFormat, duration, percentage},
    configuration::ConfigFile,
    day::{Day, today},
    failure::Failure,
    output, output_file,
    reporting::failed,
};

/// The most rows of the store that are read.
const MOST: usize = 100_000;
/// How many days an alert compares and looks for the beginning of failures in.
const DAYS_OF_ALERT: i64 = 60;
/// How many organizations a line names.
const NAMED: usize = 3;

/// Lists the reports that `tlsrpt receive` has kept, by day and domain, and says when failures began; or shows one.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  tlsrpt received example.org
  tlsrpt received --day 2026-11-24 --format json
  tlsrpt received --format html --output received.html
  tlsrpt received show 'Example Inc.' 2026-11-24T00:00:00Z_example.org
  tlsrpt received --alert --count 10 --rate 1")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only reports about this domain
    domain: Option<String>,
    /// Only reports about this day, for instance 2026-11-24, today or yesterday
    #[arg(long, value_name = "DAY")]
    day: Option<Day>,
    /// How many days back
    #[arg(long, value_name = "NUMBER", default_value = "30", conflicts_with = "day", value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
    /// For cron: print one line and exit with 1 if failures begin or rise in the reports that arrived of late; else print nothing
    #[arg(long, conflicts_with_all = ["day", "days", "format"])]
    alert: bool,
    /// With --alert: the reports that arrived so long ago at most; the time between two runs
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration, requires = "alert")]
    within: Duration,
    /// With --alert: the fewest failed sessions of a day
    #[arg(long, value_name = "NUMBER", default_value = "1", requires = "alert")]
    count: u64,
    /// With --alert: the least part of the sessions of a day that failed, in percent
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percentage, requires = "alert")]
    rate: f64,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: PageFormat,
    /// Write to this file instead of standard output; it is replaced in one step
    #[arg(long, value_name = "FILE", conflicts_with = "alert")]
    output: Option<PathBuf>,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show a report in words
    Show {
        /// The organization that sent it
        organization: String,
        /// Its report id
        report_id: String,
        /// How to print it
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Format,
        #[command(flatten)]
        file: ConfigFile,
    },
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match &arguments.action {
        Some(Action::Show { organization, report_id, format, file }) => show(organization, report_id, *format, file),
        None if arguments.alert => alert(&arguments),
        None => list(&arguments),
    }
}

fn open(file: &ConfigFile) -> Result<Box<dyn ReceivedReader>, Failure> {
    open_received_reader(&file.load()?.configuration.store.url).map_err(failed)
}

fn filter(arguments: &Arguments, days: i64) -> ReceivedFilter {
    let domain = arguments.domain.as_deref().map(normalized_domain);
    let (first, last) = match arguments.day {
        Some(Day(day)) => (day, day),
        // Clocks differ: a report about today can be here already.
        None => (today().saturating_sub(days.days()), today().saturating_add(1.day())),
    };
    ReceivedFilter { domain, first, last }
}

type Counts = (Vec<ReceivedSum>, Vec<ReceivedFailure>);

fn counts(store: &mut dyn ReceivedReader, filter: &ReceivedFilter) -> Result<Counts, Failure> {
    let sums = store.received_sums(filter, MOST).map_err(failed)?;
    let failures = store.received_failures(filter, MOST).map_err(failed)?;
    Ok((sums, failures))
}

fn list(arguments: &Arguments) -> Result<(), Failure> {
    let mut store = open(&arguments.file)?;
    let filter = filter(arguments, i64::from(arguments.days));
    let (sums, failures) = counts(store.as_mut(), &filter)?;
    let ids = store.received_ids(&filter, MOST).map_err(failed)?;
    let (days, runs) = (history::days(&sums, &failures), history::runs(&sums, &failures));
    let standard = output::standard(arguments.format == PageFormat::Text);
    output_file::to(arguments.output.as_deref(), standard, |mut out| match arguments.format {
        PageFormat::Text => write_list(&mut out, &days, &runs, arguments.day.is_some().then_some(&ids)),
        PageFormat::Html => {
            let page = History { days: &days, runs: &runs, now: Timestamp::now() };
            out.write_all(tlsrpt_pages::history(page).as_bytes())
        }
        PageFormat::Json => {
            let shown = json!({
                "days": days.iter().map(day_as_json).collect::<Vec<_>>(),
                "runs": runs.iter().map(run_as_json).collect::<Vec<_>>(),
                "reports": ids.iter().map(|(organization, id)| json!({"organization": organization, "report-id": id})).collect::<Vec<_>>(),
            });
            writeln!(out, "{}", printable_json(&format!("{shown:#}")))
        }
    })
}

fn write_list(
    out: &mut impl Write,
    days: &[DomainDay],
    runs: &[Run],
    ids: Option<&Vec<(String, String)>>,
) -> std::io::Result<()> {
    if days.is_empty() {
        return writeln!(out, "no reports; tlsrpt receive keeps those that arrive");
    }
    for day in days {
        let DomainDay { day: date, domain, succeeded, failed, organizations, failures, .. } = day;
        let from = named(organizations);
        writeln!(out, "{date}  {}  {succeeded} succeeded, {failed} failed, reported by {from}", printable(domain))?;
        for (result_type, sessions) in failures {
            writeln!(out, "    {sessions} failed: {}", printable(result_type))?;
        }
    }
    if !runs.is_empty() {
        writeln!(out, "\nFailures that last")?;
    }
    for Run { domain, organization, result_type, since, last, sessions } in runs {
        let (domain, by) = (printable(domain), printable(organization));
        let what = printable(result_type);
        writeln!(out, "  {domain}: {what} since {since}, {sessions} sessions until {last}, reported by {by}")?;
    }
    for (organization, id) in ids.into_iter().flatten() {
        writeln!(out, "{}  {}", printable(organization), printable(id))?;
    }
    Ok(())
}

fn named(organizations: &[String]) -> String {
    let shown: Vec<_> = organizations.iter().take(NAMED).map(|name| printable(name).to_string()).collect();
    match organizations.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} others", shown.join(", ")),
    }
}

fn day_as_json(day: &DomainDay) -> Value {
    json!({
        "day": day.day.to_string(),
        "domain": day.domain,
        "succeeded": day.succeeded,
        "failed": day.failed,
        "organizations": day.organizations,
        "failures": day.failures,
    })
}

fn run_as_json(run: &Run) -> Value {
    json!({
        "domain": run.domain,
        "organization": run.organization,
        "result-type": run.result_type,
        "since": run.since.to_string(),
        "last": run.last.to_string(),
        "sessions": run.sessions,
    })
}

fn alert(arguments: &Arguments) -> Result<(), Failure> {
    let mut store = open(&arguments.file)?;
    let (sums, failures) = counts(store.as_mut(), &filter(arguments, DAYS_OF_ALERT))?;
    let within = SignedDuration::try_from(arguments.within).map_err(failed)?;
    let since = Timestamp::now().checked_sub(within).map_err(failed)?;
    let limits = AlertLimits { count: arguments.count, rate: arguments.rate };
    let alerts = history::alerts(&history::days(&sums, &failures), since, limits);
    let Some((worst, others)) = alerts.split_first() else { return Ok(()) };
    let mut out = output::for_people();
    writeln!(out, "{}", alert_in_words(worst, others.len()))?;
    out.flush()?;
    Err(Failure::Found)
}

fn alert_in_words(alert: &Alert, others: usize) -> String {
    let Alert { day, before } = alert;
    let all = day.succeeded.saturating_add(day.failed);
    let reasons: Vec<_> = day.failures.keys().map(|name| printable(name).to_string()).collect();
    let reasons = if reasons.is_empty() { "no reason given".into() } else { reasons.join(", ") };
    let before = before.map_or("no reports before".into(), |before| format!("{before:.1} % before"));
    let others =
        if others > 0 { format!("; and {others} other domains or days, see tlsrpt received") } else { String::new() };
    format!(
        "{}: {} of {all} sessions failed on {} ({reasons}), reported by {}; {before}{others}",
        printable(&day.domain),
        day.failed,
        day.day,
        named(&day.organizations)
    )
}

fn show(organization: &str, report_id: &str, format: Format, file: &ConfigFile) -> Result<(), Failure> {
    let reports = open(file)?.received(organization, report_id).map_err(failed)?;
    if reports.is_empty() {
        let (id, by) = (printable(report_id), printable(organization));
        return Err(Failure::Failed(format!("there is no report {id} of {by}; see tlsrpt received --day DAY")));
    }
    let mut out = output::standard(format == Format::Text);
    let mut all = Vec::new();
    for report in reports {
        let mut shown = None;
        find(&report.compressed, "the store", &mut |item| {
            if let Item::Report(found) = item {
                shown = Some(found.report);
            }
        });
        let Some(shown) = shown else {
            return Err(Failure::Failed("the store has a report that cannot be read".into()));
        };
        match format {
            Format::Text => {
                text::heading(&mut out, &shown)?;
                writeln!(out, "  {:<10}  {:.0}", "arrived", report.arrived)?;
                let signature = if report.signature.is_empty() { "not checked" } else { &report.signature };
                writeln!(out, "  {:<10}  {}", "DKIM", printable(signature))?;
                text::report(&mut out, &shown)?;
            }
            Format::Json => all.push(json!({
                "arrived": format!("{:.0}", report.arrived),
                "signature": report.signature,
                "report": shown,
            })),
        }
    }
    if format == Format::Json {
        writeln!(out, "{}", printable_json(&format!("{:#}", json!({ "reports": all }))))?;
    }
    Ok(out.flush()?)
}
