//! `tlsrpt sendmail-map`: adds TLSRPT to an unmodified Sendmail.

use std::{
    ffi::OsStr,
    os::unix::{ffi::OsStrExt, net::UnixListener},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::builder::{OsStringValueParser, TypedValueParser};
use tlsrpt_sendmail::{
    event,
    reporter::{Complain, Reporter},
    server,
};
use tlsrpt_service::{Ending, Unfinished, Worker, messages};
use tlsrpt_socket::{Listening, NameAtEnd, PathOptions};

use crate::{
    arguments::{self, DEFAULT_SOCKET},
    failure::{Failure, cannot},
    output::{MESSAGE_PREFIX, say},
};

/// How long the command goes on looking up records after a signal. It answers Sendmail until then.
const GRACE: Duration = Duration::from_secs(10);

/// Serves the socket map that Sendmail queries after each TLS handshake, and reports the results.
///
/// Sendmail needs the rules in tlsrpt.m4. The command answers each query at once, always that the map has no such key,
/// so no delivery waits. It leaves the socket in place when it ends, because Sendmail defers mail while there is none.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt sendmail-map --listen unix:/run/tlsrpt-sendmail/map.sock --socket /run/tlsrpt/tlsrpt.sock")]
pub(crate) struct Arguments {
    /// Socket of the map, written as in Sendmail's configuration; the default is the socket that systemd passes
    #[arg(long, value_name = "unix:PATH", value_parser = map_path())]
    listen: Option<PathBuf>,
    /// Permissions of the socket of the map, in octal; Sendmail connects as root
    #[arg(long, value_name = "MODE", default_value = "0600", value_parser = arguments::mode)]
    mode: u32,
    /// Socket of the collector
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET, value_parser = arguments::socket_path())]
    socket: PathBuf,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    // Before the socket is created: from then on every signal must end the process in order.
    let (ending, end) = Ending::new(None).map_err(cannot("handle signals"))?;
    messages::start(MESSAGE_PREFIX).map_err(cannot("start the thread for messages"))?;
    let listening = listen(&arguments)?;
    let complain: Complain = Arc::new(|message: &str| say(message));
    let collector: Arc<[u8]> = arguments.socket.as_os_str().as_bytes().into();
    let work = move |handshake| event::report(handshake, Arc::clone(&collector));
    let reporter = Reporter::start(work, Arc::clone(&complain)).map_err(cannot("start the reporter"))?;
    let of_server = reporter.clone();
    let serve = move || server::serve(listening.socket(), &of_server, &complain);
    let server = Worker::start("server", &end, serve).map_err(cannot("start the server"))?;

    ending.wait();
    // The server runs until the process ends: without it Sendmail defers mail.
    let lost = reporter.finish(GRACE);
    match server.outcome_by(Instant::now()) {
        Ok(Err(error)) => Err(Failure::Failed(format!("cannot serve the map: {error}"))),
        Err(Unfinished::Panicked) => Err(Failure::Failed("the server of the map failed".into())),
        Ok(Ok(())) | Err(Unfinished::Late) if lost == 0 => Ok(()),
        Ok(Ok(())) | Err(Unfinished::Late) => {
            let seconds = GRACE.as_secs();
            Err(Failure::Failed(format!("{lost} events were not sent: DNS gave no answer in the last {seconds} s")))
        }
    }
}

/// Opens the socket of the map. Sendmail defers mail while its file is missing, so a stale socket is replaced in one
/// step, and the file stays when the command ends.
fn listen(arguments: &Arguments) -> Result<Listening<UnixListener>, Failure> {
    let Some(path) = &arguments.listen else {
        let passed = Listening::passed().map_err(|error| Failure::Failed(error.to_string()))?;
        return passed.ok_or_else(|| Failure::BadUse("systemd passed no socket: use --listen unix:PATH".into()));
    };
    let options = PathOptions { mode: arguments.mode, owner: None, name: NameAtEnd::Kept };
    let listening = Listening::bind(path, &options).map_err(|error| Failure::Failed(error.to_string()))?;
    say(format_args!("listening at {}", path.display()));
    Ok(listening)
}

/// A local socket as Sendmail writes it.
fn map_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|text| {
        let path = text.as_bytes().strip_prefix(b"unix:").ok_or("write it as unix:PATH")?;
        arguments::fit_for_socket(OsStr::from_bytes(path))
    })
}
