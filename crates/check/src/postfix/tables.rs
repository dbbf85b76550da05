//! The files of lookup tables without which Postfix sends no mail, or sends it by old routes.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use super::{
    Postfix,
    configuration::{POLICY_MAPS, SENDER_RELAY_HOSTS, SENDER_TRANSPORTS, TRANSPORT_MAPS},
    service::Service,
};
use crate::{
    finding::Finding,
    paste,
    remedy::Remedy,
    table::{self, Files},
};

const CHECK: &str = "table";
/// How long the source may be newer than what Postfix reads. Postfix itself warns in its log after this time.
const PATIENCE: Duration = Duration::from_secs(100);

pub(super) fn check(postfix: &Postfix) -> Vec<Finding> {
    let routes = [TRANSPORT_MAPS, SENDER_TRANSPORTS, SENDER_RELAY_HOSTS];
    let of_main = routes.into_iter().map(|name| (name, None, postfix.setting(name)));
    let of_clients = postfix.policy_lists().into_iter().map(|(list, client)| (POLICY_MAPS, Some(client), list));
    let lists: Vec<(&str, Option<&Service>, &str)> = of_main.chain(of_clients).collect();
    let of_list =
        |(name, of, list)| table::items(list).into_iter().filter_map(move |map| of_map(postfix, name, of, list, map));
    lists.into_iter().flat_map(of_list).collect()
}

/// Judges a table in the list of a parameter of main.cf, or of a service.
fn of_map(postfix: &Postfix, name: &str, of: Option<&Service>, list: &str, map: &str) -> Option<Finding> {
    let Files { kind, source, read } = table::files(map)?;
    let shown = read.display();
    if !table::is_missing(&read) {
        let message = || {
            format!("{shown}, which {name} has, is older than {}: Postfix uses what was there before", source.display())
        };
        return is_older(&source, &read).then(|| Finding::warn(CHECK, message(), Remedy::run(index(kind, &source))));
    }
    let remedy = match table::is_missing(&source) {
        false => format!("{} && {}", index(kind, &source), postfix.reload()),
        true => {
            let left: Vec<_> = table::items(list).into_iter().filter(|item| *item != map).collect();
            match of {
                Some(service) => postfix.command_to_change(service, name, &left.join(", ")),
                None => postfix.command_to_set(name, &left.join(", ")),
            }
        }
    };
    let message =
        format!("{name} has {map}, and there is no file {shown}: mail to other sites waits, and nothing is reported");
    Some(Finding::fail(CHECK, message, Remedy::run(remedy)))
}

/// The command that makes the file that Postfix reads.
fn index(kind: &str, source: &Path) -> String {
    format!("postmap {kind}:{}", paste::word(&source.to_string_lossy()))
}

fn is_older(source: &Path, read: &Path) -> bool {
    let (Some(source), Some(read)) = (table::changed(source), table::changed(read)) else { return false };
    source > read && SystemTime::now().duration_since(source).is_ok_and(|since| since > PATIENCE)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        time::{Duration, SystemTime},
    };

    use super::{POLICY_MAPS, TRANSPORT_MAPS, check};
    use crate::{
        finding::{Finding, Status},
        postfix::configuration::tests::{postfix, with_option},
    };

    #[test]
    fn a_table_without_its_file_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own");
        let shown = file.display();
        let of = |kind: &str| check(&postfix(&[(TRANSPORT_MAPS, &format!("inline:{{a=b}}, {kind}:{shown}"))]));
        let only = |found: Vec<Finding>| <[Finding; 1]>::try_from(found).unwrap().into_iter().next().unwrap();
        let found = only(of("hash"));
        assert!(found.message.contains(&format!("no file {shown}.db: ")), "{found:?}");
        let command = "postconf -e 'transport_maps=inline:{a=b}' && postfix reload";
        assert_eq!((found.status, found.command()), (Status::Fail, Some(command)));
        assert_eq!(only(of("proxy:cidr")).command(), Some(command));
        fs::write(&file, "").unwrap();
        assert_eq!(only(of("lmdb")).command(), Some(&*format!("postmap lmdb:{shown} && postfix reload")));
        fs::write(format!("{shown}.db"), "").unwrap();
        for kind in ["hash", "texthash", "proxy:btree", "mysql"] {
            assert_eq!(of(kind), [], "{kind}");
        }
    }

    #[test]
    fn a_policy_map_of_one_service_is_set_there() {
        let found = check(&with_option(postfix(&[]), "relay", POLICY_MAPS, "hash:/no/such"));
        let command = "postconf -P relay/unix/smtp_tls_policy_maps= && postfix reload";
        assert_eq!((found[0].status, found[0].command()), (Status::Fail, Some(command)));
    }

    #[test]
    fn a_source_that_was_changed_later_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own");
        fs::write(&file, "").unwrap();
        fs::write(folder.path().join("own.db"), "").unwrap();
        let changed_before = |name: &str, seconds| {
            let file = File::options().write(true).open(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        };
        let of = || check(&postfix(&[(TRANSPORT_MAPS, &format!("hash:{}", file.display()))]));
        changed_before("own.db", 1000);
        assert_eq!(of(), []); // just now
        changed_before("own", 500);
        let found = of();
        let command = format!("postmap hash:{}", file.display());
        assert_eq!((found.len(), found[0].status, found[0].command()), (1, Status::Warn, Some(&*command)));
        changed_before("own", 2000);
        assert_eq!(of(), []);
        // The database of Berkeley DB is left from before.
        changed_before("own", 500);
        fs::write(folder.path().join("own.lmdb"), "").unwrap();
        assert_eq!(of(), []);
        fs::remove_file(folder.path().join("own.db")).unwrap();
        assert_eq!(of(), []);
    }
}
