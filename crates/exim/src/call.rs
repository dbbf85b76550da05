//! Parses the seven arguments that Exim passes with an event. The fifth one has several facts.
//!
//! Do not use eight arguments: Exim accepts them, but then writes no end mark and reads beyond its array.

#![forbid(unsafe_code)]

use core::{ffi::CStr, str};

use crate::text::split_once;

/// The number of arguments.
pub const ARGUMENTS: usize = 7;

/// The events that contain information about TLS. Exim has others, and raises some of them in another process.
const OF_INTEREST: [&[u8]; 4] = [b"tcp:connect", b"smtp:ehlo", b"dane:fail", b"msg:host:defer"];

/// The arguments of one event. A text that Exim does not know is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Call<'a> {
    /// The collector's socket.
    pub socket: &'a [u8],
    /// `$event_name`
    pub event: &'a [u8],
    /// `$event_data`, in one argument with the name.
    pub data: &'a [u8],
    /// `$domain`: the recipients' domain.
    pub domain: &'a [u8],
    /// `$host`: the name of the MX host.
    pub host: &'a [u8],
    /// The facts of the connection.
    pub facts: Facts<'a>,
    /// The TXT records at `_smtp._tls.$domain`, one a line.
    pub records: &'a [u8],
    /// The TLSA records of the MX host that DNSSEC validated, one a line.
    pub tlsa: &'a [u8],
}

/// The fifth argument: `name=value` pairs. `names` is the last one, and its value may contain spaces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts<'a> {
    /// `from=$sending_ip_address`
    pub sending_ip: &'a [u8],
    /// `to=$host_address`
    pub receiving_ip: &'a [u8],
    /// `errno=$event_defer_errno`: why Exim defers the delivery. An old value in other events.
    pub errno: i32,
    /// `dane=$tls_out_dane` is `yes`: the certificate was verified by DANE.
    pub dane: bool,
    /// `cipher=$tls_out_cipher` is not empty: TLS is on.
    pub encrypted: bool,
    /// `verify=$verify_mode` is not empty: the connection is a callout, which verifies an address.
    pub verifying: bool,
    /// `log=yes`: a line in Exim's log for each event that is sent.
    pub log: bool,
    /// `expires=`: when the server's certificate expires, in seconds of the epoch.
    pub expires: Option<libc::time_t>,
    /// `names=`: the DNS names in the server's certificate, one a line.
    pub names: &'a [u8],
}

/// The text for a mistake in Exim's configuration.
pub type Mistake = &'static CStr;

/// Whether the event can be ignored. A call without an event name is not ignored: it is a mistake in the configuration.
#[must_use]
pub fn is_of_no_interest(arguments: &[&[u8]]) -> bool {
    arguments.get(1).is_some_and(|argument| !OF_INTEREST.contains(&name_and_data(argument).0))
}

/// The name and the data of an event.
fn name_and_data(argument: &[u8]) -> (&[u8], &[u8]) {
    split_once(argument, b" ").unwrap_or((argument, b""))
}

impl<'a> Call<'a> {
    /// Reads the arguments of the function.
    ///
    /// # Errors
    ///
    /// The arguments are not those of `tlsrpt.conf`; the text says why.
    pub fn read(arguments: &[&'a [u8]]) -> Result<Self, Mistake> {
        let &[socket, event, domain, host, facts, records, tlsa] = arguments else {
            return Err(c"tlsrpt_event takes seven arguments; take them from tlsrpt.conf");
        };
        if socket.is_empty() {
            return Err(c"no socket is named; set TLSRPT_SOCKET");
        }
        if domain.is_empty() {
            return Err(c"one connection serves several domains; set multi_domain = false on the transport");
        }
        let (event, data) = name_and_data(event);
        Ok(Self { socket, event, data, domain, host, facts: Facts::read(facts)?, records, tlsa })
    }
}

impl<'a> Facts<'a> {
    fn read(text: &'a [u8]) -> Result<Self, Mistake> {
        let (pairs, names) = split_once(text, b"names=").ok_or(c"names= is missing; take it from tlsrpt.conf")?;
        let mut facts = Self { names, ..Self::default() };
        for pair in pairs.split(u8::is_ascii_whitespace).filter(|pair| !pair.is_empty()) {
            let (name, value) = split_once(pair, b"=").ok_or(c"a fact is not of the form name=value")?;
            facts.set(name, value)?;
        }
        Ok(facts)
    }

