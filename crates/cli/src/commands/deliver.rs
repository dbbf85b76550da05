//! `tlsrpt deliver`: the reporter.

use std::{
    io::Write,
    str::FromStr,
    time::{Duration, Instant},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tlsrpt_config::Configuration;
use tlsrpt_deliver::{NoReport, Reporter, plan, schedule::ready};
use tlsrpt_format::printable;
use tlsrpt_service::{Ending, messages};
use tlsrpt_store::ReportStore;

use crate::{
    configuration::ConfigFile,
    failure::Failure,
    output::{self, MESSAGE_PREFIX, say},
    reporting::{self, failed},
};

/// How often it looks for days that have ended.
const LOOK_FOR_DAYS: Duration = Duration::from_secs(60);
/// How long it rests when there is nothing to send.
const REST: Duration = Duration::from_secs(1);
/// How long the end waits for attempts that are under way.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a store that fails is left alone.
const STORE_RETRY: Duration = Duration::from_secs(10);
/// Domains that are looked at in one piece for a dry run.
const DOMAINS_AT_ONCE: usize = 1000;

/// Makes the reports of each day that has ended, and delivers them by mail and HTTPS.
///
/// It runs in the foreground until SIGINT or SIGTERM.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt deliver
  tlsrpt deliver --once
  tlsrpt deliver --once --day today --dry-run")]
pub(crate) struct Arguments {
    /// Make and deliver what is due now, then end: exit code 1 if deliveries are left
    #[arg(long)]
    once: bool,
    /// Only the reports about this day, for instance 2026-11-24 or today; implies --once
    #[arg(long, value_name = "DAY")]
    day: Option<Day>,
    /// Say what would go where; change and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// A UTC day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day(pub(crate) Date);

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "today" {
            return Ok(Self(today()));
        }
        text.parse().map(Self).map_err(|_| "write a day as 2026-11-24, or today".into())
    }
}

pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let configuration = arguments.file.load()?.configuration;
    let identity = reporting::identity(&configuration.report)?;
    let store = reporting::store(&configuration)?;
    let settings = reporting::settings(&configuration, &identity);
    let day = arguments.day.map(|Day(day)| day);
    if arguments.dry_run {
        return dry_run(store, &settings.plan, day);
    }
    let carrier = reporting::carrier(&configuration, &identity)?;
    let spread = settings.spread;
    let (reporter, interrupted) = Reporter::new(store, settings, carrier).map_err(failed)?;
    if interrupted > 0 {
        say(format_args!("{interrupted} deliveries were interrupted; they are tried again with the same ids"));
    }
    if arguments.once || day.is_some() { once(reporter, day) } else { serve(reporter, &configuration, spread) }
}

/// Makes and delivers what is due now.
fn once(mut reporter: Reporter, day: Option<Date>) -> Result<(), Failure> {
    let made = match day {
        Some(day) => reporter.make(day, Duration::ZERO),
        None => reporter.make_due(Duration::ZERO),
    };
    let made = made.map_err(failed)?;
    let round = reporter.work_off().map_err(failed)?;
    let waiting = reporter.waiting().map_err(failed)?;
    let mut out = output::for_scripts();
    writeln!(
        out,
        "{made} reports made, {} deliveries succeeded, {} failed for good, {waiting} are tried again later",
        round.delivered, round.ended
    )?;
    out.flush()?;
    if waiting > 0 { Err(Failure::Found) } else { Ok(()) }
}

/// Works until a signal ends it.
fn serve(mut reporter: Reporter, configuration: &Configuration, spread: Duration) -> Result<(), Failure> {
    messages::start(MESSAGE_PREFIX).map_err(|error| Failure::Failed(format!("cannot start a thread: {error}")))?;
    let (ending, _end) =
        Ending::new(None).map_err(|error| Failure::Failed(format!("cannot wait for signals: {error}")))?;
    say(format_args!("delivering; the reports of a day are spread over {}", jiff_text(configuration)));
    let mut looked: Option<Instant> = None;
    let mut in_trouble = false;
    loop {
        let is_time = looked.is_none_or(|looked| looked.elapsed() >= LOOK_FOR_DAYS);
        let worked = work(&mut reporter, is_time.then_some(spread));
        if is_time {
            looked = Some(Instant::now());
        }
        let rest = match worked {
            Ok(()) => {
                if std::mem::take(&mut in_trouble) {
                    say("the store works again");
                }
                if reporter.is_idle() { REST } else { Duration::ZERO }
            }
            Err(error) => {
                if !std::mem::replace(&mut in_trouble, true) {
                    say(format_args!("{error}; reports wait until the store works"));
                }
                STORE_RETRY
            }
        };
        if ending.wait_for(rest) {
            break;
        }
    }
    let finished = reporter.finish(PATIENCE);
    messages::finish(REST);
    finished.map_err(failed)
}

fn work(reporter: &mut Reporter, make: Option<Duration>) -> Result<(), tlsrpt_store::Error> {
    if let Some(spread) = make {
        let made = reporter.make_due(spread)?;
        if made > 0 {
            say(format_args!("{made} reports made"));
        }
    }
    reporter.round().map(drop)
}

fn jiff_text(configuration: &Configuration) -> String {
    jiff::SignedDuration::try_from(configuration.report.spread)
        .map_or_else(|_| String::new(), |spread| format!("{spread:#}"))
}

/// Says what would go where.
fn dry_run(
    mut store: Box<dyn ReportStore>,
    settings: &tlsrpt_deliver::PlanSettings,
    day: Option<Date>,
) -> Result<(), Failure> {
    let now = Timestamp::now();
    let days = match day {
        Some(day) => vec![day],
        None => store.unreported_days(today()).map_err(failed)?.into_iter().filter(|day| ready(*day) <= now).collect(),
    };
    let mut out = output::for_scripts();
    for day in days {
        let mut after = String::new();
        loop {
            let domains = store.domains(day, &after, DOMAINS_AT_ONCE).map_err(failed)?;
            let Some(last) = domains.last() else { break };
            after = last.domain.clone();
            for domain in &domains {
                let Some(unreported) = store.unreported(day, &domain.domain).map_err(failed)? else { continue };
                let name = printable(&unreported.domain).to_string();
                match plan(&unreported, day, now, now, settings) {
                    Ok(report) => {
                        writeln!(
                            out,
                            "{day}  {name}: {} sessions, {} failed",
                            report.succeeded + report.failed,
                            report.failed
                        )?;
                        for to in report.deliveries {
                            let note = if to.answer.is_empty() {
                                String::new()
                            } else {
                                format!(" ({})", printable(&to.answer))
                            };
                            writeln!(out, "            {}{note}", printable(&to.destination))?;
                        }
                    }
                    Err(why) => writeln!(out, "{day}  {name}: no report: {}", reason(why))?,
                }
            }
        }
    }
    Ok(out.flush()?)
}

fn reason(why: NoReport) -> &'static str {
    match why {
        NoReport::Nothing => "it has no sessions that a report can name",
        NoReport::NotADomain => "the name is not a host name",
        NoReport::Excluded => "exclude in [report] has it",
        NoReport::OnlySuccesses => "all sessions succeeded, and failures-only is set",
        NoReport::OwnReportMails => "the only sessions were report mails",
    }
}
