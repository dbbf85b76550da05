//! Sends recorded datagrams again.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, ErrorKind, Read},
    num::NonZeroU32,
    os::unix::net::UnixDatagram,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use nix::{
    errno::Errno,
    sys::socket::{setsockopt, sockopt::SndBuf},
};
use tlsrpt_format::{datagram, recording};

use crate::{
    failure::{Failure, cannot},
    output::say,
};

/// The longest line of a recording in bytes: the longest datagram in hexadecimal, with room for the reason.
const LONGEST_LINE: usize = 2 * datagram::LONGEST + (1 << 20);
/// How many messages about lines that were left out are written. Further ones are only counted.
const MOST_MESSAGES: u64 = 10;

/// Sends the datagrams of a file to the collector, as `listen --format json` recorded them.
///
/// It does not use the library, which cannot send given bytes: datagrams must arrive unchanged, the invalid ones too.
/// No delivery waits for this command, so it waits while the queue is full.
pub(crate) fn replay(collector: &Path, file: &Path, rate: Option<NonZeroU32>) -> Result<(), Failure> {
    let mut lines = Lines::open(file).map_err(cannot(format!("read {}", file.display())))?;
    let mut sender = Sender::new(collector, rate)?;
    let progress = progress_bar(lines.len);
    let outcome = send_all(&mut lines, &mut sender, file, &progress);
    progress.finish_and_clear();
    if outcome.is_ok() || sender.sent > 0 {
        say(format_args!("datagrams sent: {}", sender.sent));
    }
    outcome?;
    match sender.left_out {
        0 => Ok(()),
        count => Err(Failure::Failed(format!("datagrams left out: {count}"))),
    }
}

fn send_all(lines: &mut Lines, sender: &mut Sender<'_>, file: &Path, progress: &ProgressBar) -> Result<(), Failure> {
    loop {
        match lines.next().map_err(cannot(format!("read {}", file.display())))? {
            Line::End => return Ok(()),
            Line::TooLong => {
                sender.leave_out(format_args!("line {} is longer than {LONGEST_LINE} bytes", lines.number));
            }
            Line::Read if lines.line.trim_ascii().is_empty() => {}
            Line::Read => {
                let number = lines.number;
                let datagram = recording::datagram_of(&lines.line).map_err(|why| {
                    Failure::BadUse(format!("{}: line {number} is no recorded datagram: {why}", file.display()))
                })?;
                sender.send(&datagram, number)?;
            }
        }
        progress.set_position(lines.bytes);
        progress.set_message(format!("{} sent", sender.sent));
    }
}

/// The socket to the collector, and the number of datagrams that were sent and left out.
struct Sender<'p> {
    socket: UnixDatagram,
    collector: &'p Path,
    pace: Pace,
    sent: u64,
    left_out: u64,
}

impl<'p> Sender<'p> {
    fn new(collector: &'p Path, rate: Option<NonZeroU32>) -> Result<Self, Failure> {
        let socket = UnixDatagram::unbound().map_err(cannot("make a socket"))?;
        // The send buffer bounds the length of a datagram. The system grants at most net.core.wmem_max; a datagram
        // that does not fit is reported when it is sent.
        let _ = setsockopt(&socket, SndBuf, &datagram::LONGEST);
        Ok(Self { socket, collector, pace: Pace::new(rate), sent: 0, left_out: 0 })
    }

