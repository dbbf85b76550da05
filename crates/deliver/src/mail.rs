//! The report as a mail (RFC 8460 section 5.3).

use std::error::Error;

use lettre::{
    Address, Message,
    address::{AddressError, Envelope},
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, ContentTypeErr, Header, HeaderName, HeaderValue},
    },
};

use crate::{MailAddress, dkim::DkimSigner, https::MEDIA_TYPE};

/// Who sends the mails.
#[derive(Debug)]
pub struct Submitter {
    /// The address of the From header. Its domain is the submitter.
    pub from: MailAddress,
    /// Signs them; without it, a milter of the mail server is expected to.
    pub signer: Option<DkimSigner>,
}

/// One report, made and compressed.
#[derive(Debug)]
pub struct FinishedReport<'a> {
    /// The policy domain.
    pub domain: &'a str,
    /// The report id, which has the form of a msg-id.
    pub id: &'a str,
    /// When it was made, in seconds since 1970 UTC. Another attempt has the same date.
    pub made: u64,
    /// The report in words.
    pub summary: &'a str,
    /// The file name of RFC 8460 section 5.1.
    pub file_name: &'a str,
    /// The JSON text, compressed by gzip.
    pub compressed: &'a [u8],
}

/// A mail and its envelope.
#[derive(Debug)]
pub struct ReportMail {
    /// The envelope: the sender that bounces go to, and one recipient.
    pub envelope: Envelope,
    /// The mail as it is sent.
    pub bytes: Vec<u8>,
}

/// Why a mail cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// An address that lettre refuses although [`MailAddress`] takes it.
    #[error("cannot write the address: {0}")]
    Address(#[from] AddressError),
    /// The mail has no valid form.
    #[error("cannot write the mail: {0}")]
    Mail(#[from] lettre::error::Error),
    /// A file name that no Content-Type can hold.
    #[error("cannot write the content type: {0}")]
    ContentType(#[from] ContentTypeErr),
}

impl Submitter {
    /// The mail that takes a report to an address. Bounces go to `bounces`. The same report and address give the same Message-ID.
    ///
    /// # Errors
    ///
    /// [`MailError`] where a mail with these values has no valid form.
    pub fn mail(
        &self,
        report: &FinishedReport<'_>,
        to: &MailAddress,
        bounces: &MailAddress,
    ) -> Result<ReportMail, MailError> {
        let submitter = self.from.domain();
        let FinishedReport { domain, id, .. } = report;
        let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(report.summary.to_owned());
        let attachment = SinglePart::builder()
            .header(ContentType::parse(&format!("{MEDIA_TYPE}; name=\"{}\"", report.file_name))?)
            .header(Attachment(report.file_name.to_owned()))
            .header(ContentTransferEncoding::Base64)
            .body(report.compressed.to_vec());
        let boundary = format!("tlsrpt-{}", fingerprint(id));
        let content_type =
            ContentType::parse(&format!("multipart/report; report-type=\"tlsrpt\"; boundary=\"{boundary}\""))?;
        let parts = MultiPart::builder().header(content_type.clone()).build().singlepart(text).singlepart(attachment);
        let date = std::time::UNIX_EPOCH + std::time::Duration::from_secs(report.made);
        let mut mail = Message::builder()
            .from(Mailbox::new(None, address(&self.from)?))
            .to(Mailbox::new(None, address(to)?))
            .date(date)
            // The ids of other programs may have a colon, which a Message-ID must not.
            .message_id(Some(format!("<{}.{}>", fingerprint(&to.to_string()), id.replace(':', "-"))))
            .subject(format!("Report Domain: {domain} Submitter: {submitter} Report-ID: <{id}>"))
            .raw_header(header("TLS-Report-Domain", domain))
            .raw_header(header("TLS-Report-Submitter", submitter))
            // A report about broken TLS must arrive in spite of it (RFC 8689). Postfix 3.10.4 reports no such session.
            .raw_header(header("TLS-Required", "No"))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("MIME-Version", "1.0"))
            .header(content_type)
            .body(body_of(parts))?;
        if let Some(signer) = &self.signer {
            signer.sign(&mut mail);
        }
        let envelope = Envelope::new(Some(address(bounces)?), vec![address(to)?])?;
        Ok(ReportMail { envelope, bytes: mail.formatted() })
    }
}

impl Submitter {
    /// A mail of plain text to the operator. Bounces go to nobody. `written` is in seconds since 1970 UTC.
    ///
    /// # Errors
    ///
    /// As [`Self::mail`].
    pub(crate) fn note(
        &self,
        to: &MailAddress,
        subject: &str,
        text: &str,
        written: u64,
    ) -> Result<ReportMail, MailError> {
        let date = std::time::UNIX_EPOCH + std::time::Duration::from_secs(written);
        let id = fingerprint(&format!("{to} {written} {subject}"));
        let mut mail = Message::builder()
            .from(Mailbox::new(None, address(&self.from)?))
            .to(Mailbox::new(None, address(to)?))
            .date(date)
            .message_id(Some(format!("<{id}.{written}@{}>", self.from.domain())))
            .subject(subject)
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .header(ContentType::TEXT_PLAIN)
            .body(text.to_owned())?;
        if let Some(signer) = &self.signer {
            signer.sign(&mut mail);
        }
        let envelope = Envelope::new(None, vec![address(to)?])?;
        Ok(ReportMail { envelope, bytes: mail.formatted() })
    }
}

/// The body of a multipart without its header, which goes into the header of the mail: only that is signed.
fn body_of(parts: MultiPart) -> Body {
    const END_OF_HEADER: &[u8] = b"\r\n\r\n";
    let mut formatted = parts.formatted();
    // Reports may be large: as few copies as can be.
    drop(parts);
    let header = formatted.windows(END_OF_HEADER.len()).position(|bytes| bytes == END_OF_HEADER);
    formatted.drain(..header.map_or(0, |header| header + END_OF_HEADER.len()));
    Body::dangerous_pre_encoded(formatted, ContentTransferEncoding::SevenBit)
}

/// Content-Disposition with the file name in one piece. lettre would cut a long name into the pieces of RFC 2231, which not every
/// receiver puts together.
#[derive(Debug, Clone)]
struct Attachment(String);

impl Header for Attachment {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Disposition")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), format!("attachment; filename=\"{}\"", self.0))
    }
}

/// A header field whose text has been read into a type that cannot break a line.
fn header(name: &'static str, text: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), text.to_owned())
}

fn address(address: &MailAddress) -> Result<Address, AddressError> {
    Address::new(address.local_part(), address.domain())
}

/// A hash of a text, of characters that are valid in an atom and in a boundary: FNV-1a, 64 bits.
fn fingerprint(text: &str) -> String {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let hash = text.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("{hash:016x}")
}
