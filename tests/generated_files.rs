//! The files that are generated from the source: both headers, and the lists of constants in the manual.
//!
//! The tests compare the committed files with the generated ones. `make header` runs them with `WRITE_GENERATED` set;
//! then they write the files.

use std::{env, fmt::Write as _, fs, path::Path};

use tlsrpt::{Definition, ErrorKind, FailureType, FinalResult, PolicyType, version};

const WIDTH: usize = 80;

#[test]
fn header() {
    check("include/tlsrpt.h", &tlsrpt_h());
}

#[test]
fn version_header() {
    check("include/tlsrpt_version.h", &version_h());
}

#[test]
fn constants_in_the_manual() {
    let failures = FailureType::ALL.iter().map(|value| value.definition());
    check_list("man/tlsrpt_add_delivery_request_failure.3", failures.map(described).collect());
    let policies = PolicyType::ALL.iter().map(|value| value.definition());
    check_list("man/tlsrpt_init_policy.3", policies.map(described).collect());
    let results = FinalResult::ALL.iter().map(|value| value.definition());
    check_list("man/tlsrpt_finish_policy.3", results.map(described).collect());
    check_list("man/libtlsrpt.3", ErrorKind::ALL.iter().map(|kind| numbered(kind.definition())).collect());
}

/// `cargo cinstall` installs the versions of `make install`: those of the interface, not of the project.
#[test]
fn versions_of_cargo_cinstall() {
    let manifest = read("crates/clib/Cargo.toml");
    let section = |name: &str| {
        let (_, behind) =
            manifest.split_once(&format!("[package.metadata.capi.{name}]\n")).expect("the section exists");
        behind.split("\n[").next().unwrap().to_owned()
    };
    assert!(section("pkg_config").contains(&format!("version = \"{}\"\n", version::STRING)));
    let makefile = read("Makefile");
    let soname = makefile.lines().find_map(|line| line.strip_prefix("SONAME = libtlsrpt.so.")).unwrap();
    assert!(makefile.contains("\nREALNAME = $(SONAME).0.0\n"));
    assert!(section("library").contains(&format!("version = \"{soname}.0.0\"\nversion_suffix_components = 1\n")));
}

#[test]
fn the_level_of_the_interface_is_not_the_version_of_the_project() {
    assert_eq!(version::STRING, "0.5.1");
    assert_ne!(version::STRING, env!("CARGO_PKG_VERSION"));
}

