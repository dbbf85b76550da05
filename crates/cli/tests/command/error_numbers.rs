//! No message has the number of a system error, which the standard library writes behind its text.

use std::{fs, io};

use crate::support::{directory, run, text};

/// How the standard library writes the number.
const NUMBER: &str = "(os error ";

#[test]
fn messages_have_no_numbers_of_system_errors() {
    assert!(io::Error::from_raw_os_error(2).to_string().contains(NUMBER));
    let folder = directory();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, none, below) = (path("file"), path("none"), path("file/below"));
    fs::write(&file, "no configuration [").unwrap();
    let store = path("store.toml");
    fs::write(&store, format!("[store]\nurl = \"sqlite:{below}\"\n[collect]\nsocket = \"{below}\"\n")).unwrap();
    let spoken: [&[&str]; 15] = [
        &["listen", "--socket", &below],
        &["listen", "--socket", &path("none/socket")],
        &["send", "--socket", &none, "--from", &path("nothing.jsonl")],
        &["send", "--socket", &below, "--domain", "d.example", "--record", "r", "--success"],
        &["send", "--socket", &file, "--domain", "d.example", "--record", "r", "--success"],
        &["check", "--socket", &below],
        &["check", "--socket", &file],
        &["check", "--config", &none],
        &["config", "--config", folder.path().to_str().unwrap()],
        &["collect", "--config", &store],
        &["status", "--config", &store],
        &["reports", "--config", &store],
        &["deliver", "--once", "--config", &store],
        &["read", &none],
        &["sendmail-map", "--listen", &format!("unix:{below}")],
    ];
    for arguments in spoken {
        let output = run(arguments);
        let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!all.is_empty() && !all.contains(NUMBER), "{arguments:?}: {all}");
    }
}
