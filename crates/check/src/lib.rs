//! The checks of `tlsrpt check`: they find what keeps a mail server from reporting TLS results, and receivers from
//! accepting its reports.
//!
//! - [`Finding`]: the result of one check, with its [`Remedy`], which ends in a command that can be pasted.
//! - [`Collector`]: how the collector of this host is started, for the remedies.
//! - [`Postfix`]: the checks of a configuration of Postfix, its running processes and its socket.
//! - [`Exim`], [`Sendmail`]: the same for these.
//! - [`check_socket`], [`check_store`], [`check_spool`], [`check_reports`], [`check_dkim`]: the checks of the collector, and of the
//!   sender and the signatures of reports.
//!
//! No check writes or sends an event. Each reads a bounded amount and ends within seconds.

#![forbid(unsafe_code)]

mod access;
mod bounded;
mod collector;
mod dkim;
mod dns;
mod drop_in;
mod exim;
mod finding;
mod library;
mod mail_routes;
mod mail_servers;
mod milter;
mod packages;
mod paste;
mod postfix;
mod processes;
mod remedy;
mod reports;
mod sender;
mod sendmail;
mod signature;
mod socket;
mod socket_map;
mod spool;
mod store;
mod table;
mod toml;

pub use access::Visitor;
pub use collector::Collector;
pub use dkim::{LookUpTexts, MailServer, check_dkim};
pub use exim::Exim;
pub use finding::{Finding, Status};
pub use library::{Maker, SEPARATOR};
pub use postfix::{Postfix, instances};
pub use remedy::Remedy;
pub use reports::check_reports;
pub use sender::Sender;
pub use sendmail::{Sendmail, check_sendmail_socket};
pub use socket::{Place, check_socket};
pub use spool::check_spool;
pub use store::check_store;
