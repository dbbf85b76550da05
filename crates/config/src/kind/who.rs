//! Users and groups.

use nix::unistd;
use tlsrpt_format::printable;
use toml::de::DeValue;

use super::definition::{Kind, Refused, quoted, string};

/// A user of this host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd)]
pub struct User {
    /// As in the file.
    pub name: String,
    /// Its number.
    pub id: u32,
}

/// A group of this host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd)]
pub struct Group {
    /// As in the file.
    pub name: String,
    /// Its number.
    pub id: u32,
}

/// A user, by name or number.
#[derive(Debug)]
pub enum UserName {}

impl Kind for UserName {
    type Value = User;
    const NAME: &'static str = "user";
    const EXAMPLE: &'static str = "\"tlsrpt\"";

    fn read(value: &DeValue<'_>) -> Result<User, Refused> {
        let name = string(value)?;
        let known = unistd::User::from_name(name).ok().flatten().map(|user| user.uid.as_raw());
        let id = known.or_else(|| number(name)).ok_or_else(|| missing("user", name))?;
        Ok(User { name: name.into(), id })
    }

    fn show(value: &User) -> String {
        quoted(&value.name)
    }
}

/// A group, by name or number.
#[derive(Debug)]
pub enum GroupName {}

impl Kind for GroupName {
    type Value = Group;
    const NAME: &'static str = "group";
    const EXAMPLE: &'static str = "\"postfix\"";

    fn read(value: &DeValue<'_>) -> Result<Group, Refused> {
        let name = string(value)?;
        let known = unistd::Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw());
        let id = known.or_else(|| number(name)).ok_or_else(|| missing("group", name))?;
        Ok(Group { name: name.into(), id })
    }

    fn show(value: &Group) -> String {
        quoted(&value.name)
    }
}

/// The number of a user or group. The largest one means "unchanged" to the system.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number != u32::MAX)
}

fn missing(what: &str, name: &str) -> Refused {
    format!("this host has no {what} {}", printable(name)).into()
}

#[cfg(test)]
mod tests {
    use super::{GroupName, UserName};
    use crate::kind::definition::tests::{of_another_form, reason, unchanged};

    #[test]
    fn by_name_and_number() {
        unchanged::<UserName>(&["\"root\"", "\"0\"", "\"4294967294\""]);
        unchanged::<GroupName>(&["\"root\"", "\"0\""]);
        of_another_form::<UserName>(&["0"]);
        assert_eq!(reason::<UserName>("\"no-such\""), "this host has no user no-such");
        assert_eq!(reason::<GroupName>("\"no-such\""), "this host has no group no-such");
        assert_eq!(reason::<GroupName>("\"4294967295\""), "this host has no group 4294967295");
        assert!(reason::<GroupName>("\"\"").contains("no group"));
    }
}
