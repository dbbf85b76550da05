//! The configuration of Postfix, from `postconf`.

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
};

use super::{
    route::Route,
    service::{Service, TLSPROXY},
};
use crate::{bounded, paste};

pub(super) const ENABLE: &str = "smtp_tlsrpt_enable";
pub(super) const SOCKET_NAME: &str = "smtp_tlsrpt_socket_name";
pub(super) const REUSE: &str = "smtp_tls_connection_reuse";
pub(super) const LEVEL: &str = "smtp_tls_security_level";
pub(super) const OLD_ENFORCE: &str = "smtp_enforce_tls";
pub(super) const OLD_USE: &str = "smtp_use_tls";
pub(super) const PROTOCOLS: &str = "smtp_tls_protocols";
pub(super) const MANDATORY_PROTOCOLS: &str = "smtp_tls_mandatory_protocols";
pub(super) const CIPHERS: &str = "smtp_tls_ciphers";
pub(super) const MANDATORY_CIPHERS: &str = "smtp_tls_mandatory_ciphers";
pub(super) const WRAPPER: &str = "smtp_tls_wrappermode";
pub(super) const DISABLED: &str = "master_service_disable";
pub(super) const DISCARDED: &str = "smtp_discard_ehlo_keywords";
pub(super) const CA_FILE: &str = "smtp_tls_CAfile";
pub(super) const CA_FOLDER: &str = "smtp_tls_CApath";
pub(super) const CERTIFICATE: &str = "smtp_tls_cert_file";
pub(super) const KEY: &str = "smtp_tls_key_file";
pub(super) const EC_CERTIFICATE: &str = "smtp_tls_eccert_file";
pub(super) const EC_KEY: &str = "smtp_tls_eckey_file";
pub(super) const USUAL_CA: &str = "tls_append_default_CA";
pub(super) const POLICY_MAPS: &str = "smtp_tls_policy_maps";
pub(super) const DNS_SUPPORT: &str = "smtp_dns_support_level";
pub(super) const DEFAULT_TRANSPORT: &str = "default_transport";
pub(super) const RELAY_TRANSPORT: &str = "relay_transport";
pub(super) const RELAY_HOST: &str = "relayhost";
pub(super) const TRANSPORT_MAPS: &str = "transport_maps";
pub(super) const SENDER_RELAY_HOSTS: &str = "sender_dependent_relayhost_maps";
pub(super) const SENDER_TRANSPORTS: &str = "sender_dependent_default_transport_maps";
pub(super) const RELAY_DOMAINS: &str = "relay_domains";
pub(super) const OWN_DOMAINS: [&str; 4] =
    ["mydestination", RELAY_DOMAINS, "virtual_mailbox_domains", "virtual_alias_domains"];
pub(super) const SMTPD_MILTERS: &str = "smtpd_milters";
pub(super) const OTHER_MILTERS: &str = "non_smtpd_milters";
const CONTENT_FILTER: &str = "content_filter";
/// The option of services that pass mail to a filter on this host.
const XFORWARD: &str = "smtp_send_xforward_command";
const SETTINGS: [&str; 41] = [
    "mail_version",
    "config_directory",
    "queue_directory",
    "process_id_directory",
    "daemon_directory",
    "mail_owner",
    "compatibility_level",
    ENABLE,
    SOCKET_NAME,
    REUSE,
    LEVEL,
    OLD_ENFORCE,
    OLD_USE,
    PROTOCOLS,
    MANDATORY_PROTOCOLS,
    CIPHERS,
    MANDATORY_CIPHERS,
    WRAPPER,
    DISABLED,
    DISCARDED,
    CA_FILE,
    CA_FOLDER,
    USUAL_CA,
    CERTIFICATE,
    KEY,
    EC_CERTIFICATE,
    EC_KEY,
    POLICY_MAPS,
    DNS_SUPPORT,
    DEFAULT_TRANSPORT,
    RELAY_TRANSPORT,
    RELAY_HOST,
    TRANSPORT_MAPS,
    SENDER_RELAY_HOSTS,
    SENDER_TRANSPORTS,
    OWN_DOMAINS[0],
    RELAY_DOMAINS,
    OWN_DOMAINS[2],
    OWN_DOMAINS[3],
    SMTPD_MILTERS,
    OTHER_MILTERS,
];
/// The configuration, from `postconf`.
#[derive(Debug, Clone, Default)]
pub struct Postfix {
    /// The folder of main.cf and master.cf, if it is not the usual one.
    folder: Option<PathBuf>,
    pub(super) settings: HashMap<String, String>,
    pub(super) services: Vec<Service>,
}

