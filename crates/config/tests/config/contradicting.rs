//! Values that are valid by themselves and contradict each other.

use crate::{loaded, problems};

#[test]
fn contradictions_name_both_lines() {
    let cases = [
        (
            "[collect]\nsocket-mode = \"0444\"\n",
            "f.toml:2: [collect] socket-mode = \"0444\" gives nobody write permission",
        ),
        (
            "[collect]\nsocket-mode = \"0600\"\nsocket-group = \"root\"\n",
            "f.toml:3: [collect] socket-group has no effect: socket-mode = \"0600\" in line 2 gives the group no write permission; write \"0660\"",
        ),
        (
            "[mail]\nsendmail = \"/usr/sbin/sendmail\"\nserver = \"smtp://localhost\"\n",
            "f.toml:3: [mail] server (line 3) and sendmail (line 2) exclude each other",
        ),
        (
            "[mail]\nusername = \"u\"\npassword = \"p\"\nsendmail = \"/usr/sbin/sendmail\"\n",
            "f.toml:4: [mail] username (line 2) is for a server",
        ),
        ("[mail]\nusername = \"u\"\n", "f.toml:2: [mail] username, password belong together; password is missing"),
        ("[mail.dkim]\ndomain = \"a.example\"\n", "domain, selector, key belong together; selector, key is missing"),
        (
            "[report]\nfrom = \"x@a.example\"\n[mail.dkim]\ndomain = \"b.example\"\nselector = \"s\"\nkey = \"/k\"\n",
            "f.toml:4: [mail.dkim] domain = \"b.example\" is not the domain of [report] from in line 2; write \"a.example\"",
        ),
    ];
    for (text, expected) in cases {
        let found = problems(text);
        assert!(found.len() == 1 && found[0].contains(expected), "{text}: {found:#?}");
    }
}

#[test]
fn values_that_fit_together_are_accepted() {
    for text in [
        "[collect]\nsocket-mode = \"0622\"\nsocket-group = \"root\"\n",
        "[collect]\nsocket-mode = \"0200\"\n",
        "[mail]\nsendmail = \"/usr/sbin/sendmail\"\n",
        "[mail]\nusername = \"u\"\npassword = \"p\"\n",
        "[report]\nfrom = \"x@A.example\"\n[mail.dkim]\ndomain = \"a.example.\"\nselector = \"s\"\nkey = \"/k\"\n",
    ] {
        loaded(text);
    }
}
