//! The socket that each service sends its events to.

use std::path::Path;

use super::{
    Postfix,
    configuration::{REUSE, SOCKET_NAME},
    enabled::is_on,
    service::{Service, names},
};
use crate::{
    access::{Visitor, group_of},
    collector::Collector,
    finding::Finding,
    library, paste,
    remedy::Remedy,
    sender::Sender,
    socket::{Asker, Place, check_socket_of},
};

const CHECK: &str = "place";
/// The name of the socket in docs/postfix.md, below the queue directory.
const USUAL: &str = "run/tlsrpt/tlsrpt.sock";

pub(super) fn check(postfix: &Postfix, collector: &Collector) -> Vec<Finding> {
    let owner = postfix.setting("mail_owner");
    let groups = by_name(postfix);
    let mut findings = Vec::new();
    if groups.len() > 1 {
        findings.push(different(postfix, &groups));
    }
    // The one that all mail uses is the last, so that its findings are the ones that a reader keeps in mind.
    for (name, services) in groups.into_iter().rev() {
        if name.is_empty() {
            findings.push(unnamed(postfix, &services));
            continue;
        }
        let Some(visitor) = Visitor::named(owner) else {
            findings.push(Finding::fail(
                "user",
                format!("the user {owner}, Postfix's mail_owner, does not exist"),
                Remedy::run(format!(
                    "adduser --system --group --no-create-home --home /var/spool/postfix {}",
                    paste::word(owner)
                )),
            ));
            break;
        };
        let (place, finding) = place(postfix, Path::new(name), &services);
        if let Some(twice) = below_queue_twice(postfix, &place, &services) {
            findings.push(twice);
            continue;
        }
        findings.push(finding);
        let is_chrooted = services.iter().any(|service| postfix.is_chrooted(service));
        let rename = |path: &Path| {
            let below = path.strip_prefix(postfix.path("queue_directory")).ok();
            let name = if is_chrooted { below } else { Some(below.unwrap_or(path)) };
            name.map(|name| postfix.command_to_set(SOCKET_NAME, &name.to_string_lossy()))
        };
        let group = group_of(owner);
        let usual = postfix.path("queue_directory").join(USUAL);
        let asker = Asker { visitor: &visitor, group: Some(&group), rename: &rename, usual: &usual, collector };
        findings.extend(check_socket_of(&place, asker));
    }
    findings
}

impl Postfix {
    /// Where the services send their events, and the user as which they do: one for each name of a socket.
    #[must_use]
    pub fn senders(&self) -> Vec<Sender> {
        let named = by_name(self).into_iter().filter(|(name, _)| !name.is_empty());
        let user = self.setting("mail_owner");
        let library = library::loaded_by(&self.program());
        named
            .map(|(name, services)| Sender {
                place: place(self, Path::new(name), &services).0,
                user: Some(user.to_owned()),
                library: library.clone(),
            })
            .collect()
    }
}

/// The services that send events, by the name of their socket: SMTP clients, and tlsproxy with connection reuse.
fn by_name(postfix: &Postfix) -> Vec<(&str, Vec<&Service>)> {
    let mut groups: Vec<(&str, Vec<&Service>)> = Vec::new();
    for client in postfix.clients() {
        let name = postfix.of(client, SOCKET_NAME);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, services)) => services.push(client),
            None => groups.push((name, vec![client])),
        }
    }
    for (_, services) in &mut groups {
        if services.iter().any(|service| is_on(postfix.of(service, REUSE))) {
            services.extend(postfix.tlsproxy());
        }
    }
    groups
}

