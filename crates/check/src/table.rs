//! The entries of lookup tables of Postfix, where these can be listed.

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{bounded, paste};

/// The types that postmap can list.
const LISTABLE: [&str; 8] = ["btree", "cdb", "dbm", "hash", "inline", "lmdb", "sdbm", "texthash"];
/// The types whose source is a file with one entry a line, `pattern value`.
const PATTERNS: [&str; 3] = ["cidr", "pcre", "regexp"];
/// The type that gives the same value for each key.
const STATIC: &str = "static";
/// The prefixes of a table that another process opens.
const BY_PROXY: &str = "proxy:";

/// The entries of a table: key and value.
pub(crate) type Entries = Vec<(String, String)>;

/// Splits a list of tables and names at commas and spaces, but not within braces.
pub(crate) fn items(list: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (position, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' | ' ' | '\t' | '\n' if depth == 0 => {
                items.push(&list[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    items.push(&list[start..]);
    items.retain(|item| !item.is_empty());
    items
}

/// Whether an item of a list is a table, and not a name or a path.
pub(crate) fn is_table(item: &str) -> bool {
    item.contains(':') && !item.starts_with('[')
}

/// The entries of a table. None if the table can only be asked, like one of SQL, or cannot be read.
pub(crate) fn entries(table: &str) -> Option<Entries> {
    let table = table.strip_prefix(BY_PROXY).unwrap_or(table);
    let (kind, name) = table.split_once(':')?;
    if kind == STATIC {
        return Some(vec![("*".into(), name.trim_matches(['{', '}', ' ']).into())]);
    }
    if PATTERNS.contains(&kind) {
        return Some(of_patterns(&bounded::read_text(Path::new(name)).ok()?));
    }
    if !LISTABLE.contains(&kind) {
        return None;
    }
    let listed = bounded::tool("postmap", &["-s", table]).ok()?;
    Some(listed.lines().filter_map(|line| line.split_once('\t')).map(owned).collect())
}

/// The type and the file of a table whose file has one entry a line.
pub(crate) fn file(table: &str) -> Option<(&str, &str)> {
    let (kind, file) = table.strip_prefix(BY_PROXY).unwrap_or(table).split_once(':')?;
    (file.starts_with('/') && kind != "inline" && (LISTABLE.contains(&kind) || PATTERNS.contains(&kind)))
        .then_some((kind, file))
}

/// The files of a table.
pub(crate) struct Files<'t> {
    pub(crate) kind: &'t str,
    /// The lines that people write.
    pub(crate) source: PathBuf,
    /// What Postfix reads: the same, or a database that postmap makes of them.
    pub(crate) read: PathBuf,
}

/// The files of a table that is made of a file of lines.
pub(crate) fn files(table: &str) -> Option<Files<'_>> {
    let (kind, source) = file(table)?;
    let endings: &[&str] = match kind {
        // Where Berkeley DB is gone, Postfix 3.11 takes one of the other types instead.
        "btree" | "hash" => &[".db", ".lmdb", ".cdb"],
        "cdb" => &[".cdb"],
        "lmdb" => &[".lmdb"],
        "dbm" | "sdbm" => &[".pag"],
        _ => &[""],
    };
    let file = |ending: &&str| PathBuf::from(format!("{source}{ending}"));
    let newest = endings.iter().map(file).filter(|file| !is_missing(file)).max_by_key(|file| changed(file));
    let read = newest.or_else(|| endings.first().map(file))?;
    Some(Files { kind, source: source.into(), read })
}

/// When a file was changed last.
pub(crate) fn changed(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|file| file.modified()).ok()
}

/// Whether there is no such file. One that this user may not look at is not missing.
pub(crate) fn is_missing(file: &Path) -> bool {
    file.metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Whether Postfix reads an index that postmap makes of the file.
pub(crate) fn is_indexed(kind: &str) -> bool {
    LISTABLE.contains(&kind) && kind != "texthash"
}

/// The command of sed that deletes the line of a key.
pub(crate) fn deletion(key: &str) -> String {
    format!("/^{}[[:space:]]/d", paste::pattern(key))
}

/// The entries of a file of patterns. Lines that begin with a space continue the line before.
fn of_patterns(text: &str) -> Entries {
    let lines = text.lines().filter(|line| !line.starts_with(['#', ' ', '\t']));
    lines.filter_map(|line| line.trim().split_once(char::is_whitespace)).map(owned).collect()
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.into(), value.trim().into())
}

#[cfg(test)]
mod tests {
    use super::{entries, is_table, items, of_patterns};

    #[test]
    fn a_static_table_is_for_all() {
        let all = |value: &str| Some(vec![("*".to_owned(), value.to_owned())]);
        assert_eq!(entries("static:smtp:[relay.example]"), all("smtp:[relay.example]"));
        assert_eq!(entries("static:{ smtp:[relay.example] }"), all("smtp:[relay.example]"));
        assert_eq!(entries("mysql:/etc/postfix/a.cf"), None);
    }

    #[test]
    fn items_of_a_list() {
        assert_eq!(
            items("hash:/a, inline:{ a=b, c = d },\n x.example"),
            ["hash:/a", "inline:{ a=b, c = d }", "x.example"]
        );
        assert_eq!(items(" , "), Vec::<&str>::new());
        assert!(is_table("hash:/a") && !is_table("x.example"));
    }

    #[test]
    fn entries_of_patterns() {
        let text = "# why\n/^a b/ smtp:[x]\n  more\n\n192.0.2.0/24\terror:no\n";
        // A pattern may hold a space: then the value begins too early. Its service is still not one of an SMTP client.
        assert_eq!(of_patterns(text)[1], ("192.0.2.0/24".into(), "error:no".into()));
    }
}
