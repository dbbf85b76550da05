//! The canonical forms of header fields and bodies (RFC 6376 section 3.4). Lines end with CR LF in them, however a pipe
//! of the mail server writes them.

use crate::header::Field;

/// How exactly a text has to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Simple,
    Relaxed,
}

impl Form {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "simple" => Some(Self::Simple),
            "relaxed" => Some(Self::Relaxed),
            _ => None,
        }
    }

    /// A field with its line end. `value` stands for its value, `raw` for all of it.
    pub(super) fn field(self, field: &Field<'_>) -> Vec<u8> {
        match self {
            Self::Simple => {
                lines(field.raw).collect::<Vec<_>>().join(&b"\r\n"[..]).into_iter().chain(*b"\r\n").collect()
            }
            Self::Relaxed => {
                let unfolded: Vec<u8> =
                    field.value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
                let value = one_space(&unfolded);
                [&field.name.to_ascii_lowercase(), &b":"[..], value.trim_ascii(), b"\r\n"].concat()
            }
        }
    }

    pub(super) fn body(self, body: &[u8]) -> Vec<u8> {
        let mut canonical = Vec::with_capacity(body.len() + 2);
        let mut end = 0;
        for line in lines(body) {
            match self {
                Self::Simple => canonical.extend_from_slice(line),
                Self::Relaxed => canonical.extend_from_slice(one_space(line).trim_ascii_end()),
            }
            let is_empty = canonical.len() == end || canonical.ends_with(b"\n");
            canonical.extend_from_slice(b"\r\n");
            // Empty lines at the end do not count.
            if !is_empty {
                end = canonical.len();
            }
        }
        canonical.truncate(end);
        if end == 0 && self == Self::Simple {
            canonical.extend_from_slice(b"\r\n");
        }
        canonical
    }
}

/// The lines without their ends.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}

/// Each run of spaces and tabs as one space.
fn one_space(text: &[u8]) -> Vec<u8> {
    let mut short = Vec::with_capacity(text.len());
    for byte in text {
        let byte = if *byte == b'\t' { b' ' } else { *byte };
        if byte != b' ' || short.last() != Some(&b' ') {
            short.push(byte);
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::Form::{Relaxed, Simple};
    use crate::header::Header;

    #[test]
    fn the_examples_of_rfc_6376_section_3_4_5() {
        let mail = b"A: X\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        let header = Header::of(mail);
        let all = |form: super::Form| header.fields.iter().flat_map(|field| form.field(field)).collect::<Vec<u8>>();
        assert_eq!(all(Relaxed), b"a:X\r\nb:Y Z\r\n");
        assert_eq!(all(Simple), b"A: X\r\nB : Y\t\r\n\tZ  \r\n");
        assert_eq!(Relaxed.body(header.body), b" C\r\nD E\r\n");
        assert_eq!(Simple.body(header.body), b" C \r\nD \t E\r\n");
        assert_eq!((Simple.body(b""), Relaxed.body(b"")), (b"\r\n".to_vec(), vec![]));
        assert_eq!(Relaxed.body(b"a\n\n b\nc"), b"a\r\n\r\n b\r\nc\r\n");
    }
}
