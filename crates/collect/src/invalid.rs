//! The messages about invalid datagrams, at most one a minute.

use std::{
    fmt::{self, Display},
    time::{Duration, Instant},
};

use tlsrpt_format::{datagram::Invalid, printable};

/// The shortest time between two messages.
const INTERVAL: Duration = Duration::from_secs(60);

/// How much of a datagram a message shows, in bytes.
const SHOWN: usize = 200;

/// How much of the reason a message shows, in characters. The reason may quote the datagram.
const EXPLAINED: usize = 200;

/// Writes messages about invalid datagrams, at most one in [`INTERVAL`].
#[derive(Debug, Default)]
pub(crate) struct Messages {
    last: Option<Instant>,
    /// How many datagrams had no message since the last one.
    since: u64,
}

impl Messages {
    /// The message about a datagram that arrived `times` times; None if the last message is too recent.
    pub(crate) fn line(&mut self, invalid: &Invalid, bytes: &[u8], times: u64) -> Option<String> {
        if self.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            self.since += times;
            return None;
        }
        self.last = Some(Instant::now());
        let others = std::mem::take(&mut self.since) + times - 1;
        let more = if others == 0 { String::new() } else { format!("; {others} others since the last such line") };
        Some(format!("{}{more}", describe(invalid, bytes)))
    }
}

fn describe(invalid: &Invalid, bytes: &[u8]) -> impl Display {
    let explained: String = invalid.detail.chars().take(EXPLAINED).collect();
    let shown = bytes.get(..SHOWN).unwrap_or(bytes);
    let whole = if shown.len() == bytes.len() { "" } else { "..." };
    let (reason, len) = (invalid.reason, bytes.len());
    let text = format!("{}{whole}", shown.escape_ascii());
    Description { reason: reason.to_string(), explained, len, text }
}

struct Description {
    reason: String,
    explained: String,
    len: usize,
    text: String,
}

impl Display for Description {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, explained, len, text } = self;
        write!(out, "invalid datagram ({reason}: {}) of {len} bytes: \"{text}\"", printable(explained))
    }
}

#[cfg(test)]
mod tests {
    use tlsrpt_format::datagram;

    use super::Messages;

    #[test]
    fn one_line_a_minute_with_the_first_bytes_escaped() {
        let mut messages = Messages::default();
        let bytes = [b"\x1b[2J\xff\"\n".as_slice(), &[b'x'; 500]].concat();
        let invalid = datagram::parse(&bytes).unwrap_err();
        let line = messages.line(&invalid, &bytes, 1).unwrap();
        let beginning = "invalid datagram (not-utf8: not UTF-8 at byte 5) of 507 bytes: \"\\x1b[2J\\xff\\\"\\nx";
        assert!(line.starts_with(beginning) && line.ends_with("x...\""), "{line}");
        assert!(line.len() < 400, "{line}");
        assert_eq!(messages.line(&invalid, &bytes, 3), None);
        messages.last = None;
        let line = messages.line(&invalid, b"\xff", 2).unwrap();
        assert!(line.ends_with("\"\\xff\"; 4 others since the last such line"), "{line}");
    }
}
