//! `tlsrpt check` of a socket. The check of Postfix runs against a real one, with the tests of mail servers.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::{UnixDatagram, UnixListener},
    },
    path::Path,
    process::Command,
};

use serde_json::Value;

use crate::support::{Collector, Listener, as_stranger, close_for_good, directory, run, text, tlsrpt};

/// Runs the check. Returns the exit code, and each check with its status and its message.
fn check(socket: &Path) -> (Option<i32>, Vec<(String, String)>) {
    let output = run(["check".as_ref(), "--format".as_ref(), "json".as_ref(), "--socket".as_ref(), socket.as_os_str()]);
    assert_eq!(text(&output.stderr), "");
    let finding = |line: &str| {
        let finding: Value = serde_json::from_str(line).unwrap();
        let status = finding["status"].as_str().unwrap();
        assert_eq!(finding["remedy"].is_string(), status != "OK", "{line}");
        if let Some(command) = finding["command"].as_str() {
            assert!(finding["remedy"].as_str().unwrap().ends_with(&format!("run: {command}")), "{line}");
            let parsed = Command::new("sh").args(["-nc", command]).output().unwrap();
            assert!(parsed.status.success() && parsed.stderr.is_empty(), "{line}");
        }
        (format!("{status} {}", finding["check"].as_str().unwrap()), finding["message"].as_str().unwrap().to_string())
    };
    (output.status.code(), text(&output.stdout).lines().map(finding).collect())
}

fn message<'a>(findings: &'a [(String, String)], what: &str) -> &'a str {
    let found = findings.iter().find(|(status_and_check, _)| status_and_check == what);
    &found.unwrap_or_else(|| panic!("no {what}: {findings:?}")).1
}

