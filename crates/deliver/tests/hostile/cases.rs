//! The records, and the expected outcome of each.

use std::net::IpAddr;

use crate::servers::WebServers;

/// How the reporter is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    /// Nothing is allowed but public addresses.
    Strict,
    /// The address of the web servers is allowed.
    Allowed,
    /// The same, and the time for a report to a web server is short: the cases wait for it.
    Hasty,
    /// The address is allowed, with `verify = "require"`.
    Required,
    /// Mails leave by the sendmail command.
    Sendmail,
}

impl Setup {
    pub(crate) const ALL: [Self; 5] = [Self::Strict, Self::Allowed, Self::Hasty, Self::Required, Self::Sendmail];
}

/// The expected outcome of all deliveries of a record.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    /// Nothing is sent, and the reason is kept.
    NeverTried,
    /// One attempt, refused for good.
    Refused,
    /// One attempt, and another later: the server has no report.
    TriedAgain,
    /// One attempt, and another later: the server may have the report.
    Unknown,
    /// This arrived, and nothing else.
    Delivered(Vec<String>),
    /// It arrived although the certificate does not verify, which is kept.
    DeliveredWithWarning,
    /// As many as max-destinations arrived, as many others are kept with the reason, the rest is not kept.
    DeliveredUpToTheLimit,
    /// The domain has no destination at all.
    NoReport,
}

use Expected::{
    Delivered, DeliveredUpToTheLimit, DeliveredWithWarning, NeverTried, NoReport, Refused, TriedAgain, Unknown,
};

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) record: String,
    pub(crate) setup: Setup,
    pub(crate) expected: Expected,
}

/// The addresses that a name of the cases has at its first, second ... lookup.
pub(crate) fn addresses(name: &str, lookup: usize) -> Vec<IpAddr> {
    let texts: Vec<&str> = match (name, lookup) {
        ("changes" | "changes-after-a-bad-certificate", 0) => vec!["127.0.0.1"],
        ("changes" | "changes-after-a-bad-certificate", _) => vec!["127.0.0.2"],
        ("mixed", _) => vec!["10.0.0.1", "127.0.0.2", "127.0.0.1"],
        ("private", _) => vec!["192.168.1.1"],
        ("mapped", _) => vec!["::ffff:127.0.0.2"],
        ("metadata", _) => vec!["169.254.169.254", "fd00:ec2::254"],
        ("many", _) => vec!["127.0.0.2"; 16],
        _ => vec![],
    };
    texts.into_iter().map(|text| text.parse().unwrap()).collect()
}

pub(crate) fn all(web: &WebServers) -> Vec<Case> {
    let mut cases = addresses_of_mails();
    cases.extend(commands());
    cases.extend(large_records());
    cases.extend(urls(web));
    cases.extend(names(web));
    cases.extend(answers(web));
    cases.extend(certificates(web));
    cases
}

fn case(name: &'static str, setup: Setup, rua: impl AsRef<str>, expected: Expected) -> Case {
    Case { name, record: format!("v=TLSRPTv1;rua={}", rua.as_ref()), setup, expected }
}

fn to(addresses: &[&str]) -> Expected {
    Delivered(addresses.iter().map(|address| (*address).to_owned()).collect())
}

