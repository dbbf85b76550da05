//! Plots as SVG. The text beside them is HTML, so that it keeps its size while the plot takes the width of the page.

mod bar;
mod days;
mod sessions;

pub(crate) use bar::{share, two_shares};
pub(crate) use days::{Day, Days, Series};
pub(crate) use sessions::{Sessions, failed_sessions, sessions};
