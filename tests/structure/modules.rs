//! The modules of a crate, and the arrows between them.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    arrows::Arrows,
    rust_source::{self, Source},
};

/// The modules of one crate by their paths; `["crate"]` is the root.
#[derive(Default)]
pub(crate) struct Modules(BTreeMap<Vec<String>, Source>);

/// Reads the crate whose root is this file, without its tests.
pub(crate) fn read(root: &Path) -> Modules {
    let mut modules = Modules::default();
    let folder = root.parent().unwrap();
    add_file(&mut modules, vec!["crate".to_owned()], root, folder);
    modules
}

/// Adds the module in this file and, from `folder`, its children.
fn add_file(modules: &mut Modules, path: Vec<String>, file: &Path, folder: &Path) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let source = rust_source::parse(&text);
    for child in &source.children {
        let (flat, nested) = (folder.join(format!("{child}.rs")), folder.join(child).join("mod.rs"));
        let file = if flat.exists() { flat } else { nested };
        add_file(modules, [&path[..], std::slice::from_ref(child)].concat(), &file, &folder.join(child));
    }
    modules.0.insert(path, source);
}

impl Modules {
    pub(crate) fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::default();
        for (module, source) in &self.0 {
            for path in source.uses.iter().chain(source.exports.values()) {
                if let Some(used) = self.find(module, path, 0) {
                    arrows.add(&module.join("::"), &used.join("::"));
                }
            }
        }
        arrows
    }

    /// The module that defines the item that `path` names in `module`. `None` for a path to another crate.
    fn find(&self, module: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
        assert!(depth < 20, "{path:?} in {module:?} leads to itself");
        let mut place = module.to_vec();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                place.truncate(1);
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {}
            child if self.0[module].children.iter().any(|known| known == child) => {}
            _ => return None,
        }
        while let Some((next, behind)) = rest.split_first() {
            let child = [&place[..], std::slice::from_ref(next)].concat();
            if next == "super" {
                place.pop();
            } else if self.0.contains_key(&child) {
                place = child;
            } else if let Some(export) = self.0[&place].exports.get(next) {
                return self.find(&place.clone(), export, depth + 1).or(Some(place));
            } else {
                break;
            }
            rest = behind;
        }
        Some(place)
    }
}

#[cfg(test)]
fn in_memory(files: &[(&str, &str)]) -> Arrows {
    let parsed =
        files.iter().map(|(path, text)| (path.split("::").map(str::to_owned).collect(), rust_source::parse(text)));
    Modules(parsed.collect()).arrows()
}

#[test]
fn finds_a_circle_however_it_is_written() {
    let root = ("crate", "mod a; mod b;");
    let b = ("crate::b", "pub struct Y; use crate::a::X;");
    for a in [
        "use crate::b::Y; pub struct X;",
        "pub struct X; use super::b::{self as other, Y};",
        "pub struct X(crate::b::Y);",
        "pub struct X; fn f() { super::b::g() }",
        "use super::{\n    /* why */ b::Y, // as said\n};",
    ] {
        let circles = in_memory(&[root, b, ("crate::a", a)]).circles();
        assert!(
            circles.contains("crate::a", "crate::b") && circles.contains("crate::b", "crate::a"),
            "{a}: {circles:?}"
        );
    }
    for a in [
        "pub struct X; #[cfg(test)] mod tests { use crate::b::Y; fn f() { if true {} } }",
        "pub struct X; // use crate::b::Y;",
        "pub struct X; const TEXT: &str = \"use crate::b::Y;\";",
        "use core::b::Y; pub struct X;",
    ] {
        assert_eq!(in_memory(&[root, b, ("crate::a", a)]).circles(), Arrows::default(), "{a}");
    }
}

#[test]
fn follows_reexports() {
    let arrows = in_memory(&[
        ("crate", "mod list; mod user; fn f() { list::open() }"),
        ("crate::list", "mod item; mod text; pub(crate) use item::{Item, open as open_item}; pub fn open() {}"),
        ("crate::list::item", "use super::text::Text; pub struct Item;"),
        ("crate::list::text", "pub struct Text;"),
        ("crate::user", "use crate::list::Item; fn f() { crate::list::open_item() }"),
    ]);
    assert!(arrows.contains("crate::user", "crate::list::item"), "{arrows:?}");
    assert!(!arrows.contains("crate::user", "crate::list"));
    assert!(arrows.contains("crate", "crate::list"));
    assert_eq!(arrows.circles(), Arrows::default());
    let defined_above = in_memory(&[
        ("crate", "mod child; use child::f; pub struct Above;"),
        ("crate::child", "use super::Above; pub fn f() {}"),
    ]);
    assert!(defined_above.circles().contains("crate::child", "crate"));
}
