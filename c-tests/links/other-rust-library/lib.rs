//! Another Rust library in the same C program: with std, threads, and panics that unwind.

use std::{collections::HashMap, panic, thread};

/// Returns 3 if its allocator, a thread and a caught panic work.
#[unsafe(no_mangle)]
pub extern "C" fn other_rust_library() -> i32 {
    let numbers = HashMap::from([("one".to_owned(), 1)]);
    let from_thread = thread::spawn(move || numbers["one"]).join().unwrap_or(0);
    panic::set_hook(Box::new(|_| {}));
    let caught = panic::catch_unwind(|| panic!("caught {from_thread}")).is_err();
    from_thread + 2 * i32::from(caught)
}
