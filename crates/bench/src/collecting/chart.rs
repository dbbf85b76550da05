//! The bar chart of docs/collecting.md, as SVG.

use std::fmt::{Arguments, Write as _};

const WIDTH: f64 = 720.0;
const LEFT: f64 = 130.0;
const BAR: f64 = 16.0;
const TOP: f64 = 56.0;
const COLOURS: [&str; 3] = ["#2ca02c", "#1f77b4", "#b0b0b0"];

/// Bars that are next to each other.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// One for each series.
    pub(crate) values: Vec<f64>,
}

/// The chart.
pub(crate) fn svg(title: &str, series: &[&str], groups: &[Group]) -> String {
    let longest = groups.iter().flat_map(|group| group.values.iter().copied()).fold(0.0, f64::max);
    let scale = (WIDTH - LEFT - 90.0) / longest;
    let height = TOP + (groups.len() * (series.len() + 1)) as f64 * BAR + 8.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\">{title}</text>\n"
    );
    for (index, (name, colour)) in series.iter().zip(COLOURS).enumerate() {
        let x = LEFT + index as f64 * 170.0;
        line(&mut svg, format_args!("<rect x=\"{x}\" y=\"34\" width=\"10\" height=\"10\" fill=\"{colour}\"/>"));
        line(&mut svg, format_args!("<text x=\"{}\" y=\"43\">{name}</text>", x + 15.0));
    }
    let mut y = TOP;
    for group in groups {
        let middle = y + group.values.len() as f64 * BAR / 2.0 + 2.0;
        line(&mut svg, format_args!("<text x=\"12\" y=\"{middle}\">{}</text>", group.name));
        for (value, colour) in group.values.iter().zip(COLOURS) {
            bar(&mut svg, y, *value, scale, colour);
            y += BAR;
        }
        y += BAR;
    }
    svg.push_str("</svg>\n");
    svg
}

fn bar(svg: &mut String, y: f64, value: f64, scale: f64, colour: &str) {
    let (width, height) = (value * scale, BAR - 3.0);
    line(
        svg,
        format_args!("<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{colour}\"/>"),
    );
    line(svg, format_args!("<text x=\"{:.1}\" y=\"{}\">{value:.0}</text>", LEFT + width + 5.0, y + 10.5));
}

fn line(svg: &mut String, element: Arguments<'_>) {
    writeln!(svg, "{element}").expect("a String takes everything");
}
