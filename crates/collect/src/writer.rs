//! The name of this process in a store.

use std::{fmt::Write as _, process, time::SystemTime};

/// A name that no other process on any host has: a restored or copied file of a spool must not give new batches the name
/// and the numbers of old ones.
pub(crate) fn new() -> String {
    let mut random = [0; 16];
    let mut name = String::from("collect-");
    match getrandom::fill(&mut random) {
        Ok(()) => random.iter().for_each(|byte| write!(name, "{byte:02x}").expect("a string takes all text")),
        // Only where the system call is forbidden.
        Err(_) => {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
            write!(name, "{since}-{}", process::id()).expect("a string takes all text");
        }
    }
    name
}
