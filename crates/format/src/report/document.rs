//! The JSON of RFC 8460 section 4.4. What is there already is borrowed.

use std::borrow::Cow;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::datagram::FailureDetails;

/// A report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document<'a> {
    /// Who sends it.
    pub organization_name: &'a str,
    /// The day.
    pub date_range: DateRange,
    /// Where questions go.
    pub contact_info: &'a str,
    /// Its id.
    pub report_id: Cow<'a, str>,
    /// What happened under each policy.
    pub policies: Cow<'a, [PolicyResults<'a>]>,
}

/// A UTC day, from its first to its last second.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DateRange {
    start_datetime: String,
    end_datetime: String,
}

/// The results of one policy.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyResults<'a> {
    /// Which policy.
    pub policy: PolicyName<'a>,
    /// How many sessions.
    pub summary: SessionCounts,
    /// What failed.
    pub failure_details: Vec<FailureResults<'a>>,
}

/// Which policy it is. Equal ones are one entry of a report.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyName<'a> {
    /// Its name in section 4.2.
    pub policy_type: &'static str,
    /// The lines of the MTA-STS policy, or the TLSA records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_string: Option<Cow<'a, [String]>>,
    /// The domain that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_domain: Option<Cow<'a, str>>,
    /// The MX host patterns of an MTA-STS policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mx_host: Option<Cow<'a, [String]>>,
    /// Members that RFC 8460 does not have.
    #[serde(flatten)]
    pub others: Cow<'a, Map<String, Value>>,
}

/// Sessions under a policy.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SessionCounts {
    /// Those that met it.
    #[serde(rename = "total-successful-session-count")]
    pub succeeded: u64,
    /// Those that did not.
    #[serde(rename = "total-failure-session-count")]
    pub failed: u64,
}

/// A failure and how often it happened.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FailureResults<'a> {
    /// Which failure.
    #[serde(flatten)]
    pub name: FailureName<'a>,
    /// In how many sessions.
    pub failed_session_count: u64,
}

/// Which failure it is. Equal ones are one entry of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FailureName<'a> {
    /// Its name in section 4.3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_type: Option<&'static str>,
    /// The place and the reason.
    #[serde(flatten)]
    pub details: Cow<'a, FailureDetails>,
}

impl DateRange {
    /// This day.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self { start_datetime: format!("{day}T00:00:00Z"), end_datetime: format!("{day}T23:59:59Z") }
    }
}
