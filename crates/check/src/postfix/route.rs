//! Where mail goes: a value of `default_transport`, `relayhost` or the right side of a transport map.

use std::net::IpAddr;

/// A transport and a next hop, each of which may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route<'a> {
    /// The service in master.cf.
    pub(super) service: &'a str,
    /// The host or domain that gets the mail instead of the domain of the recipient, as it is written.
    pub(super) next_hop: &'a str,
}

impl<'a> Route<'a> {
    /// Reads `transport:nexthop`, as transport(5) has it. A text without a colon is a transport.
    pub(super) fn read(text: &'a str) -> Self {
        let text = text.trim();
        let (service, next_hop) = text.split_once(':').unwrap_or((text, ""));
        Self { service, next_hop }
    }

    /// The service alone.
    pub(super) fn service_of(text: &'a str) -> &'a str {
        Self::read(text).service
    }

    /// The next hop without brackets and port.
    pub(super) fn host(&self) -> &'a str {
        host(self.next_hop)
    }
}

/// The host of `[host]:port`, `host:port` or `host`.
pub(super) fn host(next_hop: &str) -> &str {
    let next_hop = next_hop.trim();
    match next_hop.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host.strip_prefix("IPv6:").or_else(|| host.strip_prefix("ipv6:")).unwrap_or(host),
        None => next_hop.split(':').next().unwrap_or(next_hop),
    }
}

/// Whether the host is this host or one of a private network, whose mail is not reported to others anyway.
pub(super) fn is_internal(host: &str) -> bool {
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
    use super::{Route, host, is_internal};

    #[test]
    fn transports_and_next_hops() {
        let read = |text| (Route::read(text).service, Route::read(text).host());
        assert_eq!(read("smtp"), ("smtp", ""));
        assert_eq!(read("smtp:"), ("smtp", ""));
        assert_eq!(read("smtp:[relay.example]:587"), ("smtp", "relay.example"));
        assert_eq!(read(":[relay.example]"), ("", "relay.example"));
        assert_eq!(read("relay:relay.example:submission"), ("relay", "relay.example"));
        assert_eq!(read("smtp:[IPv6:2001:db8::25]:25"), ("smtp", "2001:db8::25"));
        assert_eq!(host("[relay.example]:587"), "relay.example");
    }

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
