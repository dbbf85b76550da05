//! The way to a file: its directories, with symbolic links resolved as a process of a chroot resolves them.

use std::{
    ffi::OsString,
    fs, io,
    path::{Component, Path, PathBuf},
};

/// More links than the system follows.
const TOO_MANY: usize = 40;

/// The way from a directory to a file.
#[derive(Debug)]
pub(super) struct Way {
    /// The directories that exist, from the first to the last.
    pub(super) directories: Vec<PathBuf>,
    /// The symbolic links on the way, with what they name.
    pub(super) links: Vec<(PathBuf, PathBuf)>,
    /// The last file, or the first one that there is not.
    pub(super) end: PathBuf,
    /// Why the way ends before its last part. A last part that is missing is no problem of the way.
    pub(super) problem: Option<io::Error>,
}

impl Way {
    /// Follows `name` from `start`, as a process does whose root directory is `root`.
    pub(super) fn follow(root: &Path, start: &Path, name: &Path) -> Self {
        let mut way = Self { directories: Vec::new(), links: Vec::new(), end: start.into(), problem: None };
        let mut left = parts(name);
        if left.last().is_none_or(|first| first != "/") {
            way.directories.push(start.into());
        }
        while let Some(part) = left.pop() {
            if part == "/" {
                way.end = root.into();
                way.pass();
            } else if part == ".." {
                if way.end != root {
                    way.end.pop();
                }
                way.pass();
            } else {
                way.end.push(part);
                if let Err(error) = way.step(&mut left) {
                    way.problem = Some(error);
                    break;
                }
            }
        }
        way
    }

    /// Looks at the file to which the last part has led.
    fn step(&mut self, left: &mut Vec<OsString>) -> io::Result<()> {
        let file = match fs::symlink_metadata(&self.end) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && left.is_empty() && self.links.is_empty() => {
                return Ok(());
            }
            file => file?,
        };
        if file.is_symlink() {
            let target = fs::read_link(&self.end)?;
            self.links.push((self.end.clone(), target.clone()));
            if self.links.len() > TOO_MANY {
                return Err(io::Error::from(nix::errno::Errno::ELOOP));
            }
            self.end.pop();
            left.extend(parts(&target));
        } else if !left.is_empty() {
            self.pass();
        }
        Ok(())
    }

    fn pass(&mut self) {
        if !self.directories.contains(&self.end) {
            self.directories.push(self.end.clone());
        }
    }
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let mut parts: Vec<_> = parts.map(|part| part.as_os_str().to_owned()).collect();
    parts.reverse();
    parts
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::symlink,
        path::{Path, PathBuf},
    };

    use super::Way;

    #[test]
    fn links_lead_as_in_the_chroot() {
        let outside = tempfile::tempdir().unwrap();
        let root = outside.path().join("root");
        let inside = |name: &str| root.join(name);
        fs::create_dir_all(inside("run/tlsrpt")).unwrap();
        fs::create_dir_all(outside.path().join("run")).unwrap();
        fs::write(outside.path().join("run/s"), "").unwrap();
        fs::write(inside("run/tlsrpt/s"), "").unwrap();
        symlink("/run/tlsrpt", inside("absolute")).unwrap();
        symlink("../../run", inside("run/up")).unwrap();
        symlink("/run/loop", inside("run/loop")).unwrap();
        symlink("/run/gone/s", inside("run/broken")).unwrap();
        let follow = |name: &str| Way::follow(&root, &root, Path::new(name));
        let to = |name: &str| {
            let way = follow(name);
            assert!(way.problem.is_none(), "{way:?}");
            way.end
        };
        let s = inside("run/tlsrpt/s");
        for name in ["run/tlsrpt/s", "/run/tlsrpt/s", "./run/../run/tlsrpt/s", "absolute/s", "../run/up/tlsrpt/s"] {
            assert_eq!(to(name), s, "{name}");
        }
        // Outside of the chroot, the same link leads to another folder.
        let of_host = Way::follow(Path::new("/"), &root, Path::new("run/up/s"));
        assert_eq!(of_host.end, fs::canonicalize(outside.path()).unwrap().join("run/s"));
        assert_eq!(to("run/none"), inside("run/none"));
        for (name, end) in [
            ("run/loop", "run/loop"),
            ("run/broken", "run/gone"),
            ("none/s", "none"),
            ("run/tlsrpt/s/t", "run/tlsrpt/s/t"),
        ] {
            let way = follow(name);
            assert_eq!((way.end, way.problem.is_some()), (inside(end), true), "{name}");
        }
        let directories: Vec<PathBuf> = ["", "run", "run/tlsrpt"].map(inside).into();
        assert_eq!(follow("absolute/s").directories[1..], directories[1..]);
        assert_eq!(follow("absolute/s").links, [(inside("absolute"), "/run/tlsrpt".into())]);
    }
}
