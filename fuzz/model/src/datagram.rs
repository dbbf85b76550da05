//! Writes the datagram in the simplest way, one list and one string after the other.

/// A policy as the calls describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub policy_type: i32,
    pub domain: Option<Vec<u8>>,
    pub strings: Vec<Vec<u8>>,
    pub patterns: Vec<Vec<u8>>,
    pub failures: Vec<Failure>,
    pub result: i32,
}

/// A failure: its type and the six texts in the order of the C function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    pub failure_type: i32,
    pub texts: [Option<Vec<u8>>; 6],
}

/// The keys of a failure's texts.
pub const FAILURE_KEYS: [&str; 6] = ["s", "n", "h", "r", "a", "f"];

/// The datagram of an event.
pub fn datagram(domain: &[u8], record: &[u8], policies: &[Policy]) -> String {
    let policies = policies.iter().map(policy).collect::<Vec<_>>().join(",");
    format!(r#"{{"dpv": "1","d": {},"pr": {},"policies":[{policies}]}}"#, quoted(domain), quoted(record))
}

fn policy(policy: &Policy) -> String {
    let mut parts = vec![format!(r#""policy-type":{}"#, policy.policy_type)];
    parts.extend(policy.domain.iter().map(|domain| format!(r#""policy-domain": {}"#, quoted(domain))));
    parts.extend(list("policy-string", policy.strings.iter().map(|text| quoted(text))));
    parts.extend(list("mx-host", policy.patterns.iter().map(|text| quoted(text))));
    parts.extend(list("failure-details", policy.failures.iter().map(failure)));
    parts.push(format!(r#""t":{}"#, policy.failures.len()));
    parts.push(format!(r#""f":{}"#, policy.result));
    format!("{{{}}}", parts.join(","))
}

fn list(key: &str, items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<_> = items.collect();
    if items.is_empty() { None } else { Some(format!(r#""{key}":[{}]"#, items.join(","))) }
}

fn failure(failure: &Failure) -> String {
    let mut parts = vec![format!(r#""c":{}"#, failure.failure_type)];
    for (key, text) in FAILURE_KEYS.iter().zip(&failure.texts) {
        parts.extend(text.iter().map(|text| format!(r#""{key}": {}"#, quoted(text))));
    }
    format!("{{{}}}", parts.join(","))
}

/// A JSON string: `String::from_utf8_lossy`, then one character after the other.
pub fn quoted(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for character in String::from_utf8_lossy(text).chars() {
        match character {
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0'..' ' | '\u{7f}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out + "\""
}
