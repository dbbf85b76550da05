//! The clock of the day of a process, which the test sets.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::PathBuf,
    process::Command,
};

use jiff::Timestamp;

use crate::host::Host;

/// The clock of the day of a process.
pub(crate) struct Clock {
    library: PathBuf,
    name: PathBuf,
    file: File,
}

impl Clock {
    pub(crate) fn at(host: &Host, time: Timestamp) -> Self {
        let (library, name) = (host.file("clock.so"), host.file("clock"));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/delivering/clock.c");
        let compiled =
            Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
        assert!(compiled.unwrap().success());
        let file = OpenOptions::new().write(true).create_new(true).open(&name).unwrap();
        let clock = Self { library, name, file };
        clock.set(time);
        clock
    }

    pub(crate) fn set(&self, time: Timestamp) {
        let ahead = time.as_second() - Timestamp::now().as_second();
        self.file.write_all_at(&ahead.to_ne_bytes(), 0).unwrap();
    }

    pub(crate) fn for_process(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("CLOCK", &self.name);
    }
}
