//! Whether Exim can call the module, and whether the module is there.

use std::{fs, path::Path};

use super::{Exim, files::PACKAGE};
use crate::{
    access::{Permission, Visitor, describe},
    bounded,
    finding::Finding,
    packages, paste,
    remedy::Remedy,
};

const CHECK: &str = "module";
/// The module of the package, and the macro that names another one.
const MODULE: &str = "/usr/lib/exim4/tlsrpt-exim.so";
const MACRO: &str = "TLSRPT_MODULE";
/// What ldd says of a library that it does not find.
const MISSING: &str = "=> not found";
/// The package of an Exim with all that is needed.
const DAEMON: &str = "exim4-daemon-heavy";

/// Whether Exim is built with what is needed: without, nothing else helps.
pub(super) fn able(exim: &Exim) -> Finding {
    if !exim.has("_HAVE_DLFUNC") {
        let message = "this Exim has no ${dlfunc}, by which it would call the module: it reports nothing";
        return Finding::fail("exim", message, Remedy::run(packages::install(DAEMON)));
    }
    if !exim.has("_HAVE_TLS") {
        return Finding::fail("exim", "this Exim is built without TLS", Remedy::run(packages::install(DAEMON)));
    }
    Finding::ok("exim", "this Exim has TLS and ${dlfunc}, by which it calls the module")
}

pub(super) fn check(exim: &Exim) -> Vec<Finding> {
    let mut modules: Vec<_> = exim.calls().map(|call| call.module).collect();
    modules.sort_unstable();
    modules.dedup();
    let user = Visitor::named(&exim.user).unwrap_or(Visitor::Anybody);
    modules.into_iter().map(|module| other_module(exim, module).unwrap_or_else(|| of_file(module, &user))).collect()
}

/// A module that the configuration names and that is missing, while that of the package is there.
fn other_module(exim: &Exim, module: &str) -> Option<Finding> {
    let is_missing = !module.is_empty() && !Path::new(module).exists();
    (is_missing && Path::new(MODULE).exists()).then(|| {
        let message = format!("{module}, which {MACRO} names, does not exist: Exim reports nothing");
        Finding::fail(CHECK, message, Remedy::run(exim.files.set_macro(MACRO, None)))
    })
}

fn of_file(module: &str, user: &Visitor) -> Finding {
    if module.is_empty() {
        return Finding::ok(CHECK, "the module is linked into Exim");
    }
    let word = paste::word(module);
    let file = match fs::metadata(module) {
        Ok(file) if file.is_file() => file,
        Ok(_) => {
            let remedy =
                format!("mv -T {word} {} && {}", paste::word(&format!("{module}.old")), packages::reinstall(PACKAGE));
            return Finding::fail(CHECK, format!("{module} is not a file: Exim reports nothing"), Remedy::run(remedy));
        }
        Err(error) => {
            let remedy = Remedy::run(packages::reinstall(PACKAGE));
            return Finding::fail(CHECK, format!("{module}: {error}: Exim reports nothing"), remedy);
        }
    };
    if !user.may(Permission::Read, &file) {
        let message = format!("{user} may not read {module} ({}): Exim reports nothing", describe(&file));
        return Finding::fail(CHECK, message, Remedy::run(format!("chmod 644 {word}")));
    }
    if let Some(folder) = user.closed_folder(Path::new(module)) {
        let message = format!("{user} may not pass through {} to {module}: Exim reports nothing", folder.display());
        let folder = paste::word(&folder.to_string_lossy());
        return Finding::fail(CHECK, message, Remedy::run(format!("chmod o+x {folder}")));
    }
    match bounded::run("ldd", [module]) {
        Ok(ran) if !ran.status.success() => {
            let message = format!("{module} is no library that can be loaded: Exim reports nothing");
            Finding::fail(CHECK, message, Remedy::run(packages::reinstall(PACKAGE)))
        }
        Ok(ran) if ran.stdout.contains(MISSING) => {
            let missing: Vec<_> = ran.stdout.lines().filter(|line| line.contains(MISSING)).map(str::trim).collect();
            let message = format!("{module} cannot be loaded: {}: Exim reports nothing", missing.join(", "));
            Finding::fail(CHECK, message, Remedy::run(packages::reinstall(PACKAGE)))
        }
        _ => Finding::ok(CHECK, format!("{module} is there, and {user} may load it")),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
    };

    use super::{able, check, of_file};
    use crate::{
        access::Visitor,
        exim::configuration::tests::{MACROS, exim},
        finding::Status,
        packages, processes,
    };

    #[test]
    fn an_exim_without_dlfunc_cannot_report() {
        let of = |macros| able(&exim(macros, ("", ""), ("", "")));
        assert_eq!(of(MACROS).status, Status::Ok);
        assert_eq!(of("_HAVE_TLS=y\n").command(), Some(&*packages::install("exim4-daemon-heavy")));
    }

    #[test]
    fn a_module_that_cannot_be_loaded_is_a_failure() {
        let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
        let module = folder.path().join("m.so");
        let stranger = Visitor::User { name: "4242".into(), user: 4242, groups: vec![4242] };
        let found = || of_file(module.to_str().unwrap(), &stranger);
        assert_eq!(found().status, Status::Fail);
        // A library of this host, whole and cut off.
        let whole = fs::read(&processes::mapped(std::process::id(), "libc.so")[0]).unwrap();
        fs::write(&module, &whole).unwrap();
        let mode = |bits| fs::set_permissions(&module, Permissions::from_mode(bits)).unwrap();
        mode(0o600);
        assert_eq!(found().command(), Some(&*format!("chmod 644 {}", module.display())));
        mode(0o644);
        assert_eq!(found().status, Status::Ok, "{:?}", found());
        fs::write(&module, &whole[..1000]).unwrap();
        assert!(found().message.contains("can be loaded"), "{:?}", found());
        let missing = ("/usr/lib/exim4/tlsrpt-exim.so", "/no/such/tlsrpt-exim.so");
        assert_eq!(check(&exim(MACROS, missing, ("", "")))[0].status, Status::Fail);
    }
}
