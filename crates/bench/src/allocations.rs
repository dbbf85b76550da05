//! The number of blocks that an event allocates with malloc.

use std::{
    error::Error,
    ffi::c_void,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::{
    event::{EVENTS, Event},
    events::open_to_close,
    library::Library,
    table::section,
};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Prints a line for each event.
pub(crate) fn print(library: &Library) -> Result<(), Box<dyn Error>> {
    for event in &EVENTS {
        println!("{}: {}", event.short_name, count(library, event));
    }
    Ok(())
}

/// The table of both libraries.
pub(crate) fn compare(ours: &Library, theirs: &Library) -> Result<String, Box<dyn Error>> {
    let rows: Vec<_> = EVENTS
        .iter()
        .map(|event| {
            let counts = [theirs, ours].map(|library| count(library, event).to_string());
            [vec![event.name.to_owned()], counts.to_vec()].concat()
        })
        .collect();
    let explanation = "Calls of the function that tlsrpt_set_malloc_and_free set, from open to close. The blocks that \
                       libc's memory streams allocate for the C library are not counted.";
    Ok(section("Allocations", explanation, &["event", "C", "ours"], &rows))
}

fn count(library: &Library, event: &Event) -> usize {
    COUNT.store(0, Ordering::Relaxed);
    // SAFETY: both functions have the contracts of malloc and free.
    unsafe { (library.set_malloc_and_free)(Some(counting_malloc), Some(libc::free)) };
    open_to_close(library, event, c"/nonexistent/socket");
    // SAFETY: libc's own pair.
    unsafe { (library.set_malloc_and_free)(Some(libc::malloc), Some(libc::free)) };
    COUNT.load(Ordering::Relaxed)
}

unsafe extern "C" fn counting_malloc(size: usize) -> *mut c_void {
    COUNT.fetch_add(1, Ordering::Relaxed);
    // SAFETY: malloc takes any size.
    unsafe { libc::malloc(size) }
}
