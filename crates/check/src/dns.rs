//! The resolver of a host: whether it validates with DNSSEC, and what to do where it does not answer.

use std::{io, path::Path, time::Duration};

use tlsrpt_sendmail::{records::is_validated_within, resolver::Resolver};

use crate::{paste, remedy::Remedy};

/// How long the lookup may take.
const LONGEST: Duration = Duration::from_secs(5);
/// A name that is signed everywhere: the root.
const SIGNED: &str = ".";

/// The remedy where the resolvers in a `resolv.conf` do not answer.
pub(crate) fn no_answer(resolv_conf: &Path) -> Remedy {
    let file = paste::word(&resolv_conf.to_string_lossy());
    Remedy::after("one of these servers has to answer from here", format!("grep nameserver {file}"))
}

/// Whether the resolvers in a `resolv.conf` state that the data of the root are validated.
pub(crate) fn validates(resolv_conf: &Path) -> io::Result<bool> {
    is_validated_within(&Resolver::of_file(resolv_conf)?, SIGNED, LONGEST)
}
