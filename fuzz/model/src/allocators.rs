//! Two pairs of malloc and free that count, fail when told to, and notice a block that comes back to the wrong pair.

use std::{
    collections::HashMap,
    ffi::c_void,
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    errno,
    library::{Free, Malloc},
};

/// One of the pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    First,
    Second,
}

#[derive(Default)]
struct State {
    /// The blocks that are in use, and whose they are.
    blocks: Option<HashMap<usize, Pair>>,
    /// How many allocations still succeed, and the errno that the next one leaves.
    failure: Option<(u8, i32)>,
    failed: Option<i32>,
    strays: usize,
}

static STATE: Mutex<State> = Mutex::new(State { blocks: None, failure: None, failed: None, strays: 0 });

impl Pair {
    /// The functions of the pair.
    pub fn functions(self) -> (Malloc, Free) {
        match self {
            Pair::First => (first_malloc, first_free),
            Pair::Second => (second_malloc, second_free),
        }
    }
}

/// Lets the next `successes` allocations succeed and the others fail with this errno; `None` ends the failing.
pub fn fail_after(failure: Option<(u8, i32)>) {
    state().failure = failure;
}

/// The errno that the last failure left, since this was last asked.
pub fn take_failure() -> Option<i32> {
    state().failed.take()
}

/// Blocks in use, and blocks that came back to a pair that they were not from.
pub fn balance() -> (usize, usize) {
    let state = state();
    (state.blocks.as_ref().map_or(0, HashMap::len), state.strays)
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn allocate(pair: Pair, size: usize) -> *mut c_void {
    let mut state = state();
    match &mut state.failure {
        Some((0, number)) => {
            let number = *number;
            state.failed = Some(number);
            errno::set(number);
            return ptr::null_mut();
        }
        Some((successes, _)) => *successes -= 1,
        None => {}
    }
    // SAFETY: any size will do.
    let block = unsafe { libc::malloc(size) };
    state.blocks.get_or_insert_default().insert(block as usize, pair);
    block
}

fn release(pair: Pair, block: *mut c_void) {
    let mut state = state();
    if block.is_null() {
        return;
    }
    if state.blocks.get_or_insert_default().remove(&(block as usize)) != Some(pair) {
        state.strays += 1;
        return;
    }
    // SAFETY: it was in the table, so `allocate` gave it out and nobody has given it back.
    unsafe { libc::free(block) }
}

unsafe extern "C" fn first_malloc(size: usize) -> *mut c_void {
    allocate(Pair::First, size)
}

unsafe extern "C" fn first_free(block: *mut c_void) {
    release(Pair::First, block);
}

unsafe extern "C" fn second_malloc(size: usize) -> *mut c_void {
    allocate(Pair::Second, size)
}

unsafe extern "C" fn second_free(block: *mut c_void) {
    release(Pair::Second, block);
}
