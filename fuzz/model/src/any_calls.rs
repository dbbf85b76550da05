//! Any of the 19 functions in any order, with any arguments: NULL, handles whose connection is gone, handles of another
//! connection, any bytes, sizes up to what the system sends, an allocator that fails. Held against the model call by
//! call: the code, errno, the handle; at the end the datagrams, the blocks and the descriptors.

use std::{
    cell::RefCell,
    collections::VecDeque,
    ffi::CStr,
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tlsrpt::ErrorKind;

use crate::{
    allocators::{self, Pair},
    calls::{self, Allocator, Call, Place, slot},
    collector::{Collector, Name},
    datagram::Failure,
    errno,
    library::{ConnectionHandle, DeliveryRequestHandle, Library},
    request::Request,
    text::Argument,
};

const CONNECTIONS: usize = 3;
const REQUESTS: usize = 4;
/// What errno holds before each call: no error that the system knows.
const UNTOUCHED: i32 = 4321;

/// A connection in the model.
#[derive(Clone, Copy)]
struct Connection {
    /// The code of a send; `None` if it depends on the system.
    answer: Option<i32>,
    listens: bool,
}

struct Run<'c> {
    ours: Library,
    collector: &'c mut Collector,
    connections: [*mut ConnectionHandle; CONNECTIONS],
    requests: [*mut DeliveryRequestHandle; REQUESTS],
    /// Every connection ever made, also those that are closed while requests still use them.
    opened: Vec<Connection>,
    current: [Option<usize>; CONNECTIONS],
    models: [Option<Request>; REQUESTS],
    expected: VecDeque<String>,
    reads: bool,
    blocking: bool,
}

/// Makes calls of these bytes and panics where an answer is not the model's.
pub fn run(bytes: &[u8]) {
    thread_local! {
        static COLLECTOR: RefCell<Collector> = RefCell::new(Collector::start());
    }
    let Ok(calls) = calls::read(bytes) else { return };
    // The settings and the descriptors are the process's.
    let _one_at_a_time = settings();
    COLLECTOR.with_borrow_mut(|collector| run_calls(&calls, collector));
}

