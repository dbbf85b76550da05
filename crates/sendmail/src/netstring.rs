//! Netstrings, the frames of a socket map: `LENGTH:BYTES,`.

/// The longest key in bytes. Sendmail's keys are far shorter.
pub const LONGEST: usize = 8192;
/// The number of digits of that length.
const MOST_DIGITS: usize = 4;

/// The beginning of a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A netstring and the bytes after it.
    Whole(&'a [u8], &'a [u8]),
    /// The beginning of a netstring.
    Partial,
    /// Not a netstring, or one that is too long. The rest of the stream cannot be parsed.
    Broken,
}

/// Reads the first netstring of a stream.
#[must_use]
pub fn first(stream: &[u8]) -> Frame<'_> {
    let digits = stream.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > MOST_DIGITS {
        return Frame::Broken;
    }
    let (number, rest) = stream.split_at(digits);
    let Some((b':', rest)) = rest.split_first() else {
        return if rest.is_empty() { Frame::Partial } else { Frame::Broken };
    };
    let length = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
    let Some(length) = length.filter(|length: &usize| *length <= LONGEST) else { return Frame::Broken };
    match rest.split_at_checked(length) {
        Some((text, [b',', after @ ..])) => Frame::Whole(text, after),
        Some((_, [])) | None => Frame::Partial,
        Some(_) => Frame::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, LONGEST, first};

    #[test]
    fn reads_whole_netstrings() {
        assert_eq!(first(b"3:abc,"), Frame::Whole(b"abc", b""));
        assert_eq!(first(b"0:,1:x,"), Frame::Whole(b"", b"1:x,"));
        let longest = format!("{LONGEST}:{},", "y".repeat(LONGEST));
        assert!(matches!(first(longest.as_bytes()), Frame::Whole(..)));
    }

    #[test]
    fn waits_for_the_rest() {
        let whole = b"12:hello world!,";
        for end in 0..whole.len() {
            assert_eq!(first(&whole[..end]), Frame::Partial, "{end}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for broken in ["x", ":", ":,", "-1:", "3x", "3:abcd", "99999", "9999:", "+3:abc,", " 3:abc,"] {
            assert_eq!(first(broken.as_bytes()), Frame::Broken, "{broken}");
        }
    }
}
