//! Datagrams in a file, one a line: `listen --format json` prints it and `send --from` reads it.
//!
//! A valid datagram is written unchanged, except that line breaks become spaces. An invalid one, which may contain any
//! byte, becomes an object with the reason and its bytes in hexadecimal.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The line for an invalid datagram.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invalid<'t> {
    invalid: Cow<'t, str>,
    bytes: Cow<'t, str>,
}

/// The line for a valid datagram. Line breaks between its members become spaces; JSON has none inside strings.
pub fn line_of_event(datagram: &[u8]) -> Vec<u8> {
    let space_for_break = |byte: &u8| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte };
    datagram.iter().map(space_for_break).collect()
}

/// Makes the line for an invalid datagram.
pub fn line_of_invalid(datagram: &[u8], reason: &str) -> Vec<u8> {
    let bytes = datagram.iter().map(|byte| format!("{byte:02x}")).collect();
    // Writing strings as JSON to memory does not fail.
    serde_json::to_vec(&Invalid { invalid: reason.into(), bytes }).unwrap_or_default()
}

/// The datagram of a line.
///
/// # Errors
///
/// The reason why the line is not a recorded datagram.
pub fn datagram_of(line: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    if let Ok(recorded) = serde_json::from_slice::<Invalid<'_>>(line) {
        let bytes = from_hexadecimal(recorded.bytes.as_bytes());
        return bytes.map(Cow::Owned).ok_or_else(|| "its \"bytes\" are not hexadecimal".into());
    }
    match crate::datagram::parse(line) {
        Ok(_) => Ok(Cow::Borrowed(line)),
        Err(error) => Err(error.to_string()),
    }
}

fn from_hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    if digits.len() % 2 != 0 {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.chunks_exact(2).map(|pair| Some(value(*pair.first()?)? << 4 | value(*pair.last()?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::{datagram_of, line_of_event, line_of_invalid};

    #[test]
    fn any_bytes_can_be_recorded_and_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        for bytes in [&all[..], b"", b"{\"invalid\": \"x\", \"bytes\": \"00\"}"] {
            let line = line_of_invalid(bytes, "a reason with \"quotes\"");
            assert!(!line.contains(&b'\n'));
            assert_eq!(datagram_of(&line).as_deref(), Ok(bytes));
        }
    }

    #[test]
    fn a_valid_datagram_changes_only_in_its_line_breaks() {
        let event = b"{\"d\":\"x\\n\",\n\"pr\":\"\",\r\n\"policies\":[]}";
        let line = line_of_event(event);
        assert_eq!(line, b"{\"d\":\"x\\n\", \"pr\":\"\",  \"policies\":[]}");
        assert_eq!(datagram_of(&line).as_deref(), Ok(&line[..]));
    }

    #[test]
    fn other_lines_are_refused_with_the_reason() {
        assert!(datagram_of(b"{\"d\":\"x\",\"policies\":[]}").unwrap_err().contains("pr is missing"));
        assert!(datagram_of(b"hello").unwrap_err().contains("line 1 column 1"));
        assert!(datagram_of(b"{\"invalid\":\"\",\"bytes\":\"0g\"}").unwrap_err().contains("hexadecimal"));
        assert!(datagram_of(b"{\"invalid\":\"\",\"bytes\":\"000\"}").unwrap_err().contains("hexadecimal"));
    }
}
