//! The TLSRPT record of a domain, by the grammar of RFC 8460 section 3.
//!
//! ```text
//! tlsrpt-record    = tlsrpt-version 1*(field-delim tlsrpt-field) [field-delim]
//! field-delim      = *WSP ";" *WSP
//! tlsrpt-field     = tlsrpt-rua / tlsrpt-extension      ; tlsrpt-rua is required
//! tlsrpt-version   = %s"v=TLSRPTv1"
//! tlsrpt-rua       = %s"rua=" tlsrpt-uri *(*WSP "," *WSP tlsrpt-uri)
//! tlsrpt-uri       = URI                                ; with "," "!" and ";" percent-encoded
//! tlsrpt-extension = tlsrpt-ext-name "=" tlsrpt-ext-value
//! tlsrpt-ext-name  = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
//! tlsrpt-ext-value = 1*(%x21-3A / %x3C / %x3E-7E)
//! ```

use fluent_uri::{ParseErrorKind, Uri};

const VERSION: &str = "v=TLSRPTv1";
const DESTINATIONS: &str = "rua";
const LONGEST_EXTENSION_NAME: usize = 32;

/// A valid record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record<'t> {
    /// The destinations of reports: `mailto:` and `https:` URIs.
    pub destinations: Vec<&'t str>,
    /// Fields other than `rua`: names and values. RFC 8460 defines none.
    pub extensions: Vec<(&'t str, &'t str)>,
}

/// The first place where a record violates the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The column, in characters from 1.
    pub column: usize,
    /// The error, as text.
    pub what: String,
}

/// Parses a record.
///
/// # Errors
///
/// The first place where the record violates the grammar.
pub fn parse(text: &str) -> Result<Record<'_>, Mistake> {
    Reader { text, at: 0 }.record()
}

struct Reader<'t> {
    text: &'t str,
    /// The number of bytes already read.
    at: usize,
}

impl<'t> Reader<'t> {
    fn record(mut self) -> Result<Record<'t>, Mistake> {
        self.version()?;
        let mut record = Record::default();
        while self.delimiter()? {
            self.field(&mut record)?;
        }
        if record.destinations.is_empty() {
            return Err(self.without_destination(&record));
        }
        Ok(record)
    }

    fn version(&mut self) -> Result<(), Mistake> {
        if self.rest().starts_with(VERSION) {
            self.at = VERSION.len();
            return Ok(());
        }
        let given = self.text.get(..VERSION.len()).unwrap_or(self.text);
        let why = match self.text.chars().next() {
            None => "the record is empty".into(),
            Some('"') => "the quotation marks belong to the zone file or to dig's output, not to the record".into(),
            Some(first) if is_space(first) => format!("the record begins with white space, not with {VERSION}"),
            Some(_) if given.eq_ignore_ascii_case(VERSION) => {
                format!("{given} must be written {VERSION}, in exactly these letters")
            }
            Some(_) => format!("the record does not begin with {VERSION}"),
        };
        Err(self.mistake(0, why))
    }

    /// Reads the delimiter after a field. Returns whether another field follows.
    fn delimiter(&mut self) -> Result<bool, Mistake> {
        let spaces = self.at;
        self.skip_spaces();
        match self.rest().chars().next() {
            None if spaces == self.at => return Ok(false),
            None => return Err(self.mistake(spaces, "white space at the end of the record")),
            Some(';') => self.at += 1,
            Some(other) => return Err(self.mistake(self.at, format!("expected \";\", found {other:?}"))),
        }
        self.skip_spaces();
        Ok(!self.rest().is_empty())
    }

    fn field(&mut self, record: &mut Record<'t>) -> Result<(), Mistake> {
        let name = self.name()?;
        if name == DESTINATIONS {
            self.destinations(record)
        } else {
            let value = self.extension_value(name)?;
            record.extensions.push((name, value));
            Ok(())
        }
    }

    /// Reads the name of a field and the "=" behind it.
    fn name(&mut self) -> Result<&'t str, Mistake> {
        let start = self.at;
        let name = self.take_while(is_name_character);
        let Some(first) = name.chars().next() else {
            let found = self.rest().chars().next().unwrap_or_default();
            return Err(self.mistake(start, format!("expected the name of a field, found {found:?}")));
        };
        if !first.is_ascii_alphanumeric() {
            return Err(self.mistake(start, "the name of a field begins with a letter or a digit"));
        }
        if name.len() > LONGEST_EXTENSION_NAME {
            let why = format!("the name of a field has at most {LONGEST_EXTENSION_NAME} characters");
            return Err(self.mistake(start + LONGEST_EXTENSION_NAME, why));
        }
        if !self.rest().starts_with('=') {
            return Err(self.mistake(self.at, format!("\"=\" must directly follow the field name {name:?}")));
        }
        self.at += 1;
        Ok(name)
    }

    fn extension_value(&mut self, name: &str) -> Result<&'t str, Mistake> {
        let value = self.take_while(is_value_character);
        if value.is_empty() {
            return Err(self.mistake(self.at, format!("the field {name:?} has no value")));
        }
        Ok(value)
    }

    fn destinations(&mut self, record: &mut Record<'t>) -> Result<(), Mistake> {
        loop {
            let uri = self.destination()?;
            record.destinations.push(uri);
            let end = self.at;
            self.skip_spaces();
            if !self.rest().starts_with(',') {
                self.at = end;
                return Ok(());
            }
            self.at += 1;
            self.skip_spaces();
        }
    }

    fn destination(&mut self) -> Result<&'t str, Mistake> {
        let start = self.at;
        let uri = self.take_while(|character| !is_space(character) && !matches!(character, ',' | ';'));
        if uri.is_empty() {
            return Err(self.mistake(start, "a mailto: or https: URI is missing here"));
        }
        if is_address_alone(uri) {
            return Err(self.mistake(start, format!("mailto: is missing before the address {uri}")));
        }
        if let Some(place) = uri.find('!') {
            return Err(self.mistake(start + place, "\"!\" must be written %21 in a URI of this record"));
        }
        let parsed = Uri::parse(uri).map_err(|error| {
            let found = uri.get(error.index()..).and_then(|rest| rest.chars().next());
            self.mistake(start + error.index(), uri_mistake(error.kind(), found))
        })?;
        match check_scheme(&parsed) {
            Ok(()) => Ok(uri),
            Err(why) => Err(self.mistake(start, why)),
        }
    }

    fn without_destination(&self, record: &Record<'_>) -> Mistake {
        let misspelt = record.extensions.iter().find(|(name, _)| name.eq_ignore_ascii_case(DESTINATIONS));
        let why = match misspelt {
            Some((name, _)) => format!("no {DESTINATIONS} field: {name:?} must be written in small letters"),
            None => format!("no {DESTINATIONS} field: the record names no destination for reports"),
        };
        self.mistake(self.text.len(), why)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|character| !belongs(character)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    fn skip_spaces(&mut self) {
        self.take_while(is_space);
    }

    fn mistake(&self, place: usize, what: impl Into<String>) -> Mistake {
        let before = self.text.get(..place).unwrap_or(self.text);
        Mistake { column: before.chars().count() + 1, what: what.into() }
    }
}

