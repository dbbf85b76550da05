//! Whether Exim can call the module, and whether the module is there.

use std::{fs, path::Path};

use super::Exim;
use crate::{finding::Finding, paste};

const CHECK: &str = "module";

/// Whether Exim is built with what is needed.
pub(super) fn able(exim: &Exim) -> Finding {
    if !exim.has("_HAVE_DLFUNC") {
        let message = "this Exim has no ${dlfunc}, by which it would call the module: it reports nothing";
        return Finding::fail("exim", message, "apt install exim4-daemon-heavy");
    }
    if !exim.has("_HAVE_TLS") {
        return Finding::fail("exim", "this Exim is built without TLS", "apt install exim4-daemon-heavy");
    }
    Finding::ok("exim", "this Exim has TLS and ${dlfunc}, by which it calls the module")
}

pub(super) fn check(exim: &Exim) -> Vec<Finding> {
    let mut modules: Vec<_> = exim.calls().map(|call| call.module).collect();
    modules.sort_unstable();
    modules.dedup();
    modules.into_iter().map(of_file).collect()
}

fn of_file(module: &str) -> Finding {
    if module.is_empty() {
        return Finding::ok(CHECK, "the module is linked into Exim");
    }
    match fs::metadata(Path::new(module)) {
        Ok(file) if file.is_file() => Finding::ok(CHECK, format!("{module} is there")),
        Ok(_) => Finding::fail(CHECK, format!("{module} is not a file"), "apt install tlsrpt-exim"),
        Err(error) => {
            let remedy = format!("apt install tlsrpt-exim, or make install-exim; ls -l {}", paste::word(module));
            Finding::fail(CHECK, format!("{module}: {error}: Exim reports nothing"), remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{able, check, of_file};
    use crate::{
        exim::configuration::tests::{MACROS, exim},
        finding::Status,
    };

    #[test]
    fn an_exim_without_dlfunc_cannot_report() {
        let of = |macros| able(&exim(macros, ("", ""), ("", "")));
        assert_eq!(of(MACROS).status, Status::Ok);
        assert_eq!(of("_HAVE_TLS=y\n").remedy.as_deref(), Some("apt install exim4-daemon-heavy"));
    }

    #[test]
    fn a_missing_module_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("m.so");
        assert_eq!(of_file(module.to_str().unwrap()).status, Status::Fail);
        std::fs::write(&module, "").unwrap();
        assert_eq!(of_file(module.to_str().unwrap()).status, Status::Ok);
        let missing = ("/usr/lib/exim4/tlsrpt-exim.so", "/no/such/tlsrpt-exim.so");
        assert_eq!(check(&exim(MACROS, missing, ("", "")))[0].status, Status::Fail);
    }
}