fn different(postfix: &Postfix, groups: &[(&str, Vec<&Service>)]) -> Finding {
    let listed: Vec<_> = groups.iter().map(|(name, services)| format!("{name:?} for {}", names(services))).collect();
    let of_option: Vec<_> = groups.iter().flat_map(|(_, services)| services).collect();
    let remedies: Vec<_> = of_option
        .into_iter()
        .filter(|service| service.options.contains_key(SOCKET_NAME))
        .map(|service| postfix.command_to_remove(service, SOCKET_NAME))
        .collect();
    let message =
        format!("the services send their events to different sockets: {SOCKET_NAME} is {}", listed.join(", "));
    Finding::warn(CHECK, message, Remedy::run(remedies.join(" && ")))
}

fn unnamed(postfix: &Postfix, services: &[&Service]) -> Finding {
    let message = format!("{SOCKET_NAME} is empty for {}", names(services));
    let by_option = services.iter().find(|service| service.options.contains_key(SOCKET_NAME));
    let remedy = match by_option {
        Some(service) if !postfix.setting(SOCKET_NAME).is_empty() => postfix.command_to_remove(service, SOCKET_NAME),
        _ => postfix.command_to_set(SOCKET_NAME, USUAL),
    };
    Finding::fail("name", message, Remedy::run(remedy))
}

/// The path that the name of the socket means for the services. They run in the queue directory; some are chrooted to
/// it.
fn place(postfix: &Postfix, name: &Path, services: &[&Service]) -> (Place, Finding) {
    let queue = postfix.path("queue_directory");
    let (inside, outside): (Vec<_>, Vec<_>) =
        services.iter().copied().partition(|service| postfix.is_chrooted(service));
    let below_queue = if inside.is_empty() { Place::in_directory(queue, name) } else { Place::in_chroot(queue, name) };
    let as_named = Place::of_host(name);
    let shown = |place: &Place| format!("{SOCKET_NAME} = {} is {}", name.display(), place.path().display());
    if name.is_relative() {
        let finding = Finding::ok(CHECK, format!("{}: relative to the queue directory", shown(&below_queue)));
        return (below_queue, finding);
    }
    match (inside.is_empty(), outside.is_empty()) {
        (true, _) => {
            let finding = Finding::ok(CHECK, format!("{}: no service is chrooted", shown(&as_named)));
            (as_named, finding)
        }
        (false, true) => {
            let finding = Finding::ok(CHECK, format!("{}: {} chrooted", shown(&below_queue), names(&inside)));
            (below_queue, finding)
        }
        (false, false) => {
            let message = format!(
                "the path is {} for {} (chrooted) and {} for {} (not chrooted)",
                below_queue.path().display(),
                names(&inside),
                as_named.path().display(),
                names(&outside)
            );
            let relative = name.to_string_lossy();
            let remedy = postfix.command_to_set(SOCKET_NAME, relative.trim_start_matches('/'));
            (below_queue, Finding::warn(CHECK, message, Remedy::run(remedy)))
        }
    }
}

/// An absolute name that already begins with the chroot, and so means a path below it a second time.
fn below_queue_twice(postfix: &Postfix, place: &Place, services: &[&Service]) -> Option<Finding> {
    let queue = postfix.path("queue_directory");
    let below = place.name.strip_prefix(place.chroot()?).ok()?;
    if place.path().exists() {
        return None;
    }
    let message = format!(
        "{SOCKET_NAME} = {}: {} run in the chroot {}, where this name means {}",
        place.name.display(),
        names(services),
        queue.display(),
        place.path().display()
    );
    Some(Finding::fail(CHECK, message, Remedy::run(postfix.command_to_set(SOCKET_NAME, &below.to_string_lossy()))))
}

#[cfg(test)]
mod tests {
    use super::{by_name, place};
    use crate::{
        collector::tests::of_service,
        finding::{Finding, Status},
        postfix::configuration::{
            Postfix, REUSE, SOCKET_NAME,
            tests::{postfix, with_option},
        },
        postfix::service::Service,
    };

    fn check(postfix: &Postfix) -> Vec<Finding> {
        super::check(postfix, &of_service())
    }

