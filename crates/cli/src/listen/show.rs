//! Shows datagrams: as text, unchanged, or as reports.

use std::{
    io::{self, Write},
    num::NonZeroU64,
};

use clap::ValueEnum;
use jiff::Timestamp;

use tlsrpt_format::{
    datagram::{self, Event},
    printable, printable_start, record, recording,
    report::{Document, Reports, Sender, Subject},
    write_pretty_json,
};
use tlsrpt_socket::{Received, Waiting};

use crate::{
    output::{self, say},
    text,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// A block of lines for each event
    Text,
    /// The received datagrams, one a line
    Json,
    /// At the end, the reports of RFC 8460 as they would be sent now
    Report,
}

/// The number of bytes of an invalid datagram that are shown on standard error.
const SHOWN_BYTES: usize = 200;

/// Shows datagrams.
pub(crate) struct Show {
    pub(crate) form: Form,
    pub(crate) out: Box<dyn Write + Send>,
    pub(crate) reports: Reports,
    pub(crate) sender: Sender,
}

impl Show {
    /// Shows on standard output. The reports take at most `report_memory` bytes. If the command also forwards, errors
    /// of standard output are ignored, so that forwarding goes on.
    pub(crate) fn new(form: Form, sender: Sender, report_memory: usize, forwards: bool) -> Self {
        let mut out: Box<dyn Write + Send> = match form {
            Form::Text => Box::new(output::for_people()),
            Form::Json | Form::Report => Box::new(output::for_scripts()),
        };
        if forwards {
            out = Box::new(NeverFailing(Some(out)));
        }
        Self { form, out, reports: Reports::new(report_memory), sender }
    }

    /// Shows a datagram. Returns whether it is valid.
    fn datagram(&mut self, received: &Received) -> io::Result<bool> {
        let at = timestamp(received);
        match datagram::parse(&received.bytes) {
            Ok(event) => self.event(at, event, &received.bytes).map(|()| true),
            Err(error) => self.invalid(at, &received.bytes, &error.to_string()).map(|()| false),
        }
    }

    /// Flushes the output.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Shows the reports, which are complete only at the end.
    fn end(&mut self) -> io::Result<()> {
        for (subject, report) in self.reports.make(&self.sender) {
            say_destinations(subject);
            write_report(&mut self.out, &report)?;
        }
        self.reports.oddities().for_each(say);
        let left_out = self.reports.left_out();
        if left_out > 0 {
            say(format_args!("{left_out} events are in no report: the buffer is full; give a larger --buffer"));
        }
        self.flush()
    }

    fn event(&mut self, at: Timestamp, event: Event, bytes: &[u8]) -> io::Result<()> {
        match self.form {
            Form::Text => text::write_event(&mut self.out, at, &event),
            Form::Json => self.line(&recording::line_of_event(bytes)),
            Form::Report => {
                self.reports.add(at, event);
                Ok(())
            }
        }
    }

    fn invalid(&mut self, at: Timestamp, bytes: &[u8], reason: &str) -> io::Result<()> {
        match self.form {
            Form::Text => text::write_invalid(&mut self.out, at, bytes, reason),
            Form::Json => self.line(&recording::line_of_invalid(bytes, reason)),
            Form::Report => {
                let start = printable_start(bytes, SHOWN_BYTES);
                say(format_args!("not a valid datagram: {}: {start}", printable(reason)));
                Ok(())
            }
        }
    }

    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.out.write_all(line)?;
        self.out.write_all(b"\n")
    }
}

/// Shows the datagrams of the queue until the queue is closed and empty, or `count` events have been shown.
pub(crate) fn show_all(queue: &Waiting, mut show: Show, count: Option<NonZeroU64>) -> io::Result<()> {
    let mut events = 0;
    while count.is_none_or(|count| events < count.get()) {
        let received = match queue.next_at_once() {
            Some(received) => received,
            None => {
                show.flush()?;
                match queue.next() {
                    Some(received) => received,
                    None => break,
                }
            }
        };
        events += u64::from(show.datagram(&received)?);
    }
    show.end()
}