/// WSP of RFC 5234.
const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

fn is_value_character(character: char) -> bool {
    character.is_ascii_graphic() && !matches!(character, ';' | '=')
}

/// The most common mistake: a mail address without its scheme.
fn is_address_alone(uri: &str) -> bool {
    uri.contains('@') && !uri.contains([':', '/'])
}

/// `found` is the character at the place of the error, if any.
fn uri_mistake(kind: ParseErrorKind, found: Option<char>) -> String {
    match (kind, found) {
        (ParseErrorKind::InvalidPctEncodedOctet, _) => "\"%\" must be followed by two hexadecimal digits".into(),
        (ParseErrorKind::InvalidIpv6Addr, _) => "not a valid IPv6 address".into(),
        (ParseErrorKind::UnexpectedChar, Some(found)) => {
            format!("{found:?} is not allowed here in a URI; a destination is a mailto: or https: URI")
        }
        (ParseErrorKind::UnexpectedChar, None) => {
            "the URI is incomplete; a destination is a mailto: or https: URI".into()
        }
    }
}

/// RFC 8460 section 3 defines two schemes.
fn check_scheme(uri: &Uri<&str>) -> Result<(), String> {
    let scheme = uri.scheme().as_str();
    if scheme.eq_ignore_ascii_case("mailto") {
        match uri.path().as_str().rsplit_once('@') {
            Some((local, domain)) if !local.is_empty() && !domain.is_empty() => Ok(()),
            _ => Err("mailto: must be followed by a mail address".into()),
        }
    } else if scheme.eq_ignore_ascii_case("https") {
        match uri.authority() {
            Some(authority) if !authority.host().is_empty() => Ok(()),
            _ => Err("https: must be followed by // and the name of a host".into()),
        }
    } else {
        Err(format!("reports go to mailto: and https: URIs, not to {scheme}:"))
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_EXTENSION_NAME, Mistake, Record, parse};

    fn destinations(text: &str) -> Vec<&str> {
        parse(text).unwrap().destinations
    }

    /// The mistake in `marked`, which has a `^` before the character that is wrong.
    fn assert_wrong(marked: &str, why: &str) {
        let (before, behind) = marked.split_once('^').unwrap();
        let text = format!("{before}{behind}");
        let Mistake { column, what } = parse(&text).expect_err(&text);
        assert_eq!(column, before.chars().count() + 1, "{text:?}: {what}");
        assert!(what.contains(why), "{text:?}: {what}");
    }

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(destinations("v=TLSRPTv1;rua=mailto:reports@example.com"), ["mailto:reports@example.com"]);
        let https = "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt";
        assert_eq!(destinations(https), ["https://reporting.example.com/v1/tlsrpt"]);
    }

    #[test]
    fn white_space_where_the_grammar_has_it() {
        let text = "v=TLSRPTv1 \t;\trua=mailto:a@b.example , https://c.example/d?e=f%2Cg ; x-y.z_1=u ; ";
        let expected = Record {
            destinations: vec!["mailto:a@b.example", "https://c.example/d?e=f%2Cg"],
            extensions: vec![("x-y.z_1", "u")],
        };
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn schemes_in_capitals_and_fields_in_any_order() {
        let record = parse("v=TLSRPTv1;a=1;rua=MAILTO:a@b.example;rua=HTTPS://c.example").unwrap();
        assert_eq!(record.destinations, ["MAILTO:a@b.example", "HTTPS://c.example"]);
        assert_eq!(record.extensions, [("a", "1")]);
    }

    #[test]
    fn versions() {
        assert_wrong("^", "empty");
        assert_wrong("^v=TLSRPTv2; rua=mailto:a@b.example", "does not begin with v=TLSRPTv1");
        assert_wrong("^V=tlsrptV1; rua=mailto:a@b.example", "exactly these letters");
        assert_wrong("^ v=TLSRPTv1; rua=mailto:a@b.example", "white space");
        assert_wrong("^\"v=TLSRPTv1; rua=mailto:a@b.example\"", "quotation marks");
        assert_wrong("^v=TLS", "does not begin");
        assert_wrong("^käse", "does not begin");
        assert_wrong("v=TLSRPTv1^2; rua=mailto:a@b.example", "expected \";\"");
    }

    #[test]
    fn fields() {
        assert_wrong("v=TLSRPTv1^", "names no destination");
        assert_wrong("v=TLSRPTv1;^", "names no destination");
        assert_wrong("v=TLSRPTv1; a=b^", "names no destination");
        assert_wrong("v=TLSRPTv1; RUA=mailto:a@b.example^", "small letters");
        assert_wrong("v=TLSRPTv1; ^;", "name of a field");
        assert_wrong("v=TLSRPTv1; ^=x; rua=mailto:a@b.example", "name of a field");
        assert_wrong("v=TLSRPTv1; ^-a=x; rua=mailto:a@b.example", "letter or a digit");
        assert_wrong("v=TLSRPTv1; rua^ =mailto:a@b.example", "directly follow");
        assert_wrong("v=TLSRPTv1; rua^", "directly follow");
        assert_wrong("v=TLSRPTv1; a=^; rua=mailto:a@b.example", "no value");
        assert_wrong("v=TLSRPTv1; a=b^=c; rua=mailto:a@b.example", "expected \";\"");
        assert_wrong("v=TLSRPTv1; a=b^ä; rua=mailto:a@b.example", "expected \";\"");
        assert_wrong("v=TLSRPTv1; rua=mailto:a@b.example; a=b^ ", "end of the record");
        let longest = "n".repeat(LONGEST_EXTENSION_NAME);
        assert!(parse(&format!("v=TLSRPTv1; {longest}=x; rua=mailto:a@b.example")).is_ok());
        assert_wrong(&format!("v=TLSRPTv1; {longest}^n=x; rua=mailto:a@b.example"), "at most 32");
    }

    #[test]
    fn uris() {
        assert_wrong("v=TLSRPTv1; rua=^", "URI is missing");
        assert_wrong("v=TLSRPTv1; rua=^ mailto:a@b.example", "URI is missing");
        assert_wrong("v=TLSRPTv1; rua=mailto:a@b.example,^", "URI is missing");
        assert_wrong("v=TLSRPTv1; rua=mailto:a@b.example,^,mailto:c@d.example", "URI is missing");
        assert_wrong("v=TLSRPTv1; rua=mailto:a@b.example^!10m", "%21");
        assert_wrong("v=TLSRPTv1; rua=mailto:a^%zz@b.example", "hexadecimal");
        assert_wrong("v=TLSRPTv1; rua=mailto:^ä@b.example", "'ä' is not allowed here");
        assert_wrong("v=TLSRPTv1; rua=mailto:a^\"@b.example", "'\"' is not allowed here");
        assert_wrong("v=TLSRPTv1; rua=^a@b.example", "mailto: is missing before the address a@b.example");
        assert_wrong("v=TLSRPTv1; rua=mailto^", "incomplete");
        assert_wrong("v=TLSRPTv1; rua=^mailto:b.example", "mail address");
        assert_wrong("v=TLSRPTv1; rua=^mailto:@b.example", "mail address");
        assert_wrong("v=TLSRPTv1; rua=^mailto:a@", "mail address");
        assert_wrong("v=TLSRPTv1; rua=^https:report", "host");
        assert_wrong("v=TLSRPTv1; rua=^https:///x", "host");
        assert_wrong("v=TLSRPTv1; rua=^http://b.example", "not to http:");
        assert_wrong("v=TLSRPTv1; rua=mailto:a@b.example ^https://c.example", "expected \";\"");
        assert_wrong("v=TLSRPTv1; rua=https://[^1::2::3]/", "IPv6");
    }
}
