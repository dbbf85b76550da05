//! Checks by the nine permission bits who may pass through a directory, read a file and write to a socket.

use std::{
    ffi::CString,
    fmt,
    fs::Metadata,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

/// The user of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// A service that may run as any user.
    Anybody,
    User {
        name: String,
        user: u32,
        groups: Vec<u32>,
    },
}

/// A permission bit, as in the class of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    Pass = 0o1,
    Write = 0o2,
    Read = 0o4,
}

impl Visitor {
    /// The user with this name and all its groups, or none if the user does not exist.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let user = User::from_name(name).ok()??;
        let groups = getgrouplist(&CString::new(name).ok()?, user.gid).ok()?;
        let groups = groups.into_iter().map(Gid::as_raw).collect();
        Some(Self::User { name: name.into(), user: user.uid.as_raw(), groups })
    }

    /// The owner of a file. One whom systemd made while a service ran may have no name any more.
    pub(super) fn owner_of(file: &Metadata) -> Self {
        let named = User::from_uid(Uid::from_raw(file.uid())).ok().flatten().and_then(|user| Self::named(&user.name));
        named.unwrap_or_else(|| Self::User { name: file.uid().to_string(), user: file.uid(), groups: vec![file.gid()] })
    }

    pub(super) fn may(&self, permission: Permission, file: &Metadata) -> bool {
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

/// Mode, owner and group of a file, for people.
pub(super) fn describe(file: &Metadata) -> String {
    let user = match User::from_uid(Uid::from_raw(file.uid())) {
        Ok(Some(user)) => user.name,
        _ => file.uid().to_string(),
    };
    let group = match Group::from_gid(Gid::from_raw(file.gid())) {
        Ok(Some(group)) => group.name,
        _ => file.gid().to_string(),
    };
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
    fn the_first_class_that_fits_decides() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let may_write = |mode, visitor: &Visitor| {
            fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            visitor.may(Permission::Write, &fs::metadata(file.path()).unwrap())
        };
        let metadata = fs::metadata(file.path()).unwrap();
        let (owner, group) = (metadata.uid(), metadata.gid());
        let user = |user, groups| Visitor::User { name: "somebody".into(), user, groups };
        let member = user(owner + 1, vec![group]);
        let stranger = user(owner + 1, vec![group + 1]);
        assert!(may_write(0o622, &stranger) && may_write(0o622, &member) && may_write(0o622, &Visitor::Anybody));
        assert!(may_write(0o620, &member) && !may_write(0o620, &stranger) && !may_write(0o620, &Visitor::Anybody));
        assert!(!may_write(0o602, &member) && may_write(0o602, &stranger));
        assert!(may_write(0o000, &user(0, vec![])));
    }

    #[test]
    fn users_have_their_groups() {
        let Some(Visitor::User { user, groups, .. }) = Visitor::named("root") else { panic!("there is a root") };
        assert_eq!(user, 0);
        assert!(groups.contains(&0));
        assert_eq!(Visitor::named("no-such-user"), None);
    }
}
