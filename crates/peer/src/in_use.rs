//! Whether another process has a file open.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
};

/// The name and the number of another process that has this file open. None if there is none, or if this user may not see it.
pub(crate) fn user_of(file: &Metadata) -> Option<(String, u32)> {
    let own = std::process::id();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let number = numbers.find(|number| *number != own && has_open(*number, file))?;
    let name = fs::read_to_string(format!("/proc/{number}/comm")).unwrap_or_default();
    Some((name.trim_end().to_owned(), number))
}

fn has_open(process: u32, file: &Metadata) -> bool {
    let Ok(descriptors) = fs::read_dir(Path::new("/proc").join(process.to_string()).join("fd")) else { return false };
    let same = |other: Metadata| (other.dev(), other.ino()) == (file.dev(), file.ino());
    descriptors.flatten().any(|descriptor| fs::metadata(descriptor.path()).is_ok_and(same))
}
