//! Tests of `tlsrpt read`, `receive` and `received`, run as processes.

mod bombs;
mod host;
mod keeping;
mod reading;
