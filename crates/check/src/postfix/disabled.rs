//! Services that master.cf has and `master_service_disable` switches off.

use super::{Postfix, configuration::DISABLED, service::Service};
use crate::table;

/// What makes a service run that is switched off: a command, and the fact. None if it is not switched off.
pub(super) fn switched_off(postfix: &Postfix, service: &Service) -> Option<(String, String)> {
    let list = postfix.setting(DISABLED);
    let left = without(list, service)?;
    let fact = format!("{DISABLED} = {list} switches the service {} off", service.name);
    Some((postfix.command_to_set(DISABLED, &left), fact))
}

/// The list without the words that switch a service off. None if it is not switched off: the first word that means it decides.
fn without(list: &str, service: &Service) -> Option<String> {
    let means = |word: &str| {
        let entries = [service.kind.clone(), service.entry(), format!("{}.{}", service.name, service.kind)];
        entries.iter().any(|entry| entry.eq_ignore_ascii_case(word))
    };
    let words = table::items(list);
    let first = words.iter().find(|word| means(word.trim_start_matches('!')))?;
    if first.starts_with('!') {
        return None;
    }
    Some(words.iter().filter(|word| !means(word)).copied().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::{DISABLED, switched_off, without};
    use crate::postfix::configuration::tests::postfix;

    #[test]
    fn the_first_word_that_means_the_service_decides() {
        let postfix = postfix(&[(DISABLED, "inet smtp/unix")]);
        let smtp = postfix.service("smtp").unwrap();
        let of = |list| without(list, smtp);
        for list in ["", "inet", "smtp/inet", "smtpd/unix", "!smtp/unix, unix"] {
            assert_eq!(of(list), None, "{list}");
        }
        for list in ["smtp/unix", "smtp.unix", "unix", "unix, !smtp/unix"] {
            assert!(of(list).is_some(), "{list}");
        }
        assert_eq!(of("inet, smtp/unix,relay/unix").unwrap(), "inet, relay/unix");
        let (command, fact) = switched_off(&postfix, smtp).unwrap();
        assert_eq!(command, "postconf -e master_service_disable=inet && postfix reload");
        assert_eq!(fact, "master_service_disable = inet smtp/unix switches the service smtp off");
    }
}
