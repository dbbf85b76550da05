//! Events with very many strings: the time for each must not grow.

use std::{error::Error, ptr};

use crate::{
    collector::Collector,
    event::cancel,
    library::{Handle, Library},
    measure::{Contender, Time, in_turn},
    table::section,
};

const TEXT: &std::ffi::CStr = c"mx: backup-mx.recipient.example.org";

/// The order in which the items are added.
#[derive(Clone, Copy)]
enum Order {
    /// The order of the datagram.
    AsWritten,
    /// A failure first, then strings and patterns in turn, all of which have to be moved before it.
    Worst,
}

/// The table of both libraries.
pub(crate) fn compare(ours: &Library, theirs: &Library) -> Result<String, Box<dyn Error>> {
    let collector = Collector::new()?;
    let connections = [ours, theirs].map(|library| library.connect(&collector.path()));
    let mut rows = Vec::new();
    for strings in [10, 100, 1000, 10_000] {
        let mut row = vec![strings.to_string()];
        for order in [Order::AsWritten, Order::Worst] {
            let [our_time, their_time] = time_per_string([ours, theirs], connections, strings, order);
            row.extend([their_time.in_nanoseconds(), our_time.in_nanoseconds()]);
        }
        rows.push(row);
    }
    ours.disconnect(connections[0]);
    theirs.disconnect(connections[1]);
    Ok(section(
        "Many policy strings",
        "Nanoseconds for each string of 35 bytes, building only. Worst order: a failure first, then strings and \
         patterns in turn.",
        &["strings", "C: in order", "ours: in order", "C: worst order", "ours: worst order"],
        &rows,
    ))
}

fn time_per_string(libraries: [&Library; 2], connections: [Handle; 2], strings: usize, order: Order) -> [Time; 2] {
    let mut contenders = [0, 1].map(|side| {
        let (library, connection) = (libraries[side], connections[side]);
        Contender::new(strings, move || cancel(library, build(library, connection, strings, order)))
    });
    let times = in_turn(20, 1 + 2000 / strings, &mut contenders);
    [times[0], times[1]]
}

fn build(library: &Library, connection: Handle, strings: usize, order: Order) -> Handle {
    let mut request = ptr::null_mut();
    let text = TEXT.as_ptr();
    // SAFETY: an open connection, a request that is used here alone, and NUL-terminated strings.
    unsafe {
        (library.init_delivery_request)(&mut request, connection, text, text);
        (library.init_policy)(request, 2, text);
        match order {
            Order::AsWritten => {
                for _ in 0..strings {
                    (library.add_policy_string)(request, text);
                }
            }
            Order::Worst => {
                (library.add_failure)(request, 201, text, text, text, text, text, text);
                for _ in 0..strings / 2 {
                    (library.add_mx_host_pattern)(request, text);
                    (library.add_policy_string)(request, text);
                }
            }
        }
        (library.finish_policy)(request, 0);
    }
    request
}
