//! Numbers, times and untrusted text for people.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use maud::{Markup, html};
use tlsrpt::FailureType;
use tlsrpt_format::printable;

/// The longest untrusted text that is shown whole, in characters. The longest domain name has 253.
const LONGEST: usize = 300;

/// Untrusted text: printable, bounded, and without influence on the direction of the text around it. Domains are written from
/// left to right in every script.
pub(crate) fn shown(text: &str) -> Markup {
    html! { bdi dir="ltr" { (bounded(text)) } }
}

/// The same for places that take no markup.
pub(crate) fn bounded(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => printable(text).to_string(),
        Some((end, _)) => {
            format!("{}... ({} more bytes)", printable(&text[..end]), grouped((text.len() - end) as u64))
        }
    }
}

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number in few characters, for the scale of a plot: `800`, `20k`, `1.5M`.
pub(crate) fn short(number: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (1_000_000_000_000_000_000, "E"),
        (1_000_000_000_000_000, "P"),
        (1_000_000_000_000, "T"),
        (1_000_000_000, "G"),
        (1_000_000, "M"),
    ];
    let unit = UNITS.into_iter().find(|(size, _)| number >= *size);
    let (size, name) = unit.unwrap_or(if number >= 10_000 { (1_000, "k") } else { (1, "") });
    match (number / size, number % size * 10 / size) {
        (whole, 0) => format!("{}{name}", grouped(whole)),
        (whole, tenth) => format!("{whole}.{tenth}{name}"),
    }
}

/// "1 session", "2 sessions".
pub(crate) fn number_of(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A part of a whole: `12.5 %`. A small part is never shown as nothing, nor a large one as all.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    match (part, whole) {
        (0, _) | (_, 0) => "0 %".into(),
        (part, whole) if part >= whole => "100 %".into(),
        (part, whole) => {
            let percent = 100.0 * part as f64 / whole as f64;
            match percent {
                ..0.1 => "under 0.1 %".into(),
                99.9.. => "over 99.9 %".into(),
                _ => format!("{percent:.1} %"),
            }
        }
    }
}

/// `2026-11-29 06:30 UTC`, with the seconds for programs.
pub(crate) fn time(at: Timestamp) -> Markup {
    let zoned = at.to_zoned(TimeZone::UTC);
    let (date, hour, minute) = (zoned.date(), zoned.hour(), zoned.minute());
    html! { time datetime=(format!("{at:.0}")) { (format!("{date} {hour:02}:{minute:02} UTC")) } }
}

/// A day in a table. A narrow window shows it without its year.
pub(crate) fn day(day: Date) -> Markup {
    html! { span.year { (format!("{:04}-", day.year())) } (format!("{:02}-{:02}", day.month(), day.day())) }
}

/// How long ago something was, in its largest unit: `5 min ago`.
pub(crate) fn age_in_words(seconds: u64) -> String {
    const DAY: u64 = 86_400;
    match seconds {
        ..2 => "now".into(),
        2..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..DAY => format!("{} h ago", seconds / 3600),
        _ => format!("{} ago", number_of(seconds / DAY, "day")),
    }
}

/// The meaning of a result type of RFC 8460. None for another word.
pub(crate) fn meaning(result_type: &str) -> Option<&'static str> {
    FailureType::from_rfc_name(result_type).map(|kind| kind.definition().meaning)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, bounded, grouped, percent, short};

    #[test]
    fn numbers_have_separators_and_short_forms() {
        let forms = [
            (0, "0", "0"),
            (999, "999", "999"),
            (1000, "1,000", "1,000"),
            (20_000, "20,000", "20k"),
            (1_500_000, "1,500,000", "1.5M"),
            (u64::MAX, "18,446,744,073,709,551,615", "18.4E"),
        ];
        for (number, long, few) in forms {
            assert_eq!((grouped(number).as_str(), short(number).as_str()), (long, few));
        }
    }

    #[test]
    fn a_percentage_is_none_or_all_only_if_the_part_is() {
        let forms = [(0, 0, "0 %"), (0, 9, "0 %"), (9, 9, "100 %"), (1, 8, "12.5 %")];
        for (part, whole, text) in forms {
            assert_eq!(percent(part, whole), text);
        }
        assert_eq!(percent(1, u64::MAX), "under 0.1 %");
        assert_eq!(percent(u64::MAX - 1, u64::MAX), "over 99.9 %");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let whole = "ä".repeat(LONGEST);
        assert_eq!(bounded(&whole), whole);
        assert_eq!(bounded(&format!("{whole}öb\u{202e}")), format!("{whole}... (6 more bytes)"));
        assert_eq!(bounded("a\u{1b}\u{202e}"), "a\\u{1b}\\u{202e}");
    }
}
