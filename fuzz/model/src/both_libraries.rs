//! Calls that the C library survives, made to it and to ours in one process: the same codes, the same bytes.
//!
//! Calls that end the process there are left out: NULL for a handle or a required string, an addition outside a policy, a
//! connection closed under its requests, an allocator that fails. Bytes that are not UTF-8 are sent raw there: they are
//! compared after `String::from_utf8_lossy`.

use std::{cell::RefCell, ffi::CString, ptr};

use crate::{
    any_calls::settings,
    calls::{self, Call, Place, slot},
    collector::{Collector, Name},
    library::{ConnectionHandle, DeliveryRequestHandle, Library, reference},
    request::Request,
    text::{Argument, Text},
};

const CONNECTIONS: usize = 2;
const REQUESTS: usize = 3;
/// The C library does not send more than this at once.
const LARGE: usize = 200_000;

/// One library with its handles and its collector.
struct Side {
    library: Library,
    collector: Collector,
    connections: [*mut ConnectionHandle; CONNECTIONS],
    requests: [*mut DeliveryRequestHandle; REQUESTS],
}

/// Both libraries, and as much of a model as tells which calls are legal.
struct Pair {
    sides: [Side; 2],
    used_by: [usize; CONNECTIONS],
    models: [Option<Request>; REQUESTS],
    reads: bool,
    blocking: bool,
}

/// Makes calls of these bytes to both libraries and panics where the answers differ.
pub fn run(bytes: &[u8]) {
    thread_local! {
        static PAIR: RefCell<Pair> = RefCell::new(Pair::new());
    }
    let Ok(calls) = calls::read(bytes) else { return };
    let _one_at_a_time = settings();
    PAIR.with_borrow_mut(|pair| {
        for call in &calls {
            pair.call(call);
        }
        pair.end();
    });
}

impl Pair {
    fn new() -> Self {
        Self {
            sides: [Library::load(&reference()), Library::ours()].map(|library| Side {
                library,
                collector: Collector::start(),
                connections: [ptr::null_mut(); CONNECTIONS],
                requests: [ptr::null_mut(); REQUESTS],
            }),
            used_by: [0; CONNECTIONS],
            models: [const { None }; REQUESTS],
            reads: true,
            blocking: false,
        }
    }

    fn call(&mut self, call: &Call<'_>) {
        // The C library crashes with NULL for a variable.
        let (connection, request) = (|place: Place| slot(place, CONNECTIONS), |place: Place| slot(place, REQUESTS));
        match call {
            Call::Open(place, name) => connection(*place).map_or((), |slot| self.open(slot, name)),
            Call::Close(place) => connection(*place).map_or((), |slot| self.close(slot)),
            Call::GetSocket(place) => connection(*place).map_or((), |slot| self.get_socket(slot)),
            Call::InitDeliveryRequest(place, of, domain, record) => {
                let Some((request, connection)) = request(*place).zip(connection(*of)) else { return };
                self.init(request, connection, domain, record);
            }
            Call::CancelDeliveryRequest(place) => request(*place).map_or((), |slot| self.cancel(slot)),
            Call::FinishDeliveryRequest(place) => request(*place).map_or((), |slot| self.finish(slot)),
            Call::InitPolicy(place, ..)
            | Call::FinishPolicy(place, _)
            | Call::AddPolicyString(place, _)
            | Call::AddMxHostPattern(place, _)
            | Call::AddFailure(place, ..) => request(*place).map_or((), |slot| self.step(slot, call)),
            Call::SetBlocking => {
                self.drain();
                (self.reads, self.blocking) = (true, true);
                self.same(|side| (side.library.set_blocking)());
            }
            Call::SetNonblocking => {
                self.blocking = false;
                self.same(|side| (side.library.set_nonblocking)());
            }
            Call::CollectorReads(reads) => self.reads = *reads || self.blocking,
            other => self.call_without_state(other),
        }
        if self.reads {
            self.drain();
        }
    }

