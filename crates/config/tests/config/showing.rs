//! The values in force, with their origins.

use std::time::Duration;

use tlsrpt_config::{DEFAULT_SOCKET, Default, Origin, SECTIONS, SmtpServer, Verify, show::show};

use crate::loaded;

#[test]
fn defaults_work() {
    let configuration = loaded("").configuration;
    assert_eq!(configuration.collect.socket, std::path::Path::new(DEFAULT_SOCKET));
    assert_eq!(configuration.collect.socket_mode, 0o660);
    assert_eq!(configuration.collect.buffer, 16 << 20);
    assert_eq!(configuration.collect.max_domains, 1_000_000);
    assert_eq!(configuration.collect.socket_owner, None);
    assert_eq!(configuration.store.url, tlsrpt_store::Url::Sqlite("/var/lib/tlsrpt/tlsrpt.db".into()));
    assert_eq!(configuration.store.keep_days, 30);
    assert_eq!(configuration.report.spread, Duration::from_secs(4 * 60 * 60));
    let server = SmtpServer { tls_from_start: false, host: "localhost".into(), port: 25 };
    assert_eq!(configuration.mail.server, server);
    assert_eq!(configuration.https.verify, Verify::Prefer);
    assert_eq!(configuration.https.ports, [443]);
    assert!(!configuration.privacy.omit_helo);
    let has_postfix = nix::unistd::Group::from_name("postfix").unwrap().is_some();
    assert_eq!(configuration.collect.socket_group.is_some(), has_postfix);
}

#[test]
fn each_value_is_shown_with_its_origin() {
    let loaded = loaded("[store]\nkeep-days = 7\n\n[mail]\nusername = 'u'\npassword = 'hunter2'\n");
    let text = show(&loaded);
    let line_of = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{text}"));
    assert!(line_of("keep-days = 7 ").ends_with("  # f.toml:2"), "{text}");
    assert!(line_of("username = \"u\" ").ends_with("  # f.toml:5"), "{text}");
    assert!(line_of("# password ").ends_with("  # f.toml:6, not shown"), "{text}");
    assert!(line_of("socket-mode = \"0660\" ").ends_with("  # default"), "{text}");
    assert!(line_of("# socket-owner ").ends_with("  # not set"), "{text}");
    assert!(!text.contains("hunter2"));
    let keys: usize = SECTIONS.iter().map(|section| section.keys.len()).sum();
    assert_eq!(text.lines().filter(|line| line.contains("  # ")).count(), keys);
}

#[test]
fn the_shown_file_gives_the_same_configuration() {
    let first = loaded(
        "[collect]\nsocket = \"/a b\\\\\"\nsocket-group = 'root'\n[https]\nallow = ['10.0.0.0/8', '::1/128']\nports = [1, 2]\n\
         [report]\norganization = \"A \\\"B\\\" # C\"\nspread = '90m'\n",
    );
    let shown = show(&first);
    let second = loaded(&shown.replace("server = ", "# server = "));
    let values = |loaded: &tlsrpt_config::Loaded| {
        loaded.settings.iter().map(|setting| setting.value.clone()).collect::<Vec<_>>()
    };
    assert_eq!(values(&first), values(&second), "{shown}");
    let from_file = second.settings.iter().filter(|setting| setting.origin != Origin::Default).count();
    assert!(from_file > first.settings.iter().filter(|setting| setting.origin != Origin::Default).count());
}

#[test]
fn defaults_are_shown_as_in_the_table() {
    for setting in loaded("").settings {
        if let Default::Value(text) = setting.key.default {
            let value = setting.value.unwrap();
            assert!(value == text || value == text.replace('_', ""), "{}: {value} {text}", setting.key.name());
        }
    }
}
