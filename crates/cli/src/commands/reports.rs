//! `tlsrpt reports`: what was made, and what became of each delivery.

use std::io::{Read, Write};

use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde_json::{Value, json};
use tlsrpt_format::printable;
use tlsrpt_store::{Attempt, Delivery, DeliveryState, KeptReport, ReportFilter, ReportStore};

use super::deliver::Day;
use crate::{
    arguments::Format,
    configuration::ConfigFile,
    failure::Failure,
    output,
    reporting::{self, failed},
};

/// Reports that one list shows at most.
const MOST: usize = 10_000;
/// The largest report that is shown, unpacked, in bytes.
const LARGEST: u64 = 256 << 20;

/// Lists the reports and their deliveries, shows one, sends it again or cancels it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt reports
  tlsrpt reports list --state failed
  tlsrpt reports show 17
  tlsrpt reports resend 17")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only reports about this day, for instance 2026-11-24 or today
    #[arg(long, value_name = "DAY")]
    day: Option<Day>,
    /// Only reports about this domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// Only reports with a delivery in this state: waiting, delivered, failed, suppressed or cancelled
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<DeliveryState>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, clap::Args)]
struct One {
    /// The number of the report in the list
    id: i64,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List reports, the newest day first
    List(List),
    /// Show a report: in words, as JSON, and each destination
    Show(One),
    /// Deliver a report again to each of its destinations, with the same id
    Resend(One),
    /// Deliver a report to no destination where it still waits
    Cancel(One),
}

fn state(name: &str) -> Result<DeliveryState, String> {
    DeliveryState::from_name(name).ok_or_else(|| {
        let names: Vec<_> = DeliveryState::ALL.iter().map(|state| state.name()).collect();
        format!("a state is one of {}", names.join(", "))
    })
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        None => list(&arguments.list),
        Some(Action::List(arguments)) => list(&arguments),
        Some(Action::Show(one)) => show(&one),
        Some(Action::Resend(one)) => change(&one, |delivery| match delivery.state {
            DeliveryState::Waiting => None,
            _ => Some((DeliveryState::Waiting, Some(Timestamp::now()), "sent again by the operator")),
        }),
        Some(Action::Cancel(one)) => change(&one, |delivery| match delivery.state {
            DeliveryState::Waiting => Some((DeliveryState::Cancelled, None, "cancelled by the operator")),
            _ => None,
        }),
    }
}

fn list(arguments: &List) -> Result<(), Failure> {
    let mut store = reporting::store(&arguments.file.load()?.configuration)?;
    let filter = ReportFilter {
        day: arguments.day.map(|Day(day)| day),
        domain: arguments.domain.clone(),
        state: arguments.state,
    };
    let reports = store.reports(&filter, MOST).map_err(failed)?;
    let mut out = output::for_scripts();
    let mut all = Vec::new();
    for report in &reports {
        let deliveries = store.deliveries(report.id).map_err(failed)?;
        match arguments.format {
            Format::Text => write_report(&mut out, report, &deliveries)?,
            Format::Json => all.push(as_json(report, &deliveries)),
        }
    }
    if arguments.format == Format::Json {
        serde_json::to_writer_pretty(&mut out, &json!({ "reports": all })).map_err(std::io::Error::from)?;
        writeln!(out)?;
    }
    Ok(out.flush()?)
}

fn show(one: &One) -> Result<(), Failure> {
    let mut store = reporting::store(&one.file.load()?.configuration)?;
    let report = report(store.as_mut(), one.id)?;
    let deliveries = store.deliveries(one.id).map_err(failed)?;
    let mut out = output::for_scripts();
    write_report(&mut out, &report, &deliveries)?;
    writeln!(out, "\n{}", report.summary)?;
    let mut json = String::new();
    GzDecoder::new(&report.compressed[..]).take(LARGEST).read_to_string(&mut json)?;
    let document: Value = serde_json::from_str(&json).map_err(failed)?;
    writeln!(out, "{document:#}")?;
    Ok(out.flush()?)
}

/// Gives each delivery of a report the state that `next` names, with the reason.
fn change(
    one: &One,
    next: impl Fn(&Delivery) -> Option<(DeliveryState, Option<Timestamp>, &'static str)>,
) -> Result<(), Failure> {
    let mut store = reporting::store(&one.file.load()?.configuration)?;
    report(store.as_mut(), one.id)?;
    let deliveries = store.deliveries(one.id).map_err(failed)?;
    let attempts: Vec<_> = deliveries
        .iter()
        .filter_map(|delivery| {
            let (state, next_attempt, answer) = next(delivery)?;
            Some(Attempt {
                delivery: delivery.id,
                at: Timestamp::now(),
                tried: false,
                state,
                next_attempt,
                unknown: false,
                answer: answer.into(),
                warning: None,
            })
        })
        .collect();
    store.end_attempts(&attempts).map_err(failed)?;
    let mut out = output::for_scripts();
    writeln!(out, "{} of {} deliveries changed", attempts.len(), deliveries.len())?;
    Ok(out.flush()?)
}

fn report(store: &mut dyn ReportStore, id: i64) -> Result<KeptReport, Failure> {
    let found = store.report(id).map_err(failed)?;
    found.ok_or_else(|| Failure::Failed(format!("there is no report {id}; see tlsrpt reports")))
}

fn write_report(out: &mut impl Write, report: &KeptReport, deliveries: &[Delivery]) -> std::io::Result<()> {
    let KeptReport { id, day, domain, succeeded, failed, .. } = report;
    writeln!(out, "{id}  {day}  {}  {} sessions, {failed} failed", printable(domain), succeeded + failed)?;
    for delivery in deliveries {
        let Delivery { destination, state, attempts, next_attempt, answer, warning, unknown, .. } = delivery;
        writeln!(out, "    {}: {}, {attempts} attempts", printable(destination), state.name())?;
        if !answer.is_empty() {
            writeln!(out, "        {}", printable(answer))?;
        }
        if let Some(warning) = warning {
            writeln!(out, "        warning: {}", printable(warning))?;
        }
        if *unknown {
            writeln!(out, "        an attempt ended without an answer: the destination may have the report already")?;
        }
        if let Some(next) = next_attempt {
            writeln!(out, "        next attempt {next:.0}")?;
        }
    }
    Ok(())
}

fn as_json(report: &KeptReport, deliveries: &[Delivery]) -> Value {
    let moment = |at: Option<Timestamp>| at.map(|at| format!("{at:.0}"));
    let deliveries: Vec<_> = deliveries
        .iter()
        .map(|delivery| {
            json!({
                "id": delivery.id,
                "destination": delivery.destination,
                "state": delivery.state.name(),
                "attempts": delivery.attempts,
                "first-attempt": moment(delivery.first_attempt),
                "last-attempt": moment(delivery.last_attempt),
                "next-attempt": moment(delivery.next_attempt),
                "unknown": delivery.unknown,
                "answer": delivery.answer,
                "warning": delivery.warning,
            })
        })
        .collect();
    json!({
        "id": report.id,
        "day": report.day.to_string(),
        "domain": report.domain,
        "number": report.number,
        "report-id": report.report_id,
        "made": moment(Some(report.made)),
        "succeeded": report.succeeded,
        "failed": report.failed,
        "deliveries": deliveries,
    })
}
