//! `tlsrpt deliver`, `serve`, `reports`, `suppress` and `bounce` through the binary, with a mail server and an HTTPS server that
//! are scripted.

mod alerts;
mod clock;
mod commands;
mod host;
#[path = "../../../deliver/tests/sinks/https.rs"]
mod https_sink;
mod midnight;
mod outcomes;
#[path = "../../../deliver/tests/sinks/smtp.rs"]
mod smtp_sink;
