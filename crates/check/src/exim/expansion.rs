//! Texts of options that Exim expands for each mail: what they become for a mail from an address.
//!
//! Exim itself expands them, in its test mode, which changes nothing. Only texts of a closed list of items are passed to it: others may run
//! programs, write to databases or wait for servers, or depend on what is known in a delivery alone.

use crate::{bounded, signature::Mail};

/// What is printed before the result, so that an error is told apart from it.
const MARK: &str = "tlsrpt:";
/// The file from which Exim reads the mail.
const INPUT: &str = "/dev/stdin";

const LOOKUP: &str = "${lookup";
/// The prefixes of the names of header lines, and the one that is known.
const HEADERS: [&str; 6] = ["h_", "rh_", "lh_", "header_", "rheader_", "lheader_"];
const FROM: &str = "from";
const VARIABLES: [&str; 9] = [
    "sender_address",
    "sender_address_domain",
    "sender_address_local_part",
    "primary_hostname",
    "qualify_domain",
    "qualify_recipient",
    "value",
    "item",
    "key",
];
/// Items, operators, conditions and lookups in files of keys.
const NAMES: [&str; 42] = [
    "if",
    "lookup",
    "extract",
    "listextract",
    "sg",
    "tr",
    "length",
    "substr",
    "filter",
    "map",
    "lc",
    "uc",
    "domain",
    "local_part",
    "address",
    "strlen",
    "listcount",
    "quote",
    "def",
    "eq",
    "eqi",
    "exists",
    "match",
    "match_domain",
    "match_address",
    "match_local_part",
    "inlist",
    "inlisti",
    "forany",
    "forall",
    "and",
    "or",
    "bool",
    "bool_lax",
    "lsearch",
    "wildlsearch",
    "nwildlsearch",
    "iplsearch",
    "cdb",
    "dbm",
    "dbmnz",
    "dsearch",
];

/// Why it is not known what a text becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unexpanded {
    /// It is not passed to Exim, or Exim cannot be run.
    Unknown(String),
    /// Exim cannot expand it: it signs nothing then.
    Failed(String),
}

impl Unexpanded {
    /// The same, with the name of the option that has the text.
    pub(super) fn of(self, option: &str) -> Self {
        match self {
            Self::Unknown(why) => Self::Unknown(format!("in its {option}, {why}")),
            Self::Failed(why) => Self::Failed(format!("Exim cannot expand its {option}: {why}")),
        }
    }
}

/// What a text becomes in a mail. `program` is the name of Exim.
pub(super) fn expand(program: &str, text: &str, mail: Mail<'_>) -> Result<String, Unexpanded> {
    if is_literal(text) {
        return Ok(text.into());
    }
    if let Some(name) = unknown_name(text) {
        return Err(Unexpanded::Unknown(format!("{name} is not known before a delivery")));
    }
    ask(program, text, mail).map_err(Unexpanded::Unknown)?.map_err(Unexpanded::Failed)
}

/// Whether Exim refuses to read the file of this name, because a part of the name is a text of the mail. Such texts are tainted, as Exim
/// calls it. The file is looked through for a key that it does not have.
pub(super) fn is_tainted(program: &str, file: &str, mail: Mail<'_>) -> bool {
    if is_literal(file) {
        return false;
    }
    let lookup = format!("${{lookup{{{MARK}}}lsearch{{{file}}}{{}}{{}}}}");
    // The reason is in the log, which Exim prints in its test mode.
    matches!(run(program, &lookup, mail), Ok(ran) if ran.stderr.contains("Tainted"))
}

fn is_literal(text: &str) -> bool {
    !text.contains(['$', '\\'])
}

fn ask(program: &str, text: &str, mail: Mail<'_>) -> Result<Result<String, String>, String> {
    let ran = run(program, text, mail)?;
    match ran.stdout.strip_prefix(MARK) {
        Some(result) => Ok(Ok(result.trim().into())),
        None if ran.stdout.starts_with("Failed") => {
            let why = ran.stdout.trim().trim_start_matches("Failed:").trim();
            Ok(Err(why.into()))
        }
        None => Err(ran.stderr.lines().next().unwrap_or("Exim prints no result").into()),
    }
}

fn run(program: &str, text: &str, mail: Mail<'_>) -> Result<bounded::Ran, String> {
    let header = format!("From: {}\n\n", mail.from);
    let text = format!("{MARK}{text}");
    bounded::tool_with_input(program, &["-f", mail.envelope, "-bem", INPUT, &text], &header)
        .map_err(|error| error.to_string())
}

/// The first name in a text that is not in the lists above.
fn unknown_name(text: &str) -> Option<&str> {
    let braces = text.match_indices('{').filter_map(|(at, _)| before_brace(&text[..at]));
    let of_braces = braces.filter(|name| !NAMES.contains(&base(name)));
    let of_dollars = text.match_indices('$').filter_map(|(at, _)| after_dollar(&text[at + 1..]));
    let defined = text.match_indices("def:").map(|(at, mark)| name_at(&text[at + mark.len()..]));
    let of_definitions = defined.filter(|name| !is_variable(name));
    let queries = text.match_indices(LOOKUP).filter_map(|(at, item)| query(&text[at + item.len()..]));
    queries.chain(of_braces).chain(of_dollars).chain(of_definitions).next()
}