impl Postfix {
    /// Runs `postconf`, for the configuration in `folder` or the usual one.
    ///
    /// # Errors
    ///
    /// `postconf` cannot be run, or fails.
    pub fn ask(folder: Option<&Path>) -> io::Result<Self> {
        let ask = |options: &[&str]| {
            let folder = folder.map(|folder| [Path::new("-c"), folder]);
            let options = folder.into_iter().flatten().map(Path::as_os_str).chain(options.iter().map(AsRef::as_ref));
            bounded::tool("postconf", &options.collect::<Vec<_>>())
        };
        let mut settings = vec!["-x"];
        settings.extend(SETTINGS);
        settings.push(CONTENT_FILTER);
        let mut postfix = Self::read(&ask(&settings)?, &ask(&["-x", "-M"])?, &ask(&["-x", "-P"])?);
        postfix.folder = folder.map(Into::into);
        Ok(postfix)
    }

    /// Reads what `postconf -x`, `-M` and `-P` print.
    pub(crate) fn read(settings: &str, services: &str, options: &str) -> Self {
        let mut services: Vec<_> = services.lines().filter_map(Service::read).collect();
        for (name, value) in options.lines().filter_map(setting) {
            let Some((entry, name)) = name.rsplit_once('/') else { continue };
            if let Some(service) = services.iter_mut().find(|service| service.entry() == entry) {
                service.options.insert(name.into(), value.into());
            }
        }
        let settings = settings.lines().filter_map(setting);
        let settings = settings.map(|(name, value)| (name.into(), value.into())).collect();
        Self { folder: None, settings, services }
    }

    pub(super) fn knows_tlsrpt(&self) -> bool {
        self.settings.contains_key(ENABLE)
    }

    /// A parameter of main.cf.
    pub(super) fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    /// A parameter as it is in force for a service.
    pub(super) fn of<'a>(&'a self, service: &'a Service, name: &str) -> &'a str {
        service.options.get(name).map_or_else(|| self.setting(name), String::as_str)
    }

    /// A parameter as it is in force for the SMTP server at port 25.
    pub(super) fn of_server(&self, name: &str) -> &str {
        let server = self.services.iter().find(|service| service.kind == "inet" && service.command == "smtpd");
        server.map_or_else(|| self.setting(name), |server| self.of(server, name))
    }

    /// The SMTP clients that send mail to other hosts. Those that pass mail to a filter of this host are not among them.
    pub(super) fn clients(&self) -> Vec<&Service> {
        let filters = self.filters();
        self.services.iter().filter(|service| service.is_client() && !filters.contains(&*service.name)).collect()
    }

    /// The lists of policy tables of these clients, each once, with the first service that has it.
    pub(super) fn policy_lists(&self) -> Vec<(&str, &Service)> {
        let mut lists: Vec<(&str, &Service)> = Vec::new();
        for client in self.clients() {
            let list = self.of(client, POLICY_MAPS);
            if lists.iter().all(|(known, _)| *known != list) {
                lists.push((list, client));
            }
        }
        lists
    }

    /// The SMTP clients that pass mail to a filter, by name.
    pub(super) fn filters(&self) -> HashSet<&str> {
        let named = self.services.iter().map(|service| self.of(service, CONTENT_FILTER));
        let named: HashSet<_> = named.chain([self.setting(CONTENT_FILTER)]).map(Route::service_of).collect();
        let routes = [DEFAULT_TRANSPORT, RELAY_TRANSPORT].map(|name| Route::service_of(self.setting(name)));
        let is_filter = |service: &&Service| {
            let by_option = service.options.get(XFORWARD).is_some_and(|value| value == "yes");
            service.is_client() && (by_option || named.contains(&*service.name)) && !routes.contains(&&*service.name)
        };
        self.services.iter().filter(is_filter).map(|service| &*service.name).collect()
    }

    /// Whether all mail to other sites leaves by this service.
    pub(super) fn is_main(&self, service: &Service) -> bool {
        Route::service_of(self.setting(DEFAULT_TRANSPORT)) == service.name
    }

