//! Bounces of report mails.
//!
//! Each report mail has its own envelope sender, `tlsrpt-bounces+NUMBER-TOKEN@domain`. A bounce is addressed to it and so names the
//! delivery. The token is random: only a receiver of the mail can send a bounce of it.

use jiff::{SignedDuration, Timestamp};
use tlsrpt_store::{Delivery, Suppression};

use crate::MailAddress;

/// The longest suppression by bounces, in days.
const LONGEST: u32 = 32;
/// How much of a returned mail is read, in bytes.
pub const LONGEST_MAIL: usize = 1 << 20;

/// The envelope sender of a delivery.
#[must_use]
pub fn address(bounces: &MailAddress, delivery: i64, token: u32) -> MailAddress {
    bounces.with_extension(&format!("{delivery}-{token:08x}"))
}

/// The content of a returned mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// The delivery with this number and token failed, in the words of the returning server.
    Failed {
        /// The number of the delivery.
        delivery: i64,
        /// Its token.
        token: u32,
        /// The reason that the mail gives.
        reason: String,
    },
    /// It names a delivery, but reports no failure: a notice of a delay, an automatic reply.
    NoFailure,
    /// It names no delivery.
    Unknown,
}

/// Reads a returned mail. `recipient` is its envelope recipient, if the mail server passes it.
#[must_use]
pub fn read(mail: &[u8], recipient: Option<&str>, bounces: &MailAddress) -> Returned {
    let mail = mail.get(..mail.len().min(LONGEST_MAIL)).unwrap_or_default();
    let text = String::from_utf8_lossy(mail);
    let header = text.lines().take_while(|line| !line.is_empty());
    let named = recipient.into_iter().chain(header).find_map(|line| numbers_in(line, bounces));
    let Some((delivery, token)) = named else { return Returned::Unknown };
    let field = |name: &str| field(&text, name);
    match field("Action").map(|action| action.eq_ignore_ascii_case("failed")) {
        Some(true) => {}
        Some(false) => return Returned::NoFailure,
        // Some mail servers return mails without a delivery status (RFC 3464).
        None if field("From").is_some_and(|from| from.to_ascii_lowercase().contains("mailer-daemon")) => {}
        None => return Returned::NoFailure,
    }
    let reason = field("Diagnostic-Code").or_else(|| field("Status")).unwrap_or("returned without a reason");
    Returned::Failed { delivery, token, reason: crate::outcome::answer(reason) }
}

/// The value of the first line that begins with this field name.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// The number and the token in the extension of the bounce address.
fn numbers_in(line: &str, bounces: &MailAddress) -> Option<(i64, u32)> {
    let begin = format!("{}+", bounces.local_part()).to_ascii_lowercase();
    let line = line.to_ascii_lowercase();
    let at = line.find(&begin)? + begin.len();
    let extension = line.get(at..)?.split('@').next()?;
    let (delivery, token) = extension.split_once('-')?;
    Some((delivery.parse().ok()?, u32::from_str_radix(token, 16).ok()?))
}

/// The entry of the suppression list after a bounce at `now`: for one day, or for twice as long as the last one if that ended recently.
/// `None`: the earlier entry stays, because an operator made it, or because the mail was sent before the entry began. So several mails
/// of one day count as one failure.
#[must_use]
pub fn suppression(
    delivery: &Delivery,
    reason: &str,
    earlier: Option<&Suppression>,
    now: Timestamp,
) -> Option<Suppression> {
    if earlier.is_some_and(|earlier| stays(earlier, delivery, now)) {
        return None;
    }
    let days = earlier.and_then(|earlier| {
        let (days, until) = (earlier.days?, earlier.until?);
        // Reports were delivered for longer than the last suppression lasted: this ends the series.
        let is_recent = now <= later(until, days + 1);
        is_recent.then(|| (days * 2).min(LONGEST))
    });
    let days = days.unwrap_or(1);
    Some(Suppression {
        target: delivery.destination.clone(),
        until: Some(later(now, days)),
        days: Some(days),
        reason: format!("a report mail was returned: {reason}"),
    })
}

fn stays(entry: &Suppression, delivery: &Delivery, now: Timestamp) -> bool {
    let (Some(days), Some(until)) = (entry.days, entry.until) else {
        // An operator's entry stays until it ends.
        return entry.until.is_none_or(|until| until > now);
    };
    let began = until.checked_sub(length(days)).unwrap_or(Timestamp::MIN);
    delivery.last_attempt.is_some_and(|sent| sent <= began)
}

