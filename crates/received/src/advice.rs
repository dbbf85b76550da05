//! What each result type means for the owner of the domain, and what to do about it: one table.

use tlsrpt::FailureType::{
    self, CertificateExpired, CertificateHostMismatch, CertificateNotTrusted, DaneRequired, DnssecInvalid,
    StarttlsNotSupported, StsPolicyFetchError, StsPolicyInvalid, StsWebpkiInvalid, TlsaInvalid, ValidationFailure,
};

/// What failed, in one sentence. None is a type that the RFC does not have.
#[must_use]
pub fn meaning(of: Option<FailureType>) -> &'static str {
    of.map_or("The report gives no reason that the RFC has.", |known| known.definition().meaning)
}

/// What to do about it.
#[must_use]
pub fn advice(about: Option<FailureType>) -> &'static str {
    match about {
        Some(StarttlsNotSupported) => {
            "Turn STARTTLS on at the MX host (Postfix: smtpd_tls_security_level = may, with a certificate). If it is on, \
             look for a firewall or a proxy in front of the host that removes STARTTLS, and compare what \
             openssl s_client -starttls smtp -connect HOST:25 shows from another network."
        }
        Some(CertificateHostMismatch) => {
            "Get a certificate that names the MX host as the MX record has it, or correct the MX record. With MTA-STS, \
             the names in the mx lines of the policy must fit the MX records too."
        }
        Some(CertificateNotTrusted) => {
            "Serve the whole chain: the certificate and those between it and the authority, in one file (fullchain.pem). \
             With MTA-STS, the authority must be one that mail servers trust: a certificate of your own is not enough."
        }
        Some(CertificateExpired) => {
            "Renew the certificate of the MX host, and reload the mail server so that it takes the new one. If it is \
             renewed by itself, let the renewal reload the mail server each time."
        }
        Some(ValidationFailure) => {
            "The reason code says more, if there is one. Common reasons: no TLS version or cipher in common, a handshake \
             that broke off, a certificate that cannot be read. Look into the log of the MX host at that time."
        }
        Some(TlsaInvalid) => {
            "Compare the TLSA record at _25._tcp.HOST with the certificate that the host serves. After a change of the \
             key, publish the record of the new key first, wait until the old one has left all caches, and then change \
             the certificate. Use 3 1 1, and keep the key when the certificate is renewed."
        }
        Some(DnssecInvalid) => {
            "Check the signatures of your zones with a validating resolver (delv, or unbound-host -D): the DS record at \
             the parent, signatures that have expired, name servers that differ. Mail of senders with DANE waits until \
             this works."
        }
        Some(DaneRequired) => {
            "The sender demands DANE for your domain and found no TLSA records that DNSSEC signs. If you once agreed on \
             it, publish them again; otherwise tell the contact of the report."
        }
        Some(StsPolicyFetchError) => {
            "Fetch https://mta-sts.DOMAIN/.well-known/mta-sts.txt from another network: it must answer with 200 and \
             text/plain within a minute and without a redirect. Check the name, the address and the firewall of that \
             web server. If you do not use MTA-STS any more, remove the TXT record at _mta-sts.DOMAIN."
        }
        Some(StsPolicyInvalid) => {
            "Correct https://mta-sts.DOMAIN/.well-known/mta-sts.txt: version: STSv1 first, then mode, max_age and one \
             mx line for each MX host. Give the TXT record at _mta-sts.DOMAIN a new id afterwards."
        }
        Some(StsWebpkiInvalid) => {
            "Renew the certificate of the web server at mta-sts.DOMAIN: it must name mta-sts.DOMAIN, be valid now, and \
             come from an authority that browsers trust."
        }
        Some(_) | None => {
            "Ask the contact of the report what the result type means, and look into the log of the MX host at that time."
        }
    }
}

/// What stands in the advice for the domain of the policy, and for the MX host.
const DOMAIN: &str = "DOMAIN";
const HOST: &str = "HOST";

/// The advice with the domain of the policy and the MX host in it, where they are known. Strangers write these names: others than
/// those of hosts are left out, so that what is pasted into a shell is a name.
#[must_use]
pub fn advice_with_names(about: Option<FailureType>, domain: Option<&str>, host: Option<&str>) -> String {
    let put = |text: String, mark, name: Option<&str>| match name.filter(|name| is_name_of_host(name)) {
        Some(name) => text.replace(mark, name),
        None => text,
    };
    put(put(advice(about).into(), HOST, host), DOMAIN, domain)
}

fn is_name_of_host(name: &str) -> bool {
    const LONGEST: usize = 253;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    name.len() <= LONGEST && name.contains('.') && !name.starts_with('-') && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use tlsrpt::FailureType;

    use super::{advice, advice_with_names};

    #[test]
    fn names_of_hosts_are_put_into_the_advice_and_nothing_else() {
        let fetch = |domain| advice_with_names(Some(FailureType::StsPolicyFetchError), Some(domain), None);
        assert!(fetch("a.example").starts_with("Fetch https://mta-sts.a.example/.well-known/mta-sts.txt "));
        assert!(fetch("a.example").ends_with("at _mta-sts.a.example."));
        for other in ["x; reboot", "$(reboot).example", "a", "-a.example", "A.EXAMPLE", "\u{1b}[2J.example"] {
            assert_eq!(fetch(other), advice(Some(FailureType::StsPolicyFetchError)), "{other}");
        }
        let host = advice_with_names(Some(FailureType::TlsaInvalid), Some("a.example"), Some("mx.a.example"));
        assert!(host.contains("_25._tcp.mx.a.example with"), "{host}");
    }

    #[test]
    fn each_result_type_of_the_rfc_has_its_own_advice() {
        let named = FailureType::ALL.iter().filter(|known| known.rfc_name().is_some());
        let mut all: Vec<_> = named.map(|known| advice(Some(*known))).chain([advice(None)]).collect();
        assert_eq!(all.len(), 12);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 12);
    }
}
