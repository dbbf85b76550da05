//! What the fuzzers, the property tests and the corpus share: the contract of `tlsrpt.h` once more, written for plainness
//! instead of speed, and the two ways to hold a library against it.
//!
//! - [`any_calls`]: any calls in any order with any arguments, to our library, against the model.
//! - [`both_libraries`]: calls that the C library survives, to both libraries, against each other.

pub mod allocators;
pub mod any_calls;
pub mod both_libraries;
pub mod calls;
pub mod collector;
pub mod corpus;
pub mod datagram;
pub mod errno;
pub mod library;
pub mod request;
pub mod text;
