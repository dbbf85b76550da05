//! Strings in JSON: what may stand as it is, what is escaped, and what is replaced.
//!
//! `\b \f \n \r \t \\ \"` have short escapes; the other bytes below 0x20, and 0x7f, become `\u00xx`. Bytes that are
//! not UTF-8 (an EHLO reply may hold any) become U+FFFD, one for each maximal invalid part as in
//! `String::from_utf8_lossy`: a datagram is valid JSON whatever the other server said.

use core::str;

use super::plain::{is_all_plain, verbatim_len};
use crate::{errno::Errno, memory::Buffer};

/// Appends a text as a JSON string: `opening`, which ends with the quote, the escaped text, and the closing quote.
#[inline(always)]
pub(super) fn append_string(out: &mut Buffer, opening: &[u8], text: &[u8]) -> Result<(), Errno> {
    if is_all_plain(text) {
        out.append_all([opening, text, b"\""])
    } else {
        out.append(opening)?;
        append_escaped(out, text)
    }
}

/// Appends the escaped text and the closing quote.
#[cold]
fn append_escaped(out: &mut Buffer, text: &[u8]) -> Result<(), Errno> {
    let mut rest = text;
    while let Err(error) = str::from_utf8(rest) {
        let (valid, behind) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, b""));
        append_valid(out, valid)?;
        out.append("\u{fffd}".as_bytes())?;
        let invalid = error.error_len().unwrap_or(behind.len());
        rest = behind.get(invalid..).unwrap_or_default();
    }
    append_valid(out, rest)?;
    out.append(b"\"")
}

/// Appends UTF-8.
fn append_valid(out: &mut Buffer, text: &[u8]) -> Result<(), Errno> {
    let mut rest = text;
    loop {
        let (verbatim, others) = rest.split_at_checked(verbatim_len(rest)).unwrap_or((rest, b""));
        out.append(verbatim)?;
        let Some((control, behind)) = others.split_first() else { return Ok(()) };
        append_control(out, *control)?;
        rest = behind;
    }
}

fn append_control(out: &mut Buffer, byte: u8) -> Result<(), Errno> {
    let short = match byte {
        0x08 => br"\b",
        0x0c => br"\f",
        b'\n' => br"\n",
        b'\r' => br"\r",
        b'\t' => br"\t",
        b'"' => br#"\""#,
        b'\\' => br"\\",
        _ => return out.append(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 0xf)]),
    };
    out.append(short)
}

const fn hex(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
}

#[cfg(test)]
mod tests {
    use std::{format, string::String, vec::Vec};

    use super::append_string;
    use crate::memory::{Buffer, Hooks};

    fn escaped(text: &[u8]) -> Vec<u8> {
        let mut out = Buffer::new(Hooks::current());
        append_string(&mut out, b"\"", text).unwrap();
        out.as_slice().strip_prefix(b"\"").unwrap().strip_suffix(b"\"").unwrap().to_vec()
    }

    /// The same by the words of the specification, a character at a time.
    fn naive(text: &[u8]) -> String {
        let mut out = String::new();
        for character in String::from_utf8_lossy(text).chars() {
            match character {
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\0'..' ' | '\u{7f}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
                _ => out.push(character),
            }
        }
        out
    }

    #[test]
    fn every_byte_at_every_place_of_a_block() {
        for byte in 0..=255_u8 {
            for len in 0..40 {
                for place in 0..len {
                    let mut text = std::vec![b'x'; len];
                    text[place] = byte;
                    assert_eq!(escaped(&text), naive(&text).as_bytes(), "{byte:#x} at {place} of {len}");
                }
            }
        }
    }

    #[test]
    fn every_pair_of_bytes() {
        for first in 0..=255_u8 {
            for second in 0..=255_u8 {
                let text = [b'a', first, second, b'z'];
                assert_eq!(escaped(&text), naive(&text).as_bytes(), "{text:?}");
            }
        }
    }

    #[test]
    fn one_replacement_for_each_maximal_invalid_part() {
        for text in [
            &b"caf\xe9"[..],
            b"\xe2\x82",
            b"\xe2\x82\xe2\x82\xac",
            b"\xf0\x9f\x98\x80\xf0\x9f\x98",
            b"\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xf5\xff",
            b"\xf0\x80\x80\x80\"\xc3",
        ] {
            assert_eq!(escaped(text), naive(text).as_bytes(), "{text:?}");
        }
    }
}
