//! The receivers of the events: each is a process with a socket in its own directory.

use std::{
    error::Error,
    fs, io,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::load::Load;
use crate::arguments::Collecting;

/// The longest time until a receiver listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A receiver of events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// A loop that receives and discards.
    Bare,
    /// `tlsrpt collect`.
    Ours,
    /// tlsrpt-collectd.
    Theirs,
}

impl Receiver {
    pub(crate) const ALL: [Self; 3] = [Self::Bare, Self::Ours, Self::Theirs];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare loop",
            Self::Ours => "tlsrpt collect",
            Self::Theirs => "tlsrpt-collectd 0.6.0",
        }
    }

    /// A number of events that takes a second or more.
    fn events(self) -> usize {
        if self == Self::Theirs { 20_000 } else { 200_000 }
    }

    /// Events a second. The time of ours ends when all are committed, that of the bare loop when all are received. The
    /// time of theirs ends when all are received or in the queue of the socket; they need not be committed.
    pub(crate) fn rate(self, arguments: &Collecting, load: Load) -> Result<f64, Box<dyn Error>> {
        let directory = Directory::new()?;
        let socket = directory.0.join("s");
        let mut process = Process(self.command(arguments, &directory.0)?.spawn()?);
        wait_for(&socket)?;
        let begin = Instant::now();
        load.send(&socket, self.events())?;
        let sent = begin.elapsed();
        if self == Self::Theirs {
            return Ok(self.events() as f64 / sent.as_secs_f64());
        }
        if self == Self::Ours {
            process.terminate();
        }
        if !process.0.wait()?.success() {
            return Err(format!("{}: it failed", self.name()).into());
        }
        Ok(self.events() as f64 / begin.elapsed().as_secs_f64())
    }

    fn command(self, arguments: &Collecting, directory: &Path) -> io::Result<Command> {
        let mut command = match self {
            Self::Bare => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["receive", "s"]).arg(self.events().to_string());
                command
            }
            Self::Ours => {
                let url = format!("sqlite:{}", directory.join("tlsrpt.db").display());
                let socket = directory.join("s");
                let text = format!("[collect]\nsocket = {socket:?}\nsocket-group = \"0\"\n[store]\nurl = {url:?}\n");
                fs::write(directory.join("tlsrpt.toml"), text)?;
                let mut command = Command::new(fs::canonicalize(&arguments.command)?);
                command.args(["collect", "--config", "tlsrpt.toml"]);
                command
            }
            Self::Theirs => {
                let mut command = Command::new(arguments.environment.join("bin/python"));
                command.arg(arguments.environment.join("bin/tlsrpt-collectd"));
                command.arg("--storage").arg(format!("sqlite://{}", directory.join("collectd.sqlite").display()));
                command.args(["--socketname", "s", "--socketmode", "0622", "--log_level", "error"]);
                command.args(["--pidfilename", "pid", "--logfilename", "log"]);
                command
            }
        };
        command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }
}

/// The bare loop, which runs in its own process.
pub(crate) fn receive(path: &Path, events: usize) -> io::Result<()> {
    let socket = UnixDatagram::bind(path)?;
    let mut buffer = vec![0; 1 << 20];
    (0..events).try_for_each(|_| socket.recv(&mut buffer).map(drop))
}

pub(crate) fn wait_for(socket: &Path) -> Result<(), Box<dyn Error>> {
    let end = Instant::now() + PATIENCE;
    let probe = UnixDatagram::unbound()?;
    while probe.connect(socket).is_err() {
        if Instant::now() > end {
            return Err(format!("nobody listens at {}", socket.display()).into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// A process that is ended when this value is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        // SAFETY: takes no pointers; no one has waited for the child yet, so its number is not reused.
        unsafe { libc::kill(self.0.id() as libc::pid_t, libc::SIGTERM) };
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has ended and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A directory that is removed when this value is dropped.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("tlsrpt-bench-collect-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
