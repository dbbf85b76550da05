//! The instances of Postfix on this host.

use std::{io, path::PathBuf};

use crate::bounded;

/// The folders of all instances, from `postmulti`.
///
/// # Errors
///
/// `postmulti` cannot be run, or fails.
pub fn instances() -> io::Result<Vec<PathBuf>> {
    Ok(read(&bounded::tool("postmulti", &["-l"])?))
}

/// `name group enabled folder`, one instance a line.
fn read(listing: &str) -> Vec<PathBuf> {
    listing.lines().filter_map(|line| line.split_whitespace().nth(3)).map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::read;

    #[test]
    fn the_folders_are_read() {
        // Of Postfix 3.10.13, after: postmulti -e init; postmulti -I postfix-two -e create
        let listing = "-               -               y         /etc/postfix\npostfix-two     -               n         /etc/postfix-two\n";
        assert_eq!(read(listing), [Path::new("/etc/postfix"), Path::new("/etc/postfix-two")]);
    }
}
