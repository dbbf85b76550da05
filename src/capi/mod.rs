//! The C functions of `tlsrpt.h`. Only this module handles pointers that the caller passes.
//!
//! Each function checks its pointers, calls the core that the Rust interface calls, and converts the result into a code.
//! Each file here is a section of the header; the doc comments become the comments of the header.

pub mod connection;
pub mod delivery_request;
pub mod errors;
mod pointers;
pub mod policy;
pub mod settings;
pub mod types;
pub mod version;
