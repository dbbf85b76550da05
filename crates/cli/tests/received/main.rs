//! Tests of `tlsrpt read`, `receive` and `received`, run as processes.

mod host;
mod keeping;
mod reading;
