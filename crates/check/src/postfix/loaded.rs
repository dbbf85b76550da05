//! Whether the running processes have the library that new processes load.

use std::{fs, path::Path};

use super::{
    Postfix,
    running::master,
    service::{CLIENT, TLSPROXY},
};
use crate::{finding::Finding, library, processes, remedy::Remedy};

const CHECK: &str = "loaded";
/// What Linux adds to the name of a file that is not there any more.
const DELETED: &str = " (deleted)";

pub(super) fn check(postfix: &Postfix, program: &Path) -> Option<Finding> {
    let master = master(postfix).ok().flatten()?;
    let wanted = library::loaded_by(program).and_then(|file| fs::canonicalize(file).ok());
    let running: Vec<_> =
        processes::children(master).into_iter().filter(|child| [CLIENT, TLSPROXY].contains(&&*child.name)).collect();
    if running.is_empty() {
        return None;
    }
    let old = running.iter().find_map(|child| {
        let file =
            processes::mapped(child.id, library::NAME).into_iter().find(|file| is_other(file, wanted.as_deref()))?;
        Some((child, file))
    });
    Some(match old {
        Some((child, file)) => {
            let message = format!(
                "the running process {} ({}) has {file} loaded, not the library that is installed now",
                child.name, child.id
            );
            Finding::warn(CHECK, message, Remedy::run(postfix.reload()))
        }
        None => Finding::ok(CHECK, format!("{} running processes have the library that is installed", running.len())),
    })
}

fn is_other(file: &str, wanted: Option<&Path>) -> bool {
    file.ends_with(DELETED) || wanted.is_some_and(|wanted| Path::new(file) != wanted)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_other;

    #[test]
    fn a_replaced_file_is_another() {
        let installed = Some(Path::new("/usr/lib/libtlsrpt.so.0.0.0"));
        assert!(!is_other("/usr/lib/libtlsrpt.so.0.0.0", installed));
        assert!(is_other("/usr/lib/libtlsrpt.so.0.0.0 (deleted)", installed));
        assert!(is_other("/usr/local/lib/libtlsrpt.so.0.0.0", installed));
        assert!(!is_other("/usr/lib/libtlsrpt.so.0.0.0", None));
        assert!(is_other("/usr/lib/libtlsrpt.so.0.0.0 (deleted)", None));
    }
}
