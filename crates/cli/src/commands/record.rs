//! `tlsrpt record`: looks up the TLSRPT record of a domain, or reads the text of one.

use std::{
    io::{self, Write},
    net::{IpAddr, SocketAddr},
};

use serde_json::{Value, json};
use tlsrpt_check::Status;
use tlsrpt_deliver::AddressGuard;
use tlsrpt_format::{
    printable, printable_json,
    record::{self, Mistake, Record},
    repair,
};
use tlsrpt_sendmail::resolver::{PORT as DNS_PORT, Resolver};

use crate::{
    arguments::Format,
    commands::check,
    configuration::{ConfigFile, host_name},
    failure::{Failure, cannot},
    output::{self, BAD, GOOD, LABEL},
    record::{Examined, Examiner, Prober, domain, examine},
    reporting,
};

/// Looks up the TLSRPT record of a domain and its destinations, or reads the text of a record.
///
/// For a domain it prints one line for each check: OK, WARN or FAIL, the last two with a remedy: whether there is one record, its
/// mistakes with the record that was probably meant, and whether each destination can work. It takes at most a minute. For a text it
/// lists the destinations, or marks the mistake. The grammar is that of RFC 8460 section 3. Exit code 1 if a check fails.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tlsrpt record example.org
  tlsrpt record example.org --probe
  tlsrpt record example.org --resolver 9.9.9.9 --format json
  tlsrpt record 'v=TLSRPTv1; rua=mailto:tls@example.org'")]
pub(crate) struct Arguments {
    /// A domain, or the text of a TXT record
    #[arg(value_name = "DOMAIN|TEXT")]
    subject: String,
    /// Connect to the destinations to see their TLS certificates; nothing is sent
    #[arg(long)]
    probe: bool,
    /// The DNS resolver to ask instead of those of this host
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = server)]
    resolver: Option<SocketAddr>,
    /// Format of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Format,
    #[command(flatten)]
    file: ConfigFile,
}

/// The address of a DNS server.
fn server(text: &str) -> Result<SocketAddr, String> {
    let with_port = || text.parse().map(|address: IpAddr| SocketAddr::new(address, DNS_PORT));
    text.parse()
        .or_else(|_| with_port())
        .map_err(|_| "write it as 192.0.2.53, 192.0.2.53:53 or [2001:db8::53]:53".into())
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    if is_domain(&arguments.subject) {
        of_domain(&arguments)
    } else if !arguments.subject.is_ascii() && !arguments.subject.contains('=') {
        let what = "is not in ASCII; write the domain as DNS has it, with xn-- (idn2 prints it)";
        Err(Failure::BadUse(format!("{} {what}", arguments.subject)))
    } else if arguments.probe || arguments.resolver.is_some() {
        Err(Failure::BadUse(format!("{} is not a domain name, so nothing is looked up", arguments.subject)))
    } else {
        of_text(&arguments.subject, arguments.format)
    }
}

