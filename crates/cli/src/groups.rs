//! The help of the whole command: its subcommands in groups, on one screen.

use anstyle::Style;

use crate::output::TITLE;

/// The subcommands of one kind, with a summary of each.
pub(crate) struct Group {
    heading: &'static str,
    subcommands: &'static [(&'static str, &'static str)],
}

/// All visible subcommands. A test compares them with those that the command has.
const GROUPS: [Group; 4] = [
    Group {
        heading: "Services",
        subcommands: &[
            ("serve", "collect and deliver in one process"),
            ("collect", "receive the events of mail servers and count them"),
            ("deliver", "make the reports of each ended day and deliver them"),
            ("sendmail-map", "report for Sendmail, which queries this socket map"),
        ],
    },
    Group {
        heading: "Looking",
        subcommands: &[
            ("check", "find what keeps reports from being made or accepted"),
            ("status", "show counters, and problems that need attention"),
            ("listen", "show the datagrams that arrive, or forward them"),
            ("hosts", "list the hosts that share the store, or forget one"),
            ("record", "look up a domain's TLSRPT record, or check its text"),
        ],
    },
    Group {
        heading: "Reports",
        subcommands: &[
            ("reports", "list, show, preview, resend or cancel reports"),
            ("read", "read reports that others sent, in files or mails"),
            ("receive", "keep the reports of others that a mail server pipes"),
            ("received", "list the kept reports of others, or show one"),
            ("suppress", "stop reports to an address, a URL or a domain"),
            ("bounce", "read a bounce of a report, suppress its destination"),
        ],
    },
    Group {
        heading: "Tools",
        subcommands: &[
            ("config", "show the configuration in force, or check it"),
            ("send", "send an event to the collector, or recorded datagrams"),
            ("migrate", "take over counts and reports of tlsrpt-reporter"),
            ("fetcher", "take the place of tlsrpt-fetcher for tlsrpt-reportd"),
        ],
    },
];

/// The width of the headings and of the names, with the space behind them.
const HEADINGS: usize = 10;
const NAMES: usize = 14;

/// The help of the whole command, as a template of the parser of the command line. `name` is the style of names.
pub(crate) fn template(name: Style) -> String {
    let mut text = format!("{{about}}\n{TITLE}Usage:{TITLE:#} {{usage}}\n\n");
    for Group { heading, subcommands } in GROUPS {
        for (index, (subcommand, summary)) in subcommands.iter().enumerate() {
            let heading = if index == 0 { heading } else { "" };
            let line = format!("{TITLE}{heading:<HEADINGS$}{TITLE:#}{name}{subcommand:<NAMES$}{name:#}{summary}\n");
            text.push_str(&line);
        }
    }
    text.push_str("tlsrpt COMMAND --help describes a command, with examples; tlsrpt --version");
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::GROUPS;
    use crate::command_line::definition;

    #[test]
    fn each_subcommand_is_in_exactly_one_group() {
        let grouped: Vec<_> = GROUPS.iter().flat_map(|group| group.subcommands).map(|(name, _)| *name).collect();
        let command = definition();
        let shown = command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
        let shown: BTreeSet<_> = shown.map(clap::Command::get_name).collect();
        let distinct: BTreeSet<_> = grouped.iter().copied().collect();
        assert_eq!(distinct, shown, "the groups, and the subcommands; see GROUPS in groups.rs");
        assert_eq!(grouped.len(), distinct.len(), "a subcommand is in two groups");
    }

    #[test]
    fn the_help_fits_one_screen() {
        const ROWS: usize = 24;
        const COLUMNS: usize = 80;
        let help = definition().render_help().to_string();
        // The prompt of the shell has a line, too.
        assert!(help.trim_end().lines().count() < ROWS, "{help}");
        let widest = help.lines().map(|line| line.chars().count()).max();
        assert!(widest < Some(COLUMNS), "{help}");
        assert_eq!(definition().render_long_help().to_string(), help);
    }
}
