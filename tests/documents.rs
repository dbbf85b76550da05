//! The documents: the length of the README, the links between the documents, and the table of the top folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The README is a first screen, not a manual.
const README_LINES: usize = 150;

/// Entries of builds, of version control and of the tarball of `make dist`.
const OTHERS: [&str; 6] = [".cargo", ".git", "build", "target", "vendor", "__pycache__"];

/// The folders with documents.
const FOLDERS: [&str; 3] = ["", "docs", "tests/mta"];

#[test]
fn the_readme_is_short() {
    let lines = read(&top().join("README.md")).lines().count();
    assert!(
        lines <= README_LINES,
        "README.md has {lines} lines, more than {README_LINES}: move what is not for newcomers to docs/"
    );
}

#[test]
fn each_relative_link_leads_to_a_file_and_a_heading() {
    let mut sound = Vec::new();
    let mut broken = Vec::new();
    for document in documents() {
        for link in relative_links(&read(&document)) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            let leads = target.exists() && (heading.is_empty() || anchors(&read(&target)).iter().any(|a| a == heading));
            (if leads { &mut sound } else { &mut broken }).push(format!("{}: {link}", document.display()));
        }
    }
    assert!(broken.is_empty(), "these lead nowhere: {broken:#?}");
    for found in ["README.md: docs/status.png", "docs/postfix.md: differences.md", "tests/mta/README.md: #what-ran"] {
        assert!(sound.iter().any(|link| link.ends_with(found)), "{found} is not among {sound:#?}");
    }
}

#[test]
fn each_path_and_each_target_of_make_exists() {
    let targets = targets();
    let mut sound = Vec::new();
    let mut broken = Vec::new();
    for document in documents() {
        let text = read(&document);
        let paths = code(&text).filter(|code| is_path(code)).map(|path| (path, top().join(path).exists()));
        let made = made(&text).map(|target| (target, targets.iter().any(|known| known == target)));
        for (name, exists) in paths.chain(made) {
            (if exists { &mut sound } else { &mut broken }).push(format!("{}: {name}", document.display()));
        }
    }
    assert!(broken.is_empty(), "these do not exist: {broken:#?}");
    for found in ["CONTRIBUTING.md: src/error.rs", "README.md: demo", "docs/installing.md: install-exim"] {
        assert!(sound.iter().any(|name| name.ends_with(found)), "{found} is not among {sound:#?}");
    }
}

#[test]
fn links_and_headings_are_read_as_in_a_browser() {
    let text = "# The `top` folder, C & Rust\n[a](b.md#c) [w](https://example.org) ![p](d.png)\n<img src=\"e.png\">\n```sh\n# no\n[x](y)\n```\n";
    assert_eq!(relative_links(text), ["b.md#c", "d.png", "e.png"]);
    assert_eq!(anchors(text), ["the-top-folder-c--rust"]);
}

#[test]
fn the_table_has_each_entry_of_the_top_folder_and_no_other() {
    let contributing = read(&top().join("CONTRIBUTING.md"));
    let (_, table) = contributing.split_once("| entry | content |\n| --- | --- |\n").expect("the table");
    let rows = table.lines().take_while(|line| line.starts_with("| "));
    let mut listed: Vec<String> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split(','))
        .map(|name| name.trim().trim_matches('`').trim_end_matches('/').to_string())
        .collect();
    let mut found: Vec<String> = fs::read_dir(top())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !OTHERS.contains(&name.as_str()))
        .collect();
    listed.sort();
    found.sort();
    assert_eq!(listed, found);
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn documents() -> impl Iterator<Item = PathBuf> {
    let files = FOLDERS.iter().flat_map(|folder| fs::read_dir(top().join(folder)).unwrap());
    files.map(|entry| entry.unwrap().path()).filter(|file| file.extension().is_some_and(|extension| extension == "md"))
}

/// The lines of a document outside of its fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    lines(text).filter(|(is_code, _)| !is_code).map(|(_, line)| line)
}

/// The lines of a document but for the fences, each with whether it is in fenced code.
fn lines(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut in_code = false;
    text.lines().filter_map(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!is_fence).then_some((in_code, line))
    })
}

fn relative_links(text: &str) -> Vec<String> {
    let targets = prose(text).flat_map(|line| after(line, "](", ')').chain(after(line, "src=\"", '"')));
    targets.map(str::to_owned).filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
}

/// The texts in backquotes.
fn code(text: &str) -> impl Iterator<Item = &str> {
    prose(text).flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Whether a text is the path of a file or folder of this repository.
fn is_path(code: &str) -> bool {
    let folders =
        ["src/", "crates/", "docs/", "examples/", "include/", "man/", "packaging/", "tests/", "c-tests/", "fuzz/"];
    folders.iter().any(|folder| code.starts_with(folder))
        && code.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter))
}

/// The targets in the commands `make TARGET...`, in backquotes and in fenced code.
fn made(text: &str) -> impl Iterator<Item = &str> {
    let fenced = lines(text).filter(|(is_code, _)| *is_code).map(|(_, line)| line);
    let commands = code(text).chain(fenced).filter_map(|command| command.trim_start().strip_prefix("make "));
    commands
        .flat_map(|command| command.split([' ', ';']).take_while(|word| is_target(word) || is_variable(word)))
        .filter(|word| is_target(word))
}

fn is_variable(word: &str) -> bool {
    // A value in quotes may have several words, which are no targets.
    word.contains('=') && !word.contains('"')
}

fn is_target(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')
}

/// The targets that the makefiles declare.
fn targets() -> Vec<String> {
    let folders = ["", "packaging", "crates/exim", "crates/sendmail", "tests", "c-tests"];
    let files =
        folders.iter().flat_map(|folder| fs::read_dir(top().join(folder)).unwrap()).map(|entry| entry.unwrap().path());
    let makefiles = files.filter(|file| file.ends_with("Makefile") || file.extension().is_some_and(|end| end == "mk"));
    let text: String = makefiles.map(|file| read(&file)).collect();
    let declared = text.lines().filter_map(|line| line.strip_prefix(".PHONY:"));
    declared.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// What stands between each `opening` and the next `closing`.
fn after<'a>(line: &'a str, opening: &'a str, closing: char) -> impl Iterator<Item = &'a str> {
    line.split(opening).skip(1).filter_map(move |rest| Some(rest.split_once(closing)?.0))
}

/// The names of the headings in links, as forges make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}
