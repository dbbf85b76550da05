//! The checks of Postfix: its configuration as `postconf` prints it, its processes, its library and its socket.

mod configuration;
mod dane;
mod disabled;
mod enabled;
mod instances;
mod loaded;
mod place;
mod policy_map;
mod resolv_conf;
mod route;
mod routes;
mod running;
mod service;
mod services;
mod tables;
mod tls;
mod tls_files;
mod tls_words;
mod tls_wrapper;
mod tlsproxy;
mod version;

pub use configuration::Postfix;
pub use instances::instances;

use std::path::Path;

use crate::{
    collector::Collector,
    finding::{Finding, Status},
    library::check_library,
};

impl Postfix {
    /// Runs all checks of Postfix, its library and its socket. `sts_domain` is a domain with an MTA-STS policy, for
    /// which the policy maps are asked.
    #[must_use]
    pub fn check(&self, sts_domain: &str, collector: &Collector) -> Vec<Finding> {
        if !self.knows_tlsrpt() {
            return vec![version::without_tlsrpt(self)];
        }
        let mut findings = vec![version::check(self), running::check(self), services::check(self)];
        findings.extend(enabled::check(self));
        let mut hindrances = tls_files::check(self);
        hindrances.extend(tls_words::check(self));
        hindrances.extend(tls_wrapper::check(self));
        // What is on is not used then.
        findings
            .extend(tls::check(self).into_iter().filter(|found| found.status != Status::Ok || hindrances.is_empty()));
        findings.extend(hindrances);
        findings.extend(routes::check(self));
        findings.extend(tables::check(self));
        findings.extend(dane::check(self));
        findings.extend(resolv_conf::check(self));
        findings.extend(policy_map::check(self, sts_domain));
        let program = self.program();
        findings.push(check_library(&program));
        findings.extend(loaded::check(self, &program));
        findings.push(tlsproxy::check(self));
        findings.extend(place::check(self, collector));
        findings
    }

    /// The milters for mails submitted by SMTP, or for mails submitted by the sendmail command. Empty: none.
    #[must_use]
    pub fn milters(&self, by_smtp: bool) -> &str {
        if by_smtp { self.of_server(configuration::SMTPD_MILTERS) } else { self.setting(configuration::OTHER_MILTERS) }
    }

    /// The SMTP client.
    fn program(&self) -> std::path::PathBuf {
        Path::new(self.setting("daemon_directory")).join(service::CLIENT)
    }
}
