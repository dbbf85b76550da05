//! `tlsrpt record`.

use serde_json::{Value, json};

use crate::support::{run, run_well, text};

#[test]
fn a_valid_record_is_explained() {
    let record = "v=TLSRPTv1; rua=mailto:a@b.example,https://c.example/d; x=y";
    let expected = "valid\nreports to  mailto:a@b.example\nreports to  https://c.example/d\nextension   x=y\n";
    assert_eq!(run_well(["record", record]), expected);
    let answer: Value = serde_json::from_str(&run_well(["record", "--format", "json", record])).unwrap();
    let expected = json!({"valid": true, "destinations": ["mailto:a@b.example", "https://c.example/d"],
        "extensions": [{"name": "x", "value": "y"}]});
    assert_eq!(answer, expected);
}

#[test]
fn the_position_of_a_mistake_is_shown() {
    let output = run(["record", "v=TLSRPTv1; rua=mailto:a@b.example!10m"]);
    let expected = "\
v=TLSRPTv1; rua=mailto:a@b.example!10m
                                  ^
wrong at column 35: \"!\" must be written %21 in a URI of this record
mistake     the limit !10m is one of DMARC; a TLSRPT record has none
publish:    v=TLSRPTv1; rua=mailto:a@b.example
";
    assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(1), expected, ""));
    let output = run(["record", "--format", "json", "v=TLSRPTv2"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((&answer["valid"], &answer["column"]), (&json!(false), &json!(1)));
}

#[test]
fn an_address_without_its_scheme_is_named_as_that() {
    let output = run(["record", "v=TLSRPTv1; rua=a@b.example"]);
    let expected = "\
v=TLSRPTv1; rua=a@b.example
                ^
wrong at column 17: mailto: is missing before the address a@b.example
mistake     the address a@b.example lacks mailto:
publish:    v=TLSRPTv1; rua=mailto:a@b.example
";
    assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(1), expected, ""));
}

#[test]
fn hostile_text_is_escaped() {
    let output = run(["record", "v=TLSRPTv1\u{1b}[2J; rua=mailto:a@b.example"]);
    let shown = text(&output.stdout);
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert!(shown.starts_with("v=TLSRPTv1\\u{1b}[2J;"), "{shown:?}");
}
