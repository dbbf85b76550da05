//! The structure of the workspace: the client library depends on libc alone, and neither the crates nor the modules of
//! a crate depend on each other in circles. An arrow leads from a crate or module to one that it uses.

mod arrows;
mod modules;
mod rust_source;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use arrows::Arrows;
use serde_json::Value;

#[test]
fn the_library_depends_on_libc_alone() {
    let metadata = metadata();
    let library = packages(&metadata).find(|package| package["name"] == "tlsrpt").expect("the library is a package");
    let needed: BTreeSet<_> = dependencies(library).filter(|(kind, _)| *kind != "dev").map(|(_, name)| name).collect();
    assert_eq!(needed, BTreeSet::from(["libc"]));
    let siblings: BTreeSet<_> = packages(&metadata).map(name).collect();
    let for_tests: BTreeSet<_> = dependencies(library).map(|(_, name)| name).collect();
    assert!(for_tests.is_disjoint(&siblings), "the tests of the library use {for_tests:?}");
}

#[test]
fn crates_have_no_circles() {
    let metadata = metadata();
    let mut arrows = Arrows::default();
    let siblings: BTreeSet<_> = packages(&metadata).map(name).collect();
    for package in packages(&metadata) {
        for (_, dependency) in dependencies(package).filter(|(_, name)| siblings.contains(name)) {
            arrows.add(name(package), dependency);
        }
    }
    assert!(arrows.contains("tlsrpt-format", "tlsrpt"), "no arrow is found: {arrows:?}");
    assert_eq!(arrows.circles(), Arrows::default());
}

/// The table of docs/architecture.md: `| crate | what it has | uses |`.
#[test]
fn the_documented_crates_are_those_of_the_workspace() {
    let metadata = metadata();
    let siblings: BTreeSet<_> = packages(&metadata).map(name).collect();
    let real: BTreeMap<_, BTreeSet<_>> = packages(&metadata)
        .map(|package| {
            let used = dependencies(package).filter(|(kind, name)| *kind == "normal" && siblings.contains(name));
            (name(package), used.map(|(_, name)| name).collect())
        })
        .collect();
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/architecture.md");
    let text = std::fs::read_to_string(document).unwrap();
    let (_, table) = text.split_once("| crate | what it has | uses |\n| --- | --- | --- |\n").expect("the table");
    let rows = table.lines().take_while(|line| line.starts_with("| "));
    let documented: BTreeMap<_, _> = rows
        .map(|row| {
            let cells: Vec<_> = row.split(" |").collect();
            (quoted(cells[0]).next().unwrap(), quoted(cells[2]).collect())
        })
        .collect();
    assert_eq!(documented, real);
}

/// The texts in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn modules_have_no_circles() {
    let metadata = metadata();
    let roots: Vec<_> = packages(&metadata).flat_map(roots).collect();
    assert!(roots.len() > 5, "found {roots:?}");
    let circles: Vec<_> = roots
        .into_iter()
        .map(|root| (root, modules::read(root).arrows().circles()))
        .filter(|(_, circles)| *circles != Arrows::default())
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

/// The root files of the libraries and programs of a package.
fn roots(package: &Value) -> impl Iterator<Item = &Path> {
    let is_wanted = |target: &&Value| {
        let kinds = target["kind"].as_array().unwrap();
        kinds.iter().any(|kind| ["lib", "cdylib", "bin"].contains(&kind.as_str().unwrap()))
    };
    let targets = package["targets"].as_array().unwrap();
    targets.iter().filter(is_wanted).map(|target| Path::new(target["src_path"].as_str().unwrap()))
}

/// Positive controls: the arrows of the library that its architecture names.
#[test]
fn the_arrows_of_the_library_are_found() {
    let arrows = modules::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/lib.rs")).arrows();
    for (user, used) in [
        ("crate::request", "crate::event"),
        ("crate::event::escape", "crate::memory::buffer"),
        ("crate::memory::shared", "crate::memory::owned"),
        ("crate::capi::policy", "crate::capi::pointers"),
        ("crate::system::socket", "crate::errno"),
    ] {
        assert!(arrows.contains(user, used), "{user} uses {used}: {arrows:?}");
    }
    assert!(!arrows.contains("crate::event::escape", "crate::system::socket"));
}

fn metadata() -> Value {
    let answer = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))
        .output()
        .unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    serde_json::from_slice(&answer.stdout).unwrap()
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().unwrap().iter()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

/// The direct dependencies of a package: kind (normal, dev, build) and name.
fn dependencies(package: &Value) -> impl Iterator<Item = (&str, &str)> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.map(|dependency| (dependency["kind"].as_str().unwrap_or("normal"), name(dependency)))
}
