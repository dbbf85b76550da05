//! Unknown keys, and wrong values.

use tlsrpt_config::{Default, SECTIONS};

use crate::problems;

#[test]
fn an_unknown_name_is_reported_with_its_line_and_the_nearest_known_name() {
    let cases = [
        ("[collect]\n\nsokcet = \"/x\"\n", "f.toml:3: unknown key sokcet in [collect]; did you mean socket?"),
        (
            "[collect]\nsocket_mode = \"0660\"\n",
            "f.toml:2: unknown key socket_mode in [collect]; did you mean socket-mode?",
        ),
        ("[colect]\nsocket = \"/x\"\n", "f.toml:1: unknown section [colect]; did you mean [collect]?"),
        ("[mail.dikm]\nkey = \"/x\"\n", "f.toml:1: unknown section [mail.dikm]; did you mean [mail.dkim]?"),
        ("[dkim]\nkey = \"/x\"\n", "f.toml:1: unknown section [dkim]; did you mean [mail.dkim]?"),
        (
            "[colour]\nkey = \"/x\"\n",
            "f.toml:1: unknown section [colour]; the sections are collect, store, report, mail",
        ),
        (
            "[collect]\nkeep-days = 3\n",
            "f.toml:2: unknown key keep-days in [collect]; did you mean keep-days in [store]?",
        ),
        (
            "[collect]\nkeepdays = 3\n",
            "f.toml:2: unknown key keepdays in [collect]; did you mean keep-days in [store]?",
        ),
        (
            "socket = \"/x\"\n",
            "f.toml:1: unknown key socket before the first section; did you mean socket in [collect]?",
        ),
        ("colour = 1\n", "f.toml:1: unknown key colour before the first section; keys belong to a section"),
        ("[store]\ncolour = 1\n", "f.toml:2: unknown key colour in [store]; the keys are url, spool"),
        ("[[collect]]\nsocket = \"/x\"\n", "f.toml:1: collect is a section; write it as [collect]"),
        ("collect = 1\n", "f.toml:1: collect is a section; write it as [collect]"),
        ("collect.sokcet = \"/x\"\n", "f.toml:1: unknown key sokcet in [collect]; did you mean socket?"),
        ("[store]\n\"\\u001b[2J\" = 1\n", "f.toml:2: unknown key \\u{1b}[2J in [store]"),
    ];
    for (text, expected) in cases {
        let found = problems(text);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{text}: {found:#?}");
    }
}

#[test]
fn a_wrong_value_is_reported_with_an_example() {
    let cases = [
        (
            "[collect]\nsocket = 1\n",
            "f.toml:2: [collect] socket = 1: expected a value of the type path of a socket, for instance \"/run/",
        ),
        ("[collect]\nsocket-mode = 660\n", "expected a value of the type permissions in octal, for instance \"0660\""),
        ("[collect.socket]\nx = 1\n", "f.toml:1: [collect] socket = "),
        ("[store]\nkeep-days = 1\n", "f.toml:2: [store] keep-days = 1: must be from 2 to 3_650"),
        ("[store]\nkeep-days = 3651\n", "must be from 2 to 3_650"),
        ("[collect]\nbuffer = \"1KiB\"\n", "must be from \"1MiB\" to \"1GiB\""),
        ("[https]\ntimeout = \"11m\"\n", "must be from \"1s\" to \"10m\""),
        ("[https]\nallow = [\n \"127.0.0.1/8\",\n]\n", "f.toml:2: [https] allow = [...: 127.0.0.1/8 has address bits"),
        ("[collect]\nsocket-group = \"no-such\"\n", "this host has no group no-such"),
        (
            "[mail]\nusername = \"u\"\npassword = 12345\n",
            "f.toml:3: [mail] password: expected a value of the type secret text",
        ),
    ];
    for (text, expected) in cases {
        let found = problems(text);
        assert!(found.len() == 1 && found[0].contains(expected), "{text}: {found:#?}");
    }
    let found = problems("[mail]\nusername = \"u\"\npassword = 12345\n");
    assert!(!found[0].contains("12345"), "{found:?}");
}

#[test]
fn all_problems_are_reported_in_the_order_of_the_file() {
    let text = "[store]\nkeep-days = \"many\"\nurl = 1\n[colect]\n[collect]\nbufer = 1\nsocket-mode = \"8\"\nx = \n";
    let found = problems(text);
    let lines: Vec<_> = found.iter().map(|line| line.split(':').nth(1).unwrap()).collect();
    assert_eq!(lines, ["2", "3", "4", "6", "7", "8"], "{found:#?}");
    assert!(found[5].contains("syntax error"), "{found:#?}");
}

#[test]
fn syntax_errors_have_their_lines() {
    for (text, line) in
        [("[store\n", 1), ("\n\n= 1\n", 3), ("[store]\nurl = \"x\n", 2), ("[store]\nkeep-days = 2\nkeep-days = 3\n", 3)]
    {
        let found = problems(text);
        assert!(found[0].starts_with(&format!("f.toml:{line}: syntax error: ")), "{text}: {found:#?}");
    }
}

/// Any text gives problems or a configuration, and no panic.
#[test]
fn no_text_panics() {
    let whole = tlsrpt_config::example::example().replace("\n#", "\n");
    for length in (0..whole.len()).step_by(41).filter(|length| whole.is_char_boundary(*length)) {
        let text = &whole[..length];
        if let Err(problems) = tlsrpt_config::load_text("f.toml".as_ref(), text) {
            assert!(problems.lines().count() > 0);
        }
    }
    let nested = format!("x = {}1{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(!problems(&nested).is_empty());
}

#[test]
fn ranges_include_their_defaults() {
    let keys = || SECTIONS.iter().flat_map(|section| section.keys.iter().map(move |key| (section, key)));
    assert!(keys().any(|(_, key)| key.range.is_some()));
    for (section, key) in keys() {
        if let (Default::Value(value), Some((least, most))) = (key.default, key.range) {
            for value in [value, least, most] {
                crate::loaded(&format!("[{}]\n{} = {value}\n", section.name(), key.name()));
            }
        }
    }
}