fn open_to_all(directory: &Path) {
    fs::set_permissions(directory, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_working_collector_passes_every_check() {
    let directory = directory();
    open_to_all(directory.path());
    let listener = Listener::start::<&str>(&directory.path().join("s"), []);
    let (code, findings) = check(&listener.socket);
    assert_eq!(code, Some(0), "{findings:?}");
    for what in ["OK name", "OK directories", "OK socket", "OK permission", "OK listener", "OK queue now"] {
        message(&findings, what);
    }
    assert_eq!(listener.end_well(), "", "the check sent a datagram");
}

#[test]
fn the_queue_length_is_checked() {
    let directory = directory();
    let socket = directory.path().join("s");
    let _collector = Collector::bind(&socket);
    let length: u32 = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap().trim().parse().unwrap();
    let status = if length < 512 { "WARN queue length" } else { "OK queue length" };
    let (_, findings) = check(&socket);
    assert!(message(&findings, status).contains(&format!("queues {length} datagrams")));
}

/// The line about the queue length from `check --socket name`, run in `directory`.
fn queue_length_at(directory: &Path, name: &str) -> String {
    let mut command = crate::support::tlsrpt();
    let output = command.current_dir(directory).args(["check", "--socket", name]).output().unwrap();
    let shown = text(&output.stdout);
    shown.lines().find(|line| line.contains("queue length")).unwrap_or_else(|| panic!("{name}: {shown}")).to_string()
}

#[test]
fn the_queue_length_is_found_by_every_path_to_the_socket() {
    let directory = directory();
    let real = directory.path().join("real dir");
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, directory.path().join("link")).unwrap();
    let _plain = Collector::bind(&real.join("a  b"));
    let _through_link = Collector::bind(&directory.path().join("link/c"));
    let absolute = |name: &str| directory.path().join(name).to_str().unwrap().to_string();
    for name in ["real dir/a  b", "link/../real dir/a  b", "link/a  b", "./link/c", "real dir/c"] {
        for name in [name, &absolute(name)] {
            let found = queue_length_at(directory.path(), name);
            assert!(found.contains("a socket made in this network namespace queues"), "{name}: {found}");
        }
    }
    // A socket that another process bound by a name relative to its own directory.
    let _relative = Collector::bind_relative(&real, "relative");
    let found = queue_length_at(directory.path(), "link/relative");
    assert!(found.contains("a socket made in this network namespace queues"), "{found}");
}

#[test]
fn a_path_through_a_file_fails() {
    let directory = directory();
    open_to_all(directory.path());
    let file = directory.path().join("f");
    fs::write(&file, "").unwrap();
    for path in [file.join("s"), file.join("d/s")] {
        let (code, findings) = check(&path);
        assert_eq!(code, Some(1), "{findings:?}");
        assert!(message(&findings, "FAIL directories").contains("is not a directory"), "{findings:?}");
        assert!(message(&findings, "FAIL socket").contains("Not a directory"), "{findings:?}");
        let of_path = findings.iter().filter(|(check, _)| !check.ends_with("elsewhere")).count();
        assert_eq!(of_path, 3, "{findings:?}");
    }
}

#[test]
fn the_queue_of_another_namespace_is_not_judged() {
    let directory = directory();
    let listener = Listener::start::<&str>(&directory.path().join("s"), []);
    if nix::unistd::geteuid().is_root() {
        assert!(message(&check(&listener.socket).1, "OK queue length").contains("another network namespace"));
    }
    listener.end_well();
}

/// The process that `check --send` starts. Only root may enter a chroot.
#[test]
fn a_test_event_from_a_chroot_finds_only_what_is_inside() {
    let chroot = directory();
    let path = |name: &str| chroot.path().join(name);
    fs::create_dir(path("run")).unwrap();
    let collector = Collector::bind(&path("run/s"));
    symlink(path("run/s"), path("run/link")).unwrap();
    let send = |arguments: &[&str]| {
        let output = tlsrpt().current_dir(chroot.path()).arg("test-event").args(arguments).output().unwrap();
        (output.status.code(), text(&output.stderr).to_owned())
    };
    assert_eq!(send(&["--", "run/link"]), (Some(0), String::new()));
    collector.next();
    let root = chroot.path().to_str().unwrap();
    let inside = |name| send(&["--root", root, "--user", "nobody", "--", name]);
    if !nix::unistd::geteuid().is_root() {
        let (code, said) = inside("run/s");
        return assert!(code == Some(1) && said.contains("cannot enter the chroot"), "{said}");
    }
    fs::set_permissions(chroot.path(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(path("run/s"), Permissions::from_mode(0o666)).unwrap();
    for name in ["run/s", "/run/s"] {
        assert_eq!(inside(name), (Some(0), String::new()), "{name}");
        collector.next();
    }
    let (code, said) = inside("run/link");
    assert!(code == Some(1) && said.contains("there is no socket at run/link"), "{said}");
}

#[test]
fn text_output_has_one_line_for_each_check() {
    let output = run(["check", "--socket", "/no/such/directory/s"]);
    // Units of systemd or another collector of this host change what is to be run.
    let expected = "\
OK    name          /no/such/directory/s has 20 of at most 107 bytes
FAIL  directories   /no/such/directory: No such file or directory -> run: 
FAIL  socket        there is nothing at /no/such/directory/s -> run: 
";
    // Another collector of this host may be named, too.
    let shown: String = text(&output.stdout)
        .lines()
        .filter(|line| !line.contains("  elsewhere "))
        .map(|line| line.split_once("run: ").map_or(line.into(), |(before, _)| format!("{before}run: ")))
        .fold(String::new(), |shown, line| shown + &line + "\n");
    assert_eq!((output.status.code(), &*shown, text(&output.stderr)), (Some(1), expected, ""));
}

#[test]
fn a_path_without_a_collector_s_socket_fails() {
    let directory = directory();
    let socket = directory.path().join("s");
    let fails = |check_and_why: (&str, &str)| {
        let (code, findings) = check(&socket);
        assert_eq!(code, Some(1));
        let found = message(&findings, check_and_why.0);
        assert!(found.contains(check_and_why.1), "{found}");
    };
    fails(("FAIL socket", "there is nothing at"));
    fs::write(&socket, "").unwrap();
    fails(("FAIL socket", "is a regular file"));
    fs::remove_file(&socket).unwrap();
    let stream = UnixListener::bind(&socket).unwrap();
    fails(("FAIL socket", "not a datagram socket"));
    close_for_good(stream, &socket);
    fails(("FAIL listener", "nobody listens"));
    fs::remove_file(&socket).unwrap();
    close_for_good(UnixDatagram::bind(&socket).unwrap(), &socket);
    fails(("FAIL listener", "nobody listens"));
}

#[test]
fn a_name_that_is_too_long_fails() {
    let (code, findings) = check(Path::new(&format!("/{}", "x".repeat(107))));
    assert_eq!(code, Some(1));
    assert!(message(&findings, "FAIL name").contains("has 108 bytes, 107 are possible"));
}

#[test]
fn missing_permissions_are_warnings() {
    let directory = directory();
    let inner = directory.path().join("inner");
    fs::create_dir(&inner).unwrap();
    open_to_all(directory.path());
    fs::set_permissions(&inner, Permissions::from_mode(0o750)).unwrap();
    let socket = inner.join("s");
    let _collector = Collector::bind(&socket);
    fs::set_permissions(&socket, Permissions::from_mode(0o620)).unwrap();
    let (code, findings) = check(&socket);
    assert_eq!(code, Some(0));
    let found = message(&findings, "WARN directories");
    assert!(
        found.starts_with(&format!("everybody may not pass through {} (mode 0750, owner ", inner.display())),
        "{found}"
    );
    let found = message(&findings, "WARN permission");
    assert!(
        found.starts_with(&format!("everybody may not write to {} (mode 0620, owner ", socket.display())),
        "{found}"
    );
}

#[test]
fn a_check_without_permission_says_that_it_cannot_tell() {
    let directory = directory();
    let socket = directory.path().join("s");
    let _collector = Collector::bind(&socket);
    fs::set_permissions(&socket, Permissions::from_mode(0o0)).unwrap();
    let arguments = ["check", "--socket", socket.to_str().unwrap()].map(String::from);
    let output = as_stranger(directory.path(), &arguments);
    let shown = text(&output.stdout);
    assert!(shown.contains("WARN  listener      cannot tell whether somebody listens"), "{shown}");
    assert!(shown.contains("-> check again as root; run: ") && shown.contains("check --socket "), "{shown}");
}

#[test]
fn a_full_queue_fails() {
    let directory = directory();
    let socket = directory.path().join("s");
    let _collector = Collector::bind(&socket);
    assert!(message(&check(&socket).1, "OK queue now").starts_with("the queue has room"));
    Collector::fill(&socket);
    let (code, findings) = check(&socket);
    assert_eq!(code, Some(1));
    assert!(message(&findings, "FAIL queue now").contains("is full"));
}

#[test]
fn a_missing_postconf_is_an_error() {
    let output = crate::support::tlsrpt().args(["check", "--postfix"]).env("PATH", "/nonexistent").output().unwrap();
    let said = text(&output.stderr);
    if Path::new("/usr/sbin/postconf").exists() || Path::new("/usr/local/sbin/postconf").exists() {
        assert!(said.is_empty(), "{said}");
    } else {
        assert_eq!(output.status.code(), Some(1));
        assert!(said.starts_with("tlsrpt: cannot ask postconf: there is no program postconf on this host"), "{said}");
        // Monitoring systems show standard output.
        let (code, shown) = lines(&["check", "--postfix", "--monitor"]);
        assert_eq!((code, shown.len()), (Some(2), 1), "{shown:?}");
        assert!(shown[0].starts_with("TLSRPT CRITICAL - cannot ask postconf: there is no program "), "{shown:?}");
    }
}

/// The lines of the output, without those about other collectors of this host.
fn lines(arguments: &[&str]) -> (Option<i32>, Vec<String>) {
    let output = run(arguments);
    assert_eq!(text(&output.stderr), "");
    let lines = text(&output.stdout).lines().filter(|line| !line.contains("elsewhere")).map(Into::into);
    (output.status.code(), lines.collect())
}

#[test]
fn quiet_leaves_out_what_is_ok() {
    let (code, shown) = lines(&["check", "--quiet", "--socket", "/no/such/directory/s"]);
    assert_eq!((code, shown.len()), (Some(1), 2), "{shown:?}");
    assert!(shown.iter().all(|line| line.starts_with("FAIL ")), "{shown:?}");
}

#[test]
fn monitoring_gets_one_line_first_and_the_status_as_exit_code() {
    let directory = directory();
    open_to_all(directory.path());
    let listener = Listener::start::<&str>(&directory.path().join("s"), []);
    let socket = listener.socket.clone();
    let monitor = || lines(&["check", "--monitor", "--quiet", "--socket", socket.to_str().unwrap()]);
    let (code, shown) = monitor();
    assert_eq!(code, Some(0), "{shown:?}");
    assert!(shown.len() == 1 && shown[0].starts_with("TLSRPT OK - 0 FAIL, 0 WARN, "), "{shown:?}");
    fs::set_permissions(&socket, Permissions::from_mode(0o600)).unwrap();
    let (code, shown) = monitor();
    assert_eq!(code, Some(1), "{shown:?}");
    assert!(shown[0].starts_with("TLSRPT WARNING - 0 FAIL, 1 WARN, "), "{shown:?}");
    assert!(shown[0].contains(": permission: everybody may not write to "), "{shown:?}");
    listener.end_well();
    let (code, shown) = monitor();
    assert_eq!(code, Some(2), "{shown:?}");
    assert!(shown[0].starts_with("TLSRPT CRITICAL - "), "{shown:?}");
}

/// `tlsrpt collect` with the configuration in this folder, ended with the test.
struct Collect(std::process::Child);

impl Drop for Collect {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_test_event_reaches_the_store_and_no_report_is_made_of_it() {
    let directory = directory();
    let (config, socket) = (directory.path().join("tlsrpt.toml"), directory.path().join("s"));
    let store = directory.path().join("db");
    fs::write(&config, format!("[collect]\nsocket = {socket:?}\n[store]\nurl = \"sqlite:{}\"\n", store.display()))
        .unwrap();
    let paths = [config.to_str().unwrap(), socket.to_str().unwrap()];
    let send = || lines(&["check", "--send", "--config", paths[0], "--socket", paths[1]]).1;
    let has = |shown: &[String], start: &str| shown.iter().any(|line| line.starts_with(start));
    let alone = send();
    assert!(has(&alone, "FAIL  sent ") && !alone.iter().any(|line| line.contains("stored")), "{alone:?}");
    let mut command = crate::support::tlsrpt();
    let mut collector = command.args(["collect", "--config", paths[0]]).stderr(std::process::Stdio::piped()).spawn();
    let messages = collector.as_mut().unwrap().stderr.take().unwrap();
    let _collector = Collect(collector.unwrap());
    let listening = std::io::BufRead::lines(std::io::BufReader::new(messages)).map_while(Result::ok);
    assert!(listening.into_iter().any(|line| line.contains("listening at")));
    for _ in 0..2 {
        let shown = send();
        assert!(has(&shown, "OK    sent ") && has(&shown, "OK    stored "), "{shown:?}");
    }
    // Another store: the collector does not write there.
    let other = directory.path().join("other.toml");
    let text = fs::read_to_string(&config).unwrap().replace("/db\"", "/other\"");
    fs::write(&other, text).unwrap();
    let shown = lines(&["check", "--send", "--config", other.to_str().unwrap(), "--socket", paths[1]]).1;
    assert!(has(&shown, "FAIL  stored ") && has(&shown, "OK    sent "), "{shown:?}");
}
