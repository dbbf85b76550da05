//! The terms of RFC 8460 that are numbers in a datagram: policy types, final results, failure types.
//!
//! One table for each of them gives the Rust enum, the C enum of `tlsrpt.h`, the names of the RFC and the documentation
//! for both languages.

#![forbid(unsafe_code)]

use core::ffi::c_int;

/// One named number of the C interface, an enumerator or an error code, for what is generated from the tables.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The name in C, for instance `TLSRPT_POLICY_TLSA`.
    pub constant: &'static str,
    /// The number.
    pub value: c_int,
    /// The meaning, for the documentation.
    pub meaning: &'static str,
}

macro_rules! vocabulary {
    (
        $(#[doc = $doc:literal])+
        enum $name:ident is $typedef:literal {
            $($variant:ident = $value:literal, $constant:literal, $rfc_name:expr, $meaning:literal;)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(i32)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $meaning] $variant = $value,)+
        }

        impl $name {
            /// Every value, in the order of the numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name of the enum in C.
            #[doc(hidden)]
            pub const C_NAME: &str = $typedef;

            /// What the enum is for.
            #[doc(hidden)]
            pub const MEANING: &str = concat!($($doc),+);

            /// The enumerator in C.
            #[doc(hidden)]
            #[must_use]
            pub const fn definition(self) -> Definition {
                match self {
                    $(Self::$variant => Definition { constant: $constant, value: $value, meaning: $meaning },)+
                }
            }

            /// The name in reports (RFC 8460 sections 4.3 and 4.4); `None` for a value that has no name in reports.
            #[must_use]
            pub const fn rfc_name(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => $rfc_name,)+
                }
            }

            /// The value with this name in reports.
            #[must_use]
            pub fn from_rfc_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.rfc_name() == Some(name))
            }

            /// The value with this number.
            #[must_use]
            pub const fn from_number(number: c_int) -> Option<Self> {
                match number {
                    $($value => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The number in datagrams and in C.
            #[must_use]
            pub const fn number(self) -> c_int {
                self as c_int
            }
        }
    };
}

vocabulary! {
    /// The type of the policy that applied to a delivery (RFC 8460 section 4.2, "policy-type").
    enum PolicyType is "tlsrpt_policy_type_t" {
        Tlsa = 1, "TLSRPT_POLICY_TLSA", Some("tlsa"), "DANE: TLSA records of the MX host (RFC 7672).";
        Sts = 2, "TLSRPT_POLICY_STS", Some("sts"), "MTA-STS: the policy that the domain serves by HTTPS (RFC 8461).";
        NoPolicyFound = 9, "TLSRPT_NO_POLICY_FOUND", Some("no-policy-found"), "Neither DANE nor MTA-STS applied.";
    }
}

vocabulary! {
    /// The result of a delivery under one policy.
    enum FinalResult is "tlsrpt_final_result_t" {
        Success = 0, "TLSRPT_FINAL_SUCCESS", None, "TLS met the policy.";
        Failure = 1, "TLSRPT_FINAL_FAILURE", None, "TLS did not meet the policy; the failures give the reasons.";
    }
}

vocabulary! {
    /// The type of a failure of TLS or of a policy (RFC 8460 section 4.3, "result-type").
    enum FailureType is "tlsrpt_failure_t" {
        StarttlsNotSupported = 201, "TLSRPT_STARTTLS_NOT_SUPPORTED", Some("starttls-not-supported"),
            "The MX host does not offer STARTTLS.";
        CertificateHostMismatch = 202, "TLSRPT_CERTIFICATE_HOST_MISMATCH", Some("certificate-host-mismatch"),
            "The certificate is for another host name.";
        CertificateNotTrusted = 203, "TLSRPT_CERTIFICATE_NOT_TRUSTED", Some("certificate-not-trusted"),
            "The certificate leads to no trusted authority.";
        CertificateExpired = 204, "TLSRPT_CERTIFICATE_EXPIRED", Some("certificate-expired"),
            "The certificate has expired.";
        ValidationFailure = 205, "TLSRPT_VALIDATION_FAILURE", Some("validation-failure"),
            "TLS failed for a reason that no other type names.";
        StsPolicyFetchError = 301, "TLSRPT_STS_POLICY_FETCH_ERROR", Some("sts-policy-fetch-error"),
            "The MTA-STS policy could not be fetched.";
        StsPolicyInvalid = 302, "TLSRPT_STS_POLICY_INVALID", Some("sts-policy-invalid"),
            "The MTA-STS policy breaks the rules of its format.";
        StsWebpkiInvalid = 303, "TLSRPT_STS_WEBPKI_INVALID", Some("sts-webpki-invalid"),
            "The server of the MTA-STS policy has no valid certificate.";
        TlsaInvalid = 304, "TLSRPT_TLSA_INVALID", Some("tlsa-invalid"),
            "No usable TLSA record, or none that matches the certificate.";
        DnssecInvalid = 305, "TLSRPT_DNSSEC_INVALID", Some("dnssec-invalid"),
            "No valid DNSSEC answer from the resolver.";
        DaneRequired = 306, "TLSRPT_DANE_REQUIRED", Some("dane-required"),
            "DANE is required here, and the MX hosts have no DNSSEC-signed TLSA records.";
        UnfinishedPolicy = 901, "TLSRPT_UNFINISHED_POLICY", None,
            "The sending server gave up before the policy had a result.";
    }
}

#[cfg(test)]
mod tests {
    use super::{FailureType, FinalResult, PolicyType};

    #[test]
    fn numbers_and_values_translate_both_ways() {
        assert_eq!(PolicyType::from_rfc_name("sts"), Some(PolicyType::Sts));
        assert_eq!(PolicyType::from_rfc_name("dane"), None);
        for &value in PolicyType::ALL {
            assert_eq!(PolicyType::from_number(value.number()), Some(value));
        }
        for &value in FinalResult::ALL {
            assert_eq!(FinalResult::from_number(value.number()), Some(value));
        }
        for &value in FailureType::ALL {
            assert_eq!(FailureType::from_number(value.number()), Some(value));
            assert_eq!(value.definition().value, value.number());
        }
        assert_eq!(PolicyType::from_number(0), None);
        assert_eq!(FinalResult::from_number(2), None);
        assert_eq!(FailureType::from_number(-1), None);
    }

    #[test]
    fn c_names_are_the_names_of_the_rfc() {
        for failure in FailureType::ALL {
            if let Some(name) = failure.rfc_name() {
                let constant = std::format!("TLSRPT_{}", name.to_uppercase().replace('-', "_"));
                assert_eq!(failure.definition().constant, constant);
                assert_eq!(FailureType::from_rfc_name(name), Some(*failure));
            }
        }
    }
}
