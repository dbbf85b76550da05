//! Divides the memory of `--buffer`.

use bytesize::ByteSize;

use super::show::Form;

/// The least value of `--buffer`. With less, a queue may be too small for the longest datagram of a usual system.
const LEAST: ByteSize = ByteSize::mib(1);

/// The memory of each part in bytes. Together they are at most `--buffer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Datagrams that wait to be forwarded.
    pub(crate) forward: usize,
    /// Datagrams that wait to be shown.
    pub(crate) show: usize,
    /// The data of the reports, which is kept until the end.
    pub(crate) report: usize,
}

impl Shares {
    /// With forwarding, half is for datagrams to forward: slow output must not cause a loss. Reports get three quarters
    /// of the other half.
    pub(crate) fn of(buffer: usize, form: Form, forwarding: bool) -> Self {
        let forward = if forwarding { buffer / 2 } else { 0 };
        let view = buffer - forward;
        let report = if form == Form::Report { view / 4 * 3 } else { 0 };
        Self { forward, show: view - report, report }
    }
}

/// Parses the size on the command line. `16` means 16 bytes, which is refused.
pub(crate) fn buffer_size(text: &str) -> Result<usize, String> {
    let size: ByteSize = text.parse()?;
    if size < LEAST {
        return Err(format!("{} bytes are too few; give at least {LEAST}, with its unit", size.as_u64()));
    }
    usize::try_from(size.as_u64()).map_err(|_| "this host cannot address as much".into())
}

#[cfg(test)]
mod tests {
    use super::{Form, Shares, buffer_size};

    #[test]
    fn all_shares_together_are_the_buffer() {
        for form in [Form::Text, Form::Json, Form::Report] {
            for forwarding in [true, false] {
                let Shares { forward, show, report } = Shares::of(1 << 20, form, forwarding);
                assert_eq!(forward + show + report, 1 << 20);
                assert_eq!((forward > 0, report > 0), (forwarding, form == Form::Report));
                assert!(show >= 1 << 17);
            }
        }
    }

    #[test]
    fn a_size_without_its_unit_is_refused() {
        assert_eq!(buffer_size("1MiB"), Ok(1 << 20));
        assert_eq!(buffer_size("16MiB"), Ok(16 << 20));
        for text in ["0", "16", "1000kB"] {
            assert!(buffer_size(text).unwrap_err().contains("give at least 1.0 MiB"), "{text}");
        }
        assert!(buffer_size("much").is_err());
    }
}
