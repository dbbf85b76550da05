//! Bars by day, each with one part for each series.

use jiff::{ToSpan, civil::Date};
use maud::{Markup, html};

use crate::words::short;

/// The most and the fewest days of a plot.
const MOST_DAYS: usize = 30;
const FEWEST_DAYS: usize = 14;
/// The height of the plot, and the width of a day, in its own units.
const HEIGHT: f64 = 100.0;
const DAY: f64 = 20.0;
/// The space on each side of a bar.
const SPACE: f64 = 2.5;
/// A part that is not zero is visible.
const LEAST: f64 = 1.5;

/// One kind of the counted things.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Series {
    /// Its name in the legend.
    pub(crate) name: &'static str,
    /// Its class in the style sheet, which gives the colour.
    pub(crate) class: &'static str,
}

/// One day.
#[derive(Debug, Clone)]
pub(crate) struct Day {
    pub(crate) day: Date,
    /// The number of each series, from the bottom of the bar to its top.
    pub(crate) parts: Vec<u64>,
    /// The numbers in words.
    pub(crate) words: String,
}

/// A plot.
#[derive(Debug)]
pub(crate) struct Days<'a> {
    pub(crate) title: &'a str,
    pub(crate) series: &'a [Series],
    /// The newest first. Days without numbers may be missing.
    pub(crate) days: &'a [Day],
}

impl Days<'_> {
    /// The figure. Nothing if there are no days.
    pub(crate) fn draw(&self) -> Markup {
        let (Some(newest), Some(oldest)) = (self.days.first(), self.days.last()) else { return html! {} };
        let span = newest.day.since(oldest.day).map_or(0, |span| usize::try_from(span.get_days()).unwrap_or(0));
        let shown = (span + 1).clamp(FEWEST_DAYS, MOST_DAYS);
        let first = newest.day.checked_sub((shown as i64 - 1).days()).unwrap_or(oldest.day);
        let place = |day: Date| day.since(first).ok().and_then(|span| usize::try_from(span.get_days()).ok());
        let placed: Vec<_> = self.days.iter().rev().filter_map(|day| Some((place(day.day)?, day))).collect();
        let most = placed.iter().map(|(_, day)| sum(&day.parts)).max().unwrap_or(0);
        let top = top_of_scale(most);
        let width = DAY * shown as f64;
        html! {
            figure {
                figcaption {
                    span.title { (self.title) }
                    @if self.series.len() > 1 {
                        span.legend { @for series in self.series {
                            span { span.key.(series.class) {} (series.name) }
                        } }
                    }
                }
                div.plot {
                    div.scale aria-hidden="true" {
                        span { (short(top)) }
                        @if top % 2 == 0 { span { (short(top / 2)) } }
                        span { "0" }
                    }
                    svg viewBox=(format!("0 0 {width} {HEIGHT}")) preserveAspectRatio="none" role="img" {
                        title { (self.title) ", " (first.to_string()) " to " (newest.day.to_string()) "; the table below has the numbers" }
                        @for share in [0.0, 0.5, 1.0] {
                            line.grid x1="0" x2=(width) y1=(HEIGHT * share) y2=(HEIGHT * share) {}
                        }
                        @for (index, day) in &placed { (bar(DAY * *index as f64, day, self.series, top)) }
                    }
                }
                div.dates aria-hidden="true" { span { (first.to_string()) } span { (newest.day.to_string()) } }
            }
        }
    }
}

fn bar(left: f64, day: &Day, series: &[Series], top: u64) -> Markup {
    let mut above = HEIGHT;
    let mut parts = Vec::new();
    for (number, series) in day.parts.iter().zip(series).filter(|(number, _)| **number > 0) {
        let height = (HEIGHT * *number as f64 / top as f64).max(LEAST).min(above);
        above -= height;
        parts.push((above, height, series.class));
    }
    html! {
        g {
            title { (day.day.to_string()) ": " (day.words) }
            // The whole height of the day shows the title.
            rect.day x=(left) y="0" width=(DAY) height=(HEIGHT) {}
            @for (above, height, class) in parts {
                rect.(class) x=(left + SPACE) y=(format!("{above:.2}")) width=(DAY - 2.0 * SPACE)
                    height=(format!("{height:.2}")) {}
            }
        }
    }
}

fn sum(parts: &[u64]) -> u64 {
    parts.iter().fold(0, |sum, part| sum.saturating_add(*part))
}

/// The first number of the form 1, 2, 4, 6, 8 or 10 times a power of ten that is not below `most`.
fn top_of_scale(most: u64) -> u64 {
    let mut power: u64 = 1;
    loop {
        for step in [1, 2, 4, 6, 8, 10] {
            match power.checked_mul(step) {
                Some(top) if top < most => {}
                Some(top) => return top,
                None => return most,
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::{Day, Days, Series, top_of_scale};

    #[test]
    fn the_scale_ends_at_a_round_number() {
        let tops = [(0, 1), (1, 1), (3, 4), (10, 10), (11, 20), (41_000, 60_000), (u64::MAX, u64::MAX)];
        for (most, top) in tops {
            assert_eq!(top_of_scale(most), top);
        }
    }

    #[test]
    fn a_day_stands_at_its_place_in_the_calendar() {
        let day = |day: &str| Day { day: day.parse().unwrap(), parts: vec![1], words: "one".into() };
        let draw = |days: &[Day]| {
            let series = [Series { name: "a", class: "met" }];
            Days { title: "T", series: &series, days }.draw().into_string()
        };
        assert_eq!(draw(&[]), "");
        let few = draw(&[day("2026-03-02"), day("2026-02-28")]);
        assert!(few.contains("viewBox=\"0 0 280 100\"") && few.contains("<title>2026-03-02: one</title>"), "{few}");
        assert!(few.contains("x=\"260\"") && few.contains("x=\"220\"") && !few.contains("x=\"240\""), "{few}");
        let far = draw(&[day("2026-03-02"), day("2025-02-28")]);
        assert!(far.contains("viewBox=\"0 0 600 100\"") && !far.contains("2025-02-28"), "{far}");
    }
}
