//! The configuration of Exim, from `exim -bP`.

use std::{collections::HashMap, fs, io, path::Path};

use super::files::Files;
use crate::bounded;

/// The names of the program: Debian has both.
const NAMES: [&str; 2] = ["exim4", "exim"];
/// The command that each mail server has.
const SENDMAIL: &str = "/usr/sbin/sendmail";
/// The function in the module, as `${dlfunc{MODULE}{FUNCTION}{SOCKET}...}` names it.
const FUNCTION: &str = "}{tlsrpt_event}{";
const CALL: &str = "${dlfunc{";

/// The configuration, from `exim -bP`.
#[derive(Debug, Clone, Default)]
pub struct Exim {
    /// The name of the program.
    pub(super) program: &'static str,
    macros: HashMap<String, String>,
    pub(super) transports: Vec<Part>,
    pub(super) routers: Vec<Part>,
    pub(super) user: String,
    pub(super) pid_file: String,
    pub(super) files: Files,
}

/// A transport or a router.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) name: String,
    options: HashMap<String, String>,
}

/// How a transport calls the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Call<'a> {
    pub(super) module: &'a str,
    pub(super) socket: &'a str,
}

impl Exim {
    /// Runs `exim`.
    ///
    /// # Errors
    ///
    /// `exim` cannot be run, or fails: its configuration has an error, or this user may not see it.
    pub fn ask() -> io::Result<Self> {
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for name in NAMES {
            let ask = |options: &[&str]| bounded::tool(name, &[&["-bP"], options].concat());
            match ask(&["macros"]) {
                Ok(macros) => {
                    let settings = ask(&["exim_user", "pid_file_path"])?;
                    let exim = Self::read(&macros, &ask(&["transports"])?, &ask(&["routers"])?, &settings);
                    let file = ask(&["config_file"]).unwrap_or_default();
                    return Ok(Self { program: name, files: Files::of(file.trim()), ..exim });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => failure = error,
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }

    /// The Exim of this host, if it is the program that takes mails from this command, or from others by the usual name of it.
    #[must_use]
    pub fn of_host(sendmail: Option<&Path>) -> Option<Self> {
        let program = fs::canonicalize(sendmail.unwrap_or(Path::new(SENDMAIL))).ok()?;
        let name = program.file_name()?.to_str()?;
        if NAMES.contains(&name) { Self::ask().ok() } else { None }
    }

    /// Reads what `exim -bP` prints.
    pub(super) fn read(macros: &str, transports: &str, routers: &str, settings: &str) -> Self {
        let settings: HashMap<_, _> = settings.lines().filter_map(option).collect();
        let setting = |name: &str| settings.get(name).map_or_else(String::new, |value: &String| value.clone());
        Self {
            macros: macros.lines().filter_map(option).collect(),
            transports: parts(transports, " transport:"),
            routers: parts(routers, " router:"),
            user: setting("exim_user"),
            pid_file: setting("pid_file_path"),
            ..Self::default()
        }
    }

    /// Whether a macro is defined. Those that begin with `_HAVE_` say what Exim is built with.
    pub(super) fn has(&self, name: &str) -> bool {
        self.macros.contains_key(name)
    }

    /// The transports that send mail by SMTP.
    pub(super) fn smtp(&self) -> impl Iterator<Item = &Part> {
        self.transports.iter().filter(|part| part.option("driver") == "smtp" && part.option("protocol") != "lmtp")
    }

    /// The calls of the module.
    pub(super) fn calls(&self) -> impl Iterator<Item = Call<'_>> {
        self.smtp().filter_map(Part::call)
    }
}

impl Part {
    /// The value of an option; empty if it has none or is not set.
    pub(super) fn option(&self, name: &str) -> &str {
        self.options.get(name).map_or("", String::as_str)
    }

    /// Whether an option without a value is on: Exim prints `no_NAME` if it is off.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    /// How its event_action calls the module, if it does.
    pub(super) fn call(&self) -> Option<Call<'_>> {
        let (before, after) = self.option("event_action").split_once(FUNCTION)?;
        let (_, module) = before.rsplit_once(CALL)?;
        Some(Call { module, socket: after.split('}').next()? })
    }
}

/// `name = value`, `name=value` or `name`.
fn option(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=').unwrap_or((line, ""));
    let name = name.trim();
    (!name.is_empty()).then(|| (name.into(), value.trim().into()))
}

/// The blocks that begin with `NAME transport:`.
fn parts(text: &str, mark: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_suffix(mark) {
            parts.push(Part { name: name.into(), ..Part::default() });
        } else if let (Some(part), Some((name, value))) = (parts.last_mut(), option(line)) {
            part.options.insert(name, value);
        }
    }
    parts
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Call, Exim};

    /// The output of `exim4 -bP macros` of exim4-daemon-heavy on Debian 13, the lines that matter.
    pub(in crate::exim) const MACROS: &str = "_HAVE_TLS=y\n_HAVE_DLFUNC=y\nTLSRPT_EVENT=${if match...}\n";
    const SETTINGS: &str = "exim_user = Debian-exim\npid_file_path = /run/exim4/exim.pid\n";
    /// The outputs of `exim4 -bP transports` and `exim4 -bP routers` there, set up as in docs/exim.md for an internet site.
    const TRANSPORTS: &str = include_str!("fixtures/transports");
    const ROUTERS: &str = include_str!("fixtures/routers");

    /// A sound Exim with a text of its transports and one of its routers replaced.
    pub(in crate::exim) fn exim(macros: &str, transports: (&str, &str), routers: (&str, &str)) -> Exim {
        let replaced = |text: &str, (from, to): (&str, &str)| {
            assert!(from.is_empty() || text.contains(from), "{from}");
            if from.is_empty() { text.to_owned() } else { text.replace(from, to) }
        };
        Exim::read(macros, &replaced(TRANSPORTS, transports), &replaced(ROUTERS, routers), SETTINGS)
    }

    #[test]
    fn the_configuration_of_debian_is_read() {
        let exim = exim(MACROS, ("", ""), ("", ""));
        assert_eq!(exim.user, "Debian-exim");
        let names: Vec<_> = exim.smtp().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["remote_smtp", "remote_smtp_smarthost"]);
        let call = Call { module: "/usr/lib/exim4/tlsrpt-exim.so", socket: "/run/tlsrpt/tlsrpt.sock" };
        assert_eq!(exim.calls().collect::<Vec<_>>(), [call]);
    }
}