    /// Sends a datagram. If the system refuses it because of its length, it is left out.
    fn send(&mut self, datagram: &[u8], line: u64) -> Result<(), Failure> {
        self.pace.wait();
        loop {
            match self.socket.send_to(datagram, self.collector) {
                Ok(_) => {
                    self.sent += 1;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error() == Some(Errno::EMSGSIZE as i32) => {
                    self.leave_out(format_args!(
                        "line {line}: the system sends no datagram of {} bytes: raise net.core.wmem_max",
                        datagram.len()
                    ));
                    return Ok(());
                }
                Err(error) => {
                    let why = tlsrpt_socket::explain(self.collector, &error);
                    return Err(Failure::Failed(format!("line {line} and those behind it are not sent: {why}")));
                }
            }
        }
    }

    fn leave_out(&mut self, why: std::fmt::Arguments<'_>) {
        self.left_out += 1;
        if self.left_out <= MOST_MESSAGES {
            say(format_args!("left out: {why}"));
        }
    }
}

/// The lines of a recording, each read into the same buffer.
struct Lines {
    input: Box<dyn BufRead>,
    /// The length of the file. None for standard input.
    len: Option<u64>,
    line: Vec<u8>,
    /// The number of the line, from 1.
    number: u64,
    /// How many bytes are read.
    bytes: u64,
}

enum Line {
    /// A line, without its line break.
    Read,
    /// A line that is longer than [`LONGEST_LINE`]. It is skipped.
    TooLong,
    /// There is no further line.
    End,
}

impl Lines {
    fn open(file: &Path) -> io::Result<Self> {
        let (input, len): (Box<dyn BufRead>, _) = if file == Path::new("-") {
            (Box::new(io::stdin().lock()), None)
        } else {
            let file = File::open(file)?;
            let metadata = file.metadata()?;
            (Box::new(BufReader::new(file)), metadata.is_file().then_some(metadata.len()))
        };
        Ok(Self { input, len, line: Vec::new(), number: 0, bytes: 0 })
    }

    fn next(&mut self) -> io::Result<Line> {
        self.line.clear();
        let longest = LONGEST_LINE as u64 + 1;
        let read = (&mut self.input).take(longest).read_until(b'\n', &mut self.line)?;
        self.bytes += read as u64;
        if read == 0 {
            return Ok(Line::End);
        }
        self.number += 1;
        if self.line.ends_with(b"\n") {
            // listen writes no carriage return; a file that passed through another system may have them.
            let line_break = if self.line.ends_with(b"\r\n") { 2 } else { 1 };
            self.line.truncate(self.line.len() - line_break);
        } else if self.line.len() > LONGEST_LINE {
            self.bytes += self.input.skip_until(b'\n')? as u64;
            return Ok(Line::TooLong);
        }
        Ok(Line::Read)
    }
}

/// The progress bar, on standard error. It is shown only on a terminal.
fn progress_bar(len: Option<u64>) -> ProgressBar {
    let (bar, template) = match len {
        Some(len) => (ProgressBar::new(len), "{bar:40} {percent:>3} %  {msg}  {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Limits the rate. After a pause it does not catch up.
struct Pace {
    interval: Option<Duration>,
    /// The earliest time of the next datagram, on the monotonic clock.
    next: Instant,
}

impl Pace {
    /// How far a sender may be behind the rate and still catch up. Without it, high rates would be halved, because a
    /// thread sleeps a little longer than requested.
    const CATCH_UP: Duration = Duration::from_millis(1);

    fn new(rate: Option<NonZeroU32>) -> Self {
        Self { interval: rate.map(|rate| Duration::from_secs(1) / rate.get()), next: Instant::now() }
    }

    fn wait(&mut self) {
        thread::sleep(self.delay(Instant::now()));
    }

    /// How long to wait at the time `now` before the next datagram.
    fn delay(&mut self, now: Instant) -> Duration {
        let Some(interval) = self.interval else { return Duration::ZERO };
        let due = now.checked_sub(Self::CATCH_UP).map_or(self.next, |earliest| self.next.max(earliest));
        self.next = due + interval;
        due.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        num::NonZeroU32,
        time::{Duration, Instant},
    };

    use super::Pace;

    /// Sends as fast as the pace allows from `start` for `period`. Returns the number of datagrams and the time
    /// afterwards.
    fn send_for(pace: &mut Pace, start: Instant, period: Duration) -> (u32, Instant) {
        let (mut now, mut sent) = (start, 0);
        loop {
            now += pace.delay(now);
            if now >= start + period {
                return (sent, now);
            }
            sent += 1;
        }
    }

    #[test]
    fn a_rate_is_kept_and_a_pause_is_not_made_up_for() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(NonZeroU32::new(100));
        let start = pace.next;
        let (sent, now) = send_for(&mut pace, start, second);
        assert_eq!(sent, 100);
        let (sent, _) = send_for(&mut pace, now + 10 * second, second);
        assert!((99..=101).contains(&sent), "{sent} in the second after the pause");
    }

    #[test]
    fn without_a_rate_there_is_no_delay() {
        let mut pace = Pace::new(None);
        let now = pace.next;
        assert_eq!([pace.delay(now), pace.delay(now)], [Duration::ZERO; 2]);
    }
}