    pub(super) fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.kind == "unix" && service.name == name)
    }

    pub(super) fn tlsproxy(&self) -> Option<&Service> {
        self.service(TLSPROXY)
    }

    pub(super) fn is_chrooted(&self, service: &Service) -> bool {
        // postconf(5), compatibility_level: from level 1 on, a "-" in master.cf means n.
        service.chroot.unwrap_or_else(|| self.setting("compatibility_level").split('.').next() == Some("0"))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.setting(name).into()
    }

    /// The command that sets a parameter in main.cf.
    pub(super) fn command_to_set(&self, name: &str, value: &str) -> String {
        format!("postconf {}-e {} && {}", self.option(), paste::word(&format!("{name}={value}")), self.reload())
    }

    /// The command that removes an option of a service in master.cf, so that main.cf decides.
    pub(super) fn command_to_remove(&self, service: &Service, name: &str) -> String {
        format!(
            "postconf {}-PX {} && {}",
            self.option(),
            paste::word(&format!("{}/{name}", service.entry())),
            self.reload()
        )
    }

    /// The command that gives a service a value of its own, or changes it.
    fn command_to_set_for(&self, service: &Service, name: &str, value: &str) -> String {
        let setting = paste::word(&format!("{}/{name}={value}", service.entry()));
        format!("postconf {}-P {setting} && {}", self.option(), self.reload())
    }

    /// The command that changes a parameter where it is set: for a service of master.cf, or in main.cf.
    pub(super) fn command_to_change(&self, service: &Service, name: &str, value: &str) -> String {
        match service.options.contains_key(name) {
            true => self.command_to_set_for(service, name, value),
            false => self.command_to_set(name, value),
        }
    }

    /// The command that removes the option of a service, if it has one, and sets the parameter in main.cf unless that is right.
    pub(super) fn command_to_leave_to_main(
        &self,
        service: &Service,
        name: &str,
        is_right: bool,
        value: &str,
    ) -> String {
        match (service.options.contains_key(name), is_right) {
            (true, true) => self.command_to_remove(service, name),
            (false, _) => self.command_to_set(name, value),
            (true, false) => {
                let entry = paste::word(&format!("{}/{name}", service.entry()));
                format!("postconf {}-PX {entry} && {}", self.option(), self.command_to_set(name, value))
            }
        }
    }

    /// The command that makes a change known.
    pub(super) fn reload(&self) -> String {
        format!("postfix {}reload", self.option())
    }

    /// The option of the commands of Postfix that names the folder.
    pub(super) fn option(&self) -> String {
        self.folder
            .as_ref()
            .map_or_else(String::new, |folder| format!("-c {} ", paste::word(&folder.to_string_lossy())))
    }
}

/// `name = value`.
fn setting(line: &str) -> Option<(&str, &str)> {
    line.split_once('=').map(|(name, value)| (name.trim(), value.trim()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::Postfix;

    /// The output of `postconf -x` of Postfix 3.10.13 on Debian 13, set up as in docs/postfix.md.
    const SETTINGS: &str = include_str!("fixtures/settings");
    /// The output of `postconf -x -M` there, with a service for a filter and one with another address.
    const SERVICES: &str = include_str!("fixtures/services");
    /// The output of `postconf -x -P` there.
    const OPTIONS: &str = include_str!("fixtures/options");

    /// A sound Postfix with changed parameters.
    pub(in crate::postfix) fn postfix(changes: &[(&str, &str)]) -> Postfix {
        let mut postfix = Postfix::read(SETTINGS, SERVICES, OPTIONS);
        for (name, value) in changes {
            postfix.settings.insert((*name).into(), (*value).into());
        }
        postfix
    }

    /// The same with an option of a service.
    pub(in crate::postfix) fn with_option(mut postfix: Postfix, service: &str, name: &str, value: &str) -> Postfix {
        let service = postfix.services.iter_mut().find(|found| found.name == service && found.kind == "unix");
        service.expect("there is the service").options.insert(name.into(), value.into());
        postfix
    }

    #[test]
    fn options_of_a_service_are_in_force_for_it_alone() {
        let postfix = postfix(&[]);
        let of = |name: &str, parameter| postfix.of(postfix.service(name).unwrap(), parameter).to_owned();
        assert_eq!(of("relay", "syslog_name"), "postfix/relay");
        assert_eq!(of("smtp-amavis", "smtp_tlsrpt_enable"), "no");
        assert_eq!(of("smtp", "smtp_tlsrpt_enable"), "yes");
    }

    #[test]
    fn a_service_that_passes_mail_to_a_filter_is_no_client() {
        let names = |postfix: &Postfix| postfix.clients().iter().map(|client| client.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&postfix(&[])), ["smtp", "relay", "smtp-ip2"]);
        assert_eq!(names(&postfix(&[("content_filter", "smtp-ip2:[127.0.0.1]:10024")])), ["smtp", "relay"]);
        assert_eq!(names(&postfix(&[("content_filter", "smtp:[127.0.0.1]:10024")]))[0], "smtp");
    }
}
