//! Breaks lines for a terminal.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

/// The widest text in columns: longer lines are hard to read.
pub(crate) const WIDEST: usize = 100;
/// The narrowest text in columns. A narrower terminal breaks the lines itself.
const NARROWEST: usize = 40;
/// The indent of continued lines without columns, beyond that of the first line.
const INDENT: usize = 4;
/// The distance between two columns of a text.
const BETWEEN_COLUMNS: &str = "  ";
/// What follows this is a command, which must stay in one piece: it is pasted into a shell.
const COMMAND: &str = "run:";
/// How a record for DNS begins, which must stay in one piece behind a word with [`BEFORE_RECORD`]: it is pasted into a zone.
const RECORD: &str = "v=";
const BEFORE_RECORD: char = ':';

/// The width to which text for people is broken. If the output is a file or a pipe, it keeps one line for each fact, unless the
/// environment variable COLUMNS has a number.
pub(crate) fn width(output: &impl IsTerminal) -> Option<usize> {
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let of_terminal = || {
        let size = terminal_size::terminal_size()?.0.0;
        output.is_terminal().then_some(size.into())
    };
    columns.or_else(of_terminal).filter(|columns| *columns >= NARROWEST).map(|columns: usize| columns.min(WIDEST))
}

/// Breaks each line that is written, and passes it on. The rest of a line that has no end is passed on when it is dropped.
#[derive(Debug)]
pub(crate) struct Wrapping<W: Write> {
    out: W,
    width: Option<usize>,
    line: Vec<u8>,
}

impl<W: Write> Wrapping<W> {
    pub(crate) fn new(out: W, width: Option<usize>) -> Self {
        Self { out, width, line: Vec::new() }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        match (self.width, std::str::from_utf8(&line)) {
            (Some(width), Ok(text)) => self.out.write_all(broken(text, width).as_bytes()),
            _ => self.out.write_all(&line),
        }
    }
}

impl<W: Write> Write for Wrapping<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.width.is_none() {
            return self.out.write(text);
        }
        for part in text.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.pass_on()?;
            }
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Drop for Wrapping<W> {
    fn drop(&mut self) {
        // What a failed write has left is nobody's concern any more.
        let _ = self.pass_on();
    }
}

/// The line, broken between words so that no part is wider than `width`, if the words permit. The continued parts begin below the
/// last column of the text, or are indented.
pub(crate) fn broken(line: &str, width: usize) -> String {
    if columns(line) <= width {
        return line.into();
    }
    let hang = hang(line, width);
    let mut all = String::with_capacity(line.len() + line.len() / 8);
    let mut at = 0;
    for piece in pieces(line) {
        let word = columns(piece.trim_end_matches(' '));
        // At this column a break gains no room.
        if at > 0 && at != hang && at + word > width {
            all.truncate(all.trim_end_matches(' ').len());
            all.push('\n');
            all.extend(std::iter::repeat_n(' ', hang));
            at = hang;
        }
        all.push_str(piece);
        at += columns(piece);
    }
    all
}

/// The parts between which the line may be broken: each word with the space behind it, and a command or a record as a whole.
fn pieces(line: &str) -> Vec<&str> {
    let mut pieces: Vec<&str> = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let before = pieces.last().map(|piece| without_styles(piece)).unwrap_or_default();
        let before = before.trim_end();
        let is_record = before.ends_with(BEFORE_RECORD) && rest.starts_with(RECORD);
        let end = if before.ends_with(COMMAND) || is_record { rest.len() } else { end_of_word(rest) };
        let (piece, behind) = rest.split_at(end);
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// The length of the first word with the space before and behind it.
fn end_of_word(text: &str) -> usize {
    let start = text.len() - text.trim_start_matches(' ').len();
    let word = text[start..].find(' ').map_or(text.len(), |end| start + end);
    text[word..].find(|character| character != ' ').map_or(text.len(), |behind| word + behind)
}

/// Where continued parts begin: at the last column of the text that begins in its first half.
fn hang(line: &str, width: usize) -> usize {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let gaps = line.match_indices(BETWEEN_COLUMNS).map(|(start, _)| {
        let behind = &line[start..];
        columns(line) - columns(behind.trim_start_matches(' '))
    });
    gaps.filter(|column| *column <= width / 2 && *column > indent).max().unwrap_or(indent + INDENT)
}

/// The number of columns of a text, in which only the sequences that set a style have none.
fn columns(text: &str) -> usize {
    without_styles(text).chars().filter(|character| *character != '\n').count()
}

/// The text without the sequences that set a style.
fn without_styles(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => drop(characters.find(char::is_ascii_alphabetic)),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Wrapping, broken, columns};

    #[test]
    fn continued_lines_hang_below_the_last_column() {
        let line = "FAIL  socket        nobody listens at the socket of the collector";
        let expected = "\
FAIL  socket        nobody listens at
                    the socket of the
                    collector";
        assert_eq!(broken(line, 40), expected);
    }

    #[test]
    fn continued_lines_without_columns_are_indented() {
        assert_eq!(broken("one two three four", 10), "one two\n    three\n    four");
        assert_eq!(broken("  one two three", 12), "  one two\n      three");
        assert_eq!(broken("one two", 10), "one two");
        // A gap in the second half is no column.
        assert_eq!(broken("one two three  four", 16), "one two three\n    four");
    }

    #[test]
    fn long_words_commands_and_records_stay_in_one_piece() {
        assert_eq!(broken("a 0123456789abcdef b", 10), "a\n    0123456789abcdef\n    b");
        assert_eq!(broken("the group; run: chgrp postfix /run/x", 20), "the group; run:\n    chgrp postfix /run/x");
        assert_eq!(broken("-> publish: v=TLSRPTv1; rua=mailto:a", 12), "-> publish:\n    v=TLSRPTv1; rua=mailto:a");
        assert_eq!(broken("\u{1b}[2mpublish:\u{1b}[0m   v=a; b=c", 12), "\u{1b}[2mpublish:\u{1b}[0m\n    v=a; b=c");
        assert_eq!(broken("a record v=TLSRPTv1; rua=mailto:a", 20), "a record v=TLSRPTv1;\n    rua=mailto:a");
    }

    #[test]
    fn styles_take_no_room() {
        let line = "\u{1b}[1mfirst\u{1b}[0m \u{1b}[31mnext\u{1b}[0m";
        assert_eq!(columns(line), 10);
        assert_eq!(broken(line, 10), line);
        assert_eq!(broken(line, 9), "\u{1b}[1mfirst\u{1b}[0m\n    \u{1b}[31mnext\u{1b}[0m");
    }

    #[test]
    fn lines_are_broken_as_they_are_written_and_not_without_a_width() {
        let mut bytes = Vec::new();
        let mut out = Wrapping::new(&mut bytes, Some(8));
        write!(out, "one two").unwrap();
        write!(out, " three\nrest of it").unwrap();
        drop(out);
        assert_eq!(String::from_utf8(bytes).unwrap(), "one two\n    three\nrest of\n    it");
        let mut bytes = Vec::new();
        write!(Wrapping::new(&mut bytes, None), "one two three four").unwrap();
        assert_eq!(bytes, b"one two three four");
    }
}
