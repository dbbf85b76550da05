//! Words that Postfix does not know in the parameters of protocols and ciphers. It then makes no TLS connection.

use super::{
    Postfix,
    configuration::{CIPHERS, MANDATORY_CIPHERS, MANDATORY_PROTOCOLS, POLICY_MAPS, PROTOCOLS},
    service::{Service, names},
    tls::{CHECK, level, leveled, sends, uses_tls},
};
use crate::{finding::Finding, remedy::Remedy};

/// The levels with which mail is also sent without TLS. The parameters that are not mandatory count for them alone.
const OPPORTUNISTIC: [&str; 2] = ["may", DANE];
/// Here TLS is required of the domains that have TLSA records.
const DANE: &str = "dane";
const NAMES: [&str; 6] = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
/// What stands before the lowest and the highest version.
const BOUNDS: [&str; 2] = [">=", "<="];
const GRADES: [&str; 5] = ["high", "medium", "low", "export", "null"];

struct Parameter {
    name: &'static str,
    is_mandatory: bool,
    /// Its value where main.cf has none.
    usual: &'static str,
    /// The first word that Postfix does not know.
    unknown: fn(&str) -> Option<&str>,
}

const PARAMETERS: [Parameter; 4] = [
    Parameter { name: PROTOCOLS, is_mandatory: false, usual: ">=TLSv1", unknown: unknown_protocol },
    Parameter { name: MANDATORY_PROTOCOLS, is_mandatory: true, usual: ">=TLSv1", unknown: unknown_protocol },
    Parameter { name: CIPHERS, is_mandatory: false, usual: "medium", unknown: unknown_grade },
    Parameter { name: MANDATORY_CIPHERS, is_mandatory: true, usual: "medium", unknown: unknown_grade },
];

pub(super) fn check(postfix: &Postfix) -> Vec<Finding> {
    PARAMETERS.iter().filter_map(|parameter| of_parameter(postfix, parameter)).collect()
}

fn of_parameter(postfix: &Postfix, parameter: &Parameter) -> Option<Finding> {
    let &Parameter { name, is_mandatory, usual, unknown } = parameter;
    let is_concerned = |client: &&Service| {
        uses_tls(postfix, client)
            && unknown(postfix.of(client, name)).is_some()
            && (parameter.is_for_most(postfix, client) || parameter.is_for_some(postfix, client))
    };
    let concerned: Vec<_> = postfix.clients().into_iter().filter(is_concerned).collect();
    let first = *concerned.first()?;
    let value = postfix.of(first, name);
    let word = unknown(value)?;
    let is_right = unknown(postfix.setting(name)).is_none();
    let remedy = Remedy::run(postfix.command_to_leave_to_main(first, name, is_right, usual));
    let fact = format!("{name} = {value}: Postfix does not know {word:?}");
    let who = if is_mandatory {
        format!("{} cannot send where TLS is required", names(&concerned))
    } else {
        format!("{} without TLS", sends(&concerned))
    };
    let message = format!("{fact}, so {who}: there is nothing to report");
    Some(match parameter.is_for_most(postfix, first) {
        true => leveled(postfix, &concerned, message, remedy),
        false => Finding::warn(CHECK, message, remedy),
    })
}

impl Parameter {
    /// Whether it counts for domains of which nothing else is known.
    fn is_for_most(&self, postfix: &Postfix, client: &Service) -> bool {
        self.is_mandatory != OPPORTUNISTIC.contains(&level(postfix, client))
    }

    /// Whether it counts for domains with TLSA records or a line in a policy map.
    fn is_for_some(&self, postfix: &Postfix, client: &Service) -> bool {
        level(postfix, client) == DANE || !postfix.of(client, POLICY_MAPS).is_empty()
    }
}

fn unknown_protocol(list: &str) -> Option<&str> {
    list.split([',', ' ', '\t', ':']).filter(|word| !word.is_empty()).find(|word| !is_protocol(word))
}

/// A name, also after `!`, or a bound, which may be a hexadecimal number.
fn is_protocol(word: &str) -> bool {
    let is_name = |word: &str| NAMES.iter().any(|name| name.eq_ignore_ascii_case(word));
    match BOUNDS.iter().find_map(|bound| word.strip_prefix(bound)) {
        Some(version) => is_name(version) || u32::from_str_radix(version.trim_start_matches("0x"), 16).is_ok(),
        None => is_name(word.trim_start_matches('!')),
    }
}

fn unknown_grade(value: &str) -> Option<&str> {
    (!GRADES.iter().any(|grade| grade.eq_ignore_ascii_case(value))).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::{
        CIPHERS, MANDATORY_CIPHERS, MANDATORY_PROTOCOLS, POLICY_MAPS, PROTOCOLS, check, unknown_grade, unknown_protocol,
    };
    use crate::{
        finding::Status,
        postfix::configuration::{
            LEVEL,
            tests::{postfix, with_option},
        },
    };

    #[test]
    fn words_that_postfix_knows() {
        for list in ["", "!SSLv2, !SSLv3", ">=TLSv1.2", "tlsv1.2:TLSv1.3", ">=0x0303 <=304", "<=TLSv1.3"] {
            assert_eq!(unknown_protocol(list), None, "{list}");
        }
        for (list, word) in [("!SSLv2, !TLS1.0", "!TLS1.0"), ("TLSv1.2+", "TLSv1.2+"), (">= TLSv1.2", ">=")] {
            assert_eq!(unknown_protocol(list), Some(word));
        }
        assert_eq!((unknown_grade("HIGH"), unknown_grade("hihg")), (None, Some("hihg")));
    }

    #[test]
    fn an_unknown_word_switches_tls_off_where_the_parameter_counts() {
        let of = |name, level, maps| check(&postfix(&[(name, "strong"), (LEVEL, level), (POLICY_MAPS, maps)]));
        let status = |name, level, maps| of(name, level, maps).first().map(|found| found.status);
        for (any, mandatory) in [(PROTOCOLS, MANDATORY_PROTOCOLS), (CIPHERS, MANDATORY_CIPHERS)] {
            let of_both = |level, maps| (status(any, level, maps), status(mandatory, level, maps));
            assert_eq!(of_both("may", ""), (Some(Status::Fail), None));
            assert_eq!(of_both("may", "hash:/a"), (Some(Status::Fail), Some(Status::Warn)));
            assert_eq!(of_both("dane", ""), (Some(Status::Fail), Some(Status::Warn)));
            assert_eq!(of_both("encrypt", ""), (None, Some(Status::Fail)));
            assert_eq!(of_both("none", ""), (None, None));
        }
        let found = of(CIPHERS, "may", "");
        let [found] = &found[..] else { panic!("{found:?}") };
        assert!(
            found.message.contains("does not know \"strong\", so smtp, relay, smtp-ip2 send without TLS"),
            "{found:?}"
        );
        assert_eq!(found.command(), Some("postconf -e smtp_tls_ciphers=medium && postfix reload"));
        assert_eq!(
            of(PROTOCOLS, "may", "")[0].command(),
            Some("postconf -e 'smtp_tls_protocols=>=TLSv1' && postfix reload")
        );
    }

    #[test]
    fn the_option_of_a_service_is_removed() {
        let found = check(&with_option(postfix(&[]), "relay", CIPHERS, "strong"));
        let command = "postconf -PX relay/unix/smtp_tls_ciphers && postfix reload";
        assert_eq!((found[0].status, found[0].command()), (Status::Warn, Some(command)));
    }
}
