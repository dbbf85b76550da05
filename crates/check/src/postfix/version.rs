//! Whether this release of Postfix reports, and what it does not know yet.

use super::Postfix;
use crate::{finding::Finding, packages, remedy::Remedy};

const CHECK: &str = "postfix";
/// The first release with TLSRPT.
const FIRST: Version = (3, 10, 0);
/// The first release that sends no events about mails with `TLS-Required: no`.
const WITH_LOOP_GUARD: Version = (3, 10, 4);
/// The first release that names the policy domain in events without a policy.
const WITH_POLICY_DOMAIN: Version = (3, 10, 5);

type Version = (u32, u32, u32);

/// The finding for a Postfix that has no parameter for TLSRPT.
pub(super) fn without_tlsrpt(postfix: &Postfix) -> Finding {
    let version = postfix.setting("mail_version");
    if read(version).is_some_and(|version| version >= FIRST) {
        let message = format!("Postfix {version} was built without TLSRPT");
        return Finding::fail(CHECK, message, packages::postfix_with_tlsrpt());
    }
    let remedy = "Debian 13 and later have a Postfix with TLSRPT: upgrade to it, or install another Postfix 3.10.5 or later \
                  that was built with -DUSE_TLSRPT, and check again";
    Finding::fail(CHECK, format!("Postfix {version} has no TLSRPT"), Remedy::check_again(remedy))
}

pub(super) fn check(postfix: &Postfix) -> Finding {
    let shown = postfix.setting("mail_version");
    // A release that cannot be read is a snapshot of the developers.
    let version = read(shown).unwrap_or(WITH_POLICY_DOMAIN);
    let lacks = if version < WITH_LOOP_GUARD {
        "it also reports the delivery of report mails (3.10.4 and later leave out mails with TLS-Required: no), so a \
         report may cause the next one; and its events without a policy name no policy domain, which RFC 8460 requires \
         (3.10.5 and later do)"
    } else if version < WITH_POLICY_DOMAIN {
        "its events without a policy name no policy domain, which RFC 8460 requires (3.10.5 and later do)"
    } else {
        return Finding::ok(CHECK, format!("Postfix {shown} has TLSRPT"));
    };
    let message = format!("Postfix {shown} has TLSRPT, but {lacks}");
    Finding::warn(CHECK, message, newer())
}

fn newer() -> Remedy {
    Remedy::after("install Postfix 3.10.5 or later", packages::install("postfix"))
}

/// `3.10.13`, `3.11.0-RC1`, `3.12-20260101`.
fn read(text: &str) -> Option<Version> {
    let release = text.split('-').next()?;
    let mut numbers = release.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next().unwrap_or(Some(0))?))
}

#[cfg(test)]
mod tests {
    use super::{check, read, without_tlsrpt};
    use crate::{
        collector::tests::of_service,
        finding::Status,
        postfix::configuration::{Postfix, tests::postfix},
    };

    #[test]
    fn versions() {
        assert_eq!(read("3.10.13"), Some((3, 10, 13)));
        assert_eq!(read("3.12-20260101"), Some((3, 12, 0)));
        assert_eq!(read(""), None);
    }

    #[test]
    fn what_a_release_does_not_know_is_named() {
        let of = |version| check(&postfix(&[("mail_version", version)]));
        for (version, status, guard, domain) in [
            ("3.10.13", Status::Ok, false, false),
            ("3.11.7", Status::Ok, false, false),
            ("3.10.4", Status::Warn, false, true),
            ("3.10.3", Status::Warn, true, true),
        ] {
            let found = of(version);
            assert_eq!(found.status, status, "{found:?}");
            assert_eq!(found.message.contains("TLS-Required"), guard, "{found:?}");
            assert_eq!(found.message.contains("policy domain"), domain, "{found:?}");
        }
    }

    #[test]
    fn a_postfix_without_the_parameter_cannot_report() {
        let old = Postfix::read("mail_version = 3.7.11\n", "", "");
        let [finding] = &old.check("", &of_service())[..] else { panic!("one finding") };
        assert_eq!((finding.status, &*finding.message), (Status::Fail, "Postfix 3.7.11 has no TLSRPT"));
        // The packages of a release that has this Postfix have no newer one.
        let remedy = finding.remedy.as_ref().unwrap().to_string();
        assert!(remedy.starts_with("Debian 13 ") && !remedy.contains("install postfix"), "{remedy}");
        let other = Postfix::read("mail_version = 3.10.13\n", "", "");
        assert!(without_tlsrpt(&other).message.contains("built without TLSRPT"));
    }
}
