//! Lines on standard error.
//!
//! Standard error may be a pipe that nobody reads. A service must still work and end, so after [`start`] a thread
//! writes the lines from a bounded queue. Lines that do not fit are counted, and their number is written when there is
//! room again. Before [`start`], and in commands that never call it, [`write`](fn@write) writes directly.

use std::{
    io::{self, Write},
    panic::{self, PanicHookInfo},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError},
    },
    thread,
    time::Duration,
};

/// How many lines wait at most.
const MOST_LINES: usize = 256;
/// The longest line in bytes. The rest is cut off.
const LONGEST_LINE: usize = 4096;

static OUTPUT: Mutex<Output> = Mutex::new(Output::Direct);

/// Where lines go.
#[derive(Debug)]
enum Output {
    /// To standard error.
    Direct,
    /// To the thread that writes.
    Thread(Writer),
    /// Nowhere: the process ends.
    Finished,
}

#[derive(Debug)]
struct Writer {
    lines: SyncSender<String>,
    /// How many did not fit and are not yet reported.
    left_out: Arc<AtomicU64>,
    /// Closed when the thread has written all lines.
    ended: Receiver<()>,
}

/// Writes a line. After [`start`] it never waits, and it may be called from any thread.
pub fn write(line: String) {
    match &*output() {
        // A closed standard error is no reason to end.
        Output::Direct => drop(writeln!(io::stderr(), "{line}")),
        Output::Thread(writer) => writer.take(line),
        Output::Finished => {}
    }
}

/// Starts the thread that writes, once for the process. The lines that this module adds, about lines left out and about
/// panics, begin with `prefix`. Panic messages go through the queue as well: a panicking thread must not wait for
/// standard error either.
///
/// # Errors
///
/// The system starts no thread.
pub fn start(prefix: &'static str) -> io::Result<()> {
    let mut output = output();
    if matches!(*output, Output::Direct) {
        *output = Output::Thread(Writer::start(io::stderr(), prefix)?);
        panic::set_hook(Box::new(move |panic| write(format!("{prefix}{}", describe(panic)))));
    }
    Ok(())
}

/// Waits until all lines are written, at most for `limit`. Later lines are lost. Call it at the end of the process.
pub fn finish(limit: Duration) {
    let output = std::mem::replace(&mut *output(), Output::Finished);
    if let Output::Thread(writer) = output {
        // The rest is lost if standard error is not read.
        let _ = writer.finish(limit);
    }
}

/// A poisoned lock is used as it is: every change of the output is complete before anything can panic.
fn output() -> MutexGuard<'static, Output> {
    OUTPUT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let message =
        payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(|text| &**text));
    let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    format!("internal error{place}: {}; please report it", message.unwrap_or("no message"))
}

impl Writer {
    fn start(out: impl Write + Send + 'static, prefix: &'static str) -> io::Result<Self> {
        let (lines, waiting) = mpsc::sync_channel(MOST_LINES);
        let (end, ended) = mpsc::channel();
        let left_out = Arc::default();
        let unreported = Arc::clone(&left_out);
        thread::Builder::new().name("messages".into()).spawn(move || {
            write_all(out, &waiting, &unreported, prefix);
            drop(end);
        })?;
        Ok(Self { lines, left_out, ended })
    }

    fn take(&self, line: String) {
        if let Err(TrySendError::Full(_)) = self.lines.try_send(shortened(line)) {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether all lines were written within the limit.
    fn finish(self, limit: Duration) -> bool {
        drop(self.lines);
        self.ended.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected)
    }
}

fn write_all(mut out: impl Write, lines: &Receiver<String>, left_out: &AtomicU64, prefix: &str) {
    for line in lines {
        // A closed standard error is no reason to end.
        let _ = writeln!(out, "{line}");
        let left_out = left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            let _ = writeln!(out, "{prefix}{left_out} messages left out: standard error was not read in time");
        }
    }
}

/// The line, cut to [`LONGEST_LINE`] bytes; a line that was cut ends with "...".
fn shortened(mut line: String) -> String {
    if line.len() > LONGEST_LINE {
        let end = (0..=LONGEST_LINE).rev().find(|end| line.is_char_boundary(*end)).unwrap_or_default();
        line.truncate(end);
        line.push_str("...");
    }
    line
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixStream,
        time::Duration,
    };

    use super::{LONGEST_LINE, MOST_LINES, Writer, shortened};

    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn writing_does_not_wait_for_a_reader_that_does_not_read() {
        let (mut reader, mut writer) = UnixStream::pair().unwrap();
        // The socket is full, so the thread writes no line before the reader begins.
        writer.set_nonblocking(true).unwrap();
        while writer.write(b"\n").is_ok() {}
        writer.set_nonblocking(false).unwrap();
        let messages = Writer::start(writer, "tlsrpt: ").unwrap();
        let line = "x".repeat(1000);
        // More than the queue holds.
        let all = 1000;
        for _ in 0..all {
            messages.take(line.clone());
        }
        let left_out = messages.left_out.load(std::sync::atomic::Ordering::Relaxed);
        assert!(left_out > 0);
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).map(|_| text)
        });
        assert!(messages.finish(LONG));
        let text = reading.join().unwrap().unwrap();
        let of_lines = text.lines().filter(|text| **text == line).count();
        let expected = format!("tlsrpt: {left_out} messages left out: standard error was not read in time");
        assert_eq!((of_lines as u64 + left_out, text.lines().filter(|text| **text == expected).count()), (all, 1));
        assert!(of_lines >= MOST_LINES);
    }

    #[test]
    fn finishing_waits_for_a_reader_that_does_not_read_up_to_the_limit() {
        let (_reader, writer) = UnixStream::pair().unwrap();
        let messages = Writer::start(writer, "").unwrap();
        for _ in 0..MOST_LINES {
            messages.take("x".repeat(LONGEST_LINE));
        }
        assert!(!messages.finish(SHORT));
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let line = format!("{}\u{e9}\u{e9}", "x".repeat(LONGEST_LINE - 1));
        assert_eq!(shortened(line), format!("{}...", "x".repeat(LONGEST_LINE - 1)));
        assert_eq!(shortened("short".into()), "short");
    }
}
