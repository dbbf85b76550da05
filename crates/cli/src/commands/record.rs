//! `tlsrpt record`: shows the destinations in a TLSRPT record, or its error.

use std::io::Write;

use serde_json::{Value, json};

use crate::{
    arguments::Format,
    failure::Failure,
    output::{self, BAD, GOOD, LABEL},
};
use tlsrpt_format::{
    printable, printable_json,
    record::{self, Mistake, Record},
};

/// Parses a TLSRPT record and lists its destinations, or marks the mistake.
///
/// The grammar is that of RFC 8460 section 3. Exit code 1 for a record with a mistake.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  tlsrpt record \"$(dig +short TXT _smtp._tls.example.org | tr -d '\\\"')\"")]
pub(crate) struct Arguments {
    /// The text of the TXT record at _smtp._tls.DOMAIN
    text: String,
    /// Format of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Format,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let reading = record::parse(&arguments.text);
    match arguments.format {
        Format::Text => show(&mut output::for_people(), &arguments.text, &reading)?,
        Format::Json => {
            let mut out = output::for_scripts();
            writeln!(out, "{}", printable_json(&as_json(&reading).to_string()))?;
            out.flush()?;
        }
    }
    reading.map(drop).map_err(|_| Failure::Found)
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
            writeln!(out, "{}", printable(text))?;
            let before: String = text.chars().take(column - 1).collect();
            let indent = printable(&before).to_string().chars().count();
            writeln!(out, "{:indent$}{BAD}^{BAD:#}", "")?;
            writeln!(out, "{BAD}wrong{BAD:#} at column {column}: {}", printable(what))
        }
    }
}

fn as_json(reading: &Result<Record<'_>, Mistake>) -> Value {
    match reading {
        Ok(record) => {
            let extensions: Vec<_> =
                record.extensions.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
            json!({"valid": true, "destinations": record.destinations, "extensions": extensions})
        }
        Err(Mistake { column, what }) => json!({"valid": false, "column": column, "mistake": what}),
    }
}
