//! The time and the memory that `tlsrpt deliver` needs to make the reports of many domains and to send them to a mail
//! server or an HTTPS server on the same machine.

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

pub(crate) use sink::Sink;

use crate::{
    arguments::Delivering,
    collecting::{Directory, Process, datagram, wait_for},
    machine, table,
};

/// How often the memory of the reporter is read.
const LOOK: Duration = Duration::from_millis(20);
const MEBI: f64 = 1024.0;
/// The different failures of a domain with a large report: the default of max-failure-details.
const FAILURES: usize = 10_000;
/// The failures in one datagram about such a domain.
const FAILURES_AT_ONCE: usize = 100;

/// The certificate authority of the HTTPS server.
const AUTHORITY: &str = include_str!("../../../deliver/tests/keys/authority.pem");

/// How the reports are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Mail,
    Https,
}

/// What the reports are about.
#[derive(Debug, Clone, Copy)]
struct Load {
    by: By,
    domains: usize,
    /// The different failures of each domain. 0: one event each, as in the measurement of the collector.
    failures: usize,
}

/// The result of one run.
#[derive(Debug)]
struct Run {
    load: Load,
    time: Duration,
    /// The most memory of the process, VmHWM, in KiB.
    memory: u64,
}

/// Measures each number of domains, prints a table, and writes the page.
pub(crate) fn measure(arguments: &Delivering) -> Result<(), Box<dyn Error>> {
    let mut rows = Vec::new();
    let small = arguments.domains.iter().map(|&domains| Load { by: By::Mail, domains, failures: 0 });
    let large = |by| arguments.large.iter().map(move |&domains| Load { by, domains, failures: FAILURES });
    for load in small.chain(large(By::Mail)).chain(large(By::Https)) {
        let run = run(&arguments.command, load)?;
        let mebibytes = run.memory as f64 / MEBI;
        if arguments.most_memory.is_some_and(|most| mebibytes > most as f64) {
            return Err(format!("{load:?}: the reporter took {mebibytes:.1} MiB of memory").into());
        }
        rows.push(row(&run));
    }
    let header = ["by", "domains", "different failures of each", "seconds", "reports a second", "most memory (VmHWM)"];
    let explanation = "One report for each domain, from the counters of a day in the store to the answer of a mail server or an HTTPS \
         server on the same machine that takes everything. A domain has one session, or 10,000 different failures with \
         256 bytes of random text each. Measured: `tlsrpt deliver --once --day today` from its start to its end, with `synchronous = \
         \"full\"`.";
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
        match run.load.by {
            By::Mail => "mail".into(),
            By::Https => "HTTPS".into(),
        },
        run.load.domains.to_string(),
        run.load.failures.to_string(),
        format!("{seconds:.1}"),
        format!("{:.0}", run.load.domains as f64 / seconds),
        format!("{:.1} MiB", run.memory as f64 / MEBI),
    ]
}

fn run(command: &Path, load: Load) -> Result<Run, Box<dyn Error>> {
    let directory = Directory::new()?;
    let sink = match load.by {
        By::Mail => Sink::mail()?,
        By::Https => Sink::https()?,
    };
    configure(&directory.0, sink.port)?;
    collect(command, &directory.0, load, sink.port)?;
    let begin = Instant::now();
    let mut reporter = Process(tlsrpt(command, &directory.0, &["deliver", "--once", "--day", "today"])?);
    let memory = until_its_end(&mut reporter.0)?;
    let time = begin.elapsed();
    if sink.reports() != load.domains {
        return Err(format!("{} of {} reports arrived", sink.reports(), load.domains).into());
    }
    Ok(Run { load, time, memory })
}

/// Puts the events of all domains into the store: those with many failures one after the other, since the collector stores what has
/// come at its end within a time.
fn collect(command: &Path, directory: &Path, load: Load, port: u16) -> Result<(), Box<dyn Error>> {
    if load.failures == 0 {
        return send_all(command, directory, (0..load.domains).map(datagram));
    }
    (0..load.domains).try_for_each(|domain| {
        let destination = match load.by {
            By::Mail => format!("mailto:tls@{domain}.example.org"),
            By::Https => format!("https://127.0.0.1:{port}/{domain}"),
        };
        let firsts = (0..load.failures).step_by(FAILURES_AT_ONCE);
        send_all(command, directory, firsts.map(|first| many_failures(domain, &destination, first)))
    })
}

fn send_all(command: &Path, directory: &Path, datagrams: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let mut collector = Process(tlsrpt(command, directory, &["collect"])?);
    let socket = directory.join("s");
    wait_for(&socket)?;
    let sender = UnixDatagram::unbound()?;
    sender.connect(&socket)?;
    for datagram in datagrams {
        sender.send(datagram.as_bytes())?;
    }
    collector.terminate();
    if collector.0.wait()?.success() { Ok(()) } else { Err("tlsrpt collect failed".into()) }
}

/// An event with the failures of many servers, each with a text of its own that compresses badly.
fn many_failures(domain: usize, destination: &str, first: usize) -> String {
    let failure = |n: usize| {
        let mut random = fastrand::Rng::with_seed((domain * FAILURES + n) as u64);
        let text: String = (0..16).map(|_| format!("{:016x}", random.u64(..))).collect();
        format!(
            r#"{{"c":204,"s":"192.0.2.1","n":"mx{n}.example.org","h":"mx{n}.example.org","r":"192.0.2.25","a":"{text}","f":"a reason"}}"#
        )
    };
    let failures: Vec<_> = (first..first + FAILURES_AT_ONCE).map(failure).collect();
    format!(
        r#"{{"dpv":"1","d":"{domain}.example.org","pr":"v=TLSRPTv1; rua={destination}","policies":[{{"policy-type":2,"policy-domain":"{domain}.example.org","failure-details":[{}],"t":{FAILURES_AT_ONCE},"f":1}}]}}"#,
        failures.join(",")
    )
}

fn tlsrpt(command: &Path, directory: &Path, arguments: &[&str]) -> Result<Child, Box<dyn Error>> {
    let mut command = Command::new(fs::canonicalize(command)?);
    command.args(arguments).args(["--config", "tlsrpt.toml"]).current_dir(directory);
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

fn configure(directory: &Path, port: u16) -> Result<(), Box<dyn Error>> {
    let authority = directory.join("authority.pem");
    let (socket, url) = (directory.join("s"), format!("sqlite:{}", directory.join("tlsrpt.db").display()));
    let text = format!(
        "[collect]\nsocket = {socket:?}\nsocket-group = \"0\"\n[store]\nurl = {url:?}\n\
         [report]\norganization = \"Sender\"\ncontact = \"c@sender.example\"\nfrom = \"r@sender.example\"\n\
         [mail]\nserver = \"smtp://127.0.0.1:{port}\"\n\
         [https]\nports = [{port}]\nallow = [\"127.0.0.0/8\"]\nverify = \"require\"\nca = {authority:?}\n"
    );
    fs::write(&authority, AUTHORITY)?;
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