fn later(at: Timestamp, days: u32) -> Timestamp {
    at.checked_add(length(days)).unwrap_or(Timestamp::MAX)
}

fn length(days: u32) -> SignedDuration {
    const HOURS_OF_A_DAY: i64 = 24;
    SignedDuration::from_hours(i64::from(days) * HOURS_OF_A_DAY)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tlsrpt_store::{Delivery, DeliveryState, Suppression};

    use super::{Returned, address, read, suppression};
    use crate::MailAddress;

    fn bounces() -> MailAddress {
        "tlsrpt-bounces@sender.example".parse().unwrap()
    }

    const NOTICE: &str = "From: MAILER-DAEMON@mx.example\r\nTo: tlsrpt-bounces+17-0000abcd@sender.example\r\n\
        Content-Type: multipart/report; report-type=delivery-status\r\n\r\nText\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\n\
        Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n";

    #[test]
    fn a_notice_names_its_delivery() {
        assert_eq!(address(&bounces(), 17, 0xabcd).to_string(), "tlsrpt-bounces+17-0000abcd@sender.example");
        let failed = |reason: &str| Returned::Failed { delivery: 17, token: 0xabcd, reason: reason.into() };
        assert_eq!(read(NOTICE.as_bytes(), None, &bounces()), failed("smtp; 550 5.1.1 no such user"));
        let without_to = NOTICE.replace("+17-0000abcd", "");
        assert_eq!(read(without_to.as_bytes(), None, &bounces()), Returned::Unknown);
        let recipient = Some("tlsrpt-bounces+17-0000abcd@sender.example");
        assert_eq!(read(without_to.as_bytes(), recipient, &bounces()), failed("smtp; 550 5.1.1 no such user"));
        let plain = "From: Mailer-Daemon <>\nTo: tlsrpt-bounces+17-abcd@sender.example\n\nSorry.\n";
        assert_eq!(read(plain.as_bytes(), None, &bounces()), failed("returned without a reason"));
    }

    #[test]
    fn what_is_no_failure_suppresses_nothing() {
        let delayed = NOTICE.replace("failed", "delayed");
        assert_eq!(read(delayed.as_bytes(), None, &bounces()), Returned::NoFailure);
        let vacation = "From: a@b.example\nTo: tlsrpt-bounces+17-0000abcd@sender.example\n\nI am away.\n";
        assert_eq!(read(vacation.as_bytes(), None, &bounces()), Returned::NoFailure);
        for mail in
            ["", "\n", "To: tlsrpt-bounces+x-y@sender.example\n\n", "To: tlsrpt-bounces+99999999999999999999-1@s\n\n"]
        {
            assert_eq!(read(mail.as_bytes(), None, &bounces()), Returned::Unknown, "{mail:?}");
        }
        assert_eq!(read(&[0xff; 5000], None, &bounces()), Returned::Unknown);
    }

    #[test]
    fn suppressions_double_up_to_32_days_and_success_ends_them() {
        let delivery = Delivery {
            id: 17,
            report: 1,
            destination: "mailto:a@b.example".into(),
            token: 0,
            state: DeliveryState::Delivered,
            attempts: 1,
            first_attempt: None,
            last_attempt: None,
            next_attempt: None,
            unknown: false,
            answer: String::new(),
            warning: None,
            report_size: 0,
        };
        let mut now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let mut entry: Option<Suppression> = None;
        let mut days = Vec::new();
        for _ in 0..7 {
            let sent = Delivery { last_attempt: Some(now), ..delivery.clone() };
            let next = suppression(&sent, "x", entry.as_ref(), now).unwrap();
            // Another mail of the same day comes back later: no further failure.
            assert_eq!(suppression(&sent, "x", Some(&next), super::later(now, 1)), None);
            days.push(next.days.unwrap());
            now = super::later(next.until.unwrap(), 1);
            entry = Some(next);
        }
        assert_eq!(days, [1, 2, 4, 8, 16, 32, 32]);
        let long_after = super::later(now, 60);
        let days =
            |entry: &Suppression| suppression(&delivery, "x", Some(entry), long_after).and_then(|next| next.days);
        assert_eq!(days(entry.as_ref().unwrap()), Some(1));
        let by_operator = Suppression { days: None, ..entry.unwrap() };
        assert_eq!(days(&by_operator), Some(1));
        assert_eq!(days(&Suppression { until: None, ..by_operator }), None);
    }
}
