//! Whether reporting is on, in main.cf and for each service that sends mail to other hosts.

use super::{
    Postfix,
    configuration::ENABLE,
    service::{Service, names},
};
use crate::{finding::Finding, remedy::Remedy};

const CHECK: &str = "enabled";

pub(super) fn check(postfix: &Postfix) -> Vec<Finding> {
    let clients = postfix.clients();
    let (on, off): (Vec<_>, Vec<_>) = clients.into_iter().partition(|client| is_on(postfix.of(client, ENABLE)));
    let (by_option, by_main): (Vec<_>, Vec<_>) =
        off.into_iter().partition(|client| client.options.contains_key(ENABLE));
    let mut findings = Vec::new();
    if !on.is_empty() {
        findings.push(Finding::ok(CHECK, format!("{ENABLE} = yes for {}", names(&on))));
    }
    if !by_main.is_empty() {
        let message = format!("{ENABLE} = {} for {}: they report nothing", postfix.setting(ENABLE), names(&by_main));
        findings.push(Finding::fail(CHECK, message, Remedy::run(postfix.command_to_set(ENABLE, "yes"))));
    }
    findings.extend(by_option.into_iter().map(|client| switched_off(postfix, client)));
    findings
}

pub(super) fn is_on(value: &str) -> bool {
    value.eq_ignore_ascii_case("yes")
}

/// The command that makes a service report.
pub(super) fn switch_on(postfix: &Postfix, client: &Service) -> Remedy {
    Remedy::run(postfix.command_to_leave_to_main(client, ENABLE, is_on(postfix.setting(ENABLE)), "yes"))
}

fn switched_off(postfix: &Postfix, client: &Service) -> Finding {
    let value = postfix.of(client, ENABLE);
    let message = format!("the service {} in master.cf has -o {ENABLE}={value}: it reports nothing", client.name);
    let remedy = switch_on(postfix, client);
    if postfix.is_main(client) { Finding::fail(CHECK, message, remedy) } else { Finding::warn(CHECK, message, remedy) }
}

#[cfg(test)]
mod tests {
    use super::{ENABLE, check};
    use crate::{
        finding::Status,
        postfix::configuration::tests::{postfix, with_option},
    };

    #[test]
    fn off_in_main_cf_is_a_failure_of_all_that_do_not_switch_it_on() {
        let [on] = &check(&postfix(&[]))[..] else { panic!("one finding") };
        assert_eq!((on.status, &*on.message), (Status::Ok, "smtp_tlsrpt_enable = yes for smtp, relay, smtp-ip2"));
        let off = check(&with_option(postfix(&[(ENABLE, "no")]), "relay", ENABLE, "yes"));
        let [on, off] = &off[..] else { panic!("{off:?}") };
        assert_eq!((on.status, &*on.message), (Status::Ok, "smtp_tlsrpt_enable = yes for relay"));
        assert_eq!(off.status, Status::Fail);
        assert!(off.message.contains("for smtp, smtp-ip2"), "{off:?}");
        assert_eq!(off.command(), Some("postconf -e smtp_tlsrpt_enable=yes && postfix reload"));
    }

    #[test]
    fn off_for_one_service_is_named_with_the_command_that_removes_the_option() {
        for (service, status) in [("smtp", Status::Fail), ("smtp-ip2", Status::Warn)] {
            let found = check(&with_option(postfix(&[]), service, ENABLE, "no"));
            let found = found.last().unwrap();
            assert_eq!(found.status, status);
            let remedy = format!("postconf -PX {service}/unix/smtp_tlsrpt_enable && postfix reload");
            assert_eq!(found.command(), Some(&*remedy));
        }
    }
}
