//! `tlsrpt serve`: the collector and the reporter in one process.

use std::time::{Duration, Instant};

use tlsrpt_config::Configuration;
use tlsrpt_service::{Ending, Level, Log, Notifier, Unfinished, Worker};
use tlsrpt_socket::Listening;
use tlsrpt_store::Url;

use super::{collect, deliver};
use crate::{
    configuration::ConfigFile,
    failure::{Failure, cannot},
    reporting,
};

/// How long the end may take: the time that the collector needs to store the datagrams that have arrived.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a store that cannot be opened is left alone.
const STORE_RETRY: Duration = Duration::from_secs(10);

/// Collects events and delivers reports in one process, for containers and small hosts.
///
/// It runs in the foreground until SIGINT or SIGTERM. If the section [report] does not name the sender of the reports,
/// it only collects, and logs the missing lines.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  tlsrpt serve --config ./tlsrpt.toml")]
pub(crate) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let configuration = arguments.file.load()?.configuration;
    // Before any thread starts: it changes the environment.
    let passed = Listening::passed();
    let log = Log::start().map_err(cannot("start a thread"))?;
    let (ending, end) = Ending::new(None).map_err(cannot("wait for signals"))?;

    let (collecting, end_collecting) = Ending::of_part();
    let (settings, part_end) = (collect::settings(&configuration), end_collecting.clone());
    let collector = Worker::start("collect", &end, move || {
        tlsrpt_collect::run_until(&settings, passed, &collecting, &part_end, log)
    });
    let collector = collector.map_err(cannot("start a thread"))?;

    let (delivering, end_delivering) = Ending::of_part();
    let reporter = match reporting::identity(&configuration.report) {
        Ok(_) => {
            let work = move || deliver_reports(&configuration, &delivering, log);
            Some(Worker::start("deliver", &end, work).map_err(cannot("start a thread"))?)
        }
        Err(missing) => {
            log.say(Level::Error, "collecting only, and delivering no reports");
            missing.lines().iter().for_each(|line| log.say(Level::Error, line));
            None
        }
    };

    ending.wait();
    end_collecting.end();
    end_delivering.end();
    let deadline = Instant::now() + PATIENCE;
    // Wait for both, even if the first has failed.
    let collected = match collector.outcome_by(deadline) {
        // The collector has already logged the reason.
        Ok(outcome) => outcome.map_err(|_| Failure::Found),
        Err(unfinished) => Err(of_part("collector", unfinished)),
    };
    let delivered = match reporter.map(|reporter| reporter.outcome_by(deadline)) {
        None => Ok(()),
        Some(Ok(outcome)) => outcome,
        Some(Err(unfinished)) => Err(of_part("reporter", unfinished)),
    };
    collected.and(delivered)
}

/// Delivers reports until the end. If many hosts share the store, the collector does not depend on it, and neither does this
/// process: it waits until the store can be opened.
fn deliver_reports(configuration: &Configuration, delivering: &Ending, log: Log) -> Result<(), Failure> {
    let mut is_said = false;
    let store = loop {
        match (reporting::store(configuration), &configuration.store.url) {
            (Err(failure), Url::Postgresql(_)) => {
                if !std::mem::replace(&mut is_said, true) {
                    log.say(Level::Error, format_args!("{failure}; reports wait until the store can be opened"));
                }
            }
            (opened, _) => break opened?,
        }
        if delivering.wait_for(STORE_RETRY) {
            return Ok(());
        }
    };
    deliver::serve(configuration, store, delivering, log, Notifier::silent())
}

fn of_part(part: &str, unfinished: Unfinished) -> Failure {
    Failure::Failed(match unfinished {
        Unfinished::Panicked => format!("the {part} has failed"),
        Unfinished::Late => format!("the {part} did not end in time"),
    })
}
