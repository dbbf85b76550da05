//! The file of a private key: whether who signs may read it, and other users may not.

use std::{fs, io, path::Path};

use tlsrpt_deliver::{DkimKey, KeyError};
use tlsrpt_store::Url;

use crate::{
    access::{Permission, Visitor, describe},
    finding::Finding,
    paste,
    remedy::Remedy,
    reports,
};

const CHECK: &str = "dkim key";
/// The user of the reporter in the units of systemd. The names of all their users begin with it.
const USER: &str = "tlsrpt";

/// Who signs with a key.
#[derive(Debug)]
pub(super) enum Signer {
    /// `tlsrpt deliver`, which runs as this user.
    Reporter(Visitor),
    /// A mail server or a milter.
    Server {
        /// Its name.
        name: &'static str,
        /// As whom it reads the key.
        user: Visitor,
    },
}

impl Signer {
    /// The user of `tlsrpt deliver`: that of the process; the owner of the store, which the units share between two users; or
    /// the user of the units.
    pub(super) fn reporter(store: &Url) -> Self {
        // The process of another store, in tests for instance, belongs to another user.
        let store = match store {
            Url::Sqlite(path) => fs::metadata(path).ok(),
            Url::Postgresql(_) => None,
        };
        let owner = store.as_ref().map(Visitor::owner_of);
        let of_units = || Visitor::named(USER);
        Self::Reporter(match owner {
            Some(Visitor::User { name, user, groups }) if name.starts_with(USER) => {
                of_units().unwrap_or(Visitor::User { name, user, groups })
            }
            Some(owner) => owner,
            None => {
                let running = reports::running_reporter();
                running.and_then(Visitor::of_process).or_else(of_units).unwrap_or(Visitor::Anybody)
            }
        })
    }

    fn user(&self) -> &Visitor {
        match self {
            Self::Reporter(user) | Self::Server { user, .. } => user,
        }
    }

    /// What the user does, for messages.
    fn does(&self) -> String {
        match self {
            Self::Reporter(_) => "runs tlsrpt deliver".into(),
            Self::Server { name, .. } => format!("signs for {name}"),
        }
    }

    /// The commands that let the signer read the key, and no stranger.
    fn close(&self, key: &Path) -> String {
        match self {
            Self::Reporter(user) => close(key, user),
            Self::Server { user, .. } => {
                let key = paste::word(&key.to_string_lossy());
                let group = user.group().unwrap_or_else(|| "root".into());
                format!("chgrp {} {key} && chmod 640 {key}", paste::word(&group))
            }
        }
    }

    /// What to consider where there is no key.
    fn other_file(&self) -> String {
        match self {
            Self::Reporter(_) => "name the file of your key as key in [mail.dkim], or make one".into(),
            Self::Server { name, .. } => {
                format!("name the file of your key in the configuration of {name}, or make one")
            }
        }
    }
}

/// The finding for a key that the signer can use.
pub(super) fn well(file: &Path, key: &DkimKey) -> Finding {
    Finding::ok(CHECK, format!("{} holds a key: {key}", file.display()))
}

/// The same for a key in a form that is not known here.
pub(super) fn unknown(file: &Path) -> Finding {
    Finding::ok(CHECK, format!("{} is there", file.display()))
}

/// Checks that the signer may read the key and strangers may not. Returns `well` if so.
pub(super) fn access(file: &Path, signer: &Signer, well: Finding) -> Finding {
    let shown = file.display();
    let found = fs::metadata(file).and_then(|key| Ok((key, fs::canonicalize(file)?)));
    let (key, path) = match found {
        Ok(found) => found,
        Err(error) => return Finding::fail(CHECK, format!("{shown}: {error}"), Remedy::as_root()),
    };
    if Visitor::Anybody.may(Permission::Read, &key) {
        let message = format!("everybody may read the private key {shown} ({})", describe(&key));
        return Finding::warn(CHECK, message, Remedy::run(signer.close(&path)));
    }
    let user = signer.user();
    let (what, remedy) = match user.closed_folder(&path) {
        Some(directory) => (
            format!("may not pass through {} to the key {shown}", directory.display()),
            format!("chmod o+x {}", paste::word(&directory.to_string_lossy())),
        ),
        None if user.may(Permission::Read, &key) => return well,
        None => (format!("may not read {shown} ({})", describe(&key)), signer.close(&path)),
    };
    let remedy = Remedy::run(remedy);
    match user {
        // There is neither a store nor the user of the units.
        Visitor::Anybody => {
            let message =
                format!("it is not known who {}: the user {USER} does not exist, and another {what}", signer.does());
            Finding::warn(CHECK, message, remedy)
        }
        Visitor::User { .. } => Finding::fail(CHECK, format!("{user}, who {}, {what}", signer.does()), remedy),
    }
}

/// The commands that let the reporter, and no other user, read the key.
pub(super) fn close(key: &Path, reporter: &Visitor) -> String {
    let key = paste::word(&key.to_string_lossy());
    let (user, make) = match reporter {
        Visitor::User { name, .. } if Visitor::named(name).is_some() => (&**name, String::new()),
        _ if Visitor::named(USER).is_some() => (USER, String::new()),
        _ => (
            USER,
            format!("useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin {USER} && "),
        ),
    };
    format!("{make}chown {user} {key} && chmod 400 {key}")
}

/// The finding for a file that holds no key, or cannot be read by this user.
pub(super) fn none(file: &Path, signer: &Signer, error: &KeyError) -> Finding {
    let message = format!("{}: {error}", file.display());
    match error {
        KeyError::Read(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Finding::warn(CHECK, message, Remedy::as_root())
        }
        _ => {
            let make = format!("openssl genrsa -out {} 2048", paste::word(&file.to_string_lossy()));
            let make = format!("{make} && {}", signer.close(file));
            Finding::fail(CHECK, message, Remedy::after(signer.other_file(), make))
        }
    }
}