fn addresses_of_mails() -> Vec<Case> {
    let long_local_part = format!("mailto:{}@x.example", "a".repeat(65));
    let long_domain = format!("mailto:a@{}example", "a.".repeat(130));
    let long_uri = format!("mailto:a@x.example?subject={}", "a".repeat(2048));
    let refused = [
        ("CR LF and a header field in the local part", "mailto:a%0d%0aBcc:b@victim.example"),
        ("CR LF and a header field after the domain", "mailto:a@x.example%0D%0ABcc:%20b@victim.example"),
        ("CR LF as it is", "mailto:a@x.example\r\nBcc: b@victim.example"),
        ("LF in the local part", "mailto:a%0ab@x.example"),
        ("CR in the domain", "mailto:a@x%0d.example"),
        ("NUL in the local part", "mailto:a%00b@x.example"),
        ("NUL as it is", "mailto:a\0b@x.example"),
        ("a quoted local part", "mailto:%22a%20b%22@x.example"),
        ("quotes as they are", "mailto:\"a b\"@x.example"),
        ("a comment", "mailto:a(comment)@x.example"),
        ("a second recipient in the local part", "mailto:a%2Cb@x.example"),
        ("a second recipient after the domain", "mailto:a@x.example%2Cb@victim.example"),
        ("a second SMTP command", "mailto:a@x.example%3E%0D%0ARCPT%20TO:%3Cb@victim.example"),
        ("parameters of the SMTP command", "mailto:a@x.example%3E%20NOTIFY=NEVER"),
        ("a hyphen first", "mailto:-oQ%2Ftmp%2Fx@x.example"),
        ("a hyphen first in the domain", "mailto:a@-x.example"),
        ("UTF-8 in the local part", "mailto:%C3%A4@x.example"),
        ("UTF-8 as it is", "mailto:\u{e4}@x.example"),
        ("UTF-8 in the domain", "mailto:a@b%C3%BCcher.example"),
        ("no UTF-8", "mailto:a%FF@x.example"),
        ("a local part of 65 bytes", &long_local_part),
        ("a domain of 267 bytes", &long_domain),
        ("a URI of more than 2,048 bytes", &long_uri),
        ("a route", "mailto:@relay.example:a@x.example"),
        ("an address literal", "mailto:a@[127.0.0.1]"),
        ("an address literal, encoded", "mailto:a@%5B127.0.0.1%5D"),
        ("this host", "mailto:root@localhost"),
        ("two at signs", "mailto:a@b@x.example"),
        ("nothing", "mailto:"),
        ("no domain", "mailto:root"),
        ("no scheme", "a@x.example"),
        ("a dot at the end", "mailto:a@x.example."),
        ("a space", "mailto:a%20b@x.example"),
        ("a substitution of the shell", "mailto:$(id)@x.example"),
        ("other schemes", "http://x.example/,file:///etc/passwd,gopher://127.0.0.1:25/,javascript:alert(1)"),
    ];
    let mut cases: Vec<_> = refused.into_iter().map(|(name, rua)| case(name, Setup::Strict, rua, NeverTried)).collect();
    let served = [
        ("header fields of the URI", "mailto:a@x.example?bcc=b@victim.example&subject=x&body=y", "a@x.example"),
        ("CR LF encoded twice", "mailto:a%250d%250aBcc@x.example", "a%0d%0aBcc@x.example"),
        ("a percent sign for a relay", "mailto:a%25victim.example@x.example", "a%victim.example@x.example"),
        ("a vertical bar first", "mailto:%7Cid@x.example", "|id@x.example"),
        ("a path", "mailto:%2Fetc%2Fpasswd@x.example", "/etc/passwd@x.example"),
    ];
    cases.extend(served.map(|(name, rua, address)| case(name, Setup::Strict, rua, to(&[address]))));
    cases
}

fn commands() -> Vec<Case> {
    vec![
        case("sendmail: an address", Setup::Sendmail, "mailto:a@x.example", to(&["-i -f -- a@x.example"])),
        case("sendmail: an option", Setup::Sendmail, "mailto:-Cevil.cf@x.example", NeverTried),
        case("sendmail: an option after a space", Setup::Sendmail, "mailto:a%20-Cevil.cf@x.example", NeverTried),
        case("sendmail: a line of its own", Setup::Sendmail, "mailto:a@x.example%0A-Cevil.cf", NeverTried),
        case(
            "sendmail: characters of the shell",
            Setup::Sendmail,
            "mailto:%60id%60%24HOME%7Cid%26@x.example",
            to(&["-i -f -- `id`$HOME|id&@x.example"]),
        ),
    ]
}

