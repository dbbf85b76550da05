//! `tlsrpt deliver`, the program, between a store and servers that take everything.

mod killed;
mod sinks;
