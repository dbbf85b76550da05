//! Common code of the fuzzers, the property tests and the corpus: a model of the contract in `tlsrpt.h`, written for
//! simplicity instead of speed, and two ways to test a library against it.
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
