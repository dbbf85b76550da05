//! The C functions of `tlsrpt.h`: thin, and the only place for pointers from outside.
//!
//! Each function checks its pointers, calls the same core as the Rust interface and turns the answer into a code. The
//! doc comments of the functions are the comments of the header; each file here is one of its sections.

pub mod connection;
pub mod delivery_request;
pub mod errors;
mod pointers;
pub mod policy;
pub mod settings;
pub mod types;
pub mod version;
