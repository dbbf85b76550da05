//! How a report departs from RFC 8460: one table.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};
use tlsrpt_format::printable;

use crate::limits;

macro_rules! rules {
    ($($rule:ident = $section:literal, $words:literal;)+) => {
        /// What a report does that RFC 8460 does not provide for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $words] $rule,)+
        }

        impl Rule {
            /// The section of RFC 8460.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $(Self::$rule => $section,)+
                }
            }

            /// What is different, after the name of the member.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$rule => $words,)+
                }
            }
        }
    };
}

rules! {
    Encoding = "4", "is not in UTF-8";
    Mark = "4", "begins with a byte order mark";
    Range = "4.1", "is not one full day in UTC";
    Midnight = "4.1", "is the midnight after the day, which belongs to the next day; the last second of the day is usual";
    ResultType = "4.3", "is not a result type of the RFC";
    NoResultType = "4.3", "is missing, so the reason of these failures is not known";
    Missing = "4.4", "is missing";
    NoDetails = "4.4", "is missing; an empty array says that nothing failed";
    Null = "4.4", "is null, and not a value";
    NotText = "4.4", "is not text, and is left out";
    NumberAsText = "4.4", "is text, and not a number";
    NotANumber = "4.4", "is not a number of sessions";
    NotAnObject = "4.4", "is not an object, and is left out";
    NotAList = "4.4", "is one value, and not an array";
    ListAsText = "4.4", "is one text with a JSON array in it, and not an array of texts";
    OtherName = "4.4", "has another name";
    MxLine = "4.4", "is a line of the policy file, and not the name of a host";
    Time = "4.4", "is not a time in the form of RFC 3339, and is left out";
    NoOffset = "4.4", "is a time without an offset such as Z, and is taken as UTC";
    PolicyType = "4.4", "is not a policy type of the RFC";
    Case = "4.4", "is not in lower case";
    MailField = "5.3", "is missing in the header of the mail";
    MediaType = "5.3", "is neither application/tlsrpt+gzip nor application/tlsrpt+json";
}

/// One departure from the RFC, in all the places where the report has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// What is different.
    pub rule: Rule,
    /// The first member that has it, for instance `policies[0].policy.mx-host`.
    pub place: String,
    /// What the member has, shortened, where that says more than the rule.
    pub found: Option<String>,
    /// The number of members that have it.
    pub times: u64,
}

/// Departures without doubles, with a limit.
#[derive(Debug, Default)]
pub(crate) struct Departures(Vec<Departure>);

/// How much of a value is shown, in characters.
const SHOWN: usize = 60;

impl Departures {
    pub(crate) fn note(&mut self, rule: Rule, place: impl fmt::Display) {
        self.add(rule, place, None);
    }

    pub(crate) fn note_value(&mut self, rule: Rule, place: impl fmt::Display, found: &str) {
        self.add(rule, place, Some(found.chars().take(SHOWN).collect()));
    }

    fn add(&mut self, rule: Rule, place: impl fmt::Display, found: Option<String>) {
        let place = place.to_string();
        let member = last(&place);
        let is_known =
            |known: &&mut Departure| known.rule == rule && known.found == found && last(&known.place) == member;
        if let Some(known) = self.0.iter_mut().find(is_known) {
            known.times += 1;
        } else if self.0.len() < limits::DEPARTURES {
            self.0.push(Departure { rule, place, found, times: 1 });
        }
    }

    pub(crate) fn into_list(self) -> Vec<Departure> {
        self.0
    }
}

/// The name of the member without the way to it.
fn last(place: &str) -> &str {
    let name = place.rsplit('.').next().unwrap_or(place);
    name.split('[').next().unwrap_or(name)
}

/// One line, safe to show.
impl fmt::Display for Departure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, place, found, times } = self;
        write!(out, "{} {}", printable(place), rule.words())?;
        if let Some(found) = found {
            write!(out, ": {}", printable(found))?;
        }
        if *times > 1 {
            write!(out, " ({times} times)")?;
        }
        write!(out, " (RFC 8460 section {})", rule.section())
    }
}

impl Serialize for Departure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("place", &self.place)?;
        map.serialize_entry("section", self.rule.section())?;
        map.serialize_entry("what", self.rule.words())?;
        if let Some(found) = &self.found {
            map.serialize_entry("found", found)?;
        }
        map.serialize_entry("times", &self.times)?;
        map.end()
    }
}
