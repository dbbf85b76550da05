//! The form of a file, by its first bytes.

use crate::{header::Header, reading::without_mark};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Empty,
    Gzip,
    Zip,
    Json,
    Mail,
    /// Many mails in one file.
    Mailbox,
    Unknown,
}

/// The line before each mail of a mailbox begins with this.
pub(super) const MAILBOX_LINE: &[u8] = b"From ";

/// The first bytes of a member of a gzip file.
pub(super) const GZIP: &[u8] = b"\x1f\x8b";

/// The text without a byte order mark, spaces and empty lines before it.
pub(super) fn text_of(bytes: &[u8]) -> &[u8] {
    without_mark(bytes).unwrap_or(bytes).trim_ascii_start()
}

impl Form {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let text = text_of(bytes);
        match bytes {
            _ if bytes.starts_with(GZIP) => Self::Gzip,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            _ if text.is_empty() => Self::Empty,
            _ if text.starts_with(b"{") => Self::Json,
            _ if bytes.starts_with(MAILBOX_LINE) => Self::Mailbox,
            _ if !Header::of(text).fields.is_empty() => Self::Mail,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn forms_by_their_first_bytes() {
        for (bytes, form) in [
            (&b""[..], Form::Empty),
            (b" \r\n", Form::Empty),
            (b"\x1f\x8b\x08", Form::Gzip),
            (b"PK\x03\x04", Form::Zip),
            (b"\xef\xbb\xbf\n {}", Form::Json),
            (b"From a@example.org Mon\nSubject: x\n", Form::Mailbox),
            (b"Received: from x\n\n", Form::Mail),
            (b"no mail\n", Form::Unknown),
            (b"\x89PNG\r\n", Form::Unknown),
        ] {
            assert_eq!(Form::of(bytes), form, "{bytes:?}");
        }
    }
}
