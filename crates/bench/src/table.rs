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

/// The text between the markers.
pub(crate) fn found_between_markers(text: &str) -> Result<&str, Box<dyn Error>> {
    let (_, rest) = text.split_once(BEGIN).ok_or("the report has no place for the tables")?;
    let (found, _) = rest.split_once(END).ok_or("the place for the tables has no end")?;
    Ok(found)
}

/// `text` with `new` in place of the text between the markers.
pub(crate) fn between_markers(text: &str, new: &str) -> Result<String, Box<dyn Error>> {
    let old = found_between_markers(text)?;
    Ok(text.replacen(&format!("{BEGIN}{old}{END}"), &format!("{BEGIN}\n{new}\n{END}"), 1))
}
