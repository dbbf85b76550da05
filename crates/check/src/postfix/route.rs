//! Where mail goes: a value of `default_transport`, `relayhost` or the right side of a transport map.

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

#[cfg(test)]
mod tests {
    use super::{Route, host};

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
}