fn large_records() -> Vec<Case> {
    let record = |name, record: String, expected| Case { name, record, setup: Setup::Strict, expected };
    let thousand = |uri: &dyn Fn(usize) -> String| (0..1000).map(uri).collect::<Vec<_>>().join(",");
    let filler: String = (0..1300).map(|number| format!("x{number}={};", "y".repeat(45))).collect();
    vec![
        case(
            "1,000 destinations",
            Setup::Strict,
            thousand(&|number| format!("mailto:a{number}@x.example")),
            DeliveredUpToTheLimit,
        ),
        case(
            "the same destination 1,000 times",
            Setup::Strict,
            thousand(&|_| "mailto:a@x.example".into()),
            to(&["a@x.example"]),
        ),
        case("64 kB in one URI", Setup::Strict, format!("mailto:a@{}.example", "x".repeat(64 << 10)), NeverTried),
        record("64 kB of extensions", format!("v=TLSRPTv1;{filler}rua=mailto:a@x.example"), to(&["a@x.example"])),
        record("64 kB of one character", format!("v=TLSRPTv1;rua={}", ",".repeat(64 << 10)), NeverTried),
        record("64 kB without a version", "rua=mailto:a@x.example;".repeat(2900), NeverTried),
        record(
            "two fields rua",
            "v=TLSRPTv1;rua=mailto:a@x.example;rua=mailto:b@x.example".into(),
            to(&["a@x.example", "b@x.example"]),
        ),
        record("no destination", "v=TLSRPTv1;rua=".into(), NeverTried),
        record("another version", "v=TLSRPTv2;rua=mailto:a@x.example".into(), NeverTried),
        record("no record", String::new(), NoReport),
        record("escape sequences of a terminal", "v=TLSRPTv1;rua=\u{1b}[2J\u{1b}]0;x\u{7}".into(), NeverTried),
    ]
}

fn urls(web: &WebServers) -> Vec<Case> {
    let port = web.port("sound");
    let hosts = [
        ("127.0.0.1", "127.0.0.1"),
        ("decimal", "2130706433"),
        ("octal", "0177.0.0.1"),
        ("octal in one number", "017700000001"),
        ("hexadecimal", "0x7f000001"),
        ("hexadecimal in parts", "0x7f.0.0.0x1"),
        ("the short form of two parts", "127.1"),
        ("the short form of three parts", "127.0.1"),
        ("zero", "0"),
        ("0.0.0.0", "0.0.0.0"),
        ("another loopback address", "127.0.0.2"),
        ("a private address", "10.0.0.1"),
        ("a private address, 172", "172.16.0.1"),
        ("a private address, 192", "192.168.1.1"),
        ("an address of a carrier's NAT", "100.64.0.1"),
        ("the metadata service of clouds", "169.254.169.254"),
        ("multicast", "224.0.0.1"),
        ("broadcast", "255.255.255.255"),
        ("IPv6 loopback", "[::1]"),
        ("IPv6 loopback in full", "[0:0:0:0:0:0:0:1]"),
        ("IPv6 unspecified", "[::]"),
        ("IPv4 mapped", "[::ffff:127.0.0.1]"),
        ("IPv4 mapped, hexadecimal", "[::ffff:7f00:1]"),
        ("IPv4 compatible", "[::127.0.0.1]"),
        ("NAT64", "[64:ff9b::127.0.0.1]"),
        ("NAT64 of a private network", "[64:ff9b:1::a00:1]"),
        ("6to4", "[2002:7f00:1::]"),
        ("Teredo", "[2001:0:7f00:1::]"),
        ("IPv6 link-local", "[fe80::1]"),
        ("IPv6 unique local", "[fd00::1]"),
        ("localhost", "localhost"),
        ("localhost in capitals", "LOCALHOST"),
    ];
    let mut cases: Vec<_> = hosts
        .into_iter()
        .map(|(name, host)| case(name, Setup::Strict, format!("https://{host}:{port}/ok"), Refused))
        .collect();
    let refused = [
        ("a zone id", format!("https://[fe80::1%25lo]:{port}/ok")),
        ("a zone id, not encoded", format!("https://[fe80::1%lo]:{port}/ok")),
        ("brackets around a name", format!("https://[localhost]:{port}/ok")),
        ("a future address", format!("https://[v1.127.0.0.1]:{port}/ok")),
        ("a user name", format!("https://x.example@127.0.0.1:{port}/ok")),
        ("a user name that looks like a host", format!("https://x.example:443@127.0.0.1:{port}/ok")),
        ("an encoded host", format!("https://%31%32%37.0.0.1:{port}/ok")),
        ("wide digits", format!("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1:{port}/ok")),
        ("a backslash", format!("https://x.example\\@127.0.0.1:{port}/ok")),
        ("a space in the path", format!("https://127.0.0.1:{port}/a b")),
        ("CR LF in the path", format!("https://127.0.0.1:{port}/a\r\nHost: x.example")),
        ("no host", "https:///ok".to_owned()),
        ("no authority", "https:127.0.0.1/ok".to_owned()),
        ("the port of SMTP", "https://127.0.0.1:25/".to_owned()),
        ("the port of SSH", "https://127.0.0.1:22/".to_owned()),
        ("another port", "https://127.0.0.1:8443/".to_owned()),
        ("port 0", "https://127.0.0.1:0/".to_owned()),
        ("port 65536", "https://127.0.0.1:65536/".to_owned()),
        ("port 4294967739, which is 443 in 32 bits", "https://127.0.0.1:4294967739/".to_owned()),
    ];
    // All but the address is as where a report is posted: what keeps it out is the form.
    cases.extend(refused.into_iter().map(|(name, rua)| case(name, Setup::Allowed, rua, NeverTried)));
    cases
}

