//! The socket that the service manager passes. Descriptors are passed at the start of a process, so this test has no
//! harness: it starts itself with a socket as descriptor 3.

use std::{
    env,
    os::{
        fd::OwnedFd,
        unix::net::{UnixDatagram, UnixListener},
    },
    process::{Command, Stdio},
};

use tlsrpt_socket::{Listening, LocalSocket};

const KIND: &str = "TLSRPT_TEST_KIND";

fn main() {
    match env::var(KIND).as_deref() {
        Ok("datagram") => println!("{}", take_twice::<UnixDatagram>()),
        Ok(_) => println!("{}", take_twice::<UnixListener>()),
        Err(_) => {
            check_all();
            println!("passed sockets: ok");
        }
    }
}

/// The result of two calls of `passed`.
fn take_twice<S: LocalSocket>() -> String {
    let first = match Listening::<S>::passed() {
        Ok(Some(listening)) => {
            assert!(listening.is_passed());
            // Dropping it must not remove its name.
            drop(listening);
            "taken".to_string()
        }
        Ok(None) => "none".into(),
        Err(error) => error.to_string(),
    };
    let second = Listening::<S>::passed();
    format!("{first}, then {}", if matches!(second, Ok(None)) { "none" } else { "something" })
}

fn check_all() {
    let directory = tempfile::tempdir().unwrap();
    let (datagram, stream) = (directory.path().join("d"), directory.path().join("s"));
    let a_datagram_socket = || OwnedFd::from(UnixDatagram::bind(&datagram).unwrap());
    let a_stream_socket = || OwnedFd::from(UnixListener::bind(&stream).unwrap());
    assert_eq!(start("datagram", a_datagram_socket(), "1"), "taken, then none");
    assert!(datagram.exists());
    assert_eq!(start("stream", a_stream_socket(), "1"), "taken, then none");
    assert!(stream.exists());
    let (other, _peer) = UnixDatagram::pair().unwrap();
    let wrong_kind = start("stream", other.into(), "1");
    assert!(wrong_kind.starts_with("the service manager passed a descriptor of another kind: "), "{wrong_kind}");
    let (other, _peer) = UnixDatagram::pair().unwrap();
    let several = start("datagram", other.into(), "2");
    assert!(several.starts_with("the service manager passed 2 sockets: pass one"), "{several}");
    let (other, _peer) = UnixDatagram::pair().unwrap();
    assert_eq!(start("datagram", other.into(), "0"), "none, then none");
}

/// Starts this program with `socket` as descriptor 3. Returns its output.
fn start(kind: &str, socket: OwnedFd, count: &str) -> String {
    let script = "exec 3<&0 0</dev/null; LISTEN_PID=$$; export LISTEN_PID; exec \"$0\"";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(env::current_exe().unwrap()).stdin(Stdio::from(socket));
    let output = command.env(KIND, kind).env("LISTEN_FDS", count).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().into()
}
