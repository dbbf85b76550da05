//! `tlsrpt reports`: the reports in the store and the states of their deliveries.

use std::{
    io::{Read, Write},
    path::PathBuf,
};

use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde_json::{Value, json};
use tlsrpt_deliver::{Outcome, plan};
use tlsrpt_format::{printable, printable_json};
use tlsrpt_store::{Delivery, DeliveryState, KeptReport, NewReport, ReportFilter, ReportStore};

use super::deliver::write_plan;
use crate::{
    arguments::{Format, PageFormat},
    configuration::ConfigFile,
    day::Day,
    failure::Failure,
    nearest::did_you_mean,
    output, output_file,
    reporting::{self, failed},
};

/// How many reports one list shows at most.
const MOST: usize = 10_000;
/// The largest report that is shown, unpacked, in bytes.
const LARGEST: u64 = 256 << 20;

/// Lists the reports and their deliveries, shows one, shows what would be sent now, sends a report again or cancels it.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  tlsrpt reports
  tlsrpt reports list --state failed
  tlsrpt reports show 17
  tlsrpt reports show 17 --format html --output report-17.html
  tlsrpt reports preview example.org --mail-to postmaster@example.com
  tlsrpt reports resend 17")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only reports about this day, for instance 2026-11-24, today or yesterday
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

#[derive(Debug, clap::Args)]
struct Shown {
    /// The number of the report in the list
    id: i64,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: PageFormat,
    /// Write to this file instead of standard output; it is replaced in one step
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, clap::Args)]
struct Preview {
    /// The policy domain
    domain: String,
    /// The day, for instance 2026-11-24 or yesterday; sessions that are already in a report are left out
    #[arg(long, value_name = "DAY", default_value = "today")]
    day: Day,
    /// Also send the mail to this address, without any change of the store
    #[arg(long, value_name = "ADDRESS")]
    mail_to: Option<String>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List reports, the newest day first
    List(List),
    /// Show a report as text and as JSON, and its deliveries
    Show(Shown),
    /// Show the report about a domain that would be made and sent now
    Preview(Preview),
    /// Deliver a report again, with the same id, to each destination for which the delivery has ended
    Resend(One),
    /// Cancel the deliveries of a report that still wait
    Cancel(One),
}

fn state(name: &str) -> Result<DeliveryState, String> {
    DeliveryState::from_name(name).ok_or_else(|| {
        let names: Vec<_> = DeliveryState::ALL.iter().map(|state| state.name()).collect();
        format!("a state is one of {}{}", names.join(", "), did_you_mean(name, names.iter().copied()))
    })
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        None => list(&arguments.list),
        Some(Action::List(arguments)) => list(&arguments),
        Some(Action::Show(one)) => show(&one),
        Some(Action::Preview(arguments)) => preview(&arguments),
        Some(Action::Resend(one)) => {
            change(&one, "deliveries wait for another attempt", |store| store.resend(one.id, Timestamp::now()))
        }
        Some(Action::Cancel(one)) => change(&one, "deliveries are cancelled", |store| store.cancel(one.id)),
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
    let mut out = output::standard(arguments.format == Format::Text);
    let mut all = Vec::new();
    for report in &reports {
        let deliveries = store.deliveries(report.id).map_err(failed)?;
        match arguments.format {
            Format::Text => write_report(&mut out, report, &deliveries)?,
            Format::Json => all.push(as_json(report, &deliveries)),
        }
    }
    if arguments.format == Format::Json {
        write_json(&mut out, &json!({ "reports": all }))?;
    }
    Ok(out.flush()?)
}

fn show(one: &Shown) -> Result<(), Failure> {
    let mut store = reporting::store(&one.file.load()?.configuration)?;
    let report = report(store.as_mut(), one.id)?;
    let deliveries = store.deliveries(one.id).map_err(failed)?;
    let document = unpacked(&report.compressed)?;
    let standard = output::standard(one.format == PageFormat::Text);
    output_file::to(one.output.as_deref(), standard, |mut out| match one.format {
        PageFormat::Text => {
            write_report(&mut out, &report, &deliveries)?;
            write_document(&mut out, &report.summary, &document)
        }
        PageFormat::Json => {
            let mut shown = as_json(&report, &deliveries);
            if let Some(members) = shown.as_object_mut() {
                members.insert("report".into(), document);
            }
            write_json(&mut out, &shown)
        }
        PageFormat::Html => {
            let (report, deliveries, document) = (&report, deliveries.as_slice(), &document);
            let page = tlsrpt_pages::Report { report, deliveries, document, now: Timestamp::now() };
            out.write_all(tlsrpt_pages::report(page).as_bytes())
        }
    })
}

