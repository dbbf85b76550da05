//! Finds values that are valid by themselves and contradict each other.

use crate::{
    Configuration,
    problem::Problem,
    reader::{Origin, Setting},
};

/// A problem for each contradiction.
pub(crate) fn contradictions(configuration: &Configuration, settings: &[Setting]) -> Vec<Problem> {
    let file = Lines(settings);
    [
        nobody_may_send(configuration, &file),
        group_without_permission(configuration, &file),
        server_and_command(&file),
        password_for_command(&file),
        half_of("mail", &["username", "password"], &file),
        half_of("mail.dkim", &["domain", "selector", "key"], &file),
        other_domain_signs(configuration, &file),
        two_messengers(&file),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The lines of the file that set keys.
struct Lines<'s>(&'s [Setting]);

impl Lines<'_> {
    fn of(&self, section: &str, key: &str) -> Option<usize> {
        self.0.iter().find(|setting| setting.section.name() == section && setting.key.name() == key).and_then(
            |setting| match setting.origin {
                Origin::Default => None,
                Origin::File { line } => Some(line),
            },
        )
    }
}

fn nobody_may_send(configuration: &Configuration, file: &Lines<'_>) -> Option<Problem> {
    let line = file.of("collect", "socket-mode")?;
    let mode = configuration.collect.socket_mode;
    (mode & 0o222 == 0).then(|| {
        Problem::at(
            line,
            format!("[collect] socket-mode = \"{mode:04o}\" gives nobody write permission; mail servers need it"),
        )
    })
}

fn group_without_permission(configuration: &Configuration, file: &Lines<'_>) -> Option<Problem> {
    let line = file.of("collect", "socket-group")?;
    let mode = configuration.collect.socket_mode;
    (mode & 0o020 == 0 && mode & 0o222 != 0).then(|| {
        let mode_line = file.of("collect", "socket-mode").map(|line| format!(" in line {line}")).unwrap_or_default();
        Problem::at(
            line,
            format!("[collect] socket-group has no effect: socket-mode = \"{mode:04o}\"{mode_line} gives the group no write permission; write \"{:04o}\"", mode | 0o060),
        )
    })
}

fn server_and_command(file: &Lines<'_>) -> Option<Problem> {
    let (server, sendmail) = (file.of("mail", "server")?, file.of("mail", "sendmail")?);
    let message =
        format!("[mail] server (line {server}) and sendmail (line {sendmail}) exclude each other; remove one");
    Some(Problem::at(server.max(sendmail), message))
}

fn password_for_command(file: &Lines<'_>) -> Option<Problem> {
    let (sendmail, username) = (file.of("mail", "sendmail")?, file.of("mail", "username")?);
    let message = format!(
        "[mail] username (line {username}) is for a server, and sendmail (line {sendmail}) is a command; remove one"
    );
    Some(Problem::at(username.max(sendmail), message))
}

fn two_messengers(file: &Lines<'_>) -> Option<Problem> {
    let (command, mail) = (file.of("alert", "command")?, file.of("alert", "mail")?);
    let message = format!("[alert] command (line {command}) and mail (line {mail}) exclude each other; remove one");
    Some(Problem::at(command.max(mail), message))
}

/// A problem if some of these keys are set and others are not.
fn half_of(section: &str, keys: &[&str], file: &Lines<'_>) -> Option<Problem> {
    let last = keys.iter().filter_map(|key| file.of(section, key)).max()?;
    let missing: Vec<_> = keys.iter().filter(|key| file.of(section, key).is_none()).copied().collect();
    (!missing.is_empty()).then(|| {
        Problem::at(last, format!("[{section}] {} belong together; {} is missing", keys.join(", "), missing.join(", ")))
    })
}

fn other_domain_signs(configuration: &Configuration, file: &Lines<'_>) -> Option<Problem> {
    let line = file.of("mail.dkim", "domain")?;
    let signs = configuration.mail_dkim.domain.as_ref()?;
    let (_, from) = configuration.report.from.as_ref()?.rsplit_once('@')?;
    (!from.eq_ignore_ascii_case(signs)).then(|| {
        let from_line = file.of("report", "from").map(|line| format!(" in line {line}")).unwrap_or_default();
        Problem::at(
            line,
            format!("[mail.dkim] domain = \"{signs}\" is not the domain of [report] from{from_line}; write \"{from}\": receivers require that both are the same"),
        )
    })
}
