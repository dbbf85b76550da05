//! The JSON of RFC 8460 section 4.4. The types borrow where the data exists already.

use std::borrow::Cow;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::datagram::FailureDetails;

/// A report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document<'a> {
    /// The name of the organization that sends the report.
    pub organization_name: &'a str,
    /// The day.
    pub date_range: DateRange,
    /// The address for questions.
    pub contact_info: &'a str,
    /// The id of the report.
    pub report_id: Cow<'a, str>,
    /// The results under each policy.
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
    /// The policy.
    pub policy: PolicyName<'a>,
    /// The number of sessions.
    pub summary: SessionCounts,
    /// The failures, with their counts.
    pub failure_details: Vec<FailureResults<'a>>,
}

/// The members that identify a policy. Equal ones are one entry of a report.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyName<'a> {
    /// The name of the policy type in section 4.2.
    pub policy_type: &'static str,
    /// The lines of the MTA-STS policy, or the TLSA records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_string: Option<Cow<'a, [String]>>,
    /// The domain of the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_domain: Option<Cow<'a, str>>,
    /// The MX host patterns of an MTA-STS policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mx_host: Option<Cow<'a, [String]>>,
    /// Members that RFC 8460 does not define.
    #[serde(flatten)]
    pub others: Cow<'a, Map<String, Value>>,
}

/// Sessions under a policy.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SessionCounts {
    /// Those that met the policy.
    #[serde(rename = "total-successful-session-count")]
    pub succeeded: u64,
    /// Those that did not meet it.
    #[serde(rename = "total-failure-session-count")]
    pub failed: u64,
}

/// A failure and how often it happened.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FailureResults<'a> {
    /// The failure.
    #[serde(flatten)]
    pub name: FailureName<'a>,
    /// The number of sessions with this failure.
    pub failed_session_count: u64,
}

/// The members that identify a failure. Equal ones are one entry of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FailureName<'a> {
    /// The name of the failure type in section 4.3.
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
