//! The threads that send reports: a few for mail, and more for HTTPS, since any HTTPS server may be slow.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use jiff::Timestamp;
use lettre::{SendmailTransport, Transport as _};
use tlsrpt_store::{Delivery, KeptReport, Route};

use crate::{
    Destination, MailAddress, Outcome,
    https::HttpsClient,
    mail::{FinishedReport, ReportMail, Submitter},
    outcome::answer,
    smtp::{SmtpClient, SmtpServer},
};

/// How mails are sent.
#[derive(Debug, Clone)]
pub enum MailRoute {
    /// To a mail server by SMTP.
    Smtp(SmtpServer),
    /// Through a command that is called as `sendmail(8)` is.
    Sendmail(PathBuf),
}

/// The means of delivery, by mail and HTTPS.
#[derive(Debug)]
pub struct Carrier {
    /// How mails are sent.
    pub mail: MailRoute,
    /// Who sends them.
    pub submitter: Submitter,
    /// Where bounces go; the number and the token of the delivery are added to the local part.
    pub bounces: MailAddress,
    /// Posts reports.
    pub https: HttpsClient,
}

impl Carrier {
    /// Mails a report to an address once, whatever its destinations are. The outcome is not stored.
    #[must_use]
    pub fn mail_now(&self, report: &KeptReport, to: &MailAddress) -> Outcome {
        // No delivery has this number, so a bounce suppresses nothing.
        self.mail_of((0, 0), report, to, None)
    }

    /// Mails a text to the operator, once. `written` is its date.
    #[must_use]
    pub fn mail_note(&self, to: &MailAddress, subject: &str, text: &str, written: Timestamp) -> Outcome {
        let written = u64::try_from(written.as_second()).unwrap_or_default();
        match self.submitter.note(to, subject, text, written) {
            Ok(mail) => self.hand_over(&mail, None),
            Err(error) => Outcome::Refused { answer: error.to_string() },
        }
    }

    fn carry(&self, smtp: Option<&mut SmtpClient>, delivery: &Delivery, report: &KeptReport) -> Outcome {
        match Destination::parse(&delivery.destination) {
            Err(refused) => Outcome::Refused { answer: refused.to_string() },
            Ok(Destination::Https(url)) => self.https.post(&url, &report.compressed),
            Ok(Destination::Mail(to)) => self.mail_of((delivery.id, delivery.token), report, &to, smtp),
        }
    }

    /// Hands a mail over. `number` and `token` are in its envelope sender.
    fn mail_of(
        &self,
        (number, token): (i64, u32),
        report: &KeptReport,
        to: &MailAddress,
        smtp: Option<&mut SmtpClient>,
    ) -> Outcome {
        let finished = FinishedReport {
            domain: &report.domain,
            id: &report.report_id,
            made: u64::try_from(report.made.as_second()).unwrap_or_default(),
            summary: &report.summary,
            file_name: &report.file_name,
            compressed: &report.compressed,
        };
        let bounces = crate::bounce::address(&self.bounces, number, token);
        let mail = match self.submitter.mail(&finished, to, &bounces) {
            Ok(mail) => mail,
            Err(error) => return Outcome::Refused { answer: error.to_string() },
        };
        self.hand_over(&mail, smtp)
    }

    fn hand_over(&self, mail: &ReportMail, smtp: Option<&mut SmtpClient>) -> Outcome {
        match (&self.mail, smtp) {
            (MailRoute::Sendmail(command), _) => send_by_command(command.clone(), mail),
            (MailRoute::Smtp(_), Some(smtp)) => smtp.send(mail),
            (MailRoute::Smtp(server), None) => SmtpClient::new(server.clone()).send(mail),
        }
    }
}

/// Added to the error of a sendmail command in a process with `NoNewPrivileges`.
const NO_PRIVILEGES: &str = "; the reporter runs with NoNewPrivileges, under which the sendmail command of Postfix or Sendmail cannot \
     queue a mail: set server instead of sendmail in [mail]";

/// One attempt.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) route: Route,
    pub(crate) delivery: Delivery,
    pub(crate) report: KeptReport,
}

/// What a thread has done with a job.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) route: Route,
    pub(crate) delivery: Delivery,
    /// The domain of the report.
    pub(crate) domain: String,
    /// None: the attempt was not begun, because the threads end.
    pub(crate) outcome: Option<Outcome>,
}