fn names(web: &WebServers) -> Vec<Case> {
    let url = |certificate: &str, name: &str| format!("https://localhost:{}/dns-{name}", web.port(certificate));
    vec![
        case("DNS: a private address", Setup::Strict, url("sound", "private"), Refused),
        case("DNS: IPv4 mapped", Setup::Strict, url("sound", "mapped"), Refused),
        case("DNS: the metadata service", Setup::Strict, url("sound", "metadata"), Refused),
        case("DNS: 16 times a loopback address", Setup::Allowed, url("sound", "many"), Refused),
        case("DNS: no address", Setup::Allowed, url("sound", "nothing"), TriedAgain),
        case("DNS: one of three addresses is permitted", Setup::Allowed, url("sound", "mixed"), to(&["/dns-mixed"])),
        case("DNS: another answer after the check", Setup::Allowed, url("sound", "changes"), to(&["/dns-changes"])),
        case(
            "DNS: another answer for the second connection, after a bad certificate",
            Setup::Allowed,
            url("expired", "changes-after-a-bad-certificate"),
            Refused,
        ),
    ]
}

fn answers(web: &WebServers) -> Vec<Case> {
    let answer = |name, path: &str, expected| {
        case(name, Setup::Allowed, format!("https://127.0.0.1:{}/{path}", web.port("sound")), expected)
    };
    vec![
        answer("the same URL where its address is allowed", "ok", to(&["/ok"])),
        answer("a redirect to a private address, 301", "redirect-301", Refused),
        answer("a redirect to a private address, 307", "redirect-307", Refused),
        answer("a redirect to a private address, 308", "redirect-308", Refused),
        answer("no answer, closed", "nothing", Unknown),
        Case { setup: Setup::Hasty, ..answer("no answer, open", "silence", Unknown) },
        Case { setup: Setup::Hasty, ..answer("a byte now and then", "slow", Unknown) },
        answer("an endless header", "endless-header", Unknown),
        answer("an endless status line", "endless-status", Unknown),
        answer("an endless body", "endless-body", to(&["/endless-body"])),
        answer("an answer of another protocol", "words", Unknown),
        answer("an answer with escape sequences", "escape", Unknown),
        answer("429 with a wait of 3,000 years", "429", TriedAgain),
    ]
}

fn certificates(web: &WebServers) -> Vec<Case> {
    let of = |name, setup, certificate: &str, expected| {
        case(name, setup, format!("https://127.0.0.1:{}/{certificate}", web.port(certificate)), expected)
    };
    vec![
        of("prefer: an expired certificate", Setup::Allowed, "expired", DeliveredWithWarning),
        of("prefer: a certificate of another host", Setup::Allowed, "other-host", DeliveredWithWarning),
        of("prefer: a certificate of an unknown authority", Setup::Allowed, "other-authority", DeliveredWithWarning),
        of("prefer: a self-signed certificate", Setup::Allowed, "self-signed", DeliveredWithWarning),
        of("require: a sound certificate", Setup::Required, "sound", to(&["/sound"])),
        of("require: an expired certificate", Setup::Required, "expired", TriedAgain),
        of("require: a certificate of another host", Setup::Required, "other-host", TriedAgain),
        of("require: a certificate of an unknown authority", Setup::Required, "other-authority", TriedAgain),
        of("require: a self-signed certificate", Setup::Required, "self-signed", TriedAgain),
    ]
}