/// Whether it is a domain name rather than a record: a record has a "=".
fn is_domain(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

fn of_domain(arguments: &Arguments) -> Result<(), Failure> {
    let configuration = arguments.file.load()?.configuration;
    let resolver = match arguments.resolver {
        Some(server) => Resolver::at(server),
        None => Resolver::of_system().map_err(cannot("read the configuration of DNS"))?,
    };
    let prober = if arguments.probe {
        let authorities = reporting::authorities(configuration.https.ca.as_deref())?;
        Some(Prober::new(authorities, host_name()).map_err(cannot("prepare TLS"))?)
    } else {
        None
    };
    let examiner = Examiner {
        resolver,
        guard: AddressGuard::new(configuration.https.allow.clone()),
        ports: configuration.https.ports.clone(),
        most_destinations: usize::try_from(configuration.report.max_destinations).unwrap_or(usize::MAX),
        prober,
    };
    let Examined { text, findings } = examine(&examiner, &arguments.subject);
    match arguments.format {
        Format::Text => check::show(&mut output::for_people(), &findings)?,
        Format::Json => {
            let reading = text.as_deref().map(|text| as_json(text, &record::parse(text)));
            let all =
                json!({"domain": domain(&arguments.subject), "text": text, "record": reading, "findings": findings});
            write_json(&all)?;
        }
    }
    if findings.iter().any(|finding| finding.status == Status::Fail) { Err(Failure::Found) } else { Ok(()) }
}

fn of_text(text: &str, format: Format) -> Result<(), Failure> {
    let reading = record::parse(text);
    match format {
        Format::Text => show(&mut output::for_people(), text, &reading)?,
        Format::Json => write_json(&as_json(text, &reading))?,
    }
    reading.map(drop).map_err(|_| Failure::Found)
}

fn write_json(value: &Value) -> io::Result<()> {
    let mut out = output::for_scripts();
    writeln!(out, "{}", printable_json(&value.to_string()))?;
    out.flush()
}

fn show(out: &mut impl Write, text: &str, reading: &Result<Record<'_>, Mistake>) -> std::io::Result<()> {
    match reading {
        Ok(record) => {
            writeln!(out, "{GOOD}valid{GOOD:#}")?;
            for destination in &record.destinations {
                writeln!(out, "{LABEL}reports to{LABEL:#}  {}", printable(destination))?;
            }
            for (name, value) in &record.extensions {
                writeln!(out, "{LABEL}extension{LABEL:#}   {name}={}", printable(value))?;
            }
            Ok(())
        }
        Err(Mistake { column, what }) => {
            let before: String = text.chars().take(column - 1).collect();
            let indent = printable(&before).to_string().chars().count();
            let (shown, indent) = around(&printable(text).to_string(), indent, output::width_for_people());
            writeln!(out, "{shown}")?;
            writeln!(out, "{:indent$}{BAD}^{BAD:#}", "")?;
            writeln!(out, "{BAD}wrong{BAD:#} at column {column}: {}", printable(what))?;
            let repair = repair(text);
            for mistake in &repair.mistakes {
                writeln!(out, "{LABEL}mistake{LABEL:#}     {}", printable(mistake))?;
            }
            if let Some(corrected) = &repair.corrected {
                writeln!(out, "{LABEL}publish:{LABEL:#}    {}", printable(corrected))?;
            }
            Ok(())
        }
    }
}

/// The part of a text around a place that fits the width, and the place in that part: what marks it must stay below it.
fn around(text: &str, place: usize, width: Option<usize>) -> (String, usize) {
    const LEFT_OUT: &str = "...";
    let length = text.chars().count();
    let Some(width) = width.filter(|width| length > *width) else { return (text.into(), place) };
    let shown = width.saturating_sub(2 * LEFT_OUT.len());
    let start = place.saturating_sub(shown / 2).min(length - shown);
    let part: String = text.chars().skip(start).take(shown).collect();
    let before = if start > 0 { LEFT_OUT } else { "" };
    let behind = if start + shown < length { LEFT_OUT } else { "" };
    (format!("{before}{part}{behind}"), place - start + before.len())
}

fn as_json(text: &str, reading: &Result<Record<'_>, Mistake>) -> Value {
    match reading {
        Ok(record) => {
            let extensions: Vec<_> =
                record.extensions.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
            json!({"valid": true, "destinations": record.destinations, "extensions": extensions})
        }
        Err(Mistake { column, what }) => {
            let repair = repair(text);
            json!({"valid": false, "column": column, "mistake": what, "mistakes": repair.mistakes, "corrected": repair.corrected})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::around;

    #[test]
    fn the_place_stays_below_its_character() {
        let text = "0123456789abcdefghij";
        for width in [None, Some(20), Some(19), Some(10)] {
            for (place, character) in text.chars().enumerate() {
                let (shown, mark) = around(text, place, width);
                assert_eq!(shown.chars().nth(mark), Some(character), "{shown} {width:?}");
                assert!(shown.len() <= width.unwrap_or(20), "{shown} {width:?}");
            }
        }
        assert_eq!(around(text, 10, Some(12)), ("...789abc...".into(), 6));
    }
}
