//! Paths.

use std::path::PathBuf;

use toml::de::DeValue;

use super::definition::{Kind, Refused, quoted, string};

/// A file or a directory. The path is absolute, because the working directory of a service is not that of the operator.
#[derive(Debug)]
pub enum Path {}

impl Kind for Path {
    type Value = PathBuf;
    const NAME: &'static str = "path";
    const EXAMPLE: &'static str = "\"/var/lib/tlsrpt/file\"";

    fn read(value: &DeValue<'_>) -> Result<PathBuf, Refused> {
        absolute(string(value)?)
    }

    fn show(value: &PathBuf) -> String {
        quoted(&value.to_string_lossy())
    }
}

/// The absolute path of a local socket. The system limits its length.
#[derive(Debug)]
pub enum SocketPath {}

impl Kind for SocketPath {
    type Value = PathBuf;
    const NAME: &'static str = "path of a socket";
    const EXAMPLE: &'static str = "\"/run/tlsrpt/tlsrpt.sock\"";

    fn read(value: &DeValue<'_>) -> Result<PathBuf, Refused> {
        let path = absolute(string(value)?)?;
        match path.as_os_str().len() {
            len if len > tlsrpt_socket::LONGEST_NAME => Err(format!(
                "{len} bytes are too long for the path of a socket, which has at most {}",
                tlsrpt_socket::LONGEST_NAME
            )
            .into()),
            _ if path.as_os_str().as_encoded_bytes().ends_with(b"/") => Err("it names a directory".into()),
            _ => Ok(path),
        }
    }

    fn show(value: &PathBuf) -> String {
        Path::show(value)
    }
}

pub(super) fn absolute(text: &str) -> Result<PathBuf, Refused> {
    match text {
        "" => Err("it is empty".into()),
        _ if text.contains('\0') => Err("a path cannot contain a NUL".into()),
        _ if !text.starts_with('/') => Err("it is not an absolute path: begin it with /".into()),
        _ => Ok(PathBuf::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Path, SocketPath};
    use crate::kind::definition::tests::{of_another_form, reason, unchanged};

    #[test]
    fn paths_are_absolute_and_those_of_sockets_short() {
        unchanged::<Path>(&["\"/a b/ö\"", "\"/\""]);
        of_another_form::<Path>(&["1", "[]", "true"]);
        assert!(reason::<Path>("\"run/x\"").contains("not an absolute path"));
        assert!(reason::<Path>("\"\"").contains("empty"));
        assert!(reason::<Path>("\"/a\\u0000\"").contains("NUL"));
        let of_length = |len: usize| format!("\"/{}\"", "x".repeat(len - 1));
        unchanged::<SocketPath>(&[&of_length(107)]);
        assert!(reason::<SocketPath>(&of_length(108)).contains("108 bytes are too long"));
        assert!(reason::<SocketPath>("\"/run/tlsrpt/\"").contains("directory"));
    }
}
