//! The modules that a Rust file declares and the paths that it names: `mod`, `use`, and paths in the code.

use std::collections::BTreeMap;

/// One file.
#[derive(Default, Debug)]
pub(crate) struct Source {
    /// `mod name;`, except for tests, and except for a file of another crate, which an attribute `path` names.
    pub(crate) children: Vec<String>,
    /// Paths in the code and in private `use` declarations.
    pub(crate) uses: Vec<Vec<String>>,
    /// The names that `pub use` re-exports, with their paths.
    pub(crate) exports: BTreeMap<String, Vec<String>>,
}

pub(crate) fn parse(text: &str) -> Source {
    let words = without_tests(words(text));
    let mut source = Source::default();
    let mut rest = &words[..];
    while let Some((word, behind)) = rest.split_first() {
        rest = behind;
        match (word.as_str(), behind) {
            ("mod", [name, end, ..]) if end == ";" => {
                let before = &words[..words.len() - behind.len() - 1];
                if !before.ends_with(&["[", "path", "=", "]"].map(String::from)) {
                    source.children.push(name.clone());
                }
            }
            // `use<'a>` is a bound of a type.
            ("use", [next, ..]) if next != "<" => {
                let handed_on = is_public(&words[..words.len() - behind.len() - 1]);
                for (path, name) in use_tree(&mut rest, &[]) {
                    if handed_on {
                        source.exports.insert(name, path);
                    } else {
                        source.uses.push(path);
                    }
                }
            }
            _ if is_name(word) && behind.first().is_some_and(|next| next == "::") => {
                let mut path = vec![word.clone()];
                while let [colons, name, ..] = rest {
                    if colons != "::" || !is_name(name) {
                        break;
                    }
                    path.push(name.clone());
                    rest = &rest[2..];
                }
                source.uses.push(path);
            }
            _ => {}
        }
    }
    source
}

/// Whether these words end with `pub` or `pub(...)`.
fn is_public(before: &[String]) -> bool {
    match before {
        [.., open, _, close] if open == "(" && close == ")" => {
            before[..before.len() - 3].last().is_some_and(|w| w == "pub")
        }
        _ => before.last().is_some_and(|word| word == "pub"),
    }
}

/// The paths of a use declaration and the names that they get; moves `rest` to the end of the declaration.
fn use_tree(rest: &mut &[String], prefix: &[String]) -> Vec<(Vec<String>, String)> {
    let mut path = prefix.to_vec();
    let mut found = Vec::new();
    let mut in_braces = false;
    while let Some((word, behind)) = rest.split_first() {
        match word.as_str() {
            "::" => *rest = behind,
            "{" => {
                *rest = behind;
                in_braces = true;
                while rest.first().is_some_and(|word| word != "}" && word != ";") {
                    found.append(&mut use_tree(rest, &path));
                    if rest.first().is_some_and(|word| word == ",") {
                        *rest = &rest[1..];
                    }
                }
                *rest = rest.get(1..).unwrap_or_default();
            }
            "as" => {
                found.push((path.clone(), behind[0].clone()));
                *rest = &behind[1..];
                return found;
            }
            "," | "}" | ";" => break,
            "self" if !path.is_empty() => *rest = behind,
            "*" => *rest = behind,
            name => {
                path.push(name.to_owned());
                *rest = behind;
            }
        }
    }
    if !in_braces && !path.is_empty() {
        found.push((path.clone(), path.last().unwrap().clone()));
    }
    found
}

/// Leaves out each `#[cfg(test)]` with its item, up to the `;` or the closing brace.
fn without_tests(words: Vec<String>) -> Vec<String> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = &words[..];
    while let Some((word, behind)) = rest.split_first() {
        if rest.len() >= MARK.len() && rest.iter().zip(MARK).all(|(word, mark)| word == mark) {
            let mut depth = 0_usize;
            let end = rest.iter().skip(MARK.len()).position(|word| {
                match word.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                depth == 0 && (word == "}" || word == ";")
            });
            rest = end.and_then(|end| rest.get(MARK.len() + end + 1..)).unwrap_or_default();
        } else {
            kept.push(word.clone());
            rest = behind;
        }
    }
    kept
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// The words and signs of the code, without comments, texts and characters; `$crate` is `crate`.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(len) = literal_len(rest) {
            len
        } else if rest.starts_with("::") {
            words.push("::".to_owned());
            2
        } else if first.is_alphanumeric() || first == '_' {
            let len = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
            words.push(rest[..len].to_owned());
            len
        } else {
            if !first.is_whitespace() && first != '$' {
                words.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[len..];
    }
    words
}

/// The length of the string or character at the start, if there is one. A lifetime is not a character.
fn literal_len(text: &str) -> Option<usize> {
    let prefix = text.find(|next: char| !matches!(next, 'b' | 'c' | 'r')).filter(|len| *len <= 2)?;
    let body = &text[prefix..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    let raw = text[..prefix].contains('r');
    if raw && body[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(prefix + hashes + 1 + body[hashes + 1..].find(&end)? + end.len());
    }
    let quote = body.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let mut escaped = false;
    let end = body[1..].find(|next| {
        let ends = next == quote && !escaped;
        escaped = next == '\\' && !escaped;
        ends
    })?;
    let character = &body[1..1 + end];
    (quote == '"' || character.starts_with('\\') || character.chars().count() == 1).then_some(prefix + end + 2)
}

#[test]
fn leaves_out_texts_and_comments() {
    let text = r###"a "x\"y" b'"' 'z' '\'' c /* d */ r#"e"f"# fn g<'h>(i: &'h str) {} // j"###;
    let expected = ["a", "c", "fn", "g", "<", "'", "h", ">", "(", "i", ":", "&", "'", "h", "str", ")", "{", "}"];
    assert_eq!(words(text), expected);
}

#[test]
fn leaves_out_files_of_other_crates() {
    let text = "mod a;\n#[path = \"../b.rs\"]\nmod b;\n#[path = \"../c.rs\"]\nmod c;\nmod d;";
    assert_eq!(parse(text).children, ["a", "d"]);
}
