//! How the operator is told about an alert.

use tlsrpt_deliver::{Carrier, MailAddress, Outcome};
use tlsrpt_format::without_error_numbers;
use tlsrpt_store::Alert;

use crate::{call::call, words};

/// How the operator is told.
#[derive(Debug)]
pub enum Messenger {
    /// By a program with its arguments, which gets the facts as JSON on standard input.
    Command(Vec<String>),
    /// By a mail, sent as reports are.
    Mail {
        /// Sends it.
        carrier: Box<Carrier>,
        /// The recipient.
        to: MailAddress,
    },
}

impl Messenger {
    /// Tells the operator.
    ///
    /// # Errors
    ///
    /// Why that failed, in words.
    pub(crate) fn tell(&self, alert: &Alert) -> Result<(), String> {
        match self {
            Self::Command(command) => {
                call(command, &words::facts(alert).to_string()).map_err(|error| without_error_numbers(&error))
            }
            Self::Mail { carrier, to } => {
                match carrier.mail_note(to, &words::line(alert), &words::letter(alert), alert.begun) {
                    Outcome::Delivered { .. } => Ok(()),
                    Outcome::Deferred { answer, .. } | Outcome::Refused { answer } => Err(answer),
                }
            }
        }
    }
}
