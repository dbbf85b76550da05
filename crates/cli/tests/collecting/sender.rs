//! A process that sends events: this program with the argument [`ROLE`].

use std::{
    env,
    io::{self, Read},
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use tlsrpt::{Connection, Error, ErrorKind, FailureType, FinalResult, PolicyType};

use crate::support::Process;

/// The argument that makes this program a sender.
pub(crate) const ROLE: &str = "send-events";

/// What a sender does when the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It waits.
    Blocking,
    /// It gets an error from the library.
    NonBlocking,
}

/// A running sender.
pub(crate) struct Sender(Process);

impl Sender {
    pub(crate) fn start(socket: &Path, mode: Mode, number: usize, events: usize) -> Self {
        let mode = if mode == Mode::Blocking { "blocking" } else { "non-blocking" };
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([ROLE, socket.to_str().unwrap(), mode, &number.to_string(), &events.to_string()]);
        Self(Process(command.stdout(Stdio::piped()).spawn().unwrap()))
    }

    /// Waits for the end of the sender. Returns the number of events that were sent.
    pub(crate) fn sent(mut self) -> u64 {
        assert_eq!(self.0.exit_code(), Some(0));
        let mut number = String::new();
        self.0.0.stdout.take().unwrap().read_to_string(&mut number).unwrap();
        number.trim().parse().unwrap()
    }
}

pub(crate) fn run(arguments: &[String]) {
    let [socket, mode, number, events] = arguments else { panic!("{arguments:?}") };
    let (number, events): (usize, usize) = (number.parse().unwrap(), events.parse().unwrap());
    let send: Box<dyn Fn(usize) -> bool> = if mode == "blocking" {
        let (sender, socket) = (UnixDatagram::unbound().unwrap(), socket.clone());
        Box::new(move |event| send_waiting(&sender, Path::new(&socket), &datagram(number, event)))
    } else {
        let connection = Connection::open(socket.as_str()).unwrap();
        Box::new(move |event| report(&connection, number, event))
    };
    println!("{}", (0..events).filter(|event| send(*event)).count());
}

/// The datagrams of blocking senders: a few domains for each sender, so that some datagrams are equal.
pub(crate) fn datagram(number: usize, event: usize) -> String {
    let domain = format!("{}.sender-{number}.example", event % 50);
    format!(
        r#"{{"dpv":"1","d":"{domain}","pr":"v=TLSRPTv1;rua=mailto:t@{domain}","policies":[{{"policy-type":9,"t":0,"f":0}}]}}"#
    )
}

fn send_waiting(sender: &UnixDatagram, socket: &Path, datagram: &str) -> bool {
    loop {
        match sender.send_to(datagram.as_bytes(), socket) {
            Ok(_) => return true,
            // The queue is full, and so is the send buffer.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Sends an event through the library. Returns whether it was sent.
fn report(connection: &Connection, number: usize, event: usize) -> bool {
    match try_to_report(connection, number, event) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::Send => false,
        Err(error) => panic!("{error}"),
    }
}

fn try_to_report(connection: &Connection, number: usize, event: usize) -> Result<(), Error> {
    let domain = format!("{}.sender-{number}.example", event % 50);
    let mut request = connection.delivery_request(&domain, "v=TLSRPTv1;rua=mailto:t@a.example")?;
    let mut policy = request.policy(PolicyType::NoPolicyFound, None)?;
    if event % 3 == 0 {
        policy.add_failure(FailureType::StarttlsNotSupported, &Default::default())?;
        policy.finish(FinalResult::Failure)?;
    } else {
        policy.finish(FinalResult::Success)?;
    }
    request.send()
}
