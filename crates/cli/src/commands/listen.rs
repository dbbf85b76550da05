//! `tlsrpt listen`: shows the datagrams that arrive at the socket of the collector.

use std::{
    num::NonZeroU64,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tlsrpt_format::report;
use tlsrpt_service::{Ending, Unfinished, messages};
use tlsrpt_socket::{Listening, NameAtEnd, Owner, PathOptions, Reader};

use crate::{
    arguments::{self, DEFAULT_SOCKET},
    failure::{Failure, cannot},
    listen::{
        pipeline::{Forwarded, Outcome, Parts, Pipeline},
        shares::{Shares, buffer_size},
        show::{Form, Show},
    },
    output::{MESSAGE_PREFIX, say},
};

/// Listens at the socket of the collector and shows the datagrams that arrive.
///
/// It runs in place of the collector or, with --forward, before it.
///
/// It ends with --count, --for, SIGINT, SIGTERM or SIGHUP and then removes its socket.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt listen --socket /run/tlsrpt/tlsrpt.sock
  tlsrpt listen --count 1 --format json
  tlsrpt listen --for 10m --format report
  tlsrpt listen --socket /run/tlsrpt/tlsrpt.sock --forward /run/tlsrpt/collectd.sock")]
pub(crate) struct Arguments {
    /// Where to listen
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET, value_parser = arguments::socket_path())]
    socket: PathBuf,
    /// Permissions of the socket, in octal; a mail server needs write permission
    #[arg(long, value_name = "MODE", default_value = "0622", value_parser = arguments::mode)]
    mode: u32,
    /// Owner of the socket
    #[arg(long, value_name = "USER[:GROUP]")]
    owner: Option<Owner>,
    /// Forward each datagram to the collector that listens here
    #[arg(long, value_name = "PATH", value_parser = arguments::socket_path())]
    forward: Option<PathBuf>,
    /// Memory for datagrams that wait and for reports; when it is full, the oldest datagrams are lost
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = buffer_size)]
    buffer: usize,
    /// End after N events
    #[arg(long, value_name = "N")]
    count: Option<NonZeroU64>,
    /// End after this time, for instance 30s or 1h
    #[arg(long = "for", value_name = "DURATION", value_parser = arguments::duration)]
    duration: Option<Duration>,
    /// Format of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
    /// Name of the organization in reports; the default is the name of this host
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// Mail address in reports for questions; the default is postmaster at this host
    #[arg(long, value_name = "ADDRESS")]
    contact: Option<String>,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    messages::start(MESSAGE_PREFIX).map_err(cannot("start the thread for messages"))?;
    // Before the socket is created: from then on every signal must lead to its removal.
    let (ending, end) = Ending::new(arguments.duration).map_err(cannot("wait for signals"))?;
    let (reader, stop) = Reader::new(SystemTime::now).map_err(cannot("make a pair of sockets"))?;
    let listening = Arc::new(listen(&arguments)?);
    let forwards = arguments.forward.is_some();
    let shares = Shares::of(arguments.buffer, arguments.format, forwards);
    let parts = Parts {
        listening: Arc::clone(&listening),
        reader,
        stop,
        shares,
        show: Show::new(arguments.format, sender(&arguments), shares.report, forwards),
        count: arguments.count,
        collector: arguments.forward.clone(),
    };
    // A thread that has started shares the socket, so dropping `listening` here does not remove its name.
    let pipeline = Pipeline::start(parts, &end).inspect_err(|_| listening.remove_name());
    let pipeline = pipeline.map_err(cannot("start a thread"))?;
    let places =
        listening.queue_length().map(|places| format!(", with a queue of {places} datagrams")).unwrap_or_default();
    say(format_args!("listening at {}{places}", arguments.socket.display()));
    ending.wait();
    conclude(pipeline.end())
}

fn listen(arguments: &Arguments) -> Result<Listening, Failure> {
    if arguments.forward.as_ref() == Some(&arguments.socket) {
        return Err(Failure::BadUse("--forward and --socket name the same place".into()));
    }
    let options = PathOptions { mode: arguments.mode, owner: arguments.owner, name: NameAtEnd::Removed };
    let listening = Listening::bind(&arguments.socket, &options).map_err(|error| Failure::Failed(error.to_string()))?;
    if arguments.forward.as_ref().is_some_and(|collector| listening.is_at(collector)) {
        return Err(Failure::BadUse("--forward and --socket lead to the same socket".into()));
    }
    Ok(listening)
}

/// Reports the counts of the datagrams, and then the first error.
fn conclude(outcome: Outcome) -> Result<(), Failure> {
    let Outcome { reading, showing, forwarding, not_shown } = outcome;
    if not_shown > 0 {
        say(format_args!("{not_shown} datagrams were not shown: standard output was too slow"));
    }
    if let Some(Forwarded { received, forwarded, lost, returned, .. }) = &forwarding {
        say(format_args!("{received} datagrams received, {forwarded} forwarded, {lost} lost"));
        if *returned > 0 {
            say(format_args!("{returned} of these datagrams were returned by the collector"));
        }
    }
    finished(reading, "reads the socket")?.map_err(cannot("read the socket"))?;
    if matches!(showing, Err(Unfinished::Late)) {
        return Err(Failure::Failed("standard output was not read in time; the waiting output is discarded".into()));
    }
    finished(showing, "shows the datagrams")??;
    let Some(Forwarded { ended, lost, pushed_out, .. }) = forwarding else { return Ok(()) };
    finished(ended, "forwards the datagrams")?;
    if lost > pushed_out {
        return Err(Failure::Failed("the collector did not take all datagrams".into()));
    }
    Ok(())
}

/// The result of a thread. `does` says in the error what the thread does.
fn finished<T>(outcome: Result<T, Unfinished>, does: &str) -> Result<T, Failure> {
    outcome.map_err(|unfinished| {
        Failure::Failed(match unfinished {
            Unfinished::Panicked => format!("the thread that {does} ended by an internal error"),
            Unfinished::Late => format!("the thread that {does} did not end in time"),
        })
    })
}

fn sender(arguments: &Arguments) -> report::Sender {
    let host = || nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned();
    report::Sender {
        organization: arguments.organization.clone().unwrap_or_else(host),
        contact: arguments.contact.clone().unwrap_or_else(|| format!("postmaster@{}", host())),
    }
}