    fn call_without_state(&mut self, call: &Call<'_>) {
        match *call {
            Call::VersionCheck(major, minor, patch) => {
                self.same(|side| (side.library.version_check)(major, minor, patch));
            }
            Call::ErrnoFromErrorCode(code) => {
                self.same(|side| (side.library.errno_from_error_code)(code));
            }
            Call::ErrorCodeIsInternal(code) => {
                self.same(|side| (side.library.error_code_is_internal)(code));
            }
            // The words differ.
            Call::StrError(code) => {
                self.same(|side| (side.library.strerror)(code).is_null());
            }
            // The C library crashes with an allocator that fails.
            Call::Version | Call::Starve(..) => {}
            // SAFETY: these are malloc and free.
            Call::SetMallocAndFree(_) => self.same(|side| unsafe {
                (side.library.set_malloc_and_free)(Some(libc::malloc), Some(libc::free));
            }),
            _ => unreachable!("the calls with a state are elsewhere"),
        }
    }

    /// Makes one call to both libraries, whose answers must be the same.
    #[track_caller]
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, mut call: impl FnMut(&mut Side) -> T) -> T {
        let [theirs, ours] = self.sides.each_mut().map(&mut call);
        assert_eq!(ours, theirs, "ours answers the left, the C library the right");
        ours
    }

    fn open(&mut self, slot: usize, name: &Name<'_>) {
        if !self.sides[0].connections[slot].is_null() || matches!(name, Name::Null) {
            return;
        }
        self.same(|side| {
            let name = Argument::new(side.collector.resolve(name).as_deref());
            // SAFETY: a variable and a string.
            unsafe { (side.library.open)(&raw mut side.connections[slot], name.as_ptr()) }
        });
    }

    fn close(&mut self, slot: usize) {
        if self.used_by[slot] == 0 && !self.sides[0].connections[slot].is_null() {
            // SAFETY: the variable holds a handle that no request uses.
            self.same(|side| unsafe { (side.library.close)(&raw mut side.connections[slot]) });
        }
    }

    fn get_socket(&mut self, slot: usize) {
        if !self.sides[0].connections[slot].is_null() {
            // SAFETY: a handle.
            self.same(|side| unsafe { (side.library.get_socket)(side.connections[slot]) >= 0 });
        }
    }

    fn init(&mut self, request: usize, connection: usize, domain: &Text<'_>, record: &Text<'_>) {
        let (Some(domain), Some(record)) = (domain.value(), record.value()) else { return };
        if self.models[request].is_some() || self.sides[0].connections[connection].is_null() {
            return;
        }
        let (d, r) = (Argument::new(Some(&domain)), Argument::new(Some(&record)));
        let code = self.same(|side| {
            let (place, connection) = (&raw mut side.requests[request], side.connections[connection]);
            // SAFETY: a variable, a handle, two strings.
            unsafe { (side.library.init_delivery_request)(place, connection, d.as_ptr(), r.as_ptr()) }
        });
        if code == 0 {
            self.models[request] = Some(Request::new(connection, domain, record));
            self.used_by[connection] += 1;
        }
    }

    fn cancel(&mut self, slot: usize) {
        let Some(model) = self.models[slot].take() else { return };
        self.used_by[model.connection] -= 1;
        // SAFETY: the variable holds a handle.
        self.same(|side| unsafe { (side.library.cancel_delivery_request)(&raw mut side.requests[slot]) });
    }

    fn finish(&mut self, slot: usize) {
        let Some(model) = self.models[slot].take() else { return };
        self.used_by[model.connection] -= 1;
        if model.finish().is_ok_and(|datagram| datagram.len() > LARGE) {
            // SAFETY: the variable holds a handle.
            self.same(|side| unsafe { (side.library.cancel_delivery_request)(&raw mut side.requests[slot]) });
            return;
        }
        // SAFETY: the variable holds a handle.
        self.same(|side| unsafe { (side.library.finish_delivery_request)(&raw mut side.requests[slot]) });
    }

    fn step(&mut self, slot: usize, call: &Call<'_>) {
        let Some(model) = &mut self.models[slot] else { return };
        let addition_is_legal = model.has_open_policy() || model.first_error() != 0;
        let expected = match call {
            Call::InitPolicy(_, policy_type, domain) => model.begin_policy(*policy_type, domain.value()),
            Call::FinishPolicy(_, result) => model.finish_policy(*result),
            _ if !addition_is_legal => return,
            Call::AddPolicyString(_, text) | Call::AddMxHostPattern(_, text) if text.value().is_none() => return,
            Call::AddPolicyString(_, text) => model.add_policy_string(text.value()),
            Call::AddMxHostPattern(_, text) => model.add_mx_host_pattern(text.value()),
            Call::AddFailure(_, failure_type, texts) => {
                let texts = texts.clone().map(|text| text.value());
                model.add_failure(crate::datagram::Failure { failure_type: *failure_type, texts })
            }
            _ => unreachable!("only steps come here"),
        };
        let code = self.same(|side| side.step(slot, call));
        assert_eq!(code, expected, "both libraries answer otherwise than the model");
    }

    fn drain(&mut self) {
        let [theirs, ours] = &mut self.sides;
        loop {
            let (theirs, ours) = (theirs.collector.receive(), ours.collector.receive());
            let (Some(theirs), Some(ours)) = (theirs, ours) else {
                assert!(theirs.is_none() && ours.is_none(), "one of the libraries sent more");
                return;
            };
            let theirs = String::from_utf8_lossy(theirs);
            assert!(ours == theirs.as_bytes(), "{} is not {theirs}", String::from_utf8_lossy(ours));
        }
    }

    fn end(&mut self) {
        for slot in 0..REQUESTS {
            if slot % 2 == 0 { self.finish(slot) } else { self.cancel(slot) }
        }
        for slot in 0..CONNECTIONS {
            self.close(slot);
        }
        self.drain();
        (self.reads, self.blocking) = (true, false);
        self.same(|side| (side.library.set_nonblocking)());
    }
}