/// The type of a lookup that does not begin with a key: it asks a server or a database.
fn query(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let end = text.find(|character: char| character == '{' || character.is_whitespace()).unwrap_or(text.len());
    (!text.starts_with('{')).then_some(&text[..end])
}

/// The word directly before a brace: the name of a condition or of a lookup.
fn before_brace(text: &str) -> Option<&str> {
    let text = text.trim_end();
    let start = text.rfind(|character: char| !(character.is_alphanumeric() || "_,=*@-".contains(character)));
    let word = &text[start.map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8))..];
    let is_name = word.starts_with(|first: char| first.is_ascii_alphabetic());
    // A variable has its own list, and a path is no name.
    let follows = text[..text.len() - word.len()].chars().next_back();
    (is_name && !matches!(follows, Some('$' | '/' | '.' | ':'))).then_some(word)
}

/// A name of a lookup without what can be added to it: `partial-`, `*` for a default, `,ret=full`.
fn base(name: &str) -> &str {
    let name = name.split(',').next().unwrap_or(name).trim_end_matches(['*', '@']);
    match name.split_once('-') {
        Some((partial, lookup)) if partial.starts_with("partial") => lookup,
        _ => name,
    }
}

/// The name of an item or of a variable after a dollar sign, if it is not in the lists.
fn after_dollar(text: &str) -> Option<&str> {
    let in_braces = text.strip_prefix('{');
    let name = name_at(in_braces.unwrap_or(text));
    let is_variable_here = in_braces.is_none_or(|rest| rest[name.len()..].starts_with('}'));
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => {
            let is_known = is_variable(name) || (!is_variable_here && NAMES.contains(&name));
            (!is_known).then_some(name)
        }
        // `$1`, and a dollar sign in a regular expression.
        _ if in_braces.is_none() || !name.is_empty() => None,
        _ => Some("${"),
    }
}

/// A name, with the rest of that of a header line, which may have hyphens.
fn name_at(text: &str) -> &str {
    let is_header = HEADERS.iter().any(|prefix| text.starts_with(prefix));
    let is_of_name =
        |character: char| character.is_ascii_alphanumeric() || character == '_' || (is_header && character == '-');
    &text[..text.find(|character| !is_of_name(character)).unwrap_or(text.len())]
}

/// Whether it is the name of a variable or of a header line that is known.
fn is_variable(name: &str) -> bool {
    let header = HEADERS.iter().find_map(|prefix| name.strip_prefix(prefix));
    header.map_or_else(|| VARIABLES.contains(&name), |header| header.eq_ignore_ascii_case(FROM))
}

#[cfg(test)]
mod tests {
    use super::unknown_name;

    #[test]
    fn what_the_documentation_of_many_hosts_has_is_passed_to_exim() {
        for text in [
            "${lc:${domain:$h_from:}}",
            "$sender_address_domain",
            "${sender_address_domain}.$h_From:",
            "${if exists{/etc/exim4/${lc:${domain:$rh_from:}}.pem}{/etc/exim4/dkim.pem}{0}}",
            "${lookup{$sender_address_domain}partial-lsearch*@{/etc/exim4/domains}{$value}fail}",
            "${lookup{$sender_address_domain.key}dsearch,ret=full,filter=file{/etc/exim4/dkim}{$value}{0}}",
            r"${if match_domain{$sender_address_domain}{+local_domains}{${sg{$h_from:}{\N^.*@(.*)$\N}{$1}}}{}}",
            "${if !def:h_from:{}{a.example}}",
            "${if and {{eq{a}{b}} {bool{1}}}{a}{b}}",
        ] {
            assert_eq!(unknown_name(text), None, "{text}");
        }
    }

    #[test]
    fn what_does_more_or_is_known_in_a_delivery_alone_is_not() {
        for (text, name) in [
            ("${run{/bin/sh -c id}}", "run"),
            ("${run,preexpand {/bin/sh}}", "run,preexpand"),
            ("${perl{f}{a}}", "perl"),
            ("${dlfunc{/a.so}{f}}", "dlfunc"),
            ("${readsocket{/a}{b}}", "readsocket"),
            ("${readfile{/etc/shadow}}", "readfile"),
            ("${acl{own}}", "acl"),
            ("${if acl{{own}{a}}{b}{c}}", "acl"),
            ("${expand:${lookup{a}lsearch{/b}}}", "expand"),
            ("${lookup mysql{SELECT 1}}", "mysql"),
            ("${lookup{a} nis{b}}", "nis"),
            ("${lookup sqlite,file=/a {SELECT 1}}", "sqlite,file=/a"),
            ("${ run{/bin/sh}}", "run"),
            ("${ lc:a}", "${"),
            ("${env{PATH}}", "env"),
            ("$domain", "domain"),
            ("${domain}", "domain"),
            ("${lc:$authenticated_id}", "authenticated_id"),
            ("${if def:authenticated_id{a}{b}}", "authenticated_id"),
            ("$h_x-signer:", "h_x-signer"),
            ("${if def:h_list-id:{a}{b}}", "h_list-id"),
        ] {
            assert_eq!(unknown_name(text), Some(name), "{text}");
        }
    }
}
