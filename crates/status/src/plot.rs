//! The plots of the HTML page, as SVG.

use maud::{Markup, html};
use tlsrpt_store::DayCounts;

use crate::Reason;

/// Events of the last days, the newest on the right; the failed ones at the bottom of each bar.
pub(crate) fn days(days: &[DayCounts]) -> Markup {
    const SHOWN: usize = 30;
    const HEIGHT: f64 = 140.0;
    const STEP: f64 = 20.0;
    let shown: Vec<_> = days.iter().take(SHOWN).rev().collect();
    let most = shown.iter().map(|counts| counts.events).max().unwrap_or(0).max(1);
    let width = STEP * shown.len() as f64;
    let height = |count: u64| HEIGHT * count as f64 / most as f64;
    html! {
        figure {
            svg viewBox=(format!("0 0 {width} {}", HEIGHT + 2.0)) role="img" preserveAspectRatio="none"
                aria-label="Events by day, the newest on the right" {
                @for (index, counts) in shown.iter().enumerate() {
                    g {
                        title { (counts.day.to_string()) ": " (counts.events) " events, " (counts.failed) " failed" }
                        (bar(STEP * index as f64 + 2.0, HEIGHT - height(counts.events), STEP - 4.0, height(counts.events), "met"))
                        (bar(STEP * index as f64 + 2.0, HEIGHT - height(counts.failed), STEP - 4.0, height(counts.failed), "failed"))
                    }
                }
                (bar(0.0, HEIGHT, width, 1.0, "axis"))
            }
            figcaption {
                @if let (Some(first), Some(last)) = (shown.first(), shown.last()) {
                    (first.day.to_string()) " to " (last.day.to_string()) ", most on one day: " (most) " events. "
                }
                span.key.met {} " policy met "
                span.key.failed {} " failed"
            }
        }
    }
}

/// A bar for each reason, with its name and number as text.
pub(crate) fn reasons(reasons: &[Reason]) -> Markup {
    let most = reasons.iter().map(|reason| reason.times).max().unwrap_or(0).max(1);
    html! {
        @for reason in reasons {
            div.reason {
                span { (reason.result_type) " " (reason.times) }
                svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
                    (bar(0.0, 0.0, 100.0 * reason.times as f64 / most as f64, 6.0, "failed"))
                }
            }
        }
    }
}

fn bar(x: f64, y: f64, width: f64, height: f64, class: &str) -> Markup {
    let number = |value: f64| format!("{value:.2}");
    html! { rect.(class) x=(number(x)) y=(number(y)) width=(number(width)) height=(number(height)) {} }
}
