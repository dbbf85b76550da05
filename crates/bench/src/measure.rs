//! Time, measured in turn: each round times every contender once, so that other work on the machine affects all
//! contenders alike. The result is the median of the rounds.

use std::time::Instant;

/// Nanoseconds for one piece of work.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    pub(crate) median: f64,
    /// Half of the rounds lie between these two.
    pub(crate) quartiles: (f64, f64),
}

/// A program part to be timed: does a piece of work `pieces` times, then clears up outside of the measured time.
pub(crate) struct Contender<'a> {
    pub(crate) pieces: usize,
    pub(crate) work: Box<dyn FnMut() + 'a>,
    pub(crate) clear_up: Box<dyn FnMut() + 'a>,
}

/// Times all contenders in turn; returns their times in the same order.
pub(crate) fn in_turn(rounds: usize, batches: usize, contenders: &mut [Contender<'_>]) -> Vec<Time> {
    let mut samples = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds + 1 {
        for (contender, samples) in contenders.iter_mut().zip(&mut samples) {
            let mut nanoseconds = 0;
            for _ in 0..batches {
                let start = Instant::now();
                (contender.work)();
                nanoseconds += start.elapsed().as_nanos();
                (contender.clear_up)();
            }
            // The first round warms caches and allocators.
            if round > 0 {
                samples.push(nanoseconds as f64 / (batches * contender.pieces) as f64);
            }
        }
    }
    samples.into_iter().map(summary).collect()
}

/// Makes libc keep the memory that it got from the kernel. Otherwise it returns blocks above 128 kB to the kernel, and
/// the page faults of the next such block dominate the time of a library.
pub(crate) fn keep_memory() {
    // SAFETY: takes no pointers.
    let set =
        unsafe { libc::mallopt(libc::M_TRIM_THRESHOLD, 1 << 28) + libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 24) };
    assert_eq!(set, 2, "mallopt");
}

impl Time {
    /// How many times longer this is than `other`.
    pub(crate) fn times(self, other: Self) -> f64 {
        self.median / other.median
    }

    /// The median and half the distance of the quartiles, in nanoseconds.
    pub(crate) fn in_nanoseconds(self) -> String {
        format!("{:.0} ± {:.0}", self.median, (self.quartiles.1 - self.quartiles.0) / 2.0)
    }
}

impl<'a> Contender<'a> {
    /// Work that leaves nothing to clear up.
    pub(crate) fn new(pieces: usize, work: impl FnMut() + 'a) -> Self {
        Self { pieces, work: Box::new(work), clear_up: Box::new(|| ()) }
    }

    /// Sets the work to do after each batch, outside of the measured time.
    pub(crate) fn clearing_up(self, clear_up: impl FnMut() + 'a) -> Self {
        Self { clear_up: Box::new(clear_up), ..self }
    }
}

fn summary(mut samples: Vec<f64>) -> Time {
    samples.sort_by(f64::total_cmp);
    let at = |share: f64| samples[((samples.len() - 1) as f64 * share) as usize];
    Time { median: at(0.5), quartiles: (at(0.25), at(0.75)) }
}
