//! The time and the memory that `tlsrpt deliver` needs to make the reports of many domains and to send them to a mail
//! server on the same machine.

mod sink;

use std::{
    error::Error,
    fs,
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use sink::Sink;

use crate::{
    arguments::Delivering,
    collecting::{Directory, Process, datagram, wait_for},
    machine, table,
};

/// How often the memory of the reporter is read.
const LOOK: Duration = Duration::from_millis(20);
const MEBI: f64 = 1024.0;

/// The result of one run.
#[derive(Debug)]
struct Run {
    domains: usize,
    time: Duration,
    /// The most memory of the process, VmHWM, in KiB.
    memory: u64,
}

/// Measures each number of domains, prints a table, and writes the page.
pub(crate) fn measure(arguments: &Delivering) -> Result<(), Box<dyn Error>> {
    let mut rows = Vec::new();
    for &domains in &arguments.domains {
        let run = run(&arguments.command, domains)?;
        let mebibytes = run.memory as f64 / MEBI;
        if arguments.most_memory.is_some_and(|most| mebibytes > most as f64) {
            return Err(format!("{domains} domains: the reporter took {mebibytes:.1} MiB of memory").into());
        }
        rows.push(row(&run));
    }
    let header = ["domains", "seconds", "reports a second", "most memory (VmHWM)"];
    let explanation = "One report by mail for each domain, from the counters of a day in the store to the answer of a mail \
         server on the same machine that takes everything; `tlsrpt deliver --once --day today` from its start to its end, \
         with `synchronous = \"full\"`.";
    let report = format!(
        "{}\n{}",
        machine::describe("make bench-deliver")?,
        table::section("Reports of many domains", explanation, &header, &rows)
    );
    print!("{report}");
    if let Some(file) = &arguments.report {
        fs::write(file, table::between_markers(&fs::read_to_string(file)?, &report)?)?;
    }
    Ok(())
}

fn row(run: &Run) -> Vec<String> {
    let seconds = run.time.as_secs_f64();
    vec![
        run.domains.to_string(),
        format!("{seconds:.1}"),
        format!("{:.0}", run.domains as f64 / seconds),
        format!("{:.1} MiB", run.memory as f64 / MEBI),
    ]
}

fn run(command: &Path, domains: usize) -> Result<Run, Box<dyn Error>> {
    let directory = Directory::new()?;
    let sink = Sink::start()?;
    configure(&directory.0, sink.port)?;
    collect(command, &directory.0, domains)?;
    let begin = Instant::now();
    let mut reporter = Process(tlsrpt(command, &directory.0, &["deliver", "--once", "--day", "today"])?);
    let memory = until_its_end(&mut reporter.0)?;
    let time = begin.elapsed();
    if sink.mails() != domains {
        return Err(format!("{} of {domains} report mails arrived", sink.mails()).into());
    }
    Ok(Run { domains, time, memory })
}

/// Puts one event of each domain into the store.
fn collect(command: &Path, directory: &Path, domains: usize) -> Result<(), Box<dyn Error>> {
    let mut collector = Process(tlsrpt(command, directory, &["collect"])?);
    let socket = directory.join("s");
    wait_for(&socket)?;
    let sender = UnixDatagram::unbound()?;
    sender.connect(&socket)?;
    (0..domains).try_for_each(|domain| sender.send(datagram(domain).as_bytes()).map(drop))?;
    collector.terminate();
    if collector.0.wait()?.success() { Ok(()) } else { Err("tlsrpt collect failed".into()) }
}

fn tlsrpt(command: &Path, directory: &Path, arguments: &[&str]) -> Result<Child, Box<dyn Error>> {
    let mut command = Command::new(fs::canonicalize(command)?);
    command.args(arguments).args(["--config", "tlsrpt.toml"]).current_dir(directory);
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

fn configure(directory: &Path, port: u16) -> Result<(), Box<dyn Error>> {
    let (socket, url) = (directory.join("s"), format!("sqlite:{}", directory.join("tlsrpt.db").display()));
    let text = format!(
        "[collect]\nsocket = {socket:?}\nsocket-group = \"0\"\n[store]\nurl = {url:?}\n\
         [report]\norganization = \"Sender\"\ncontact = \"c@sender.example\"\nfrom = \"r@sender.example\"\n\
         [mail]\nserver = \"smtp://127.0.0.1:{port}\"\n"
    );
    Ok(fs::write(directory.join("tlsrpt.toml"), text)?)
}

/// Waits for the end of a process that must succeed. Returns its largest memory in KiB.
fn until_its_end(process: &mut Child) -> Result<u64, Box<dyn Error>> {
    let mut most = 0;
    loop {
        // The file of a process that has ended has no such line.
        let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
        if let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
            most = line.trim().trim_end_matches(" kB").parse()?;
        }
        match process.try_wait()? {
            Some(status) if status.success() => return Ok(most),
            Some(status) => return Err(format!("tlsrpt deliver failed: {status}").into()),
            None => thread::sleep(LOOK),
        }
    }
}
