//! The function that Exim calls, by the contract of `${dlfunc{FILE}{FUNCTION}{ARGUMENT}...}` in its manual.

use core::{
    cell::UnsafeCell,
    ffi::{CStr, c_char, c_int, c_uint},
    mem,
    ptr::{self, NonNull},
    sync::atomic::{AtomicBool, Ordering},
};

use tlsrpt::{Error, only_record};

use crate::{
    call::{ARGUMENTS, Call, Mistake, is_of_no_interest},
    report,
    session::Session,
    text::lines,
};

/// A string of Exim's.
type EximString = *mut u8;

/// What the function returns: the expansion goes on, or it fails and Exim logs why. Both leave the delivery as it is.
const OK: c_int = 0;
const FAIL: c_int = 2;

/// Exim's function for a line in one of its logs, with a format like that of `printf`.
type LogWrite = unsafe extern "C" fn(selector: c_uint, logs: c_int, format: *const c_char, ...);

/// Regardless of `log_selector`, in the main log.
const ALWAYS: c_uint = 0;
const MAIN_LOG: c_int = 1;

/// The connection of this process. Exim delivers with one process for each connection at a time.
static SESSION: Only = Only(UnsafeCell::new(Session::new()));

/// What is there once, and used by one thread.
struct Only(UnsafeCell<Session>);

// SAFETY: Exim has one thread.
unsafe impl Sync for Only {}

/// Whether this process has complained about its configuration: one mistake shows with every event.
static COMPLAINED: AtomicBool = AtomicBool::new(false);

/// Takes in one of Exim's events and reports the result of the connection when it is known.
///
/// The answer is the empty string, for anything else would tell Exim to give up the connection. Not for several threads.
///
/// # Safety
///
/// `answer` points to a variable, and `argv` to `argc` strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_event(answer: *mut EximString, argc: c_int, argv: *const EximString) -> c_int {
    let Some(answer) = NonNull::new(answer) else { return FAIL };
    // SAFETY: Exim passes a variable of its own.
    unsafe { answer.write(exim_string(c"")) };
    let mut texts: [&[u8]; ARGUMENTS] = [b""; ARGUMENTS];
    // SAFETY: passed on from the caller.
    let count = unsafe { read_arguments(&mut texts, argc, argv) };
    let arguments = texts.get(..count);
    if arguments.is_some_and(is_of_no_interest) {
        return OK;
    }
    let call = match arguments.map_or(Err(c"too many arguments"), Call::read) {
        Ok(call) => call,
        Err(mistake) => return complain(answer, mistake),
    };
    match take_in(&call) {
        Ok(()) => OK,
        Err(error) => log_failure(answer, call.domain, error),
    }
}

/// Copies the arguments into `texts` and says how many there are.
///
/// # Safety
///
/// `argv` points to `argc` strings, which outlive the texts.
unsafe fn read_arguments(texts: &mut [&[u8]; ARGUMENTS], argc: c_int, argv: *const EximString) -> usize {
    let count = usize::try_from(argc).unwrap_or(0);
    for (position, text) in texts.iter_mut().enumerate().take(count) {
        // SAFETY: passed on from the caller; `position` is below `argc`.
        *text = unsafe { CStr::from_ptr((*argv.add(position)).cast()) }.to_bytes();
    }
    count
}

fn take_in(call: &Call<'_>) -> Result<(), Error> {
    // SAFETY: takes no pointer that is not NULL.
    let now = unsafe { libc::time(ptr::null_mut()) };
    // SAFETY: Exim has one thread, and nothing that is called from here calls the module.
    let session = unsafe { &mut *SESSION.0.get() };
    let Some(outcome) = session.hear(call, now) else { return Ok(()) };
    match only_record(lines(call.records)) {
        Some(record) => report::send(call, record, outcome, session.ehlo()),
        None => Ok(()),
    }
}

/// A line in Exim's log, once in a process, about a configuration that cannot work.
fn complain(answer: NonNull<EximString>, mistake: Mistake) -> c_int {
    if COMPLAINED.swap(true, Ordering::Relaxed) {
        return OK;
    }
    match log_write() {
        Some(log_write) => {
            // SAFETY: the format takes one string.
            unsafe { log_write(ALWAYS, MAIN_LOG, c"TLSRPT: wrong call: %s".as_ptr(), mistake.as_ptr()) };
            OK
        }
        None => fail(answer, mistake),
    }
}

/// A line in Exim's log about an event that is lost.
fn log_failure(answer: NonNull<EximString>, domain: &[u8], error: Error) -> c_int {
    let text = error.kind().text();
    let Some(log_write) = log_write() else { return fail(answer, text) };
    let reason = match error.errno() {
        // SAFETY: libc answers any number with a string, valid until the next call in this thread.
        Some(errno) => unsafe { libc::strerror(errno) }.cast_const(),
        None => c"".as_ptr(),
    };
    let format = c"TLSRPT: no event for %.*s: %s: %s";
    let length = c_int::try_from(domain.len()).unwrap_or(0);
    // SAFETY: the format takes a length with that many bytes, and two strings.
    unsafe { log_write(ALWAYS, MAIN_LOG, format.as_ptr(), length, domain.as_ptr(), text.as_ptr(), reason) };
    OK
}

/// Lets the expansion fail, so that Exim itself logs the text.
fn fail(answer: NonNull<EximString>, text: &'static CStr) -> c_int {
    // SAFETY: as in `tlsrpt_event`.
    unsafe { answer.write(exim_string(text)) };
    FAIL
}

/// Exim's log function, which an Exim with `${dlfunc}` offers to modules.
fn log_write() -> Option<LogWrite> {
    // SAFETY: searches what is loaded for a name.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"log_write".as_ptr()) };
    // SAFETY: Exim's interface for modules (local_scan.h) has a function of this type under this name.
    NonNull::new(found).map(|function| unsafe { mem::transmute::<NonNull<_>, LogWrite>(function) })
}

/// Exim takes a pointer to bytes that it could write to, and does not.
fn exim_string(text: &'static CStr) -> EximString {
    text.as_ptr().cast::<u8>().cast_mut()
}

/// A library without std needs this to link. Nothing in the finished module leads here.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: has no preconditions.
    unsafe { libc::abort() }
}