/// Compares the file with its expected content, or writes it.
fn check(name: &str, expected: &str) {
    if env::var_os("WRITE_GENERATED").is_some() {
        fs::write(path(name), expected).unwrap();
    }
    assert!(fs::read_to_string(path(name)).is_ok_and(|committed| committed == expected), "{name}: run `make header`");
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn tlsrpt_h() -> String {
    let mut header = String::new();
    for line in read("include/tlsrpt.h.in").lines() {
        match line.strip_prefix("@SECTION ").and_then(|rest| rest.strip_suffix('@')) {
            Some(section) => header.push_str(&functions(section)),
            None if line == "@TYPES@" => header.push_str(&enums()),
            None if line == "@ERRORS@" => header.push_str(&error_constants()),
            None => header.push_str(&format!("{line}\n")),
        }
    }
    header
}

fn version_h() -> String {
    read("include/tlsrpt_version.h.in")
        .replace("@MAJOR@", &version::MAJOR.to_string())
        .replace("@MINOR@", &version::MINOR.to_string())
        .replace("@PATCH@", &version::PATCH.to_string())
        .replace("@IS_PRERELEASE@", if version::PRERELEASE.is_empty() { "0" } else { "1" })
        .replace("@PRERELEASE@", version::PRERELEASE)
        .replace("@STRING@", version::STRING)
}

/// One file of src/capi: its module comment as a heading, then its prototypes as cbindgen writes them.
fn functions(section: &str) -> String {
    let source = path(&format!("src/capi/{section}.rs"));
    let heading = fs::read_to_string(&source).unwrap();
    let heading = heading.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect::<Vec<_>>();
    let config = cbindgen::Config::from_file(path("cbindgen.toml")).unwrap();
    let mut prototypes = Vec::new();
    cbindgen::Builder::new().with_config(config).with_src(&source).generate().unwrap().write(&mut prototypes);
    let prototypes = String::from_utf8(prototypes).unwrap();
    format!("{}\n\n{}\n", comment(&heading), with_filled_comments(prototypes.trim()))
}

/// The prototypes with comments of the header's width, without the parts for Rust callers.
fn with_filled_comments(prototypes: &str) -> String {
    let mut text = String::new();
    let mut lines = prototypes.lines();
    while let Some(line) = lines.next() {
        if line == "/*" {
            let all: Vec<_> = lines.by_ref().take_while(|line| *line != " */").map(str::trim).collect();
            let c_part: Vec<_> = all.into_iter().take_while(|line| *line != "# Safety").collect();
            text.push_str(&comment(&c_part));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

fn enums() -> String {
    [
        c_enum(PolicyType::MEANING, PolicyType::C_NAME, PolicyType::ALL, PolicyType::definition),
        c_enum(FinalResult::MEANING, FinalResult::C_NAME, FinalResult::ALL, FinalResult::definition),
        c_enum(FailureType::MEANING, FailureType::C_NAME, FailureType::ALL, FailureType::definition),
    ]
    .concat()
}

fn c_enum<T: Copy>(meaning: &str, name: &str, values: &[T], definition: fn(T) -> Definition) -> String {
    let items: Vec<_> = values.iter().map(|value| definition(*value)).collect();
    let width = items.iter().map(|item| item.constant.len()).max().unwrap_or(0);
    let mut text = format!("{}\ntypedef enum {{\n", comment(&[meaning.trim()]));
    for (index, Definition { constant, value, meaning }) in items.iter().enumerate() {
        let comma = if index + 1 < items.len() { "," } else { " " };
        writeln!(text, "    {constant:width$} = {value}{comma} /* {meaning} */").unwrap();
    }
    writeln!(text, "}} {name};\n").unwrap();
    text
}

fn error_constants() -> String {
    let width = ErrorKind::ALL.iter().map(|kind| kind.definition().constant.len()).max().unwrap_or(0);
    let mut text = String::new();
    for kind in ErrorKind::ALL {
        let Definition { constant, value, meaning } = kind.definition();
        writeln!(text, "#define {constant:width$} {value} /* {meaning} */").unwrap();
    }
    text.push('\n');
    text
}

/// Compares the list in a manual page with `items`, or writes them into the page.
fn check_list(page: &str, items: String) {
    const BEGIN: &str = ".\\\" This list is made by `make header`.\n";
    const END: &str = ".\\\" The end of the list.\n";
    let text = read(page);
    let (before, rest) = text.split_once(BEGIN).expect("the page has a place for the list");
    let (_, after) = rest.split_once(END).expect("the place for the list has an end");
    check(page, &format!("{before}{BEGIN}{items}{END}{after}"));
}

/// An item of a list in the manual: a constant and what it stands for.
fn described(Definition { constant, meaning, .. }: Definition) -> String {
    format!(".It Dv {constant}\n{meaning}\n")
}

/// The same with the number of the constant.
fn numbered(Definition { constant, value, meaning }: Definition) -> String {
    format!(".It Dv {constant} Pq {value}\n{}.\n", meaning[..1].to_uppercase() + &meaning[1..])
}

/// A C comment of these paragraphs, whose lines are filled again to the header's width.
fn comment(lines: &[&str]) -> String {
    let mut text = String::from("/*\n");
    for paragraph in lines.split(|line| line.is_empty()).filter(|paragraph| !paragraph.is_empty()) {
        if text.len() > 3 {
            text.push_str(" *\n");
        }
        let mut line = String::from(" *");
        for word in paragraph.iter().flat_map(|line| line.split_whitespace()) {
            if line.len() + 1 + word.len() > WIDTH {
                writeln!(text, "{line}").unwrap();
                line = String::from(" *");
            }
            line.push(' ');
            line.push_str(word);
        }
        writeln!(text, "{line}").unwrap();
    }
    text + " */"
}