/// The settings of our library. The holder is its only user.
pub fn settings() -> MutexGuard<'static, ()> {
    static SETTINGS: Mutex<()> = Mutex::new(());
    SETTINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run_calls(calls: &[Call<'_>], collector: &mut Collector) {
    let mut run = Run::new(collector);
    let free_descriptor = lowest_free_descriptor();
    let blocks_before = allocators::balance();
    for call in calls {
        run.call(call);
    }
    run.end();
    assert_eq!(allocators::balance(), blocks_before, "every block is back, with the pair that it came from");
    assert_eq!(lowest_free_descriptor(), free_descriptor, "every descriptor is closed");
}

impl<'c> Run<'c> {
    fn new(collector: &'c mut Collector) -> Self {
        Self {
            ours: Library::ours(),
            collector,
            connections: [ptr::null_mut(); CONNECTIONS],
            requests: [ptr::null_mut(); REQUESTS],
            opened: Vec::new(),
            current: [None; CONNECTIONS],
            models: [const { None }; REQUESTS],
            expected: VecDeque::new(),
            reads: true,
            blocking: false,
        }
    }

    fn call(&mut self, call: &Call<'_>) {
        errno::set(UNTOUCHED);
        allocators::take_failure();
        match call {
            Call::Open(place, name) => self.open(*place, name),
            Call::Close(place) => self.close(*place),
            Call::GetSocket(place) => self.get_socket(*place),
            Call::InitDeliveryRequest(place, connection, domain, record) => {
                self.init(*place, *connection, domain.value(), record.value());
            }
            Call::CancelDeliveryRequest(place) => self.cancel(*place),
            Call::FinishDeliveryRequest(place) => self.finish(*place),
            Call::InitPolicy(place, policy_type, domain) => self.init_policy(*place, *policy_type, domain.value()),
            Call::FinishPolicy(place, result) => self.finish_policy(*place, *result),
            Call::AddPolicyString(place, text) => self.add_policy_string(*place, text.value()),
            Call::AddMxHostPattern(place, text) => self.add_mx_host_pattern(*place, text.value()),
            Call::AddFailure(place, failure_type, texts) => {
                let texts = texts.clone().map(|text| text.value());
                self.add_failure(*place, Failure { failure_type: *failure_type, texts });
            }
            other => self.call_without_handle(other),
        }
    }

    fn call_without_handle(&mut self, call: &Call<'_>) {
        let ours = self.ours;
        match *call {
            Call::VersionCheck(major, minor, patch) => {
                let expected = major == 0 && minor <= 5;
                assert_eq!((ours.version_check)(major, minor, patch), i32::from(expected));
            }
            Call::Version => assert_eq!(static_text((ours.version)()), "0.5.1"),
            Call::ErrnoFromErrorCode(code) => assert_eq!((ours.errno_from_error_code)(code), code % 1000),
            Call::ErrorCodeIsInternal(code) => {
                assert_eq!((ours.error_code_is_internal)(code), i32::from(code - code % 1000 == 10000));
            }
            Call::StrError(code) => assert!(!static_text((ours.strerror)(code)).is_empty()),
            Call::SetBlocking => {
                self.drain();
                (self.reads, self.blocking) = (true, true);
                errno::set(UNTOUCHED);
                (ours.set_blocking)();
            }
            Call::SetNonblocking => {
                self.blocking = false;
                (ours.set_nonblocking)();
            }
            Call::SetMallocAndFree(allocator) => allocator.install(ours),
            Call::Starve(successes, number) => allocators::fail_after(Some((successes % 8, number))),
            Call::CollectorReads(reads) => {
                self.reads = reads || self.blocking;
                self.drain_if_reading();
                errno::set(UNTOUCHED);
            }
            _ => unreachable!("the calls with handles are elsewhere"),
        }
        assert_eq!(errno::get(), UNTOUCHED);
    }

    // ---- connections

    fn open(&mut self, place: Place, name: &Name<'_>) {
        let name_bytes = self.collector.resolve(name);
        let argument = Argument::new(name_bytes.as_deref());
        // The old value must not be used: here an invalid pointer.
        let mut handle = ptr::dangling_mut();
        let slot = slot(place, CONNECTIONS);
        let variable = if slot.is_some() { &raw mut handle } else { ptr::null_mut() };
        // SAFETY: NULL or a variable; NULL or a string.
        let code = unsafe { (self.ours.open)(variable, argument.as_ptr()) };
        let expected = match &name_bytes {
            _ if slot.is_none() => ErrorKind::NullArgument as i32,
            None => ErrorKind::NullArgument as i32,
            Some(bytes) if bytes.len() > 107 => ErrorKind::SocketNameTooLong as i32,
            Some(_) => starved(ErrorKind::AllocateConnection).unwrap_or(0),
        };
        check(code, expected);
        let Some(slot) = slot else { return };
        assert_eq!(handle.is_null(), code != 0, "a handle, or an error");
        if code == 0 {
            self.close(slot as Place + 1);
            self.connections[slot] = handle;
            self.current[slot] = Some(self.opened.len());
            self.opened.push(Connection { answer: answer(name), listens: matches!(name, Name::Collector) });
        }
    }

    fn close(&mut self, place: Place) {
        errno::set(UNTOUCHED);
        let slot = slot(place, CONNECTIONS);
        let expected = slot.and_then(|slot| self.current[slot].take()).map_or(ErrorKind::NoConnection as i32, |_| 0);
        let variable = slot.map_or(ptr::null_mut(), |slot| &raw mut self.connections[slot]);
        // SAFETY: NULL or a variable that holds NULL or a handle.
        check(unsafe { (self.ours.close)(variable) }, expected);
        assert!(slot.is_none_or(|slot| self.connections[slot].is_null()));
    }

    fn get_socket(&mut self, place: Place) {
        let handle = slot(place, CONNECTIONS).map_or(ptr::null_mut(), |slot| self.connections[slot]);
        // SAFETY: NULL or a handle.
        let descriptor = unsafe { (self.ours.get_socket)(handle) };
        assert_eq!(errno::get(), UNTOUCHED);
        assert_eq!(descriptor == -1, handle.is_null());
        // SAFETY: takes no pointers.
        assert!(handle.is_null() || unsafe { libc::fcntl(descriptor, libc::F_GETFD) } & libc::FD_CLOEXEC != 0);
    }

    // ---- delivery requests

    fn init(&mut self, place: Place, connection: Place, domain: Option<Vec<u8>>, record: Option<Vec<u8>>) {
        let connection = slot(connection, CONNECTIONS);
        let handle = connection.map_or(ptr::null_mut(), |slot| self.connections[slot]);
        let (d, r) = (Argument::new(domain.as_deref()), Argument::new(record.as_deref()));
        let mut request = ptr::dangling_mut();
        let slot = slot(place, REQUESTS);
        let variable = if slot.is_some() { &raw mut request } else { ptr::null_mut() };
        // SAFETY: NULL or a variable; NULL or a handle; NULL or strings.
        let code = unsafe { (self.ours.init_delivery_request)(variable, handle, d.as_ptr(), r.as_ptr()) };
        let connection = connection.and_then(|slot| self.current[slot]);
        let Some(slot) = slot else { return check(code, ErrorKind::NullArgument as i32) };
        assert_eq!(request.is_null(), code != 0, "a handle, or an error");
        let Some(connection) = connection else { return check(code, ErrorKind::NoConnection as i32) };
        let (Some(domain), Some(record)) = (domain, record) else {
            return check(code, ErrorKind::NullArgument as i32);
        };
        if let Some(number) = allocators::take_failure() {
            // The block of the request, or the growth of its text.
            let block = code - code % 1000;
            assert!([ErrorKind::AllocateRequest as i32, ErrorKind::WriteRequest as i32].contains(&block), "{code}");
            return check(code % 1000, errno_in_code(number));
        }
        check(code, 0);
        self.cancel(slot as Place + 1);
        self.requests[slot] = request;
        self.models[slot] = Some(Request::new(connection, domain, record));
    }

    fn cancel(&mut self, place: Place) {
        errno::set(UNTOUCHED);
        let slot = slot(place, REQUESTS);
        let model = slot.and_then(|slot| self.models[slot].take());
        let variable = slot.map_or(ptr::null_mut(), |slot| &raw mut self.requests[slot]);
        // SAFETY: NULL or a variable that holds NULL or a handle.
        let code = unsafe { (self.ours.cancel_delivery_request)(variable) };
        check(code, model.map_or(ErrorKind::NullArgument as i32, |model| model.first_error()));
        assert!(slot.is_none_or(|slot| self.requests[slot].is_null()));
    }

    fn finish(&mut self, place: Place) {
        let slot = slot(place, REQUESTS);
        let model = slot.and_then(|slot| self.models[slot].take());
        let variable = slot.map_or(ptr::null_mut(), |slot| &raw mut self.requests[slot]);
        // SAFETY: NULL or a variable that holds NULL or a handle.
        let code = unsafe { (self.ours.finish_delivery_request)(variable) };
        assert!(slot.is_none_or(|slot| self.requests[slot].is_null()));
        let Some(model) = model else { return check(code, ErrorKind::NullArgument as i32) };
        let connection = self.opened[model.connection];
        match model.finish() {
            Err(refusal) => check(code, refusal),
            Ok(_) if allocators::take_failure().is_some_and(|number| self.no_memory(code, number)) => {}
            Ok(datagram) => self.sent(connection, datagram, code),
        }
        self.drain_if_reading();
    }

    fn no_memory(&self, code: i32, number: i32) -> bool {
        check(code, ErrorKind::FinishRequest as i32 + errno_in_code(number));
        true
    }

    fn sent(&mut self, connection: Connection, datagram: String, code: i32) {
        let queue_full = ErrorKind::Send as i32 + libc::EAGAIN;
        match connection.answer {
            Some(0) if !self.reads && code == queue_full => {}
            // Beyond the largest buffer that the system allows.
            Some(0) if datagram.len() > LARGE => assert!(code == 0 || code == ErrorKind::Send as i32 + libc::EMSGSIZE),
            Some(expected) => check(code, expected),
            None => assert!(code == 0 || code - code % 1000 == ErrorKind::Send as i32, "{code}"),
        }
        if code == 0 {
            assert_eq!(errno::get(), UNTOUCHED);
            assert!(connection.listens, "someone got a datagram");
            self.expected.push_back(datagram);
        }
    }

    // ---- policies

    fn init_policy(&mut self, place: Place, policy_type: i32, domain: Option<Vec<u8>>) {
        let argument = Argument::new(domain.as_deref());
        // SAFETY: NULL or a handle; NULL or a string.
        let code = unsafe { (self.ours.init_policy)(self.request(place), policy_type, argument.as_ptr()) };
        self.step(place, code, ErrorKind::WritePolicy, |model| model.begin_policy(policy_type, domain));
    }

    fn finish_policy(&mut self, place: Place, result: i32) {
        // SAFETY: NULL or a handle.
        let code = unsafe { (self.ours.finish_policy)(self.request(place), result) };
        self.step(place, code, ErrorKind::FinishPolicy, |model| model.finish_policy(result));
    }

    fn add_policy_string(&mut self, place: Place, text: Option<Vec<u8>>) {
        let argument = Argument::new(text.as_deref());
        // SAFETY: NULL or a handle; NULL or a string.
        let code = unsafe { (self.ours.add_policy_string)(self.request(place), argument.as_ptr()) };
        self.step(place, code, ErrorKind::WritePolicyString, |model| model.add_policy_string(text));
    }

    fn add_mx_host_pattern(&mut self, place: Place, text: Option<Vec<u8>>) {
        let argument = Argument::new(text.as_deref());
        // SAFETY: NULL or a handle; NULL or a string.
        let code = unsafe { (self.ours.add_mx_host_pattern)(self.request(place), argument.as_ptr()) };
        self.step(place, code, ErrorKind::WriteMxHostPattern, |model| model.add_mx_host_pattern(text));
    }

    fn add_failure(&mut self, place: Place, failure: Failure) {
        let [s, n, h, r, a, f] = failure.texts.each_ref().map(|text| Argument::new(text.as_deref()));
        let add = self.ours.add_delivery_request_failure;
        let [s, n, h, r, a, f] = [&s, &n, &h, &r, &a, &f].map(Argument::as_ptr);
        // SAFETY: NULL or a handle; NULL or strings, which live until the end of this function.
        let code = unsafe { add(self.request(place), failure.failure_type, s, n, h, r, a, f) };
        self.step(place, code, ErrorKind::WriteFailure, |model| model.add_failure(failure));
    }

    fn request(&self, place: Place) -> *mut DeliveryRequestHandle {
        slot(place, REQUESTS).map_or(ptr::null_mut(), |slot| self.requests[slot])
    }

    /// Holds a step against the model, unless it lacked memory: that is the request's error from then on.
    fn step(&mut self, place: Place, code: i32, lacking: ErrorKind, step: impl FnOnce(&mut Request) -> i32) {
        let Some(model) = slot(place, REQUESTS).and_then(|slot| self.models[slot].as_mut()) else {
            return check(code, ErrorKind::NullArgument as i32);
        };
        match starved(lacking) {
            Some(expected) => {
                check(code, expected);
                model.fail(code);
            }
            None => check(code, step(model)),
        }
    }

    // ---- the collector

    fn drain_if_reading(&mut self) {
        if self.reads {
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(datagram) = self.collector.receive() {
            let expected = self.expected.pop_front().expect("a datagram that the model does not send");
            assert!(datagram == expected.as_bytes(), "{} is not {expected}", String::from_utf8_lossy(datagram));
            serde_json::from_slice::<serde_json::Value>(datagram).expect("JSON");
        }
        assert!(self.expected.is_empty(), "a datagram is lost");
    }

    /// Ends whatever is still open, in an order that leaves requests without their connections.
    fn end(&mut self) {
        allocators::fail_after(None);
        for slot in 0..CONNECTIONS {
            self.close(slot as Place + 1);
        }
        for slot in 0..REQUESTS {
            errno::set(UNTOUCHED);
            if slot % 2 == 0 { self.cancel(slot as Place + 1) } else { self.finish(slot as Place + 1) }
        }
        self.drain();
        (self.ours.set_nonblocking)();
        Allocator::Libc.install(self.ours);
    }
}

/// Larger datagrams may or may not go out: the administrator of the machine decides.
const LARGE: usize = 200_000;

impl Allocator {
    fn install(self, ours: Library) {
        let (malloc, free) = Pair::First.functions();
        let (malloc, free) = match self {
            Allocator::Ours(true) => (Some(malloc), Some(free)),
            Allocator::Ours(false) => {
                let (malloc, free) = Pair::Second.functions();
                (Some(malloc), Some(free))
            }
            Allocator::Libc => (None, None),
            Allocator::OnlyMalloc => (Some(malloc), None),
            Allocator::OnlyFree => (None, Some(free)),
        };
        // SAFETY: both pairs do what malloc and free do.
        unsafe { (ours.set_malloc_and_free)(malloc, free) }
    }
}

/// The code of a send to this name.
fn answer(name: &Name<'_>) -> Option<i32> {
    let errno = match name {
        Name::Collector => return Some(0),
        Name::Missing => libc::ENOENT,
        Name::Folder | Name::File | Name::NobodyListens | Name::Empty => libc::ECONNREFUSED,
        Name::StreamSocket => libc::EPROTOTYPE,
        Name::Null | Name::TooLong | Name::Any(_) => return None,
    };
    Some(ErrorKind::Send as i32 + errno)
}

/// The code of a call in which the allocator failed.
fn starved(kind: ErrorKind) -> Option<i32> {
    allocators::take_failure().map(|number| kind as i32 + errno_in_code(number))
}

fn errno_in_code(number: i32) -> i32 {
    if (1..1000).contains(&number) { number } else { libc::ENOMEM }
}

/// The code is the model's, and errno is untouched where it is 0.
#[track_caller]
fn check(code: i32, expected: i32) {
    assert_eq!(code, expected);
    assert!(code != 0 || errno::get() == UNTOUCHED, "errno {} after success", errno::get());
}

fn static_text<'a>(text: *const std::ffi::c_char) -> &'a str {
    // SAFETY: the library returns static strings that end with a NUL.
    unsafe { CStr::from_ptr(text) }.to_str().expect("UTF-8")
}

fn lowest_free_descriptor() -> i32 {
    // SAFETY: takes no pointers; what it opens is closed at once.
    unsafe {
        let descriptor = libc::fcntl(0, libc::F_DUPFD, 0);
        libc::close(descriptor);
        descriptor
    }
}
