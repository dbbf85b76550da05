//! A horizontal bar below a name in a table.

use maud::{Markup, html};

/// A part of a whole. The text beside it has the number.
pub(crate) fn share(part: u64, whole: u64, class: &str) -> Markup {
    bar(&[(part, class)], whole)
}

/// Two parts of a whole, side by side.
pub(crate) fn two_shares(first: (u64, &str), second: (u64, &str), whole: u64) -> Markup {
    bar(&[first, second], whole)
}

fn bar(parts: &[(u64, &str)], whole: u64) -> Markup {
    const WIDTH: f64 = 1000.0;
    /// A part that is not zero is visible.
    const LEAST: f64 = 4.0;
    let mut left = 0.0;
    let mut placed = Vec::new();
    for (part, class) in parts.iter().filter(|(part, _)| *part > 0) {
        let width = (WIDTH * *part as f64 / whole.max(1) as f64).max(LEAST);
        placed.push((left, width, *class));
        left += width;
    }
    html! {
        svg.bar viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true" {
            rect.rest x="0" y="0" width="1000" height="6" {}
            @for (left, width, class) in placed {
                rect.(class) x=(format!("{left:.1}")) y="0" width=(format!("{width:.1}")) height="6" {}
            }
        }
    }
}
