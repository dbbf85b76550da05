//! A host that sends reports, for the tests of the reporter.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{collections::HashSet, path::Path, time::Duration};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use tlsrpt_deliver::{
    Carrier, ContentSettings, MailAddress, MailRoute, PlanSettings, Privacy,
    https::HttpsClient,
    mail::Submitter,
    smtp::{Security, SmtpServer},
};
use tlsrpt_store::Url;

pub(crate) fn yesterday() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date().checked_sub(1.day()).unwrap()
}

/// The store in a folder.
pub(crate) fn url(folder: &Path) -> Url {
    Url::Sqlite(folder.join("tlsrpt.db"))
}

pub(crate) fn plan_settings() -> PlanSettings {
    PlanSettings {
        content: ContentSettings {
            organization: "Sender".into(),
            contact: "c@sender.example".into(),
            submitter: "sender.example".into(),
            host: "h".into(),
            max_size: 1 << 20,
            max_failure_details: 100,
            privacy: Privacy::default(),
        },
        max_destinations: 3,
        ports: vec![443],
        failures_only: false,
        exclude: HashSet::new(),
        report_mx_hosts: true,
    }
}

/// A mail server on this host.
pub(crate) fn smtp_server(port: u16, timeout: Duration) -> MailRoute {
    MailRoute::Smtp(SmtpServer {
        host: "127.0.0.1".into(),
        port,
        security: Security::Opportunistic,
        credentials: None,
        hello_name: "mail.sender.example".into(),
        timeout,
        authorities: vec![],
    })
}

pub(crate) fn carrier(mail: MailRoute, https: HttpsClient) -> Carrier {
    let address = |text: &str| text.parse::<MailAddress>().unwrap();
    Carrier {
        mail,
        submitter: Submitter { from: address("noreply@sender.example"), signer: None },
        bounces: address("tlsrpt-bounces@sender.example"),
        https,
    }
}