fn preview(arguments: &Preview) -> Result<(), Failure> {
    let Preview { domain, day: Day(day), mail_to, format, file } = arguments;
    let configuration = file.load()?.configuration;
    let identity = reporting::identity(&configuration.report)?;
    let settings = reporting::settings(&configuration, &identity);
    let name = printable(domain);
    let mail_to = mail_to.as_deref().map(|address| {
        address.parse().map_err(|why| Failure::BadUse(format!("--mail-to {}: {why}", printable(address))))
    });
    let mail_to = mail_to.transpose()?;
    let mut store = reporting::store(&configuration)?;
    let Some(unreported) = store.unreported(*day, domain, settings.plan.failures()).map_err(failed)? else {
        let text = format!("there is nothing about {name} on {day} that is not in a report; see tlsrpt reports");
        return Err(Failure::Failed(text));
    };
    let now = Timestamp::now();
    let planned = plan(&unreported, *day, now, now, &settings.plan);
    let mut out = output::standard(*format == Format::Text);
    let report = match &planned {
        Ok(report) => report,
        Err(why) => return Err(Failure::Failed(format!("{name} gets no report about {day}: {why}"))),
    };
    let document = unpacked(&report.compressed)?;
    match format {
        Format::Text => {
            write_plan(&mut out, *day, &unreported.domain, &planned)?;
            write_document(&mut out, &report.summary, &document)?;
        }
        Format::Json => {
            let destinations: Vec<_> = report
                .deliveries
                .iter()
                .map(|to| json!({"destination": to.destination, "state": to.state.name(), "answer": to.answer}))
                .collect();
            let day = day.to_string();
            let shown =
                json!({"day": day, "domain": unreported.domain, "destinations": destinations, "report": document});
            write_json(&mut out, &shown)?;
        }
    }
    out.flush()?;
    let Some(to) = mail_to else { return Ok(()) };
    let carrier = reporting::carrier(&configuration, &identity)?;
    match carrier.mail_now(&previewed(&unreported.domain, *day, report), &to) {
        Outcome::Delivered { answer, .. } => {
            output::say(format_args!("sent to {to}: {answer}"));
            Ok(())
        }
        Outcome::Deferred { answer, .. } | Outcome::Refused { answer } => {
            Err(Failure::Failed(format!("not sent to {to}: {answer}")))
        }
    }
}

/// The report as the store would return it.
fn previewed(domain: &str, day: jiff::civil::Date, report: &NewReport) -> KeptReport {
    KeptReport {
        id: 0,
        day,
        domain: domain.into(),
        number: 0,
        report_id: report.report_id.clone(),
        made: report.made,
        file_name: report.file_name.clone(),
        compressed: report.compressed.clone(),
        summary: report.summary.clone(),
        succeeded: report.succeeded,
        failed: report.failed,
    }
}

fn unpacked(compressed: &[u8]) -> Result<Value, Failure> {
    let mut json = String::new();
    GzDecoder::new(compressed).take(LARGEST).read_to_string(&mut json)?;
    serde_json::from_str(&json).map_err(failed)
}

fn write_document(out: &mut impl Write, summary: &str, document: &Value) -> std::io::Result<()> {
    writeln!(out, "\n{summary}")?;
    write_json(out, document)
}

fn write_json(out: &mut impl Write, value: &Value) -> std::io::Result<()> {
    writeln!(out, "{}", printable_json(&format!("{value:#}")))
}

/// Changes the deliveries of a report.
fn change(
    one: &One,
    what: &str,
    change: impl FnOnce(&mut dyn ReportStore) -> Result<u64, tlsrpt_store::Error>,
) -> Result<(), Failure> {
    let mut store = reporting::store(&one.file.load()?.configuration)?;
    report(store.as_mut(), one.id)?;
    let changed = change(store.as_mut()).map_err(failed)?;
    let all = store.deliveries(one.id).map_err(failed)?.len();
    let mut out = output::for_people();
    writeln!(out, "{changed} of {all} {what}")?;
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
