//! How much of a string needs no escape, found for many bytes at a time.
//!
//! Nearly all strings of an event are plain ASCII of 10 to 80 bytes. A look at each byte would be most of the cost of
//! an event, so bytes are compared in words of eight. The last word overlaps the one before it, which spares a loop
//! over the rest.

/// Whether all bytes stand for themselves in a JSON string and are ASCII.
pub(super) fn is_all_plain(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<16>() {
        // Without a way out before the end: nearly all strings are plain to the end.
        let mut special = special_in_16(last);
        let mut rest = text;
        while let Some((block, behind)) = rest.split_first_chunk::<16>() {
            special |= special_in_16(block);
            rest = behind;
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
    text.iter().all(|byte| is_plain(*byte))
}

/// How many bytes at the start do.
pub(super) fn plain_len(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some((block, behind)) = rest.split_first_chunk::<16>() {
        if special_in_16(block) != 0 {
            break;
        }
        rest = behind;
    }
    let in_rest = rest.iter().position(|byte| !is_plain(*byte)).unwrap_or(rest.len());
    text.len() - rest.len() + in_rest
}

const fn is_plain(byte: u8) -> bool {
    0x20 <= byte && byte < 0x7f && byte != b'"' && byte != b'\\'
}

/// Not 0 if one of the bytes is not plain.
fn special_in_16(block: &[u8; 16]) -> u64 {
    let both = u128::from_ne_bytes(*block);
    special_in_8(both as u64) | special_in_8((both >> 64) as u64)
}

/// Not 0 if one of the eight bytes is not plain. Which one it is does not show: a byte that is not plain may make the
/// ones above it look so too.
const fn special_in_8(word: u64) -> u64 {
    // In a byte below 0x80 each of these sets the highest bit for what it is named for; the others have it already.
    let controls = word.wrapping_sub(in_each_byte(0x20));
    let quotes = (word ^ in_each_byte(b'"')).wrapping_sub(in_each_byte(1));
    let backslashes = (word ^ in_each_byte(b'\\')).wrapping_sub(in_each_byte(1));
    let deletes = word.wrapping_add(in_each_byte(1));
    (word | controls | quotes | backslashes | deletes) & in_each_byte(0x80)
}

const fn in_each_byte(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}
