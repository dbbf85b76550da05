//! Strings in JSON: which bytes are copied, which are escaped, and which are replaced.
//!
//! `\b \f \n \r \t \\ \"` have short escapes; the other bytes below 0x20, and 0x7f, become `\u00xx`. Bytes that are
//! not UTF-8 (an EHLO reply may have any) become U+FFFD, one for each maximal invalid part as in
//! `String::from_utf8_lossy`: a datagram is valid JSON whatever the other server sends.

use core::str;

use super::plain::{BLOCK, NUMBER, VERBATIM, escape_of, is_all_plain, verbatim_len};
use crate::{
    errno::Errno,
    memory::{Buffer, Tail},
};

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
    // The result is never shorter than the text, so a long text makes the buffer grow once.
    out.reserve(text.len())?;
    let mut tail = out.tail();
    let mut rest = text;
    loop {
        let (valid, invalid) = valid_and_invalid(rest);
        append_valid(&mut tail, rest.get(..valid).unwrap_or_default())?;
        if invalid == 0 {
            return tail.push(*b"\"", 1);
        }
        tail.push(REPLACEMENT, REPLACEMENT.len())?;
        rest = rest.get(valid + invalid..).unwrap_or_default();
    }
}

/// How many bytes at the start are UTF-8, and how many behind them are a maximal invalid part; 0 at the end of the text.
fn valid_and_invalid(text: &[u8]) -> (usize, usize) {
    match str::from_utf8(text) {
        Ok(_) => (text.len(), 0),
        Err(error) => (error.valid_up_to(), error.error_len().unwrap_or(text.len() - error.valid_up_to())),
    }
}

/// U+FFFD in UTF-8.
const REPLACEMENT: [u8; 3] = *b"\xef\xbf\xbd";

/// Appends UTF-8. Stores a whole block at a time and keeps it up to the first byte that needs an escape.
#[inline(always)]
fn append_valid(out: &mut Tail<'_>, text: &[u8]) -> Result<(), Errno> {
    let mut rest = text;
    while let Some(block) = rest.first_chunk::<BLOCK>() {
        let verbatim = verbatim_len(block);
        if verbatim == BLOCK {
            // A branch of its own: the address of the next block does not depend on a computed length.
            out.push(*block, BLOCK)?;
            rest = rest.get(BLOCK..).unwrap_or_default();
        } else {
            out.push(*block, verbatim)?;
            rest = append_escapes(out, rest.get(verbatim..).unwrap_or_default())?;
        }
    }
    while let Some((byte, behind)) = rest.split_first() {
        if escape_of(*byte) == VERBATIM {
            out.push([*byte], 1)?;
            rest = behind;
        } else {
            rest = append_escapes(out, rest)?;
        }
    }
    Ok(())
}

/// Appends the escapes of the bytes at the start that need one. Returns the rest of the text.
#[inline(always)]
fn append_escapes<'a>(out: &mut Tail<'_>, text: &'a [u8]) -> Result<&'a [u8], Errno> {
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        match escape_of(*byte) {
            VERBATIM => break,
            // Eight bytes, six of them kept: one store. The upper digit of these bytes is 0, 1 or 7.
            NUMBER => out.push([b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), lower_digit(*byte), 0, 0], 6)?,
            letter => out.push([b'\\', letter], 2)?,
        }
        rest = behind;
    }
    Ok(rest)
}

/// The lower hexadecimal digit of a byte.
#[inline(always)]
const fn lower_digit(byte: u8) -> u8 {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    DIGITS[(byte & 0xf) as usize]
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

    /// The expected result, made character by character as the module's documentation defines it.
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

    /// Miri is about a thousand times slower than native code, so it runs a part of the cases.
    const STEP: usize = if cfg!(miri) { 13 } else { 1 };

    #[test]
    fn every_byte_at_every_place_of_a_block() {
        for byte in (0..=255_u8).step_by(STEP) {
            for len in (0..40).step_by(STEP) {
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
        for first in (0..=255_u8).step_by(STEP) {
            for second in (0..=255_u8).step_by(STEP) {
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
