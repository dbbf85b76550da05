//! Plots as SVG. The text beside them is HTML, so that it keeps its size while the plot takes the width of the page.

mod bar;
mod days;

pub(crate) use bar::{share, two_shares};
pub(crate) use days::{Day, Days, Series};
