//! A site of eight collectors and four reporters, while the database server is stopped hard three times and collectors and
//! reporters are killed. Sums are exact, every report is delivered, and none twice unless its outcome was unknown.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use tlsrpt_store::{DeliveryState, ReportFilter, Synchronous, Url, open_reports};

use crate::{
    host::{Host, counts, until},
    server::Server,
    sinks::{self, Arrival, Arrivals},
    spooling::server_with_store,
    support::{Process, program},
};

const COLLECTORS: usize = 8;
const REPORTERS: usize = 4;
const EVENTS: usize = 200_000;
const DOMAINS: usize = 2000;
/// Each collector gets its events in so many parts. Between them, things are stopped and killed.
const PARTS: usize = 10;

fn domain(number: usize) -> String {
    format!("d{number:04}.example")
}

fn event(number: usize) -> String {
    let domain = domain(number);
    format!(
        r#"{{"dpv":"1","d":"{domain}","pr":"v=TLSRPTv1;rua=mailto:r@{domain}","policies":[{{"policy-type":9,"t":1,"f":1,"failure-details":[{{"c":201}}]}}]}}"#
    )
}

/// Writes a line that the test harness does not capture.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "many hosts: {line}");
}

#[test]
fn no_count_and_no_report_is_lost_when_everything_is_stopped_and_killed() {
    let mut server = server_with_store("max_connections = 100");
    let mut hosts: Vec<_> = (0..COLLECTORS)
        .map(|number| Host::new(&format!("mx{number}.example"), &server.tcp_url("tlsrpt_collector", "tlsrpt", ""), ""))
        .collect();
    hosts.iter_mut().for_each(Host::start);
    for part in 0..PARTS {
        // While the collectors pass on what they have.
        if part == 3 || part == 6 {
            server.stop_hard();
        }
        thread::scope(|scope| {
            for (number, host) in hosts.iter_mut().enumerate() {
                scope.spawn(move || send_part(host, number, part));
            }
        });
        match part {
            2 | 7 => {
                hosts[part].kill();
                hosts[part].start();
            }
            4 | 8 => server.go_on(),
            _ => {}
        }
    }
    until("all is in the store", || hosts.iter().all(|host| host.spool().batches == 0));
    let read = server.tcp_url("tlsrpt_status", "tlsrpt", "");
    let expected: Vec<_> = (0..DOMAINS).map(|number| (domain(number), (EVENTS / DOMAINS) as u64)).collect();
    assert!(counts(&read) == expected, "the sums of some domains are wrong");
    assert_eq!(server.sql("tlsrpt", "SELECT count(*) FROM host"), COLLECTORS.to_string());
    hosts.iter_mut().for_each(Host::end);
    deliver_all(&mut server);
}

/// Sends a part of the events of a collector, and waits until they are in the spool or in the store.
fn send_part(host: &mut Host, number: usize, part: usize) {
    const OF_PART: usize = EVENTS / COLLECTORS / PARTS;
    for event_number in part * OF_PART..(part + 1) * OF_PART {
        // Half of the collectors begin in the middle, so that each domain gets as many events.
        host.send(&event((event_number + number % 2 * DOMAINS / 2) % DOMAINS));
    }
    host.wait_until_kept();
}

/// A reporter, which is started again when it ends before all is delivered, as a service manager does.
struct Reporter {
    config: PathBuf,
    process: Process,
}

impl Reporter {
    fn start(folder: &Path, number: usize, url: &str, smtp: u16) -> Self {
        let config = folder.join(format!("reporter{number}.toml"));
        let text = format!(
            "[store]\nurl = {url:?}\n[report]\norganization = \"Sender\"\ncontact = \"c@sender.example\"\n\
             from = \"r@sender.example\"\nspread = \"0s\"\n[mail]\nserver = \"smtp://127.0.0.1:{smtp}\"\n"
        );
        fs::write(&config, text).unwrap();
        let process = Self::spawn(&config);
        Self { config, process }
    }

