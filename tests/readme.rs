//! The table of the README that explains the entries of the top folder.

use std::{fs, path::Path};

/// Entries of builds, of version control and of the tarball of `make dist`.
const OTHERS: [&str; 6] = [".cargo", ".git", "build", "target", "vendor", "__pycache__"];

#[test]
fn the_table_has_each_entry_of_the_top_folder_and_no_other() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(top.join("README.md")).unwrap();
    let (_, table) = readme.split_once("| entry | content |\n| --- | --- |\n").expect("the table");
    let rows = table.lines().take_while(|line| line.starts_with("| "));
    let mut listed: Vec<String> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split(','))
        .map(|name| name.trim().trim_matches('`').trim_end_matches('/').to_string())
        .collect();
    let mut found: Vec<String> = fs::read_dir(top)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !OTHERS.contains(&name.as_str()))
        .collect();
    listed.sort();
    found.sort();
    assert_eq!(listed, found);
}
