//! Numbers: counts, sizes, lengths of time and permissions.

use bytesize::ByteSize;
use jiff::SignedDuration;
use toml::de::DeValue;

use super::definition::{Kind, Refused, quoted, string};

/// A whole number.
#[derive(Debug)]
pub enum Count {}

impl Kind for Count {
    type Value = u64;
    const NAME: &'static str = "number";
    const EXAMPLE: &'static str = "30";

    fn read(value: &DeValue<'_>) -> Result<u64, Refused> {
        let number = value.as_integer().ok_or(Refused::Form)?;
        u64::from_str_radix(number.as_str(), number.radix()).map_err(|_| Refused::Form)
    }

    fn show(value: &u64) -> String {
        value.to_string()
    }
}

/// A size in bytes, written with its unit.
#[derive(Debug)]
pub enum Size {}

impl Kind for Size {
    type Value = u64;
    const NAME: &'static str = "size";
    const EXAMPLE: &'static str = "\"10MiB\"";

    fn read(value: &DeValue<'_>) -> Result<u64, Refused> {
        let text = string(value)?;
        if !text.ends_with(['B', 'b', 'k', 'K', 'M', 'G', 'T']) {
            return Err(Refused::Form);
        }
        text.parse().map(|ByteSize(bytes)| bytes).map_err(|_| Refused::Form)
    }

    fn show(value: &u64) -> String {
        const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
        let divides = |(_, power): &&(&str, u32)| *value > 0 && value.trailing_zeros() >= *power;
        let (unit, power) = UNITS.iter().find(divides).unwrap_or(&("B", 0));
        quoted(&format!("{}{unit}", value >> power))
    }
}

/// A length of time.
#[derive(Debug)]
pub enum Duration {}

impl Kind for Duration {
    type Value = std::time::Duration;
    const NAME: &'static str = "duration";
    const EXAMPLE: &'static str = "\"1h 30m\"";

    fn read(value: &DeValue<'_>) -> Result<std::time::Duration, Refused> {
        let duration: SignedDuration = string(value)?.parse().map_err(|_| Refused::Form)?;
        duration.try_into().map_err(|_| "it is negative".into())
    }

    fn show(value: &std::time::Duration) -> String {
        // A duration that was read fits.
        let duration = SignedDuration::try_from(*value).unwrap_or(SignedDuration::MAX);
        quoted(&format!("{duration:#}"))
    }
}

/// Permissions in octal.
#[derive(Debug)]
pub enum Mode {}

impl Kind for Mode {
    type Value = u32;
    const NAME: &'static str = "permissions in octal";
    const EXAMPLE: &'static str = "\"0660\"";

    fn read(value: &DeValue<'_>) -> Result<u32, Refused> {
        let digits = match value {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(number) if number.radix() == 8 => number.as_str(),
            _ => return Err(Refused::Form),
        };
        match u32::from_str_radix(digits, 8) {
            Ok(mode) if mode <= 0o777 => Ok(mode),
            Ok(_) => Err("only the nine permission bits can be set: 0000 to 0777".into()),
            Err(_) => Err(Refused::Form),
        }
    }

    fn show(value: &u32) -> String {
        quoted(&format!("{value:04o}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, Duration, Mode, Size};
    use crate::kind::definition::{
        Refused,
        tests::{again, of_another_form, reason, unchanged},
    };

    #[test]
    fn counts() {
        unchanged::<Count>(&["0", "18446744073709551615"]);
        assert_eq!(again::<Count>("1_000"), Ok("1000".into()));
        of_another_form::<Count>(&["-1", "1.5", "\"1\"", "18446744073709551616", "true"]);
    }

    #[test]
    fn sizes_have_a_unit() {
        unchanged::<Size>(&["\"10MiB\"", "\"1500B\"", "\"1GiB\"", "\"0B\"", "\"1025KiB\""]);
        assert_eq!(again::<Size>("\"1MB\""), Ok("\"1000000B\"".into()));
        assert_eq!(again::<Size>("\"1 gib\""), Ok("\"1GiB\"".into()));
        of_another_form::<Size>(&["16", "\"16\"", "\"many MiB\"", "\"\"", "\"-1MiB\""]);
    }

    #[test]
    fn durations_have_a_unit() {
        unchanged::<Duration>(&["\"30s\"", "\"4h\"", "\"1h 30m\"", "\"500ms\"", "\"0s\""]);
        assert_eq!(again::<Duration>("\"90 minutes\""), Ok("\"1h 30m\"".into()));
        of_another_form::<Duration>(&["30", "\"30\"", "\"soon\"", "\"\""]);
        assert_eq!(reason::<Duration>("\"-1s\""), "it is negative");
    }

    #[test]
    fn modes_are_octal() {
        unchanged::<Mode>(&["\"0660\"", "\"0000\"", "\"0777\""]);
        assert_eq!(again::<Mode>("\"660\""), Ok("\"0660\"".into()));
        assert_eq!(again::<Mode>("0o660"), Ok("\"0660\"".into()));
        of_another_form::<Mode>(&["660", "\"rw\"", "\"0888\"", "0x1b0"]);
        assert!(reason::<Mode>("\"1777\"").contains("nine permission bits"));
        assert_eq!(again::<Mode>("\"\""), Err(Refused::Form));
    }
}
