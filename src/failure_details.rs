//! The members of a failure that hold text: one table gives the type of the Rust interface, the keys that the encoder
//! writes and a reader of datagrams looks for, and the names in reports.

#![forbid(unsafe_code)]

macro_rules! failure_members {
    ($($member:ident = $field:ident, $key:literal, $rfc_name:literal, $meaning:literal;)+) => {
        /// A member of a failure that holds text (RFC 8460 sections 4.3 and 4.4).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FailureMember {
            $(#[doc = concat!($meaning, " (\"", $rfc_name, "\").")] $member,)+
        }

        impl FailureMember {
            /// Every member, in the order of the datagram.
            pub const ALL: &[Self] = &[$(Self::$member),+];

            /// The key in a datagram, for instance `n`.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$member => $key,)+
                }
            }

            /// The name in reports, for instance `receiving-mx-hostname`.
            #[must_use]
            pub const fn rfc_name(self) -> &'static str {
                match self {
                    $(Self::$member => $rfc_name,)+
                }
            }

            /// What the member holds, as the start of a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$member => $meaning,)+
                }
            }

            /// The member with this key in a datagram.
            #[must_use]
            pub fn from_key(key: &str) -> Option<Self> {
                match key {
                    $($key => Some(Self::$member),)+
                    _ => None,
                }
            }

            /// The member with this name in reports.
            #[must_use]
            pub fn from_rfc_name(name: &str) -> Option<Self> {
                match name {
                    $($rfc_name => Some(Self::$member),)+
                    _ => None,
                }
            }
        }

        /// What is known about a failure besides its type (RFC 8460 section 4.3). A member that is `None` is left out
        /// of the report.
        ///
        /// The values are bytes as they were received: each maximal part that is not UTF-8 is sent as U+FFFD.
        ///
        /// ```
        /// let helo = b"mx1.example.org";
        /// let details = tlsrpt::FailureDetails::new().receiving_mx_helo(helo).receiving_ip("2001:db8::25");
        /// assert_eq!(details.receiving_ip, Some(&b"2001:db8::25"[..]));
        /// ```
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct FailureDetails<'a> {
            $(#[doc = concat!($meaning, " (\"", $rfc_name, "\").")] pub $field: Option<&'a [u8]>,)+
        }

        impl<'a> FailureDetails<'a> {
            /// Nothing is known yet.
            #[must_use]
            pub const fn new() -> Self {
                Self { $($field: None),+ }
            }

            $(
                #[doc = concat!("Sets \"", $rfc_name, "\".")]
                #[must_use]
                pub fn $field<T: AsRef<[u8]> + ?Sized>(mut self, value: &'a T) -> Self {
                    self.$field = Some(value.as_ref());
                    self
                }
            )+

            /// Sets a member, or clears it.
            #[must_use]
            pub const fn with(mut self, member: FailureMember, value: Option<&'a [u8]>) -> Self {
                match member {
                    $(FailureMember::$member => self.$field = value,)+
                }
                self
            }

            /// The value of a member.
            #[must_use]
            pub const fn get(&self, member: FailureMember) -> Option<&'a [u8]> {
                match member {
                    $(FailureMember::$member => self.$field,)+
                }
            }

            /// The members in the order of the datagram: what precedes the value there, and the value.
            pub(crate) const fn fields(&self) -> [(&'static [u8; 7], Option<&'a [u8]>); FailureMember::ALL.len()] {
                [$((opening(concat!(",\"", $key, "\": \"")), self.$field)),+]
            }
        }
    };
}

failure_members! {
    SendingMtaIp = sending_mta_ip, "s", "sending-mta-ip",
        "The address that the mail was sent from";
    ReceivingMxHostname = receiving_mx_hostname, "n", "receiving-mx-hostname",
        "The name of the MX host";
    ReceivingMxHelo = receiving_mx_helo, "h", "receiving-mx-helo",
        "The name that the MX host gave in its EHLO or HELO reply";
    ReceivingIp = receiving_ip, "r", "receiving-ip",
        "The address of the MX host";
    AdditionalInformation = additional_information, "a", "additional-information",
        "A URI with more information about the failure";
    FailureReasonCode = failure_reason_code, "f", "failure-reason-code",
        "The text of the error, for instance that of the TLS library";
}

/// The bytes before a value. All keys have one letter, so all openings have one length.
const fn opening(text: &'static str) -> &'static [u8; 7] {
    match text.as_bytes().first_chunk() {
        Some(opening) => opening,
        None => &[0; 7],
    }
}

#[cfg(test)]
mod tests {
    use super::{FailureDetails, FailureMember};

    #[test]
    fn keys_and_names_lead_back_to_their_member() {
        for &member in FailureMember::ALL {
            assert_eq!(FailureMember::from_key(member.key()), Some(member));
            assert_eq!(FailureMember::from_rfc_name(member.rfc_name()), Some(member));
        }
        assert_eq!(FailureMember::from_key("x"), None);
        assert_eq!(FailureMember::from_rfc_name("receiving-mx"), None);
    }

    #[test]
    fn each_member_is_written_with_its_own_key() {
        for (index, &member) in FailureMember::ALL.iter().enumerate() {
            let details = FailureDetails::new().with(member, Some(b"value"));
            assert_eq!(details.get(member), Some(&b"value"[..]));
            for (place, (opening, value)) in details.fields().into_iter().enumerate() {
                let key = FailureMember::ALL[place].key();
                assert_eq!(opening.as_slice(), std::format!(",\"{key}\": \"").as_bytes());
                assert_eq!(value.is_some(), place == index);
            }
            assert_eq!(details.with(member, None), FailureDetails::new());
        }
    }

    #[test]
    fn setters_take_any_bytes() {
        let (no_text, owned) = (std::vec![0xff_u8], std::string::String::from("192.0.2.2"));
        let details = FailureDetails::new()
            .sending_mta_ip("192.0.2.1")
            .receiving_mx_hostname(b"mx")
            .receiving_mx_helo(&no_text)
            .receiving_ip(&owned)
            .additional_information(&b"uri"[..])
            .failure_reason_code("reason");
        let values: std::vec::Vec<_> = FailureMember::ALL.iter().map(|member| details.get(*member).unwrap()).collect();
        assert_eq!(values, [&b"192.0.2.1"[..], b"mx", b"\xff", b"192.0.2.2", b"uri", b"reason"]);
    }
}
