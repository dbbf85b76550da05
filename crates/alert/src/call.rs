//! Calls the command of the operator.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// How long the command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it looks whether the command has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Calls the program with its arguments, without a shell. It gets `input` on standard input; its standard error is that of this
/// process.
///
/// # Errors
///
/// In words: it cannot be started, it failed, or it was ended after 30 seconds.
pub(crate) fn call(command: &[String], input: &str) -> Result<(), String> {
    let (program, arguments) = command.split_first().ok_or("the command is empty")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // Its own group, so that its children can be ended with it.
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{program}: {}", error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // The facts fit into the buffer of a pipe, so this does not wait. A command need not read them.
        let _ = stdin.write_all(input.as_bytes());
    }
    match wait(&mut child) {
        Ok(Some(status)) if status.success() => Ok(()),
        Ok(Some(status)) => Err(format!("{program}: {status}")),
        Ok(None) => Err(format!("{program}: ended because it took longer than {} seconds", PATIENCE.as_secs())),
        Err(error) => Err(format!("{program}: {}", error)),
    }
}

/// Waits for the end of the command. `None` if it was killed because it took too long.
fn wait(child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            if let Ok(group) = i32::try_from(child.id()) {
                let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
            }
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}
