//! `tlsrpt deliver` is killed at 50 moments while it makes 1,000 reports and delivers each to two destinations. No report is lost.
//! A report arrives twice only if the store has an attempt with an unknown outcome, and then with the same ids.

use std::{
    collections::HashMap,
    fs,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use tlsrpt_format::datagram;
use tlsrpt_store::{
    Batch, BatchId, CountedEvent, Delivery, DeliveryState, Options, ReportFilter, Synchronous, Url, open, open_reports,
};

use crate::sinks::{self, Arrival, Arrivals};

const DOMAINS: usize = 1000;
const DELIVERIES: usize = 2 * DOMAINS;
const KILLS: usize = 50;
/// The number of kills that come soon after the start, while the reporter opens the store and begins.
const KILLS_AT_THE_START: usize = 10;
/// The deadline of each wait. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(300);
/// The names of the domains.
const SUFFIX: &str = ".killed.example";

/// When the reporter is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// This time after its start.
    AfterStart(Duration),
    /// The time `and` after the servers have received `arrivals` reports.
    After { arrivals: usize, and: Duration },
}

fn moments(random: &mut fastrand::Rng) -> Vec<Moment> {
    let mut progress: Vec<_> = (0..KILLS - KILLS_AT_THE_START).map(|_| random.usize(1..DELIVERIES - 50)).collect();
    progress.sort_unstable();
    let mut moments: Vec<_> = progress
        .into_iter()
        .map(|arrivals| Moment::After { arrivals, and: Duration::from_micros(random.u64(0..20_000)) })
        .collect();
    for _ in 0..KILLS_AT_THE_START {
        let at = random.usize(0..moments.len());
        moments.insert(at, Moment::AfterStart(Duration::from_millis(random.u64(0..100))));
    }
    moments
}

#[test]
fn no_report_is_lost_or_sent_twice_with_a_known_outcome() {
    let seed = std::env::var("SEED").map_or_else(|_| fastrand::u64(..), |text| text.parse().expect("SEED is a number"));
    say(format_args!("the moments are those of SEED={seed}"));
    let mut random = fastrand::Rng::with_seed(seed);
    let directory = tempfile::tempdir().unwrap();
    let arrivals = Arrivals::default();
    let https = sinks::https(arrivals.clone());
    let smtp = sinks::smtp(arrivals.clone());
    configure(directory.path(), smtp, https);
    fill(directory.path(), https);

    let moments = moments(&mut random);
    assert_eq!(moments.len(), KILLS);
    for moment in moments {
        let mut reporter = deliver(directory.path()).spawn().unwrap();
        wait_for(moment, &arrivals, &mut reporter);
        assert_eq!(reporter.try_wait().unwrap(), None, "the reporter ended by itself before {moment:?}");
        reporter.kill().unwrap();
        reporter.wait().unwrap();
    }
    let at_the_last_kill = arrivals.number();
    let mut last = deliver(directory.path());
    last.arg("--once");
    let mut last = last.spawn().unwrap();
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = last.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < end, "the last run did not end");
        thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success(), "deliveries are left: {status}");
    assert!(at_the_last_kill < arrivals.number(), "all reports had arrived before the last kill");
    judge(directory.path(), https, &arrivals.all());
}

