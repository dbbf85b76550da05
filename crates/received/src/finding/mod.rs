//! Finds the reports in a file as it came.

mod budget;
mod form;
mod mailbox;
mod parts;
mod unpacking;

use std::{fmt, rc::Rc};

use tlsrpt_format::printable;

use crate::{MailFacts, Report, Rule, limits, mail, read};
use budget::Budget;
use form::Form;

/// A report, and where it was.
#[derive(Debug)]
pub struct Found {
    /// The file, and the way to the report in it: `mail.eml: report.json.gz`.
    pub place: String,
    /// The header of the mail that it was in.
    pub mail: Option<Rc<MailFacts>>,
    /// The report.
    pub report: Report,
    /// The JSON text of the report.
    pub json: Vec<u8>,
}

/// Something that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: String,
    /// Why it cannot be read.
    pub reason: String,
    /// Whether this host is the reason, not what is read: another attempt may succeed.
    pub is_of_host: bool,
}

/// What a search finds.
#[derive(Debug)]
pub enum Item {
    /// A report.
    Report(Box<Found>),
    /// Something that should be a report and cannot be read.
    Problem(Problem),
    /// A mail, or a member of a collection, that has no report.
    NoReport(Problem),
}

impl Problem {
    /// A problem of what is read.
    #[must_use]
    pub fn new(place: &str, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into(), is_of_host: false }
    }
}

/// Safe to show.
impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", printable(&self.place), printable(&self.reason))
    }
}

/// Where a search is.
#[derive(Debug, Clone)]
struct At {
    place: String,
    depth: usize,
    mail: Option<Rc<MailFacts>>,
    /// Somebody says that this is a report: its type, its name, or the one who gave the file.
    is_declared: bool,
    /// The media type of a part of a mail, if it is not one of the RFC.
    other_type: Option<String>,
}

/// A search in one file or mail.
struct Search<'s> {
    budget: Budget,
    items: u64,
    out: &'s mut dyn FnMut(Item),
}

/// Finds the reports in a file, and hands each to `out` with what cannot be read. `place` is its name in messages.
pub fn find(bytes: &[u8], place: &str, out: &mut dyn FnMut(Item)) {
    let at = At { place: place.into(), depth: 0, mail: None, is_declared: true, other_type: None };
    if Form::of(bytes) == Form::Mailbox {
        return mailbox::mails(bytes).enumerate().for_each(|(index, mail)| {
            let at = At { place: format!("{place}: mail {}", index + 1), ..at.clone() };
            Search::new(out).all(mail, &at);
        });
    }
    Search::new(out).all(bytes, &at);
}

impl<'s> Search<'s> {
    fn new(out: &'s mut dyn FnMut(Item)) -> Self {
        Self { budget: Budget::default(), items: 0, out }
    }

    fn all(&mut self, bytes: &[u8], at: &At) {
        self.search(bytes, at);
        if self.items == 0 {
            (self.out)(Item::NoReport(Problem::new(&at.place, "it has no TLS report")));
        }
    }

    fn search(&mut self, bytes: &[u8], at: &At) {
        if at.depth > limits::DEPTH {
            return self.problem(at, format!("it is nested more than {} deep", limits::DEPTH));
        }
        match Form::of(bytes) {
            Form::Gzip => self.gzip(bytes, at),
            Form::Zip => self.zip(bytes, at),
            Form::Json => self.json(bytes, at),
            Form::Mail if at.depth == 0 || at.is_declared => self.mail(bytes, at),
            Form::Empty if at.is_declared => self.problem(at, "it is empty"),
            _ if at.is_declared => self.problem(at, "it is neither JSON, nor gzip, nor zip, nor a mail"),
            _ => {}
        }
    }

    fn json(&mut self, bytes: &[u8], at: &At) {
        if bytes.len() as u64 > limits::REPORT {
            return self.problem(at, format!("a report of more than {} MiB is not read", limits::REPORT >> 20));
        }
        match read(bytes) {
            Ok(mut report) => {
                add_departures_of_mail(&mut report, at);
                let found = Found { place: at.place.clone(), mail: at.mail.clone(), report, json: bytes.into() };
                self.item(Item::Report(Box::new(found)));
            }
            Err(why) if at.is_declared => self.problem(at, why.to_string()),
            Err(_) => {}
        }
    }

    fn problem(&mut self, at: &At, reason: impl Into<String>) {
        self.item(Item::Problem(Problem::new(&at.place, reason)));
    }

    fn item(&mut self, item: Item) {
        self.items += 1;
        (self.out)(item);
    }
}

impl At {
    /// Something inside.
    fn inside(&self, name: &str) -> Self {
        let name: String = name.chars().take(limits::NAME).collect();
        let place = if name.is_empty() { self.place.clone() } else { format!("{}: {name}", self.place) };
        Self { place, depth: self.depth + 1, ..self.clone() }
    }
}

/// What RFC 8460 section 5.3 demands of the mail. A report without a policy domain is about that of the mail.
fn add_departures_of_mail(report: &mut Report, at: &At) {
    let Some(facts) = &at.mail else { return };
    let mut departures = crate::departure::Departures::default();
    for (name, value) in [(mail::REPORT_DOMAIN, &facts.report_domain), (mail::SUBMITTER, &facts.submitter)] {
        if value.is_none() {
            departures.note(Rule::MailField, name);
        }
    }
    if let Some(other) = &at.other_type {
        departures.note_value(Rule::MediaType, "the media type of the part", other);
    }
    report.departures.extend(departures.into_list());
    if let Some(domain) = &facts.report_domain {
        let without = report.policies.iter_mut().filter(|policy| policy.domain.is_none());
        without.for_each(|policy| policy.domain = Some(domain.clone()));
    }
}
