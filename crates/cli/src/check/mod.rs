//! The checks of `tlsrpt check`, and their findings.

mod access;
mod dkim;
mod finding;
mod library;
mod postfix;
mod socket;

pub(crate) use access::Visitor;
pub(crate) use dkim::{LookUpTexts, check_dkim};
pub(crate) use finding::{Finding, Status};
pub(crate) use postfix::Postfix;
pub(crate) use socket::{Place, check_socket};
