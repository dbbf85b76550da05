//! The function that Exim calls: `${dlfunc{FILE}{FUNCTION}{ARGUMENT}...}` in its manual defines the interface.

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
    session::{Outcome, Session},
    text::lines,
};

/// A string in Exim's type.
type EximString = *mut u8;

/// The results of the function: the expansion continues, or it fails and Exim logs the answer. Neither changes the delivery.
const OK: c_int = 0;
const FAIL: c_int = 2;

/// Exim's function that writes a line to its logs, with a format as for `printf`.
type LogWrite = unsafe extern "C" fn(selector: c_uint, logs: c_int, format: *const c_char, ...);

/// Writes the line independently of `log_selector`.
const ALWAYS: c_uint = 0;
/// The line goes to the main log.
const MAIN_LOG: c_int = 1;

/// The connection of this process. A process of Exim has one outgoing connection at a time.
static SESSION: OneThread = OneThread(UnsafeCell::new(Session::new()));

/// A session that one thread uses.
struct OneThread(UnsafeCell<Session>);

// SAFETY: Sync requires that no two threads use the value at the same time. Exim has one thread.
unsafe impl Sync for OneThread {}

/// Whether this process has logged a mistake in its configuration. Every event shows the same mistake again.
static COMPLAINED: AtomicBool = AtomicBool::new(false);

/// Reads one of Exim's events, and sends the event for the collector when the result of the connection is known.
///
/// On success the answer is always the empty string: with any other answer Exim gives up the connection. A NULL
/// argument counts as an empty one. Call it from one thread only.
///
/// # Safety
///
/// `answer` is NULL or valid for writing a pointer. `argv` is NULL or valid for reading `argc` pointers, each of which is NULL
/// or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsrpt_event(answer: *mut EximString, argc: c_int, argv: *const EximString) -> c_int {
    let Some(answer) = NonNull::new(answer) else { return FAIL };
    // SAFETY: the pointer must be valid for writes. It is not NULL, so the caller guarantees that.
    unsafe { answer.write(exim_string(c"")) };
    let mut texts: [&[u8]; ARGUMENTS] = [b""; ARGUMENTS];
    // SAFETY: the caller guarantees the same for `argv`; the strings outlive this call, and so the texts.
    let count = unsafe { read_arguments(&mut texts, argc, argv) };
    let arguments = texts.get(..count);
    if arguments.is_some_and(is_of_no_interest) {
        return OK;
    }
    let call = match arguments.map_or(Err(c"too many arguments"), Call::read) {
        Ok(call) => call,
        Err(mistake) => return log_mistake(answer, mistake),
    };
    match process(&call) {
        Ok(Some(outcome)) if call.facts.log => log_sent(call.domain, outcome),
        Ok(_) => OK,
        Err(error) => log_lost(answer, call.domain, error),
    }
}

/// Fills `texts` with the arguments and returns their number. A missing argument counts as an empty one.
///
/// # Safety
///
/// `argv` is NULL or valid for reading `argc` pointers, each of which is NULL or a string that outlives the texts.
unsafe fn read_arguments(texts: &mut [&[u8]; ARGUMENTS], argc: c_int, argv: *const EximString) -> usize {
    if argv.is_null() {
        return 0;
    }
    let count = usize::try_from(argc).unwrap_or(0);
    for (position, text) in texts.iter_mut().enumerate().take(count) {
        // SAFETY: `argv` must be readable at `position`. That is below `argc`, so the caller guarantees it.
        let argument = unsafe { *argv.add(position) };
        if !argument.is_null() {
            // SAFETY: the pointer must be a C string that outlives the text. It is not NULL, so the caller guarantees
            // that.
            *text = unsafe { CStr::from_ptr(argument.cast()) }.to_bytes();
        }
    }
    count
}

