//! Whether Postfix runs.

use std::{io, path::PathBuf};

use super::Postfix;
use crate::{bounded, finding::Finding, processes, remedy::Remedy};

const CHECK: &str = "running";
/// The name of its first process.
const MASTER: &str = "master";

pub(super) fn check(postfix: &Postfix) -> Finding {
    let start = Remedy::run(format!("postfix {}start", postfix.option()));
    match master(postfix) {
        Ok(Some(id)) => Finding::ok(CHECK, format!("Postfix runs: the process {MASTER} is {id}")),
        Ok(None) => Finding::fail(CHECK, "Postfix does not run: no mail is sent", start),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let shown = file(postfix);
            Finding::warn(
                CHECK,
                format!("cannot tell whether Postfix runs: {}: {error}", shown.display()),
                Remedy::as_root(),
            )
        }
        Err(error) => Finding::warn(CHECK, format!("cannot tell whether Postfix runs: {error}"), start),
    }
}

/// The number of its first process, if it runs.
pub(super) fn master(postfix: &Postfix) -> io::Result<Option<u32>> {
    let text = match bounded::read_text(&file(postfix)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let id = text.trim().parse().ok();
    Ok(id.filter(|id| processes::name_of_running(*id).as_deref() == Some(MASTER)))
}

fn file(postfix: &Postfix) -> PathBuf {
    postfix.path("queue_directory").join(postfix.setting("process_id_directory")).join("master.pid")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::check;
    use crate::{finding::Status, postfix::configuration::tests::postfix};

    #[test]
    fn a_number_of_no_master_is_no_postfix() {
        let folder = tempfile::tempdir().unwrap();
        let found = || check(&postfix(&[("queue_directory", folder.path().to_str().unwrap())])).status;
        assert_eq!(found(), Status::Fail);
        fs::create_dir(folder.path().join("pid")).unwrap();
        // This process runs, and it is not Postfix.
        fs::write(folder.path().join("pid/master.pid"), format!("{:>10}\n", std::process::id())).unwrap();
        assert_eq!(found(), Status::Fail);
    }
}
