//! Finds the bytes of a string that need an escape, several bytes at a time.
//!
//! Nearly all strings of an event are plain ASCII of 10 to 80 bytes. Checking byte by byte would be most of the cost of
//! an event, so eight bytes are checked at a time, as one word.

/// The check stops at the first special byte only if more than this many bytes are left.
const LONG: usize = 128;

/// The highest bit of each byte in a word.
const HIGH: u64 = in_each_byte(0x80);

/// Whether all bytes stand for themselves in a JSON string and are ASCII.
pub(super) fn is_all_plain(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<16>() {
        // The last block may overlap the one before it. Nearly all texts are plain, so stopping early pays only in a
        // long text.
        let mut special = special_in_16(last);
        let mut rest = text;
        while let Some((block, behind)) = rest.split_first_chunk::<16>() {
            special |= special_in_16(block);
            rest = behind;
            if special != 0 && rest.len() > LONG {
                return false;
            }
        }
        return special == 0;
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        return special_in_8(u64::from_ne_bytes(*first)) | special_in_8(u64::from_ne_bytes(*last)) == 0;
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let both = u64::from(u32::from_ne_bytes(*first)) << 32 | u64::from(u32::from_ne_bytes(*last));
        return special_in_8(both) == 0;
    }
    text.iter().all(|byte| byte.is_ascii() && !is_escaped(*byte))
}

/// The size of the blocks that a text with escapes is written in.
pub(super) const BLOCK: usize = 8;

/// How many bytes at the start of a block of UTF-8 need no escape.
#[inline(always)]
pub(super) fn verbatim_len(block: &[u8; BLOCK]) -> usize {
    escaped_in_8(u64::from_le_bytes(*block)).trailing_zeros() as usize / 8
}

/// A byte needs no escape.
pub(super) const VERBATIM: u8 = 0;
/// The escape of a byte is its number in hexadecimal.
pub(super) const NUMBER: u8 = b'u';

/// [`VERBATIM`], [`NUMBER`], or the letter behind the backslash.
#[inline(always)]
pub(super) fn escape_of(byte: u8) -> u8 {
    ESCAPES[usize::from(byte)]
}

/// The value of [`escape_of`] for each byte.
static ESCAPES: [u8; 0x100] = {
    let mut escapes = [VERBATIM; 0x100];
    let mut byte = 0;
    while byte < 0x80 {
        escapes[byte as usize] = match byte {
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            b'"' | b'\\' => byte,
            _ if is_escaped(byte) => NUMBER,
            _ => VERBATIM,
        };
        byte += 1;
    }
    escapes
};

#[inline(always)]
const fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || byte == 0x7f
}

/// Not 0 if one of the bytes needs an escape or is not ASCII.
fn special_in_16(block: &[u8; 16]) -> u64 {
    let both = u128::from_ne_bytes(*block);
    special_in_8(both as u64) | special_in_8((both >> 64) as u64)
}

/// Not 0 if one of the eight bytes needs an escape or is not ASCII. Does not show which one: a byte that does may set
/// bits of the bytes above it.
const fn special_in_8(word: u64) -> u64 {
    // Each of these sets the highest bit of an ASCII byte of that kind. Bytes that are not ASCII have it set already.
    let controls = word.wrapping_sub(in_each_byte(0x20));
    let quotes = (word ^ in_each_byte(b'"')).wrapping_sub(in_each_byte(1));
    let backslashes = (word ^ in_each_byte(b'\\')).wrapping_sub(in_each_byte(1));
    let deletes = word.wrapping_add(in_each_byte(1));
    (word | controls | quotes | backslashes | deletes) & HIGH
}

/// The highest bit of each of the eight bytes that needs an escape. Exact, at a higher cost than [`special_in_8`].
const fn escaped_in_8(word: u64) -> u64 {
    // Clears the highest bit of a byte below `limit`; no byte borrows from the one above it.
    const fn not_below(bytes: u64, limit: u8) -> u64 {
        (bytes | HIGH).wrapping_sub(in_each_byte(limit))
    }
    let low = word & !HIGH;
    let no_control = not_below(low, 0x20);
    let no_quote = not_below(low ^ in_each_byte(b'"'), 1);
    let no_backslash = not_below(low ^ in_each_byte(b'\\'), 1);
    let no_delete = not_below(low ^ in_each_byte(0x7f), 1);
    !(no_control & no_quote & no_backslash & no_delete) & !word & HIGH
}

const fn in_each_byte(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}