/// Adds the event to the session, and sends the outcome if it is known now. Returns the outcome that was sent.
fn process<'a>(call: &Call<'a>) -> Result<Option<Outcome<'a>>, Error> {
    // SAFETY: time() accepts NULL, and only returns the time then.
    let now = unsafe { libc::time(ptr::null_mut()) };
    // SAFETY: no other reference may exist. Exim has one thread, and nothing below calls the module again.
    let session = unsafe { &mut *SESSION.0.get() };
    let Some(outcome) = session.add(call, now) else { return Ok(None) };
    let Some(record) = only_record(lines(call.records)) else { return Ok(None) };
    report::send(call, record, outcome, session.ehlo())?;
    Ok(Some(outcome))
}

/// Logs a mistake in the configuration, once in a process.
fn log_mistake(answer: NonNull<EximString>, mistake: Mistake) -> c_int {
    if COMPLAINED.swap(true, Ordering::Relaxed) {
        return OK;
    }
    match log_write() {
        Some(log_write) => {
            // SAFETY: the arguments must match the format, which takes one string.
            unsafe { log_write(ALWAYS, MAIN_LOG, c"TLSRPT: wrong call: %s".as_ptr(), mistake.as_ptr()) };
            OK
        }
        None => fail(answer, mistake),
    }
}

/// Logs that an event is lost.
fn log_lost(answer: NonNull<EximString>, domain: &[u8], error: Error) -> c_int {
    let text = error.kind().text();
    let Some(log_write) = log_write() else { return fail(answer, text) };
    let length = c_int::try_from(domain.len()).unwrap_or(0);
    match error.errno() {
        Some(errno) => {
            let format = c"TLSRPT: no event for %.*s: %s: %s";
            // SAFETY: strerror() accepts any number. The string is valid until the next call, which is after its use.
            let reason = unsafe { libc::strerror(errno) };
            // SAFETY: the arguments must match the format, which takes a length, that many bytes, and two strings.
            unsafe { log_write(ALWAYS, MAIN_LOG, format.as_ptr(), length, domain.as_ptr(), text.as_ptr(), reason) };
        }
        None => {
            let format = c"TLSRPT: no event for %.*s: %s";
            // SAFETY: the arguments must match the format, which takes a length, that many bytes, and a string.
            unsafe { log_write(ALWAYS, MAIN_LOG, format.as_ptr(), length, domain.as_ptr(), text.as_ptr()) };
        }
    }
    OK
}

/// Logs that an event was sent, for an administrator who wants to see that it works.
fn log_sent(domain: &[u8], outcome: Outcome<'_>) -> c_int {
    if let Some(log_write) = log_write() {
        let format = c"TLSRPT: event for %.*s sent: %.*s, %.*s";
        let (policy, result) = (outcome.policy_name(), outcome.result_name());
        let length = |text: &[u8]| c_int::try_from(text.len()).unwrap_or(0);
        // SAFETY: the arguments must match the format, which takes three times a length and that many bytes.
        unsafe {
            log_write(
                ALWAYS,
                MAIN_LOG,
                format.as_ptr(),
                length(domain),
                domain.as_ptr(),
                length(policy.as_bytes()),
                policy.as_ptr(),
                length(result.as_bytes()),
                result.as_ptr(),
            );
        }
    }
    OK
}

/// Makes the expansion fail, so that Exim itself logs the text.
fn fail(answer: NonNull<EximString>, text: &'static CStr) -> c_int {
    // SAFETY: the pointer must be valid for writes. The caller of `tlsrpt_event` guarantees that.
    unsafe { answer.write(exim_string(text)) };
    FAIL
}

/// Exim's log function. An Exim with `${dlfunc}` exports it to modules.
fn log_write() -> Option<LogWrite> {
    // SAFETY: dlsym() takes a C string; the literal is one.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"log_write".as_ptr()) };
    // SAFETY: the types must match. Exim's interface for modules (local_scan.h) declares `log_write` with this type.
    NonNull::new(found).map(|function| unsafe { mem::transmute::<NonNull<_>, LogWrite>(function) })
}

/// The text in Exim's type. Exim does not write to an answer.
fn exim_string(text: &'static CStr) -> EximString {
    text.as_ptr().cast::<u8>().cast_mut()
}

/// A library without std needs this to link. No code in the finished module calls it (check.sh).
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: abort has no preconditions.
    unsafe { libc::abort() }
}
