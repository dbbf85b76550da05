//! Plots as SVG. The text beside them is HTML, so that it keeps its size while the plot takes the width of the page.

mod bar;
mod days;

pub(crate) use bar::{share, two_shares};
pub(crate) use days::{Day, Days, Series};

/// Sessions that met their policy.
pub(crate) const MET: Series = Series { name: "policy met", class: "met" };
/// Sessions that did not.
pub(crate) const FAILED: Series = Series { name: "failed", class: "failed" };
