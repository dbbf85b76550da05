//! Any bytes as a datagram: the parser refuses them with a reason, or what it reads has a canonical text that is read back.
#![no_main]

use tlsrpt_format::datagram::{self, Failure, PolicyDescription};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = datagram::parse(bytes) else { return };
    for policy in event.policies {
        assert_eq!(PolicyDescription::from_json(&policy.description.to_json()).as_ref(), Ok(&policy.description));
        for failure in policy.failures {
            assert_eq!(Failure::from_json(&failure.to_json()).as_ref(), Ok(&failure));
        }
    }
});
