//! Files that change units of systemd.

/// The command that writes a file for a unit, with lines of one section, and has systemd read it. Each line is a word for
/// sh. The files come after those of the packages by their names.
pub(crate) fn drop_in(unit: &str, file: &str, section: &str, lines: &[String]) -> String {
    let folder = format!("/etc/systemd/system/{unit}.d");
    let lines = lines.join(" ");
    format!("mkdir -p {folder} && printf '%s\\n' '[{section}]' {lines} >{folder}/{file} && systemctl daemon-reload")
}
