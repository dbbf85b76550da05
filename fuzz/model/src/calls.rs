//! The meaning of a fuzzer's input: a list of calls.

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::{collector::Name, text::Text};

/// A variable for a handle: one of a few, or NULL in its place.
pub type Place = u8;

/// One call, or one thing that happens between the calls.
#[derive(Debug, Arbitrary)]
pub enum Call<'a> {
    VersionCheck(i32, i32, i32),
    Version,
    Open(Place, Name<'a>),
    Close(Place),
    GetSocket(Place),
    InitDeliveryRequest(Place, Place, Text<'a>, Text<'a>),
    CancelDeliveryRequest(Place),
    FinishDeliveryRequest(Place),
    InitPolicy(Place, i32, Text<'a>),
    FinishPolicy(Place, i32),
    AddPolicyString(Place, Text<'a>),
    AddMxHostPattern(Place, Text<'a>),
    AddFailure(Place, i32, [Text<'a>; 6]),
    ErrnoFromErrorCode(i32),
    ErrorCodeIsInternal(i32),
    StrError(i32),
    SetBlocking,
    SetNonblocking,
    SetMallocAndFree(Allocator),
    /// Not a call: from here on the allocator fails, after some successes and with this errno.
    Starve(u8, i32),
    /// Not a call: the collector stops reading, or reads on. It always reads while sends may wait.
    CollectorReads(bool),
}

/// The arguments of tlsrpt_set_malloc_and_free.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Allocator {
    Ours(bool),
    Libc,
    OnlyMalloc,
    OnlyFree,
}

/// The calls that these bytes stand for.
pub fn read(bytes: &[u8]) -> Result<Vec<Call<'_>>> {
    Vec::arbitrary_take_rest(Unstructured::new(bytes))
}

/// The variable that a place stands for; `None` for NULL.
pub fn slot(place: Place, slots: usize) -> Option<usize> {
    (usize::from(place) % (slots + 1)).checked_sub(1)
}