    fn placed(postfix: &Postfix) -> (String, Status) {
        let groups = by_name(postfix);
        let (place, Finding { status, .. }) = place(postfix, groups[0].0.as_ref(), &groups[0].1);
        (place.path().display().to_string(), status)
    }

    /// With the column chroot of the first services.
    fn chrooted(mut postfix: Postfix, all: &[Option<bool>]) -> Postfix {
        let clients = postfix.services.iter_mut().filter(|service| service.is_client());
        for (service, chroot) in clients.zip(all.iter().cycle()) {
            service.chroot = *chroot;
        }
        postfix
    }

    #[test]
    fn an_empty_name_is_a_failure() {
        let findings = check(&postfix(&[(SOCKET_NAME, "")]));
        assert_eq!(findings.iter().map(|finding| finding.status).collect::<Vec<_>>(), [Status::Fail]);
    }

    #[test]
    fn a_mail_owner_who_does_not_exist_is_a_failure() {
        let findings = check(&postfix(&[("mail_owner", "no-such-user")]));
        assert_eq!(findings.iter().map(|finding| finding.check).collect::<Vec<_>>(), ["user"]);
    }

    #[test]
    fn the_path_of_the_socket_depends_on_the_chroot() {
        let in_queue = "/var/spool/postfix/run/tlsrpt/tlsrpt.sock".to_string();
        let in_root = "/run/tlsrpt/tlsrpt.sock".to_string();
        let absolute = &[(SOCKET_NAME, "/run/tlsrpt/tlsrpt.sock")][..];
        let of = |changes, chroot: &[Option<bool>]| placed(&chrooted(postfix(changes), chroot));
        assert_eq!(of(&[], &[Some(true)]), (in_queue.clone(), Status::Ok));
        assert_eq!(of(&[], &[Some(false)]), (in_queue.clone(), Status::Ok));
        assert_eq!(of(absolute, &[Some(true)]), (in_queue.clone(), Status::Ok));
        assert_eq!(of(absolute, &[Some(false)]), (in_root.clone(), Status::Ok));
        assert_eq!(of(absolute, &[Some(true), Some(false)]), (in_queue.clone(), Status::Warn));
        assert_eq!(of(absolute, &[None]), (in_root, Status::Ok));
        let old = [absolute[0], ("compatibility_level", "0")];
        assert_eq!(of(&old, &[None]), (in_queue, Status::Ok));
    }

    #[test]
    fn a_service_with_a_socket_of_its_own_is_named() {
        let postfix = with_option(postfix(&[]), "relay", SOCKET_NAME, "other.sock");
        let different = super::different(&postfix, &by_name(&postfix));
        assert!(different.message.contains("\"other.sock\" for relay"), "{different:?}");
        let remedy = "postconf -PX relay/unix/smtp_tlsrpt_socket_name && postfix reload";
        assert_eq!(different.command(), Some(remedy));
    }

    #[test]
    fn a_name_that_begins_with_the_chroot_has_one_finding() {
        let name = "/var/spool/postfix/run/tlsrpt/tlsrpt.sock";
        let here = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
        let changes = [(SOCKET_NAME, name), ("mail_owner", &*here)];
        let found = check(&chrooted(postfix(&changes), &[Some(true)]));
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!((finding.status, finding.check), (Status::Fail, "place"));
        let command = "postconf -e smtp_tlsrpt_socket_name=run/tlsrpt/tlsrpt.sock && postfix reload";
        assert_eq!(finding.command(), Some(command));
        let outside = check(&chrooted(postfix(&changes), &[Some(false)]));
        assert_eq!((outside[0].status, outside[0].check), (Status::Ok, "place"), "{outside:?}");
    }

    #[test]
    fn tlsproxy_sends_the_events_of_services_with_reuse() {
        let mut postfix = postfix(&[(REUSE, "yes")]);
        postfix.services.extend(Service::read("tlsproxy unix - - y - 0 tlsproxy"));
        assert_eq!(by_name(&postfix)[0].1.len(), 4);
    }
}
