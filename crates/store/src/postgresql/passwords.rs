//! The file of passwords, as libpq reads it.

use std::{
    env, fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio_postgres::{Config, config::Host};

use super::url::PostgresqlUrl;
use crate::{Error, ErrorKind};

/// Whoever else can read or write the file.
const OTHERS: u32 = 0o077;
/// The same for a file of root, whose group may read it: that of the services, or a credential of systemd.
const OTHERS_THAN_ROOT: u32 = 0o037;
const USUAL_PORT: u16 = 5432;

/// Finds the password for the URL: in the file that it names, in that of `PGPASSFILE`, or in `~/.pgpass`. None if no line
/// matches.
///
/// # Errors
///
/// The file that is named cannot be read, or others can read it.
pub(super) fn password(url: &PostgresqlUrl) -> Result<Option<String>, Error> {
    let named = url.passfile.clone().or_else(|| env::var_os("PGPASSFILE").map(PathBuf::from));
    let usual = || Some(PathBuf::from(env::var_os("HOME")?).join(".pgpass"));
    let Some(path) = named.clone().or_else(usual) else { return Ok(None) };
    match read(&path) {
        Ok(text) => Ok(find(&text, &url.config)),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new(ErrorKind::Unreachable, format!("{}: {error}", path.display()))),
    }
}

fn read(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() && is_open(metadata.uid(), metadata.permissions().mode()) {
        let text = format!("others can read the passwords; run: chmod 0600 {}", path.display());
        return Err(io::Error::other(text));
    }
    fs::read_to_string(path)
}

fn is_open(owner: u32, mode: u32) -> bool {
    mode & if owner == 0 { OTHERS_THAN_ROOT } else { OTHERS } != 0
}

/// The password of the first line that matches one of the hosts.
fn find(text: &str, config: &Config) -> Option<String> {
    let user = config.get_user().map_or_else(whoami, str::to_owned);
    let database = config.get_dbname().unwrap_or(&user);
    let lines = || text.lines().filter(|line| !line.starts_with('#')).map(fields);
    config.get_hosts().iter().enumerate().find_map(|(number, host)| {
        let ports = config.get_ports();
        let port = ports.get(number).or(ports.first()).unwrap_or(&USUAL_PORT).to_string();
        let host = match host {
            Host::Tcp(name) => name.as_str(),
            // As in libpq: a socket is this host.
            Host::Unix(_) => "localhost",
        };
        let wanted = [host, &port, database, &user];
        let is_wanted = |fields: &Vec<String>| {
            fields.len() > wanted.len()
                && fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted)
        };
        lines().find(is_wanted).and_then(|mut fields| fields.drain(wanted.len()..).next())
    })
}

/// The user of the process, which the server takes for the role where the URL names none.
fn whoami() -> String {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name).unwrap_or_default()
}

/// The fields between colons. A backslash takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let taken = match character {
            ':' => {
                fields.push(String::new());
                continue;
            }
            '\\' => characters.next().unwrap_or('\\'),
            other => other,
        };
        if let Some(last) = fields.last_mut() {
            last.push(taken);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::{find, is_open};
    use crate::PostgresqlUrl;

    #[test]
    fn others_cannot_read_the_file_nor_write_it() {
        for (owner, mode, expected) in [
            (1000, 0o100_600, false),
            (1000, 0o100_400, false),
            (1000, 0o100_640, true),
            (1000, 0o100_604, true),
            (0, 0o100_600, false),
            (0, 0o100_640, false),
            (0, 0o100_660, true),
            (0, 0o100_604, true),
            (0, 0o100_602, true),
        ] {
            assert_eq!(is_open(owner, mode), expected, "{owner} {mode:o}");
        }
    }

    #[test]
    fn the_first_line_that_matches_has_the_password() {
        let file = "# c@db\nother:5432:tlsrpt:c:no\ndb:5433:tlsrpt:c:no\ndb:5432:tlsrpt:c:a\\:b\\\\\n*:*:*:c:star\n\
                    localhost:*:*:s:socket\n";
        let found = |url: &str| find(file, &url.parse::<PostgresqlUrl>().unwrap().config);
        assert_eq!(found("postgresql://c@db/tlsrpt").as_deref(), Some("a:b\\"));
        assert_eq!(found("postgresql://c@db:5434/tlsrpt").as_deref(), Some("star"));
        assert_eq!(found("postgresql://d@db/tlsrpt"), None);
        assert_eq!(found("postgresql://s@/tlsrpt?host=/tmp").as_deref(), Some("socket"));
    }
}
