//! Whether the collector can write to its store: space, size and access.

use std::{fs, io, path::Path};

use bytesize::ByteSize;
use nix::sys::statvfs::{FsFlags, statvfs};
use tlsrpt_config::Configuration;
use tlsrpt_status::LEAST_FREE;
use tlsrpt_store::Url;

use crate::{
    bounded,
    collector::{Collector, OTHER_FILE},
    finding::Finding,
    paste,
    remedy::Remedy,
    toml,
};

const CHECK: &str = "store";
/// Below this much free space the next commits fail.
const TOO_LITTLE: u64 = 4 << 20;
/// What the configuration of tlsrpt-collectd, another collector, begins the file of its store with.
const OTHER_STORE: &str = "sqlite:///";

/// Checks the file of the store, if the configuration has one and it exists; else that of tlsrpt-collectd.
#[must_use]
pub fn check_store(configuration: &Configuration, collector: &Collector) -> Option<Finding> {
    let Url::Sqlite(file) = &configuration.store.url else { return None };
    if file.exists() {
        let store = &configuration.store;
        return Some(of_file(file, Some(store.max_size), collector));
    }
    let text = bounded::read_text(Path::new(OTHER_FILE)).ok()?;
    let other = other_store(&text)?;
    other.exists().then(|| of_file(&other, None, collector))
}

/// `storage = sqlite:///PATH`.
fn other_store(text: &str) -> Option<std::path::PathBuf> {
    let mut values = text.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| name.trim() == "storage");
    let path = values.next()?.1.trim().strip_prefix(OTHER_STORE)?;
    Some(Path::new("/").join(path))
}

fn of_file(file: &Path, max_size: Option<u64>, collector: &Collector) -> Finding {
    let shown = file.display();
    let read = || -> io::Result<_> { Ok((fs::metadata(file)?.len(), statvfs(file)?)) };
    let (size, disk) = match read() {
        Ok(read) => read,
        Err(error) => return Finding::warn(CHECK, format!("{shown}: {error}"), Remedy::as_root()),
    };
    let read_only = disk.flags().contains(FsFlags::ST_RDONLY);
    // The types differ between platforms.
    #[allow(clippy::useless_conversion)]
    let free = u64::from(disk.blocks_available()) * u64::from(disk.fragment_size());
    judge(file, size, free, disk.files_available() == 0 && disk.files() > 0, read_only, max_size, collector)
}

fn judge(
    file: &Path,
    size: u64,
    free: u64,
    no_inodes: bool,
    read_only: bool,
    max_size: Option<u64>,
    collector: &Collector,
) -> Finding {
    let shown = file.display();
    let folder = paste::word(&file.parent().unwrap_or(file).to_string_lossy());
    if read_only {
        let message =
            format!("{shown} is on a file system that is mounted read-only: the collector cannot store events");
        return Finding::fail(CHECK, message, Remedy::run(format!("mount -o remount,rw \"$(stat -c %m {folder})\"")));
    }
    let more = Remedy::after(
        "free some space on this file system, or lower keep-days in [store]; its largest files",
        format!("df -h {folder} && du -xah \"$(stat -c %m {folder})\" | sort -rh | head -n 20"),
    );
    if free < TOO_LITTLE {
        let message = format!(
            "the file system of {shown} is full ({} are free): the collector cannot store events",
            ByteSize(free)
        );
        return Finding::fail(CHECK, message, more);
    }
    if no_inodes {
        let message = format!("the file system of {shown} has no free inodes: the collector cannot store events");
        return Finding::fail(
            CHECK,
            message,
            Remedy::after(
                "remove files of this file system; the folders with most files",
                format!("du -x --inodes \"$(stat -c %m {folder})\" | sort -rn | head -n 20"),
            ),
        );
    }
    if let Some(max_size) = max_size.filter(|max_size| size >= *max_size) {
        let message = format!(
            "{shown} has {}, and max-size in [store] is {}: it takes no new domains and policies",
            ByteSize(size),
            ByteSize(max_size)
        );
        let raised = toml::text(&format!("{}GiB", (max_size >> 30).saturating_mul(2).max(1)));
        let set = toml::set(collector.configuration(), "store", &[("max-size", raised)]);
        return Finding::warn(
            CHECK,
            message,
            Remedy::after("lower keep-days in [store], or raise max-size", format!("{set} && {}", collector.restart())),
        );
    }
    if free < LEAST_FREE {
        let message = format!("{} are free on the file system of {shown}", ByteSize(free));
        return Finding::warn(CHECK, message, more);
    }
    Finding::ok(CHECK, format!("{shown} has {}, and {} are free", ByteSize(size), ByteSize(free)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{judge, other_store};
    use crate::{collector::tests::of_service, finding::Status};

    #[test]
    fn what_keeps_a_store_from_growing_is_found() {
        let found = |size, free, no_inodes, read_only| {
            judge(
                Path::new("/var/lib/tlsrpt/tlsrpt.db"),
                size,
                free,
                no_inodes,
                read_only,
                Some(8 << 30),
                &of_service(),
            )
            .status
        };
        assert_eq!(found(1 << 20, 1 << 30, false, false), Status::Ok);
        assert_eq!(found(1 << 20, 1 << 30, false, true), Status::Fail);
        assert_eq!(found(1 << 20, 1 << 30, true, false), Status::Fail);
        assert_eq!(found(1 << 20, 1 << 20, false, false), Status::Fail);
        assert_eq!(found(1 << 20, 50 << 20, false, false), Status::Warn);
        assert_eq!(found(8 << 30, 1 << 30, false, false), Status::Warn);
    }

    #[test]
    fn the_store_of_the_other_collector() {
        let text = "[tlsrpt_collectd]\nstorage = sqlite:///var/lib/tlsrpt/collectd.sqlite\n";
        assert_eq!(other_store(text).as_deref(), Some(Path::new("/var/lib/tlsrpt/collectd.sqlite")));
        assert_eq!(other_store("storage=dummy:"), None);
    }
}
