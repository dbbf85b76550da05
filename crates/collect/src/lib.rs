//! The collector: receives datagrams on a local socket, counts them and keeps the counters in a store.

#![deny(unsafe_code)]

mod settings;

pub use settings::Settings;
