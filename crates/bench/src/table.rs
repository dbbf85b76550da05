//! Tables in Markdown.

use std::{error::Error, fmt::Write as _};

const BEGIN: &str = "<!-- what the benchmark printed -->\n";
const END: &str = "<!-- end of what the benchmark printed -->\n";

/// A heading, a line of explanation and a table.
pub(crate) fn section(heading: &str, explanation: &str, header: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("### {heading}\n\n{explanation}\n\n");
    writeln!(text, "| {} |", header.join(" | ")).expect("a String takes everything");
    writeln!(text, "|{}|", vec![" --- "; header.len()].join("|")).expect("a String takes everything");
    for row in rows {
        writeln!(text, "| {} |", row.join(" | ")).expect("a String takes everything");
    }
    text
}

/// `text` with `new` in place of the text between the markers.
pub(crate) fn between_markers(text: &str, new: &str) -> Result<String, Box<dyn Error>> {
    let (before, rest) = text.split_once(BEGIN).ok_or("the report has no place for the tables")?;
    let (_, after) = rest.split_once(END).ok_or("the place for the tables has no end")?;
    Ok(format!("{before}{BEGIN}\n{new}\n{END}{after}"))
}
