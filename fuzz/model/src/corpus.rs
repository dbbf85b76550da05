//! Runs the corpus of the fuzzers as ordinary tests: each input reaches code that no other does, or showed a defect.

use std::{fs, path::Path};

/// Runs every input of a target.
pub fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let file = entry.expect("an entry").path();
        println!("{}", file.display());
        run(&fs::read(&file).expect("an input"));
        files += 1;
    }
    assert!(files > 100, "{}: only {files} files", folder.display());
}