    fn set(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), Mistake> {
        match name {
            b"from" => self.sending_ip = value,
            b"to" => self.receiving_ip = value,
            b"errno" => self.errno = number(value).unwrap_or(0),
            b"dane" => self.dane = value == b"yes",
            b"cipher" => self.encrypted = !value.is_empty(),
            b"log" => self.log = value == b"yes",
            b"verify" => self.verifying = !value.is_empty(),
            b"expires" => self.expires = number(value),
            _ => return Err(c"a fact has an unknown name; take the facts from tlsrpt.conf"),
        }
        Ok(())
    }
}

fn number<N: str::FromStr>(text: &[u8]) -> Option<N> {
    str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{ARGUMENTS, Call, Facts, is_of_no_interest};

    const GOOD: [&[u8]; ARGUMENTS] = [
        b"/run/tlsrpt.sock",
        b"smtp:ehlo 250 hello",
        b"example.org",
        b"mx.example.org",
        b"from=192.0.2.1 to=2001:db8::25 errno=-37 dane=yes cipher=TLS1.3:X:256 verify= log=yes expires=1609459200 names=a b=c",
        b"v=TLSRPTv1; rua=mailto:x@example.org",
        b"3 0 1 AB",
    ];

    #[test]
    fn reads_the_arguments_of_the_configuration() {
        let call = Call::read(&GOOD).unwrap();
        assert_eq!((call.event, call.data), (b"smtp:ehlo".as_slice(), b"250 hello".as_slice()));
        assert_eq!(call.host, b"mx.example.org");
        assert_eq!(
            call.facts,
            Facts {
                sending_ip: b"192.0.2.1",
                receiving_ip: b"2001:db8::25",
                errno: -37,
                dane: true,
                encrypted: true,
                verifying: false,
                log: true,
                expires: Some(1_609_459_200),
                names: b"a b=c",
            }
        );
    }

    #[test]
    fn facts_that_exim_does_not_know_are_empty() {
        let mut arguments = GOOD;
        arguments[4] = b"from= to=192.0.2.25 errno= dane=no cipher= verify=R expires= names=";
        let facts = Facts { receiving_ip: b"192.0.2.25", verifying: true, ..Facts::default() };
        assert_eq!(Call::read(&arguments).unwrap().facts, facts);
    }

    #[test]
    fn other_events_are_of_no_interest() {
        assert!(!is_of_no_interest(&GOOD));
        assert!(!is_of_no_interest(&GOOD[..2]));
        assert!(!is_of_no_interest(&GOOD[..1]));
        assert!(is_of_no_interest(&[b"/run/tlsrpt.sock", b"msg:delivery 250 taken"]));
        assert!(is_of_no_interest(&[b"/run/tlsrpt.sock", b"tcp:close"]));
    }

    #[test]
    fn says_what_is_wrong_with_a_call() {
        let mistake = |position: usize, value: &'static [u8]| {
            let mut arguments = GOOD;
            arguments[position] = value;
            Call::read(&arguments).unwrap_err().to_str().unwrap()
        };
        assert!(Call::read(&GOOD[..6]).unwrap_err().to_str().unwrap().contains("seven arguments"));
        assert!(mistake(0, b"").contains("socket"));
        assert!(mistake(2, b"").contains("multi_domain"));
        assert!(mistake(4, b"dane=yes").contains("names="));
        assert!(mistake(4, b"dane names=").contains("name=value"));
        assert!(mistake(4, b"dame=yes names=").contains("unknown name"));
    }
}