impl Side {
    fn step(&self, slot: usize, call: &Call<'_>) -> i32 {
        let (library, request) = (&self.library, self.requests[slot]);
        let argument = |text: &Text<'_>| Argument::new(text.value().as_deref());
        // SAFETY: a handle; NULL where it may stand, else strings that live until the end of the call.
        unsafe {
            match call {
                Call::InitPolicy(_, number, domain) => {
                    (library.init_policy)(request, *number, argument(domain).as_ptr())
                }
                Call::FinishPolicy(_, result) => (library.finish_policy)(request, *result),
                Call::AddPolicyString(_, text) => (library.add_policy_string)(request, argument(text).as_ptr()),
                Call::AddMxHostPattern(_, text) => (library.add_mx_host_pattern)(request, argument(text).as_ptr()),
                Call::AddFailure(_, number, texts) => {
                    let texts = texts.each_ref().map(argument);
                    let [s, n, h, r, a, f] = texts.each_ref().map(Argument::as_ptr);
                    (library.add_delivery_request_failure)(request, *number, s, n, h, r, a, f)
                }
                _ => unreachable!("only steps come here"),
            }
        }
    }
}

/// An event through each library, for the test that they are two: the datagrams.
pub fn one_event_each() -> [Vec<u8>; 2] {
    let _one_at_a_time = settings();
    let mut pair = Pair::new();
    pair.sides.each_mut().map(|side| {
        let name = CString::new(side.collector.resolve(&Name::Collector).expect("a name")).expect("no NUL");
        let (connection, request) = (&raw mut side.connections[0], &raw mut side.requests[0]);
        let library = &side.library;
        // SAFETY: variables, the handles in them, strings.
        unsafe {
            assert_eq!((library.open)(connection, name.as_ptr()), 0);
            let (domain, record) = (c"example.org".as_ptr(), c"v=TLSRPTv1".as_ptr());
            assert_eq!((library.init_delivery_request)(request, *connection, domain, record), 0);
            assert_eq!((library.init_policy)(*request, 9, c"caf\xe9".as_ptr()), 0);
            assert_eq!((library.finish_policy)(*request, 0), 0);
            assert_eq!((library.finish_delivery_request)(request), 0);
            assert_eq!((library.close)(connection), 0);
        }
        side.collector.receive().expect("a datagram").to_vec()
    })
}
