//! `tlsrpt sendmail-map`: lets an unmodified Sendmail report.

use std::{
    ffi::OsStr,
    fmt::Display,
    os::unix::{ffi::OsStrExt, net::UnixListener},
    path::PathBuf,
};

use clap::builder::{OsStringValueParser, TypedValueParser};
use tlsrpt_sendmail::{listener, reporter::Reporter, server};

use crate::{
    arguments::{self, DEFAULT_SOCKET},
    failure::Failure,
    output::say,
};

/// Serves the socket map that Sendmail asks after each TLS handshake, and reports the results.
///
/// Sendmail needs the rules in tlsrpt.m4. The answer comes at once and is always that nothing is found, so no delivery
/// waits. The socket stays when the command ends, because Sendmail puts mail off where there is none.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt sendmail-map --listen unix:/run/tlsrpt-sendmail/map.sock --socket /run/tlsrpt/tlsrpt.sock")]
pub(crate) struct Arguments {
    /// Where Sendmail asks, as in its configuration; the socket that systemd passes unless given
    #[arg(long, value_name = "unix:PATH", value_parser = map_path())]
    listen: Option<PathBuf>,
    /// Permissions of the socket at which Sendmail asks, in octal; Sendmail asks as root
    #[arg(long, value_name = "MODE", default_value = "0600", value_parser = arguments::mode)]
    mode: u32,
    /// Where the collector listens
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET, value_parser = arguments::socket_path())]
    socket: PathBuf,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let listener = listen(&arguments)?;
    let reporter =
        Reporter::start(arguments.socket.as_os_str().as_bytes(), complain).map_err(cannot("start a thread"))?;
    server::serve(&listener, &reporter, complain).map_err(cannot("take in clients"))
}

fn listen(arguments: &Arguments) -> Result<UnixListener, Failure> {
    let Some(path) = &arguments.listen else {
        let passed = listener::passed().map_err(cannot("use what systemd passes"))?;
        return passed.ok_or_else(|| Failure::BadUse("say where to listen, with --listen unix:PATH".into()));
    };
    let listener = listener::bind(path, arguments.mode).map_err(cannot(&format!("listen at {}", path.display())))?;
    say(format_args!("listening at {}", path.display()));
    Ok(listener)
}

/// A local socket as Sendmail writes it.
fn map_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|text| {
        let path = text.as_bytes().strip_prefix(b"unix:").ok_or("write it as unix:PATH")?;
        arguments::fit_for_socket(OsStr::from_bytes(path))
    })
}

fn complain(problem: &str) {
    say(problem);
}

fn cannot<E: Display>(what: &str) -> impl FnOnce(E) -> Failure {
    move |error| Failure::Failed(format!("cannot {what}: {error}"))
}
