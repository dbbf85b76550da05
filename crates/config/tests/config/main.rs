//! The configuration file, as services read it.

mod contradicting;
mod files;
mod generated_files;
mod misspelt;
mod showing;

use std::path::Path;

use tlsrpt_config::{Loaded, load_text};

/// The configuration from a text without problems.
fn loaded(text: &str) -> Loaded {
    load_text(Path::new("f.toml"), text).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

/// The problems of a text, by line.
fn problems(text: &str) -> Vec<String> {
    match load_text(Path::new("f.toml"), text) {
        Ok(_) => panic!("there is no problem in {text}"),
        Err(problems) => problems.lines().collect(),
    }
}
