//! What all pages share.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::words::time;

const STYLE: &str = include_str!("style.css");

/// The whole page. `heading` is also its title.
pub(crate) fn page(heading: &str, made: Timestamp, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(security_policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (heading) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main { h1 { (heading) } (body) }
                footer { "As of " (time(made)) ". Days are in UTC. Made by tlsrpt " (env!("CARGO_PKG_VERSION")) "." }
            }
        }
    };
    page.into_string()
}

/// Permits the styles of this page and nothing else, should markup of a stranger ever reach the page.
fn security_policy() -> String {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}
