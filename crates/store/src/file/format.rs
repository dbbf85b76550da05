//! What a file holds.

/// The schema of a file, and the words of its messages.
#[derive(Debug)]
pub(crate) struct Format {
    /// Its name in a message: "the NAME cannot be written".
    pub(crate) name: &'static str,
    /// The key of the configuration that names the file.
    pub(crate) key: &'static str,
    /// The remedy for a full disk.
    pub(crate) remedy_if_full: &'static str,
    /// The application's number in the database, by which `file(1)` and this program recognize it.
    pub(crate) application: i32,
    /// Each makes the next version of the schema. The statements of a released migration never change.
    pub(crate) migrations: &'static [&'static str],
    /// Whether the file can return free pages to the file system (`PRAGMA incremental_vacuum`).
    pub(crate) shrinks: bool,
}
