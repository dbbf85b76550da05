//! The parts of the shortest event that no library can leave out.

use std::{
    ffi::CStr,
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::{
    measure::{Contender, in_turn},
    table::section,
};

const TIMES: usize = 10_000;

/// The table of the parts.
pub(crate) fn measure() -> String {
    let owners = AtomicUsize::new(1);
    let mut contenders = [
        contender(|| {
            // SAFETY: malloc takes any size; the block comes from malloc and is freed once.
            unsafe { libc::free(black_box(libc::malloc(black_box(1032)))) }
        }),
        contender(|| {
            for string in [c"test.org", c"v=TLSRPTv1;rua=mailto:t@b.de", c"test.org"] {
                black_box(length(black_box(string)));
            }
        }),
        contender(|| {
            black_box(&owners).fetch_add(1, Ordering::Relaxed);
            black_box(&owners).fetch_sub(1, Ordering::Release);
        }),
    ];
    let times = in_turn(50, 1, &mut contenders);
    let names =
        ["malloc and free of 1,032 bytes", "strlen of the three strings", "counting an owner of the connection"];
    let rows: Vec<_> =
        names.iter().zip(&times).map(|(name, time)| vec![(*name).to_owned(), format!("{:.1}", time.median)]).collect();
    section(
        "The necessary parts of an event",
        "Nanoseconds, parts of building the shortest event.",
        &["part", "time"],
        &rows,
    )
}

fn length(string: &CStr) -> usize {
    // SAFETY: a C string.
    unsafe { CStr::from_ptr(string.as_ptr()) }.count_bytes()
}

fn contender<'a>(part: impl Fn() + 'a) -> Contender<'a> {
    Contender::new(TIMES, move || (0..TIMES).for_each(|_| part()))
}