    fn spawn(config: &Path) -> Process {
        let log = File::options().create(true).append(true).open(config.with_extension("log")).unwrap();
        let mut command = Command::new(program());
        command.args(["deliver", "--day", "today", "--config"]).arg(config);
        Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    fn go_on(&mut self) {
        if self.process.0.try_wait().unwrap().is_some() {
            self.process = Self::spawn(&self.config);
        }
    }

    fn kill(&mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.config.with_extension("log")).unwrap()
    }
}

/// Delivers the reports about today. The server is stopped and two reporters are killed meanwhile.
fn deliver_all(server: &mut Server) {
    let folder = tempfile::tempdir().unwrap();
    let arrivals = Arrivals::default();
    let smtp = sinks::smtp(arrivals.clone());
    let url = server.tcp_url("tlsrpt_reporter", "tlsrpt", "");
    let mut reporters: Vec<_> =
        (0..REPORTERS).map(|number| Reporter::start(folder.path(), number, &url, smtp)).collect();
    for (enough, step) in [(DOMAINS / 5, 0), (DOMAINS * 2 / 5, 1), (DOMAINS * 3 / 5, 2)] {
        until("reports arrive", || {
            reporters.iter_mut().for_each(Reporter::go_on);
            arrivals.number() >= enough
        });
        match step {
            1 => {
                server.stop_hard();
                server.go_on();
            }
            _ => reporters[step].kill(),
        }
    }
    let left = "SELECT count(*) FROM delivery WHERE state <> 'delivered'";
    until("all is delivered", || {
        reporters.iter_mut().for_each(Reporter::go_on);
        // What a killed reporter had begun waits for the end of its lease, and some time more.
        server.sql("tlsrpt", "UPDATE delivery SET next_attempt = 0 WHERE state = 'waiting' AND leased_until IS NULL");
        thread::sleep(Duration::from_millis(500));
        arrivals.number() >= DOMAINS && server.sql("tlsrpt", left) == "0"
    });
    let logs: Vec<_> = reporters.iter().map(Reporter::log).collect();
    drop(reporters);
    judge(&url, &arrivals.all(), &logs);
}

fn judge(url: &str, arrivals: &[Arrival], logs: &[String]) {
    let mut of: HashMap<&str, Vec<&Arrival>> = HashMap::new();
    for arrival in arrivals {
        of.entry(&arrival.to).or_default().push(arrival);
    }
    let mut store = open_reports(&Url::Postgresql(Box::new(url.parse().unwrap())), Synchronous::Full).unwrap();
    let reports = store.reports(&ReportFilter::default(), usize::MAX).unwrap();
    assert_eq!(reports.len(), DOMAINS);
    let (mut unknown, mut doubles) = (0, 0);
    for report in &reports {
        assert_eq!((report.number, report.succeeded, report.failed), (1, 0, (EVENTS / DOMAINS) as u64), "{report:?}");
        let deliveries = store.deliveries(report.id).unwrap();
        assert_eq!(deliveries.len(), 1, "{report:?}");
        let delivery = &deliveries[0];
        assert_eq!(delivery.state, DeliveryState::Delivered, "{delivery:?}");
        let came = of.remove(delivery.destination.trim_start_matches("mailto:")).unwrap_or_default();
        assert!(!came.is_empty(), "lost: {delivery:?}");
        assert!(came.len() == 1 || delivery.unknown, "{} arrivals: {delivery:?}\n{logs:?}", came.len());
        assert!(came.iter().all(|arrival| *arrival == came[0]), "repeated with other ids: {came:?}");
        assert_eq!(came[0].report_id, report.report_id);
        unknown += usize::from(delivery.unknown);
        doubles += came.len() - 1;
    }
    assert!(of.is_empty(), "arrivals without a delivery in the store: {of:?}");
    say(format_args!(
        "{EVENTS} events of {COLLECTORS} collectors are counted exactly; {DOMAINS} reports, 0 lost; {unknown} had an unknown \
         outcome, {doubles} came again with the same ids"
    ));
}
