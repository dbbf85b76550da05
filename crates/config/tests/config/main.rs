//! The configuration file, as services read it.

mod contradicting;
mod files;
mod generated_files;
mod misspelt;
mod showing;

use std::path::Path;

use tlsrpt_config::{Loaded, load_text};

/// What a text gives.
fn loaded(text: &str) -> Loaded {
    load_text(Path::new("f.toml"), text).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

/// What is wrong with a text, by line.
fn problems(text: &str) -> Vec<String> {
    match load_text(Path::new("f.toml"), text) {
        Ok(_) => panic!("nothing is wrong with {text}"),
        Err(problems) => problems.lines().collect(),
    }
}
