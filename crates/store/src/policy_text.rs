//! The text of a policy in the store.

use tlsrpt_format::datagram::{PolicyDescription, normalized_domain};

/// The text of a policy. It does not depend on the case of its domain and on a dot at the end.
pub(crate) fn text_of(policy: &PolicyDescription) -> String {
    let normalized = policy.policy_domain.as_deref().map(normalized_domain);
    if normalized == policy.policy_domain {
        return policy.to_json();
    }
    let mut policy = policy.clone();
    policy.policy_domain = normalized;
    policy.to_json()
}
