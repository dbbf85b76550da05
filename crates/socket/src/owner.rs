//! The owner and the group of a socket.

use std::str::FromStr;

use nix::unistd::{Gid, Group, Uid, User};

/// `USER`, `USER:GROUP` or `:GROUP`, by name or number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// None: unchanged.
    pub user: Option<Uid>,
    /// None: unchanged.
    pub group: Option<Gid>,
}

impl FromStr for Owner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let owner = Self {
            user: if user.is_empty() { None } else { Some(user_id(user)?) },
            group: group.map(group_id).transpose()?,
        };
        if owner == (Self { user: None, group: None }) {
            Err("it names no user and no group".into())
        } else {
            Ok(owner)
        }
    }
}

/// In `chown(2)` this number means that the owner, or the group, stays as it is.
const UNCHANGED: u32 = u32::MAX;

fn user_id(name: &str) -> Result<Uid, String> {
    match (User::from_name(name), name.parse()) {
        (Ok(Some(user)), _) => Ok(user.uid),
        (_, Ok(number)) if number != UNCHANGED => Ok(Uid::from_raw(number)),
        _ => Err(format!("there is no user {name}")),
    }
}

fn group_id(name: &str) -> Result<Gid, String> {
    match (Group::from_name(name), name.parse()) {
        (Ok(Some(group)), _) => Ok(group.gid),
        (_, Ok(number)) if number != UNCHANGED => Ok(Gid::from_raw(number)),
        _ => Err(format!("there is no group {name}")),
    }
}

#[cfg(test)]
mod tests {
    use nix::unistd::{Gid, Uid};

    use super::Owner;

    #[test]
    fn users_and_groups_by_name_and_number() {
        let (root, group) = (Some(Uid::from_raw(0)), Some(Gid::from_raw(0)));
        let owner = |user, group| Ok(Owner { user, group });
        assert_eq!("root".parse::<Owner>(), owner(root, None));
        assert_eq!("root:root".parse::<Owner>(), owner(root, group));
        assert_eq!("0:0".parse::<Owner>(), owner(root, group));
        assert_eq!(":root".parse::<Owner>(), owner(None, group));
        assert!("no-such-user".parse::<Owner>().unwrap_err().contains("no-such-user"));
        assert!("root:no-such-group".parse::<Owner>().unwrap_err().contains("no-such-group"));
        assert!("4294967295".parse::<Owner>().unwrap_err().contains("4294967295"));
        assert!("root:4294967295".parse::<Owner>().unwrap_err().contains("4294967295"));
        assert_eq!("4294967294".parse::<Owner>(), owner(Some(Uid::from_raw(u32::MAX - 1)), None));
        assert!("".parse::<Owner>().is_err());
        assert!(":".parse::<Owner>().is_err());
    }
}
