//! Computes from the nine permission bits whether a user may pass through a directory, read a file or write to a
//! socket.

use std::{
    ffi::CString,
    fmt,
    fs::{self, Metadata},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

use crate::bounded;

/// The user as which a program accesses files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visitor {
    /// An unknown user: only the permissions of the class "others" count.
    Anybody,
    /// A user of this host.
    User {
        /// The name.
        name: String,
        /// The number.
        user: u32,
        /// The numbers of all groups.
        groups: Vec<u32>,
    },
}

/// A permission bit, with its value in the class "others".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    Pass = 0o1,
    Write = 0o2,
    Read = 0o4,
}

impl Visitor {
    /// The user with this name and all its groups, or none if the user does not exist.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let user = User::from_name(name).ok()??;
        let groups = getgrouplist(&CString::new(name).ok()?, user.gid).ok()?;
        let groups = groups.into_iter().map(Gid::as_raw).collect();
        Some(Self::User { name: name.into(), user: user.uid.as_raw(), groups })
    }

    /// The owner of a file. A dynamic user of systemd has no name any more after its service has ended.
    pub(crate) fn owner_of(file: &Metadata) -> Self {
        let named = User::from_uid(Uid::from_raw(file.uid())).ok().flatten().and_then(|user| Self::named(&user.name));
        named.unwrap_or_else(|| Self::User { name: file.uid().to_string(), user: file.uid(), groups: vec![file.gid()] })
    }

    /// The user and the groups of a process, with those that its service manager added.
    pub(crate) fn of_process(id: u32) -> Option<Self> {
        let status = bounded::read_text(Path::new(&format!("/proc/{id}/status"))).ok()?;
        let numbers = |name: &str| -> Vec<u32> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or("").split_whitespace().filter_map(|word| word.parse().ok()).collect()
        };
        // The second number is the one that counts.
        let user = *numbers("Uid:").get(1)?;
        let mut groups = numbers("Groups:");
        groups.extend(numbers("Gid:").get(1));
        Some(Self::User { name: user_name(user), user, groups })
    }

    /// The name of the first group.
    pub(crate) fn group(&self) -> Option<String> {
        match self {
            Self::Anybody => None,
            Self::User { name, groups, .. } => {
                let own = User::from_name(name).ok().flatten().map(|user| user.gid.as_raw());
                own.or_else(|| groups.last().copied()).map(group_name)
            }
        }
    }

    /// The nearest folder on the way to a file through which this user may not pass.
    pub(crate) fn closed_folder<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        let is_closed = |folder: &&Path| fs::metadata(folder).is_ok_and(|folder| !self.may(Permission::Pass, &folder));
        path.ancestors().skip(1).find(is_closed)
    }

    pub(crate) fn may(&self, permission: Permission, file: &Metadata) -> bool {
        let shift = match self {
            Self::User { user: 0, .. } => return true,
            Self::User { user, .. } if *user == file.uid() => 6,
            Self::User { groups, .. } if groups.contains(&file.gid()) => 3,
            _ => 0,
        };
        file.permissions().mode() >> shift & permission as u32 != 0
    }
}

impl fmt::Display for Visitor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anybody => out.write_str("everybody"),
            Self::User { name, .. } => write!(out, "the user {name}"),
        }
    }
}

/// The name of a user's own group, or the name of the user.
pub(crate) fn group_of(user: &str) -> String {
    let group = User::from_name(user).ok().flatten().and_then(|user| Group::from_gid(user.gid).ok().flatten());
    group.map_or_else(|| user.to_owned(), |group| group.name)
}

/// The name of a user, or the number of one without a name.
fn user_name(number: u32) -> String {
    User::from_uid(Uid::from_raw(number)).ok().flatten().map_or_else(|| number.to_string(), |user| user.name)
}

/// The name of a group, or the number of one without a name.
fn group_name(number: u32) -> String {
    Group::from_gid(Gid::from_raw(number)).ok().flatten().map_or_else(|| number.to_string(), |group| group.name)
}

/// Mode, owner and group of a file, as text.
pub(crate) fn describe(file: &Metadata) -> String {
    let (user, group) = (user_name(file.uid()), group_name(file.gid()));
    format!("mode {:04o}, owner {user}, group {group}", file.permissions().mode() & 0o7777)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{MetadataExt, PermissionsExt},
    };

    use super::{Permission, Visitor};

    #[test]
    fn the_first_class_that_matches_decides() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let may_write = |mode, visitor: &Visitor| {
            fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            visitor.may(Permission::Write, &fs::metadata(file.path()).unwrap())
        };
        let metadata = fs::metadata(file.path()).unwrap();
        let (owner, group) = (metadata.uid(), metadata.gid());
        let user = |user, groups| Visitor::User { name: "somebody".into(), user, groups };
        let member = user(owner + 1, vec![group]);
        let other = user(owner + 1, vec![group + 1]);
        assert!(may_write(0o622, &other) && may_write(0o622, &member) && may_write(0o622, &Visitor::Anybody));
        assert!(may_write(0o620, &member) && !may_write(0o620, &other) && !may_write(0o620, &Visitor::Anybody));
        assert!(!may_write(0o602, &member) && may_write(0o602, &other));
        assert!(may_write(0o000, &user(0, vec![])));
    }

    #[test]
    fn a_user_is_found_by_name_with_its_groups() {
        let Some(Visitor::User { user, groups, .. }) = Visitor::named("root") else { panic!("there is a root") };
        assert_eq!(user, 0);
        assert!(groups.contains(&0));
        assert_eq!(Visitor::named("no-such-user"), None);
        let Some(Visitor::User { user, groups, .. }) = Visitor::of_process(std::process::id()) else {
            panic!("it runs")
        };
        assert_eq!(user, nix::unistd::geteuid().as_raw());
        assert!(groups.contains(&nix::unistd::getegid().as_raw()));
    }
}
