//! Hosts to which mail is passed on.

use std::net::IpAddr;

/// What one can do about a relay that gets all mail.
pub(crate) const AT_RELAY: &str = "nothing, if the relay reports itself; else, to send to the domains themselves";

/// Whether the host is this host or one of a private network, whose mail is not reported to others anyway.
pub(crate) fn is_internal(host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    match host.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_internal;

    #[test]
    fn internal_hosts() {
        for host in ["127.0.0.1", "::1", "localhost", "10.1.2.3", "fd00::1"] {
            assert!(is_internal(host), "{host}");
        }
        for host in ["198.51.100.1", "2001:db8::1", "relay.example", ""] {
            assert!(!is_internal(host), "{host}");
        }
    }
}
