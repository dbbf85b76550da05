//! `tlsrpt completions`: prints the completions that `make install` installs for the shells.

use std::io::Write;

use clap_complete::Shell;

use crate::{failure::Failure, output};

/// Prints the completions for a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    shell: Shell,
}

pub(crate) fn run(arguments: Arguments, mut definition: clap::Command) -> Result<(), Failure> {
    // The generator panics if it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut definition, "tlsrpt", &mut script);
    let mut out = output::for_scripts();
    out.write_all(&script)?;
    Ok(out.flush()?)
}