/// Compares the reports that arrived with the deliveries in the store.
fn judge(directory: &Path, https: u16, arrivals: &[Arrival]) {
    let mut of: HashMap<&str, Vec<&Arrival>> = HashMap::new();
    for arrival in arrivals {
        of.entry(&arrival.to).or_default().push(arrival);
    }
    let mut store = open_reports(&url(directory), Synchronous::Full).unwrap();
    let reports = store.reports(&ReportFilter::default(), usize::MAX).unwrap();
    assert_eq!(reports.len(), DOMAINS);
    let (mut unknown, mut doubles, mut most) = (0, 0, 0);
    for report in &reports {
        assert_eq!((report.number, report.succeeded, report.failed), (1, 0, 1), "{report:?}");
        let deliveries = store.deliveries(report.id).unwrap();
        assert_eq!(deliveries.len(), 2, "{report:?}");
        for delivery in &deliveries {
            assert_eq!(delivery.state, DeliveryState::Delivered, "{delivery:?}");
            let came = of.remove(arrives_as(delivery, https).as_str()).unwrap_or_default();
            assert!(!came.is_empty(), "lost: {delivery:?}");
            assert!(came.len() == 1 || delivery.unknown, "{} arrivals: {delivery:?}", came.len());
            assert!(came.len() <= delivery.attempts as usize, "{} arrivals: {delivery:?}", came.len());
            assert!(came.iter().all(|arrival| *arrival == came[0]), "repeated with other ids: {came:?}");
            assert_eq!(came[0].report_id, report.report_id);
            assert_eq!(came[0].message_id.is_empty(), !delivery.destination.starts_with("mailto:"));
            unknown += usize::from(delivery.unknown);
            doubles += came.len() - 1;
            most = most.max(came.len());
        }
    }
    assert!(of.is_empty(), "arrivals without a delivery in the store: {of:?}");
    assert_eq!(arrivals.len(), DELIVERIES + doubles);
    assert!(unknown > 0, "no kill interrupted an attempt");
    say(format_args!(
        "{KILLS} kills, {DELIVERIES} deliveries of {DOMAINS} reports, 0 lost; {unknown} were interrupted with an unknown outcome; \
         {doubles} came again with the same ids, one at most {most} times"
    ));
}

/// The recipient of a delivery as the server records it.
fn arrives_as(delivery: &Delivery, https: u16) -> String {
    match delivery.destination.strip_prefix("mailto:") {
        Some(address) => address.to_owned(),
        None => delivery.destination.replace(&format!("https://127.0.0.1:{https}"), ""),
    }
}

fn wait_for(moment: Moment, arrivals: &Arrivals, reporter: &mut Child) {
    match moment {
        Moment::AfterStart(time) => thread::sleep(time),
        Moment::After { arrivals: enough, and } => {
            let end = Instant::now() + PATIENCE;
            while arrivals.number() < enough {
                assert!(Instant::now() < end, "only {} of {enough} reports arrived", arrivals.number());
                assert_eq!(reporter.try_wait().unwrap(), None, "the reporter ended by itself before {moment:?}");
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(and);
        }
    }
}

fn deliver(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlsrpt"));
    command.arg("deliver").arg("--config").arg(directory.join("tlsrpt.toml"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn configure(directory: &Path, smtp: u16, https: u16) {
    let store = directory.join("tlsrpt.db");
    let text = format!(
        "[store]\nurl = \"sqlite:{}\"\n\
         [report]\norganization = \"Sender\"\ncontact = \"c@sender.example\"\nfrom = \"r@sender.example\"\nspread = \"0s\"\n\
         [mail]\nserver = \"smtp://127.0.0.1:{smtp}\"\n\
         [https]\nports = [{https}]\nallow = [\"127.0.0.0/8\"]\nverify = \"require\"\nca = {:?}\n",
        store.display(),
        sinks::authority(),
    );
    fs::write(directory.join("tlsrpt.toml"), text).unwrap();
}

fn url(directory: &Path) -> Url {
    Url::Sqlite(directory.join("tlsrpt.db"))
}

/// Adds one failed session of the day before yesterday for each domain.
fn fill(directory: &Path, https: u16) {
    let day: Date = Timestamp::now().to_zoned(TimeZone::UTC).date().checked_sub(2.days()).unwrap();
    let event = |number| {
        let domain = format!("d{number}{SUFFIX}");
        let record = format!("v=TLSRPTv1;rua=mailto:r@{domain},https://127.0.0.1:{https}/{domain}");
        let text = format!(
            r#"{{"dpv":"1","d":"{domain}","pr":"{record}","policies":[{{"policy-type":9,"failure-details":[{{"c":201}}],"t":1,"f":1}}]}}"#
        );
        CountedEvent { event: datagram::parse(text.as_bytes()).unwrap(), times: 1 }
    };
    let batch = Batch {
        id: BatchId { writer: "test".into(), number: 1 },
        day,
        last_event: None,
        events: (0..DOMAINS).map(event).collect(),
        invalid: vec![],
        dropped: 0,
    };
    open(&url(directory), Options::default()).unwrap().add(&batch).unwrap();
}

/// Writes a line that the test harness does not capture.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "deliver, killed: {line}");
}
