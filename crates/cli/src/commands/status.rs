//! `tlsrpt status`: the state and the counters of the collector.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    thread,
    time::Duration,
};

use clap::ValueEnum;
use jiff::Timestamp;
use tlsrpt_config::Loaded;
use tlsrpt_status::{Domain, Extent, Place, Status, json, metrics::metrics, text};

use crate::{
    configuration::{ConfigFile, limits},
    day::{self, Day},
    failure::Failure,
    output, output_file,
};

/// Shows whether the collector runs, its counters, and the problems that need attention.
///
/// It reads the store and does not disturb the collector. Exit code 1 if something needs attention. With --domain it
/// shows the policies, sessions and failures of one domain.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt status
  tlsrpt status --watch
  tlsrpt status --domain example.org --day yesterday
  tlsrpt status --format prometheus --output /var/lib/prometheus/node-exporter/tlsrpt.prom
  tlsrpt status --format html --output /var/www/html/tlsrpt.html")]
pub(crate) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Format of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
    /// Write to this file instead of standard output; it is replaced in one step
    #[arg(long, value_name = "FILE", conflicts_with_all = ["watch", "domain"])]
    output: Option<PathBuf>,
    /// Repeat every 2 seconds, until interrupted
    #[arg(long, conflicts_with = "domain")]
    watch: bool,
    /// Check the whole store for damage, which takes time
    #[arg(long, conflicts_with_all = ["domain", "watch"])]
    integrity: bool,
    /// Show this domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// Only this UTC day: today, yesterday or for instance 2026-11-24 [default: today and yesterday]
    #[arg(long, value_name = "DAY", requires = "domain")]
    day: Option<Day>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// For monitoring: OpenMetrics.
    Prometheus,
    /// For a browser: a page in one file.
    Html,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let loaded = arguments.file.load()?;
    match &arguments.domain {
        Some(domain) => show_domain(&arguments, &loaded, domain),
        None if arguments.watch => watch(&arguments, &loaded),
        None => {
            let status = look(&arguments, &loaded);
            let standard = output::standard(arguments.format == Form::Text);
            output_file::to(arguments.output.as_deref(), standard, |out| show(arguments.format, &status, out))?;
            if status.attention.is_empty() { Ok(()) } else { Err(Failure::Found) }
        }
    }
}

fn look(arguments: &Arguments, loaded: &Loaded) -> Status {
    let configuration = &loaded.configuration;
    /// A page has a plot of them.
    const REPORT_DAYS: u8 = 14;
    let report_days = if arguments.format == Form::Html { REPORT_DAYS } else { 1 };
    let extent = Extent { integrity: arguments.integrity, report_days };
    let (socket, store) = (configuration.collect.socket.clone(), &configuration.store);
    let limits = limits(configuration);
    let place = Place { socket, store: store.url.clone(), limits, spool: store.spool.clone() };
    Status::look(place, Timestamp::now(), extent)
}

fn show(form: Form, status: &Status, mut out: &mut dyn Write) -> io::Result<()> {
    match form {
        Form::Text => text::status(&mut out, status)?,
        Form::Json => writeln!(out, "{}", json::status(status))?,
        Form::Prometheus => out.write_all(metrics(status).as_bytes())?,
        Form::Html => out.write_all(tlsrpt_pages::status(status).as_bytes())?,
    }
    out.flush()
}

/// Shows the status repeatedly, until a signal ends the process or standard output cannot be written to.
fn watch(arguments: &Arguments, loaded: &Loaded) -> Result<(), Failure> {
    const PAUSE: Duration = Duration::from_secs(2);
    /// Moves the cursor to the top left corner and clears the screen.
    const CLEAR: &str = "\x1b[H\x1b[2J";
    let on_terminal = arguments.format == Form::Text && io::stdout().is_terminal();
    loop {
        let status = look(arguments, loaded);
        if on_terminal {
            write!(io::stdout(), "{CLEAR}{:.0}\n\n", status.now)?;
        }
        show(arguments.format, &status, &mut output::standard(arguments.format == Form::Text))?;
        if arguments.format == Form::Text && !on_terminal {
            writeln!(io::stdout())?;
        }
        thread::sleep(PAUSE);
    }
}

fn show_domain(arguments: &Arguments, loaded: &Loaded, name: &str) -> Result<(), Failure> {
    let days = match arguments.day {
        None => {
            let today = day::today();
            vec![today, day::before(today)]
        }
        Some(Day(day)) => vec![day],
    };
    let domain = Domain::look(&loaded.configuration.store.url, name, &days)
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let mut out = output::standard(arguments.format == Form::Text);
    match arguments.format {
        Form::Text => text::domain(&mut out, &domain)?,
        Form::Json => writeln!(out, "{}", json::domain(&domain))?,
        Form::Prometheus | Form::Html => {
            return Err(Failure::BadUse("with --domain, --format is text or json".into()));
        }
    }
    Ok(out.flush()?)
}
