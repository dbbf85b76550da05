//! `tlsrpt listen`: a collector to look through.

use std::{
    fmt::Display,
    io,
    num::NonZeroU64,
    panic::resume_unwind,
    path::PathBuf,
    sync::{Arc, mpsc::Sender},
    thread::{self, ScopedJoinHandle},
    time::{Duration, SystemTime},
};

use bytesize::ByteSize;
use tlsrpt_format::report;
use tlsrpt_socket::{Listening, NameAtEnd, Owner, PathOptions, Reader, Waiting};

use crate::{
    arguments::{self, DEFAULT_SOCKET},
    failure::Failure,
    listen::{Ending, Form, Forwarder, Passed, Show, show_all},
    output::say,
};

/// Listens in place of the collector, or before it, and shows what mail servers report.
///
/// It ends with --count, --for, SIGINT or SIGTERM and then removes its socket.
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
    /// Permissions of the socket, in octal; whoever reports needs to write
    #[arg(long, value_name = "MODE", default_value = "0622", value_parser = arguments::mode)]
    mode: u32,
    /// Owner of the socket
    #[arg(long, value_name = "USER[:GROUP]")]
    owner: Option<Owner>,
    /// Pass each datagram on to the collector that listens here
    #[arg(long, value_name = "PATH", value_parser = arguments::socket_path())]
    forward: Option<PathBuf>,
    /// Memory for datagrams that wait; when it is full, the oldest go
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    buffer: ByteSize,
    /// End after so many events
    #[arg(long, value_name = "N")]
    count: Option<NonZeroU64>,
    /// End after this time, for instance 30s or 1h
    #[arg(long = "for", value_name = "DURATION", value_parser = arguments::duration)]
    duration: Option<Duration>,
    /// What to show
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Form,
    /// Name of the organization in reports; the name of this host unless given
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// Mail address in reports for those who have questions; postmaster at this host unless given
    #[arg(long, value_name = "ADDRESS")]
    contact: Option<String>,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    // Before the socket is there: a signal at any time finds someone who removes it.
    let (ending, end) = Ending::new(arguments.duration).map_err(cannot("wait for signals"))?;
    let (reader, stop) = Reader::new(SystemTime::now).map_err(cannot("make a pair of sockets"))?;
    let listening = listen(&arguments)?;
    let to_show = Waiting::new(capacity(arguments.buffer));
    let to_forward = Waiting::new(capacity(arguments.buffer));
    let forwarder = forwarder(&arguments, &listening, &to_forward)?;
    let forwarding_queue = forwarder.is_some().then_some(&to_forward);
    let give_up = forwarder.as_ref().map(Forwarder::give_up);
    let show = Show::new(arguments.format, sender(&arguments), forwarder.is_some());
    let places =
        listening.queue_length().map(|places| format!(", with a queue of {places} datagrams")).unwrap_or_default();
    say(format_args!("listening at {}{places}", arguments.socket.display()));

    thread::scope(|scope| {
        let reading = scope.spawn(|| and_say(&end, read_all(reader, &listening, &to_show, forwarding_queue)));
        let showing = scope.spawn(|| and_say(&end, show_all(&to_show, show, arguments.count)));
        let forwarding = forwarder.map(|forwarder| scope.spawn(|| forwarder.run()));

        ending.wait();
        listening.remove_name();
        stop.now();
        let came = finished(reading).map_err(cannot("read the socket"))?;
        if let Some(give_up) = give_up {
            give_up();
        }
        to_show.close();
        to_forward.close();
        let passed = forwarding.map(finished);
        finished(showing)?;
        passed.map_or(Ok(()), |passed| conclude(came, passed))
    })
}

/// Reads until it is stopped. How many datagrams came.
fn read_all(reader: Reader, from: &Listening, to_show: &Waiting, to_forward: Option<&Waiting>) -> io::Result<u64> {
    let mut came = 0;
    reader.run(from.socket(), |received| {
        came += 1;
        let received = Arc::new(received);
        if let Some(queue) = to_forward {
            queue.push(Arc::clone(&received));
        }
        to_show.push(received);
    })?;
    Ok(came)
}

fn listen(arguments: &Arguments) -> Result<Listening, Failure> {
    if arguments.forward.as_ref() == Some(&arguments.socket) {
        return Err(Failure::BadUse("--forward and --socket name the same place".into()));
    }
    let options = PathOptions { mode: arguments.mode, owner: arguments.owner, name: NameAtEnd::Removed };
    Listening::bind(&arguments.socket, &options).map_err(|error| Failure::Failed(error.to_string()))
}

fn forwarder<'q>(
    arguments: &Arguments,
    listening: &Listening,
    queue: &'q Waiting,
) -> Result<Option<Forwarder<'q>>, Failure> {
    let Some(collector) = &arguments.forward else { return Ok(None) };
    if listening.is_at(collector) {
        return Err(Failure::BadUse("--forward and --socket lead to the same socket".into()));
    }
    Forwarder::new(queue, collector.clone()).map(Some).map_err(cannot("make a socket"))
}

/// Tells the thread that waits for the end that a part of the work has ended.
fn and_say<T>(end: &Sender<()>, outcome: T) -> T {
    // Nobody waits any more when the end came from elsewhere.
    let _ = end.send(());
    outcome
}

fn finished<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

fn conclude(came: u64, passed: Passed) -> Result<(), Failure> {
    let Passed { on, pushed_out, undelivered } = passed;
    say(format_args!("{came} datagrams came, {on} were passed on, {} were lost", pushed_out + undelivered));
    if undelivered > 0 {
        return Err(Failure::Failed("the collector did not take what waited".into()));
    }
    Ok(())
}

fn sender(arguments: &Arguments) -> report::Sender {
    let host = || nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned();
    report::Sender {
        organization: arguments.organization.clone().unwrap_or_else(host),
        contact: arguments.contact.clone().unwrap_or_else(|| format!("postmaster@{}", host())),
    }
}

fn capacity(size: ByteSize) -> usize {
    usize::try_from(size.as_u64()).unwrap_or(usize::MAX)
}

fn cannot<E: Display>(what: &str) -> impl FnOnce(E) -> Failure {
    move |error| Failure::Failed(format!("cannot {what}: {error}"))
}
