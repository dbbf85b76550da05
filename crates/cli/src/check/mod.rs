//! The checks of `tlsrpt check`, and their findings.

mod access;
mod finding;
mod library;
mod postfix;
mod socket;

pub(crate) use access::Visitor;
pub(crate) use finding::{Finding, Status};
pub(crate) use postfix::Postfix;
pub(crate) use socket::{Place, check_socket};
