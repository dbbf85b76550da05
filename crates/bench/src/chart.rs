//! The bar chart of docs/performance.md, as SVG.

use std::fmt::Write as _;

use crate::events::Bars;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 130.0;
const BAR: f64 = 16.0;
const GROUP: f64 = 4.0 * BAR;
const TOP: f64 = 56.0;

/// Three bars for each event: the C library, ours, the bare system calls.
pub(crate) fn svg(groups: &[Bars]) -> String {
    let longest = groups.iter().flat_map(|group| [group.theirs, group.ours, group.bare]).fold(0.0, f64::max);
    let scale = (WIDTH - LEFT - 90.0) / longest;
    let height = TOP + groups.len() as f64 * GROUP + 8.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\">One event, from open to close: microseconds, shorter is better</text>\n"
    );
    let series = [("C library 0.5.1", "#b0b0b0"), ("this library", "#1f77b4"), ("bare system calls", "#2ca02c")];
    for (index, (name, colour)) in series.iter().enumerate() {
        let x = LEFT + index as f64 * 150.0;
        line(&mut svg, &format!("<rect x=\"{x}\" y=\"34\" width=\"10\" height=\"10\" fill=\"{colour}\"/>"));
        line(&mut svg, &format!("<text x=\"{}\" y=\"43\">{name}</text>", x + 15.0));
    }
    for (index, group) in groups.iter().enumerate() {
        let top = TOP + index as f64 * GROUP;
        let middle = top + 1.5 * BAR + 4.0;
        line(&mut svg, &format!("<text x=\"12\" y=\"{middle}\">{}</text>", group.event));
        let values = [group.theirs, group.ours, group.bare];
        for (row, (value, (_, colour))) in values.iter().zip(series).enumerate() {
            let y = top + row as f64 * BAR;
            let (width, height) = (value * scale, BAR - 3.0);
            line(
                &mut svg,
                &format!("<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{colour}\"/>"),
            );
            let (x, y) = (LEFT + width + 5.0, y + 10.5);
            line(&mut svg, &format!("<text x=\"{x:.1}\" y=\"{y}\">{value:.2}</text>"));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn line(svg: &mut String, element: &str) {
    writeln!(svg, "{element}").expect("a String takes everything");
}
