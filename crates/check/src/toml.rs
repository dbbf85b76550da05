//! Commands that set keys in a file of TOML.

use std::path::Path;

use crate::paste;

/// The command that sets keys of a section. Each value is written as TOML has it.
pub(crate) fn set(file: &Path, section: &str, pairs: &[(&str, String)]) -> String {
    let file = paste::word(&file.to_string_lossy());
    let header = format!(r"^\[{}\]", section.replace('.', r"\."));
    let mut script = String::new();
    for (key, _) in pairs {
        script += &format!(" -e {}", paste::word(&format!("/{header}/,/^\\[/{{/^ *{key} *=/d;}}")));
    }
    // Each line is put right behind the header: the last one comes first.
    for (key, value) in pairs.iter().rev() {
        let value = value.replace('\\', r"\\");
        script += &format!(" -e {}", paste::word(&format!("/{header}/a {key} = {value}")));
    }
    let add = paste::word(&format!("\\n[{section}]\\n"));
    format!("{{ grep -qs {} {file} || printf {add} >>{file}; }} && sed -i{script} {file}", paste::word(&header))
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
        assert_eq!(run("a.b", &[("x", "1"), ("y", r#"2 \ ""#)]), "\n[a.b]\ny = \"2 \\\\ \\\"\"\nx = \"1\"\n");
        fs::write(&file, "[a]\n#x = \"0\"\nx = \"1\"\nxx = 2\n[b]\nx = \"3\"\n").unwrap();
        assert_eq!(run("a", &[("x", "/p")]), "[a]\nx = \"/p\"\n#x = \"0\"\nxx = 2\n[b]\nx = \"3\"\n");
    }
}
