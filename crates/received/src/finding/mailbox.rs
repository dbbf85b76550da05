//! Mailboxes with many mails in one file (mbox, RFC 4155).

use super::form::MAILBOX_LINE;

/// The mails of a mailbox, each without the line before it.
pub(super) fn mails(mailbox: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = mailbox;
    std::iter::from_fn(move || {
        let mail = behind_first_line(rest)?;
        let end = next_line_of_mailbox(mail);
        let (mail, others) = mail.split_at(end);
        rest = others;
        Some(mail)
    })
}

fn behind_first_line(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    text.get(end + 1..)
}

/// Where the next mail begins: at a line that begins with "From " after an empty line.
fn next_line_of_mailbox(mail: &[u8]) -> usize {
    let (mut place, mut after_empty) = (0, false);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if after_empty && line.starts_with(MAILBOX_LINE) {
            return place;
        }
        after_empty = line.trim_ascii().is_empty();
        place += line.len();
    }
    mail.len()
}

#[cfg(test)]
mod tests {
    use super::mails;

    #[test]
    fn each_mail_begins_behind_its_line() {
        let mailbox = b"From a\nSubject: 1\n\nFrom here on\nx\n\nFrom b\r\nSubject: 2\r\n\r\ny\r\n";
        let all: Vec<_> = mails(mailbox).collect();
        assert_eq!(all, [&b"Subject: 1\n\n"[..], b"x\n\n", b"Subject: 2\r\n\r\ny\r\n"]);
        let mailbox = b"From a\nSubject: 1\n\n>From here on\nx\nFrom y\n\nFrom b\nSubject: 2\n";
        assert_eq!(mails(mailbox).count(), 2);
    }
}