/// Discards everything after the first error.
struct NeverFailing<W>(Option<W>);

impl<W: Write> NeverFailing<W> {
    fn attempt<T>(&mut self, write: impl FnOnce(&mut W) -> io::Result<T>, otherwise: T) -> io::Result<T> {
        match self.0.as_mut().map(write) {
            Some(Ok(value)) => return Ok(value),
            Some(Err(error)) => {
                self.0 = None;
                say(format_args!("standard output: {error}; datagrams are still forwarded"));
            }
            None => {}
        }
        Ok(otherwise)
    }
}

impl<W: Write> Write for NeverFailing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(|out| out.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt(W::flush, ())
    }
}

/// The time of arrival; a time beyond the range of a timestamp becomes its maximum.
fn timestamp(received: &Received) -> Timestamp {
    Timestamp::try_from(received.at).unwrap_or(Timestamp::MAX)
}

fn write_report(out: &mut impl Write, report: &Document<'_>) -> io::Result<()> {
    write_pretty_json(&mut *out, report)?;
    writeln!(out)
}

/// Writes the destinations of a report to standard error: the report does not contain them.
fn say_destinations(subject: &Subject) {
    let domain = printable(&subject.domain);
    match record::parse(&subject.record) {
        Ok(record) => say(format_args!("the report about {domain} goes to {}", record.destinations.join(", "))),
        Err(mistake) => {
            say(format_args!(
                "the report about {domain} has no destination: its record is not valid: {}",
                printable(&mistake.what)
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        fs,
        os::unix::net::UnixDatagram,
        time::{Duration, SystemTime},
    };

    use super::{Form, Show, show_all};
    use tlsrpt_format::report::{Reports, Sender};
    use tlsrpt_socket::{Listening, NameAtEnd, PathOptions, Reader, Waiting};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const EVENT: &[u8] = br#"{"d":"a.example","pr":"","policies":[{"policy-type":9,"f":0}]}"#;

    /// A clock that jumps back before 1970, and forward beyond the year 9999.
    fn jumping_clock() -> SystemTime {
        thread_local!(static CALLS: Cell<u32> = const { Cell::new(0) });
        match CALLS.replace(CALLS.get() + 1) {
            0 => SystemTime::UNIX_EPOCH + 20_000 * DAY,
            1 => SystemTime::UNIX_EPOCH - DAY,
            2 => SystemTime::UNIX_EPOCH + 20_000_000 * DAY,
            _ => SystemTime::UNIX_EPOCH + 20_001 * DAY,
        }
    }

    #[test]
    fn a_clock_that_jumps_changes_only_the_times_shown() {
        let directory = tempfile::tempdir().unwrap();
        let (socket, output) = (directory.path().join("s"), directory.path().join("o"));
        let options = PathOptions { mode: 0o600, owner: None, name: NameAtEnd::Removed };
        let listening = Listening::bind(&socket, &options).unwrap();
        for _ in 0..4 {
            UnixDatagram::unbound().unwrap().send_to(EVENT, &socket).unwrap();
        }
        let (reader, stop) = Reader::new(jumping_clock).unwrap();
        stop.now();
        let queue = Waiting::new(1 << 20);
        reader.run(&listening, |arrived| queue.push(arrived.into())).unwrap();
        queue.close();
        let sender = Sender { organization: String::new(), contact: String::new() };
        let out = Box::new(anstream::StripStream::new(fs::File::create(&output).unwrap()));
        show_all(&queue, Show { form: Form::Text, out, reports: Reports::new(0), sender }, None).unwrap();
        let shown = fs::read_to_string(output).unwrap();
        let times: Vec<_> =
            shown.lines().filter_map(|line| line.split_once("  a.example").map(|(time, _)| time)).collect();
        let expected = ["2024-10-04T00:00:00Z", "1969-12-31T00:00:00Z", "9999-12-30T22:00:00Z", "2024-10-05T00:00:00Z"];
        assert_eq!(times, expected);
    }
}
