//! The threads that carry reports out: some for mail, more for HTTPS, whose servers are strangers and may be slow.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use lettre::{SendmailTransport, Transport as _};
use tlsrpt_store::{Delivery, KeptReport, Route};

use crate::{
    Destination, MailAddress, Outcome,
    https::HttpsClient,
    mail::{FinishedReport, ReportMail, Submitter},
    outcome::answer,
    smtp::{SmtpClient, SmtpServer},
};

/// How mails leave.
#[derive(Debug, Clone)]
pub enum MailRoute {
    /// To a mail server by SMTP.
    Smtp(SmtpServer),
    /// Through a command that is called as `sendmail(8)` is.
    Sendmail(PathBuf),
}

/// Everything that an attempt needs besides the report.
#[derive(Debug)]
pub struct Carrier {
    /// How mails leave.
    pub mail: MailRoute,
    /// Who sends them.
    pub submitter: Submitter,
    /// Where bounces go; the number and the token of the delivery are added to the local part.
    pub bounces: MailAddress,
    /// Posts reports.
    pub https: HttpsClient,
}

/// One attempt.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) delivery: Delivery,
    pub(crate) report: KeptReport,
}

/// The threads. They end when this is dropped, each behind its attempt.
#[derive(Debug)]
pub(crate) struct Threads {
    mail: Sender<Job>,
    https: Sender<Job>,
    pub(crate) done: Receiver<(Delivery, Outcome)>,
}

impl Threads {
    pub(crate) fn start(carrier: Carrier, mail: usize, https: usize) -> Self {
        let carrier = Arc::new(carrier);
        let (done, outcomes) = channel();
        let start = |threads: usize| {
            let (jobs, queue) = channel::<Job>();
            let queue = Arc::new(Mutex::new(queue));
            for _ in 0..threads {
                let (carrier, queue, done) = (Arc::clone(&carrier), Arc::clone(&queue), done.clone());
                thread::spawn(move || carry_all(&carrier, &queue, &done));
            }
            jobs
        };
        Self { mail: start(mail), https: start(https), done: outcomes }
    }

    pub(crate) fn give(&self, route: Route, job: Job) {
        let jobs = match route {
            Route::Mail => &self.mail,
            Route::Https => &self.https,
        };
        // The threads live as long as this.
        let _ = jobs.send(job);
    }
}

fn carry_all(carrier: &Carrier, queue: &Mutex<Receiver<Job>>, done: &Sender<(Delivery, Outcome)>) {
    let mut smtp = match &carrier.mail {
        MailRoute::Smtp(server) => Some(SmtpClient::new(server.clone())),
        MailRoute::Sendmail(_) => None,
    };
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { delivery, report }) = job else { return };
        // A library that panics costs this attempt, not the thread.
        let attempt = std::panic::AssertUnwindSafe(|| carry(carrier, smtp.as_mut(), &delivery, &report));
        let outcome = std::panic::catch_unwind(attempt).unwrap_or_else(|_| Outcome::Deferred {
            answer: "an internal error of the reporter".into(),
            wait: None,
            unknown: true,
        });
        if done.send((delivery, outcome)).is_err() {
            return;
        }
    }
}

fn carry(carrier: &Carrier, smtp: Option<&mut SmtpClient>, delivery: &Delivery, report: &KeptReport) -> Outcome {
    match Destination::parse(&delivery.destination) {
        Err(refused) => Outcome::Refused { answer: refused.to_string() },
        Ok(Destination::Https(url)) => carrier.https.post(&url, &report.compressed),
        Ok(Destination::Mail(to)) => match mail(carrier, delivery, report, &to) {
            Err(error) => Outcome::Refused { answer: error },
            Ok(mail) => match (smtp, &carrier.mail) {
                (Some(smtp), _) => smtp.send(&mail),
                (None, MailRoute::Sendmail(command)) => send_by_command(command.clone(), &mail),
                (None, MailRoute::Smtp(server)) => SmtpClient::new(server.clone()).send(&mail),
            },
        },
    }
}

/// The mail of a delivery.
pub(crate) fn mail(
    carrier: &Carrier,
    delivery: &Delivery,
    report: &KeptReport,
    to: &MailAddress,
) -> Result<ReportMail, String> {
    let finished = FinishedReport {
        domain: &report.domain,
        id: &report.report_id,
        made: u64::try_from(report.made.as_second()).unwrap_or_default(),
        summary: &report.summary,
        file_name: &report.file_name,
        compressed: &report.compressed,
    };
    let bounces = crate::bounce::address(&carrier.bounces, delivery.id, delivery.token);
    carrier.submitter.mail(&finished, to, &bounces).map_err(|error| error.to_string())
}

/// The command queues the mail: its exit code says whether it has it.
fn send_by_command(command: PathBuf, mail: &ReportMail) -> Outcome {
    match SendmailTransport::new_with_command(command).send_raw(&mail.envelope, &mail.bytes) {
        Ok(()) => Outcome::Delivered { answer: "taken by the sendmail command".into(), warning: None },
        Err(error) => Outcome::Deferred { answer: answer(error), wait: None, unknown: false },
    }
}
