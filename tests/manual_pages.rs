//! The manual pages are written by hand. These tests compare them with the header, which is generated from the source:
//! one page for each function, the same prototype, the same error codes, and no reference to a page that does not
//! exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const OVERVIEW: &str = "libtlsrpt";

#[derive(Debug, PartialEq, Eq)]
struct Function {
    prototype: String,
    /// The errors that it returns: constants of the header, and names of errno.
    errors: BTreeSet<String>,
}

#[test]
fn one_page_for_each_function() {
    let functions: BTreeSet<_> = header_functions().into_keys().collect();
    let mut pages: BTreeSet<_> = pages().into_keys().collect();
    assert!(pages.remove(OVERVIEW), "no {OVERVIEW}.3");
    assert_eq!(pages, functions);
}

#[test]
fn prototypes_and_errors_are_those_of_the_header() {
    let pages = pages();
    for (name, function) in header_functions() {
        let page = &pages[&name];
        let documented = Function { prototype: prototype_in_page(page), errors: errors_in_page(page) };
        assert_eq!(documented, function, "man/{name}.3 and include/tlsrpt.h differ");
    }
}

#[test]
fn pages_name_only_pages_that_exist_and_the_overview_names_all() {
    let pages = pages();
    for (name, page) in &pages {
        for reference in references(page).filter(|reference| reference.contains("tlsrpt")) {
            assert!(pages.contains_key(reference), "man/{name}.3 names {reference}(3)");
        }
    }
    let named: BTreeSet<_> = references(section(&pages[OVERVIEW], "SEE ALSO")).map(str::to_owned).collect();
    assert_eq!(named, header_functions().into_keys().collect());
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The functions of the header by their names.
fn header_functions() -> BTreeMap<String, Function> {
    let header = read(&path("include/tlsrpt.h"));
    let mut errors_of_section = BTreeSet::new();
    let mut functions = BTreeMap::new();
    for block in header.split("/*\n").skip(1) {
        let (comment, behind) = block.split_once(" */\n").expect("a comment has an end");
        if behind.starts_with('\n') {
            errors_of_section = words(comment).filter(|word| is_error(word)).map(str::to_owned).collect();
            continue;
        }
        let prototype = behind.split_inclusive(';').next().unwrap_or_default();
        let Some((before, _)) = prototype.split_once('(') else { continue };
        let Some(name) = before.rsplit([' ', '*']).next().filter(|name| name.starts_with("tlsrpt_")) else { continue };
        let (_, returns) = comment.split_once("Returns").unwrap_or_default();
        let mut errors = errors_of_section.clone();
        errors.extend(words(returns).filter(|word| is_error(word)).map(str::to_owned));
        let prototype = prototype.split_whitespace().collect::<Vec<_>>().join(" ");
        functions.insert(name.to_owned(), Function { prototype, errors });
    }
    assert!(functions.len() > 1, "the header has functions");
    functions
}

/// The pages of section 3 by their names.
fn pages() -> BTreeMap<String, String> {
    let files = fs::read_dir(path("man")).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|section| section == "3"))
        .map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), read(&file)))
        .collect()
}

fn prototype_in_page(page: &str) -> String {
    let mut prototype = String::new();
    let mut arguments = Vec::new();
    for line in section(page, "SYNOPSIS").lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        match name {
            ".Ft" if value.ends_with('*') => prototype.push_str(value),
            ".Ft" => prototype = format!("{value} "),
            ".Fo" => prototype.push_str(value),
            ".Fa" => arguments.push(value.trim_matches('"')),
            ".Fc" => return format!("{prototype}({});", arguments.join(", ")),
            _ => {}
        }
    }
    panic!("no prototype between .Ft and .Fc")
}

fn errors_in_page(page: &str) -> BTreeSet<String> {
    let items = section(page, "ERRORS").lines().filter_map(|line| line.strip_prefix(".It "));
    items.flat_map(|item| words(item).find(|word| is_error(word))).map(str::to_owned).collect()
}

fn references(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix(".Xr ")?.split(' ').next())
}

/// The text below this heading of a page; empty if the page has no such heading.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let Some((_, behind)) = page.split_once(&format!(".Sh {heading}\n")) else { return "" };
    behind.split_once("\n.Sh ").map_or(behind, |(section, _)| section)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_')
}

/// Whether a word is a constant for an error of this library or of the system.
fn is_error(word: &str) -> bool {
    word.starts_with("TLSRPT_ERR_")
        || word.len() > 3 && word.starts_with('E') && word.bytes().all(|byte| byte.is_ascii_uppercase())
}
