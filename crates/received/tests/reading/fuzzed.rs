//! The inputs of the fuzzer `received` (`fuzz/`).

use std::{fs, path::Path};

use crate::any_bytes::run;

#[test]
fn inputs_worth_keeping() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/received");
    let mut seen = 0;
    for file in fs::read_dir(&folder).unwrap() {
        run(&fs::read(file.unwrap().path()).unwrap());
        seen += 1;
    }
    assert!(seen > 10, "only {seen} inputs in {}", folder.display());
}
