//! `tlsrpt completions`, which `make install` runs.

use std::process::{Command, Stdio};

use crate::support::{directory, run_well};

#[test]
fn each_shell_has_its_own_completions() {
    for (shell, sign) in [("bash", "complete -F _tlsrpt"), ("zsh", "#compdef tlsrpt"), ("fish", "complete -c tlsrpt")] {
        let script = run_well(["completions", shell]);
        assert!(script.contains(sign), "{shell}");
        assert!(script.contains("forward"), "{shell}");
    }
}

#[test]
fn bash_completes_options_and_values() {
    let directory = directory();
    let file = directory.path().join("tlsrpt");
    std::fs::write(&file, run_well(["completions", "bash"])).unwrap();
    let questions = r#"
        . "$1"
        COMP_WORDS=(tlsrpt listen --for); COMP_CWORD=2; _tlsrpt tlsrpt --for listen; echo "${COMPREPLY[*]}"
        COMP_WORDS=(tlsrpt send --policy ""); COMP_CWORD=3; _tlsrpt tlsrpt "" --policy; echo "${COMPREPLY[*]}"
    "#;
    let output =
        Command::new("bash").args(["-euc", questions, "bash"]).arg(&file).stderr(Stdio::inherit()).output().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().collect::<Vec<_>>(), ["--forward --for --format", "sts tlsa none"]);
}
