//! A report as JSON, for scripts. Unlike the report itself, its form does not depend on the sender.

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{FailureEntry, Found, MailFacts, PolicyEntry, Report, advice};

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("organization", &self.organization)?;
        map.serialize_entry("report-id", &self.report_id)?;
        map.serialize_entry("contact", &self.contact)?;
        map.serialize_entry("day", &self.day().map(|day| day.to_string()))?;
        map.serialize_entry("begin", &self.begin.map(|at| format!("{at:.0}")))?;
        map.serialize_entry("end", &self.end.map(|at| format!("{at:.0}")))?;
        map.serialize_entry("succeeded", &self.succeeded())?;
        map.serialize_entry("failed", &self.failed())?;
        map.serialize_entry("policies", &self.policies)?;
        map.serialize_entry("departures", &self.departures)?;
        map.serialize_entry("left-out", &self.left_out)?;
        map.serialize_entry("shortened", &self.shortened)?;
        map.end()
    }
}

impl Serialize for PolicyEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("policy-type", &self.kind)?;
        map.serialize_entry("policy-domain", &self.domain)?;
        map.serialize_entry("policy-string", &self.lines)?;
        map.serialize_entry("mx-host", &self.mx_hosts)?;
        map.serialize_entry("succeeded", &self.succeeded)?;
        map.serialize_entry("failed", &self.failed)?;
        map.serialize_entry("failures", &self.failures)?;
        map.end()
    }
}

impl Serialize for FailureEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("result-type", &self.result_type)?;
        map.serialize_entry("sessions", &self.sessions)?;
        map.serialize_entry("meaning", advice::meaning(self.known_type()))?;
        map.serialize_entry("advice", advice::advice(self.known_type()))?;
        self.details.known().try_for_each(|(member, value)| map.serialize_entry(member.rfc_name(), value))?;
        map.end()
    }
}

impl Serialize for MailFacts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("from-domain", &self.from_domain)?;
        map.serialize_entry("report-domain", &self.report_domain)?;
        map.serialize_entry("submitter", &self.submitter)?;
        map.end()
    }
}

impl Serialize for Found {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("source", &self.place)?;
        map.serialize_entry("mail", &self.mail.as_deref())?;
        map.serialize_entry("report", &self.report)?;
        map.end()
    }
}
