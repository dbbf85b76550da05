//! A server of PostgreSQL with a store, and the collectors and the reporter of a site.

#[path = "../../../store/tests/postgresql/server.rs"]
mod server;

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use server::{PASSWORDS, Server};

use super::load::Load;
use crate::collecting::{Process, wait_for};

const DATABASE: &str = "bench";
/// How often the server is asked whether it has all events.
const LOOK: Duration = Duration::from_millis(100);
/// The longest time until it has.
const PATIENCE: Duration = Duration::from_secs(300);
/// The unit of the times of processes in /proc.
const TICKS: f64 = 100.0;

/// A site. All of it is in scratch folders.
pub(crate) struct Site {
    command: PathBuf,
    server: Server,
    folder: TempDir,
}

/// The collectors, which run until this value is dropped.
pub(crate) struct Collectors {
    processes: Vec<Process>,
    pub(crate) sockets: Vec<PathBuf>,
}

impl Site {
    /// Starts a server, whose disk is as safe as by default, with further settings. Creates the store as the documentation says.
    pub(crate) fn new(command: &Path, settings: &str) -> Result<Self, Box<dyn Error>> {
        let server =
            Server::start(&format!("fsync = on\ntrack_functions = pl\n{settings}"), "local all all scram-sha-256");
        server.create_roles();
        server.create_database(DATABASE);
        server.write_passwords(PASSWORDS);
        let site = Self { command: command.into(), server, folder: TempDir::with_prefix("tlsrpt-bench-many")? };
        // Nothing listens at this port. Without a day there is no report to send.
        site.deliver(1, 9, &[])?;
        Ok(site)
    }

    /// Starts collectors, each with its own spool and socket.
    pub(crate) fn collectors(&self, number: usize) -> Result<Collectors, Box<dyn Error>> {
        let mut collectors = Collectors { processes: Vec::new(), sockets: Vec::new() };
        for host in 0..number {
            let folder = self.folder.path().join(format!("mx{host}"));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir(&folder)?;
            let (socket, spool) = (folder.join("s"), folder.join("spool.db"));
            let url = self.server.url("tlsrpt_collector", DATABASE);
            let text = format!(
                "[collect]\nsocket = {socket:?}\nsocket-group = \"0\"\n\
                 [store]\nurl = {url:?}\nspool = {spool:?}\nhost = \"mx{host}.example.com\"\n"
            );
            collectors.processes.push(Process(self.tlsrpt(&folder, &text, &["collect"])?));
            collectors.sockets.push(socket);
        }
        collectors.sockets.iter().try_for_each(|socket| wait_for(socket))?;
        Ok(collectors)
    }

    /// Runs reporters until they have nothing to do. The mail server is at a port of this machine.
    pub(crate) fn deliver(&self, reporters: usize, port: u16, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
        let text = format!(
            "[store]\nurl = {:?}\n\
             [report]\norganization = \"Sender\"\ncontact = \"c@sender.example\"\nfrom = \"r@sender.example\"\n\
             [mail]\nserver = \"smtp://127.0.0.1:{port}\"\n",
            self.server.url("tlsrpt_reporter", DATABASE)
        );
        let arguments = [&["deliver", "--once"], arguments].concat();
        let folder = |number| self.folder.path().join(format!("reporter{number}"));
        let mut started = Vec::new();
        for number in 0..reporters {
            fs::create_dir_all(folder(number))?;
            started.push(Process(self.tlsrpt(&folder(number), &text, &arguments)?));
        }
        for (number, reporter) in started.iter_mut().enumerate() {
            if !reporter.0.wait()?.success() {
                let log = fs::read_to_string(folder(number).join("log"))?;
                return Err(format!("tlsrpt deliver failed: {log}").into());
            }
        }
        Ok(())
    }

    fn tlsrpt(&self, folder: &Path, configuration: &str, arguments: &[&str]) -> Result<Child, Box<dyn Error>> {
        fs::write(folder.join("tlsrpt.toml"), configuration)?;
        let mut command = Command::new(&self.command);
        command.args(arguments).args(["--config", "tlsrpt.toml"]).current_dir(folder);
        let log = fs::File::create(folder.join("log"))?;
        Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?)
    }

    /// Waits until the store has so many events.
    pub(crate) fn wait_until_counted(&self, events: u64) -> Result<(), Box<dyn Error>> {
        let end = Instant::now() + PATIENCE;
        loop {
            let counted = self.number("SELECT coalesce(sum(events), 0) FROM day")?;
            if counted == events {
                return Ok(());
            }
            if counted > events || Instant::now() > end {
                return Err(format!("the store has {counted} of {events} events; {}", self.messages()).into());
            }
            thread::sleep(LOOK);
        }
    }

    /// What the collectors say.
    fn messages(&self) -> String {
        let logs = (0..).map_while(|host| fs::read_to_string(self.folder.path().join(format!("mx{host}/log"))).ok());
        logs.collect::<Vec<_>>().join("\n")
    }

    /// Sends a load through new collectors, and waits until the store has it. The store had `before` events.
    pub(crate) fn take(&self, load: Load, collectors: usize, before: u64) -> Result<Duration, Box<dyn Error>> {
        let collectors = self.collectors(collectors)?;
        let begin = Instant::now();
        load.send(&collectors.sockets)?;
        self.wait_until_counted(before + load.events as u64)?;
        let time = begin.elapsed();
        collectors.end()?;
        Ok(time)
    }

    /// The number that a query gives.
    pub(crate) fn number(&self, query: &str) -> Result<u64, Box<dyn Error>> {
        Ok(self.server.sql(DATABASE, query).parse()?)
    }

    pub(crate) fn sql(&self, statements: &str) {
        self.server.sql(DATABASE, statements);
    }

    /// The seconds that the processors worked for the server.
    pub(crate) fn server_seconds(&self) -> Result<f64, Box<dyn Error>> {
        let file = fs::read_to_string(self.server.folder().join("data/postmaster.pid"))?;
        let postmaster = file.lines().next().unwrap_or_default();
        let mut ticks = 0;
        for process in fs::read_dir("/proc")? {
            let process = process?;
            // A process may have ended meanwhile.
            let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
            let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let sum = |range: std::ops::Range<usize>| -> u64 {
                fields.get(range).unwrap_or_default().iter().filter_map(|field| field.parse::<u64>().ok()).sum()
            };
            if process.file_name() == *postmaster {
                // Its ended children too.
                ticks += sum(11..15);
            } else if fields.get(1) == Some(&postmaster) {
                ticks += sum(11..13);
            }
        }
        Ok(ticks as f64 / TICKS)
    }
}

impl Collectors {
    /// Ends them. Each must succeed.
    pub(crate) fn end(mut self) -> Result<(), Box<dyn Error>> {
        self.processes.iter().for_each(Process::terminate);
        for process in &mut self.processes {
            if !process.0.wait()?.success() {
                return Err("tlsrpt collect failed".into());
            }
        }
        Ok(())
    }
}

/// The version of the server, to be put behind the description of the machine.
pub(crate) fn server_version() -> Result<String, Box<dyn Error>> {
    let server = Server::start("", "");
    let version = server.sql("postgres", "SHOW server_version");
    Ok(format!(", PostgreSQL {}", version.split(' ').next().unwrap_or_default()))
}