/// The threads. Each ends after its current attempt once this is dropped.
#[derive(Debug)]
pub(crate) struct Threads {
    mail: Sender<Job>,
    https: Sender<Job>,
    pub(crate) done: Receiver<Done>,
    /// Of mail and of HTTPS.
    queues: Vec<Queue>,
    to_done: Sender<Done>,
    ending: Arc<AtomicBool>,
}

/// Jobs that no thread has taken. A thread that waits for one holds the lock.
type Queue = Arc<Mutex<Receiver<Job>>>;

impl Threads {
    pub(crate) fn start(carrier: Carrier, mail: usize, https: usize) -> Self {
        let carrier = Arc::new(carrier);
        let (done, outcomes) = channel();
        let ending = Arc::new(AtomicBool::new(false));
        let mut queues = Vec::new();
        let mut start = |threads: usize| {
            let (jobs, queue) = channel::<Job>();
            let queue = Arc::new(Mutex::new(queue));
            for _ in 0..threads {
                let (carrier, queue, done) = (Arc::clone(&carrier), Arc::clone(&queue), done.clone());
                let ending = Arc::clone(&ending);
                thread::spawn(move || carry_all(&carrier, &queue, &done, &ending));
            }
            queues.push(queue);
            jobs
        };
        let (mail, https) = (start(mail), start(https));
        Self { mail, https, done: outcomes, queues, to_done: done, ending }
    }

    /// Returns jobs without an attempt from now on. Attempts under way continue.
    pub(crate) fn begin_nothing_more(&self) {
        self.ending.store(true, Ordering::Relaxed);
        for queue in &self.queues {
            // If a thread holds the lock, it returns the jobs itself.
            let Ok(queue) = queue.try_lock() else { continue };
            for Job { route, delivery, report } in queue.try_iter() {
                // The receiver lives as long as this.
                let _ = self.to_done.send(Done { route, delivery, domain: report.domain, outcome: None });
            }
        }
    }

    pub(crate) fn give(&self, job: Job) {
        let jobs = match job.route {
            Route::Mail => &self.mail,
            Route::Https => &self.https,
        };
        // The threads live as long as this.
        let _ = jobs.send(job);
    }
}

fn carry_all(carrier: &Carrier, queue: &Mutex<Receiver<Job>>, done: &Sender<Done>, ending: &AtomicBool) {
    let mut smtp = match &carrier.mail {
        MailRoute::Smtp(server) => Some(SmtpClient::new(server.clone())),
        MailRoute::Sendmail(_) => None,
    };
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { route, delivery, report }) = job else { return };
        if ending.load(Ordering::Relaxed) {
            // This fails if nothing receives outcomes any more.
            let _ = done.send(Done { route, delivery, domain: report.domain, outcome: None });
            continue;
        }
        // A panic in a library fails this attempt, not the thread.
        let attempt = std::panic::AssertUnwindSafe(|| carrier.carry(smtp.as_mut(), &delivery, &report));
        let outcome = std::panic::catch_unwind(attempt).unwrap_or_else(|_| Outcome::Deferred {
            answer: "an internal error of the reporter".into(),
            wait: None,
            unknown: true,
        });
        if done.send(Done { route, delivery, domain: report.domain, outcome: Some(outcome) }).is_err() {
            return;
        }
    }
}

/// Queues a mail by the command. Its exit code says whether it has the mail.
fn send_by_command(command: PathBuf, mail: &ReportMail) -> Outcome {
    match SendmailTransport::new_with_command(command).send_raw(&mail.envelope, &mail.bytes) {
        Ok(()) => Outcome::Delivered { answer: "accepted by the sendmail command".into(), warning: None },
        Err(error) => {
            let why = if gains_no_privileges() { NO_PRIVILEGES } else { "" };
            Outcome::Deferred { answer: answer(format_args!("{error}{why}")), wait: None, unknown: false }
        }
    }
}

/// Whether commands of this process gain no privileges by their set-user-ID and set-group-ID bits (`NoNewPrivileges` of systemd).
fn gains_no_privileges() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("NoNewPrivs:").is_some_and(|value| value.trim() == "1"))
}
