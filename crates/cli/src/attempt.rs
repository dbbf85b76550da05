//! Work for a mail server that starts this program for a mail. Of a program that ends in any other way than with success or the
//! request to try again, a mail server returns the mail to its sender, or drops it.

use nix::{
    errno::Errno,
    sys::{
        signal::{SigHandler, Signal, signal},
        wait::{WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, fork},
};

use crate::failure::{DATA_ERROR, Failure, NO_PERMISSION, TRY_AGAIN, cannot};

/// The subcommands that a mail server starts.
const SUBCOMMANDS: [&str; 2] = ["receive", "bounce"];

/// Whether a mail server starts this subcommand.
pub(crate) fn is_for_mail_server(subcommand: &str) -> bool {
    SUBCOMMANDS.contains(&subcommand)
}

/// The mail server tries again later, so nothing is lost.
pub(crate) fn again(failure: Failure) -> Failure {
    Failure::TryAgain(Box::new(failure))
}

/// Does the work in a process of its own, which it must be called in before any thread is started. If that process does not end
/// with a result, because memory is short or by an error of this program, the mail server tries again.
pub(crate) fn apart(work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    match start().map_err(cannot("start a process")).map_err(again)? {
        ForkResult::Child => work(),
        ForkResult::Parent { child } => outcome(child),
    }
}

#[expect(unsafe_code, reason = "changes a signal, and forks")]
fn start() -> nix::Result<ForkResult> {
    // SAFETY: the default action of a signal calls no function of this program. No other thread exists that could hold a lock which
    // the child needs. The signal may be ignored since the mail server, and the end of the child would not be told then.
    unsafe {
        signal(Signal::SIGCHLD, SigHandler::SigDfl)?;
        fork()
    }
}

/// How the work ended in the process that did it. It has told why.
fn outcome(worker: Pid) -> Result<(), Failure> {
    let ended = loop {
        match waitpid(worker, None) {
            Err(Errno::EINTR) => {}
            ended => break ended,
        }
    };
    let how = match ended {
        Ok(WaitStatus::Exited(_, 0)) => return Ok(()),
        Ok(WaitStatus::Exited(_, code)) => match u8::try_from(code) {
            Ok(code @ (TRY_AGAIN | DATA_ERROR | NO_PERMISSION)) => return Err(Failure::Told(code)),
            _ => format!("ended with the exit code {code}"),
        },
        Ok(WaitStatus::Signaled(_, signal, _)) => format!("was ended by {signal}"),
        Ok(other) => format!("ended: {other:?}"),
        Err(error) => format!("ended: {}", error.desc()),
    };
    let text =
        format!("the process that read the mail {how}, as it does when memory is short; the mail is to be tried again");
    Err(again(Failure::Failed(text)))
}
