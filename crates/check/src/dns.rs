//! Whether the resolver of a host validates with DNSSEC.

use std::{io, path::Path, time::Duration};

use tlsrpt_sendmail::{records::is_validated_within, resolver::Resolver};

/// How long the lookup may take.
const LONGEST: Duration = Duration::from_secs(5);
/// A name that is signed everywhere: the root.
const SIGNED: &str = ".";

/// Whether the resolvers in a `resolv.conf` state that the data of the root are validated.
pub(crate) fn validates(resolv_conf: &Path) -> io::Result<bool> {
    is_validated_within(&Resolver::of_file(resolv_conf)?, SIGNED, LONGEST)
}
