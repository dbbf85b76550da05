//! The JSON of RFC 8460 section 4.4, as the reporter writes it.

use serde::Serialize;
use serde_json::{Map, Value};
use tlsrpt_format::datagram::FailureDetails;

/// The member of a policy with the recipient domains whose sessions it counts, in the report of an MX host. RFC 8460 has none; receivers
/// ignore members that they do not know.
pub(crate) const RECIPIENT_DOMAINS: &str = "recipient-domains";

/// A report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Document<'a> {
    pub(crate) organization_name: &'a str,
    pub(crate) date_range: DateRange,
    pub(crate) contact_info: &'a str,
    pub(crate) report_id: &'a str,
    pub(crate) policies: &'a [PolicyResults],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct DateRange {
    pub(crate) start_datetime: String,
    pub(crate) end_datetime: String,
}

/// The results of one policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct PolicyResults {
    pub(crate) policy: PolicyName,
    pub(crate) summary: SessionCounts,
    pub(crate) failure_details: Vec<FailureResults>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct PolicyName {
    pub(crate) policy_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_string: Option<Vec<String>>,
    pub(crate) policy_domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mx_host: Option<Vec<String>>,
    #[serde(flatten)]
    pub(crate) others: Map<String, Value>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct SessionCounts {
    #[serde(rename = "total-successful-session-count")]
    pub(crate) succeeded: u64,
    #[serde(rename = "total-failure-session-count")]
    pub(crate) failed: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FailureResults {
    #[serde(flatten)]
    pub(crate) name: FailureName,
    pub(crate) failed_session_count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FailureName {
    pub(crate) result_type: &'static str,
    #[serde(flatten)]
    pub(crate) details: FailureDetails,
}
