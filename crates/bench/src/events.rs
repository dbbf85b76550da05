//! The three usual events: building them, and all calls from open to close.

use std::{error::Error, ffi::CString, os::unix::ffi::OsStrExt, path::Path};

use crate::{
    bare::Bare,
    collector::{BATCH, Collector},
    event::{EVENTS, Event, cancel, finish},
    library::{Handle, Library},
    measure::{Contender, Time, in_turn},
    table::section,
};

/// One group of the chart: microseconds from open to close.
pub(crate) struct Bars {
    pub(crate) event: &'static str,
    pub(crate) theirs: f64,
    pub(crate) ours: f64,
    pub(crate) bare: f64,
}

/// Measures all events. Returns the table and the bars of the chart.
pub(crate) fn compare(ours: &Library, theirs: &Library) -> Result<(String, Vec<Bars>), Box<dyn Error>> {
    let mut rows = Vec::new();
    let mut bars = Vec::new();
    for event in &EVENTS {
        let collector = Collector::new()?;
        let [our_building, their_building] = building(event, ours, theirs, &collector.path());
        let datagram = datagram(event, ours, &collector);
        let [our_way, their_way, bare] = whole_way(event, ours, theirs, &datagram, &collector)?;
        rows.push(vec![
            event.name.to_owned(),
            datagram.len().to_string(),
            their_building.in_nanoseconds(),
            our_building.in_nanoseconds(),
            format!("**{:.0}**", their_building.times(our_building)),
            their_way.in_nanoseconds(),
            our_way.in_nanoseconds(),
            bare.in_nanoseconds(),
            format!("{:.2}", their_way.times(bare)),
            format!("**{:.2}**", our_way.times(bare)),
        ]);
        let [theirs, ours, bare] = [their_way, our_way, bare].map(|time| time.median / 1000.0);
        bars.push(Bars { event: event.short_name, theirs, ours, bare });
    }
    let table = section(
        "An event",
        "Nanoseconds, median ± half the distance of the quartiles. Building: from tlsrpt_init_delivery_request to \
         tlsrpt_cancel_delivery_request. Bare: socket, sendto of the finished bytes, close. The three are measured in \
         turn, in batches of 8 events, with the collector's queue emptied in between.",
        &[
            "event",
            "bytes",
            "C: building",
            "ours: building",
            "C / ours",
            "C: open to close",
            "ours: open to close",
            "bare calls",
            "C / bare",
            "ours / bare",
        ],
        &rows,
    );
    Ok((table, bars))
}

/// Sends one event many times to a collector that does not exist. This does not affect the result, because callgrind
/// counts only the instructions of the process, not those of the kernel.
pub(crate) fn repeat(library: &Library, event: usize, times: usize) -> Result<(), Box<dyn Error>> {
    let event = EVENTS.get(event).ok_or("there is no event of this number")?;
    for _ in 0..times {
        open_to_close(library, event, c"/nonexistent/socket");
    }
    Ok(())
}

/// One event as Postfix sends it, with a new connection. Returns the code of the send.
pub(crate) fn open_to_close(library: &Library, event: &Event, socket: &std::ffi::CStr) -> std::ffi::c_int {
    let mut connection: Handle = std::ptr::null_mut();
    // SAFETY: a variable and a string of ours.
    unsafe { (library.open)(&mut connection, socket.as_ptr()) };
    let code = finish(library, event.build(library, connection));
    library.disconnect(connection);
    code
}

fn building(event: &Event, ours: &Library, theirs: &Library, socket: &Path) -> [Time; 2] {
    const TIMES: usize = 1000;
    let connections = [ours.connect(socket), theirs.connect(socket)];
    let mut contenders = [(ours, connections[0]), (theirs, connections[1])].map(|(library, connection)| {
        Contender::new(TIMES, move || {
            for _ in 0..TIMES {
                cancel(library, event.build(library, connection));
            }
        })
    });
    let times = in_turn(100, 1, &mut contenders);
    ours.disconnect(connections[0]);
    theirs.disconnect(connections[1]);
    [times[0], times[1]]
}

fn datagram(event: &Event, library: &Library, collector: &Collector) -> Vec<u8> {
    let connection = library.connect(&collector.path());
    assert_eq!(finish(library, event.build(library, connection)), 0, "an event is sent");
    library.disconnect(connection);
    let mut datagram = vec![0; 4096];
    let len = collector.drain_into(&mut datagram);
    datagram.truncate(len);
    datagram
}

fn whole_way(
    event: &Event,
    ours: &Library,
    theirs: &Library,
    datagram: &[u8],
    collector: &Collector,
) -> Result<[Time; 3], Box<dyn Error>> {
    let path = collector.path();
    let socket = CString::new(path.as_os_str().as_bytes())?;
    let bare = Bare::new(&path);
    let library_contender = |library| {
        let socket = &socket;
        let work = move || {
            for _ in 0..BATCH {
                assert_eq!(open_to_close(library, event, socket), 0, "an event is sent");
            }
        };
        Contender::new(BATCH, work).clearing_up(|| collector.drain())
    };
    let bare_work = || {
        for _ in 0..BATCH {
            let socket = bare.socket();
            bare.send(socket, datagram);
            bare.close(socket);
        }
    };
    let mut contenders = [
        library_contender(ours),
        library_contender(theirs),
        Contender::new(BATCH, bare_work).clearing_up(|| collector.drain()),
    ];
    let times = in_turn(300, 20, &mut contenders);
    Ok([times[0], times[1], times[2]])
}
