//! Commands that set keys in a file of TOML.

use std::path::Path;

use crate::{bounded, paste};

/// The command that sets keys of a section. Each value is written as TOML has it.
pub(crate) fn set(file: &Path, section: &str, pairs: &[(&str, String)]) -> String {
    let text = bounded::read_text(file).unwrap_or_default();
    let file = paste::word(&file.to_string_lossy());
    let lines: Vec<_> = pairs.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    let header = format!("[{section}]");
    if !text.lines().any(|line| line.trim_end() == header) {
        let added = [String::new(), header].into_iter().chain(lines).map(|line| paste::word(&line));
        return format!("printf '%s\\n' {} >>{file}", added.collect::<Vec<_>>().join(" "));
    }
    let of_header = format!(r"/^\[{}\]/", paste::pattern(section));
    let mut scripts = Vec::new();
    let keys: Vec<_> = pairs.iter().map(|(key, _)| *key).filter(|key| is_set(&text, key)).collect();
    if !keys.is_empty() {
        // Up to the next section.
        scripts.push(format!(r"{of_header},/^\[/{{/^ *\({}\) *=/d;}}", keys.join(r"\|")));
    }
    let lines: Vec<_> = lines.iter().map(|line| line.replace('\\', r"\\")).collect();
    scripts.push(format!("{of_header}a {}", lines.join(r"\n")));
    let scripts: Vec<_> = scripts.iter().map(|script| format!("-e {}", paste::word(script))).collect();
    format!("sed -i {} {file}", scripts.join(" "))
}

/// Whether a line sets the key, in whichever section.
fn is_set(text: &str, key: &str) -> bool {
    text.lines().any(|line| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')))
}

/// A text as TOML has it.
pub(crate) fn text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::{set, text};

    #[test]
    fn keys_are_set_in_their_section_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("it's.toml");
        let run = |section: &str, pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.iter().map(|(key, value)| (*key, text(value))).collect();
            assert!(Command::new("sh").args(["-c", &set(&file, section, &pairs)]).status().unwrap().success());
            fs::read_to_string(&file).unwrap()
        };
        let strange = r#"2 \ "%s"#;
        let begin = "\n[a.b]\nx = \"1\"\ny = \"2 \\\\ \\\"%s\"\n";
        assert_eq!(run("a.b", &[("x", "1"), ("y", strange)]), begin);
        assert_eq!(run("a.b", &[("x", "1"), ("y", strange)]), begin);
        fs::write(&file, "[a]\n#x = \"0\"\nx = \"1\"\nxx = 2\n[b]\nx = \"3\"\n").unwrap();
        assert_eq!(run("a", &[("x", "/p")]), "[a]\nx = \"/p\"\n#x = \"0\"\nxx = 2\n[b]\nx = \"3\"\n");
        assert_eq!(run("b", &[("y", "/q")]), "[a]\nx = \"/p\"\n#x = \"0\"\nxx = 2\n[b]\ny = \"/q\"\nx = \"3\"\n");
    }
}
