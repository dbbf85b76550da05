//! Parses the bytes of a datagram into an [`Event`].
//!
//! Of two members with one name it keeps the last, as tlsrpt-collectd does.

use serde_json::{Map, Value};
use tlsrpt::FailureMember;

use super::{
    event::{Event, Failure, FailureDetails, LONGEST, Policy, PolicyDescription, VERSION},
    fast,
    invalid::{Invalid, InvalidReason},
};

/// Reads a datagram.
///
/// # Errors
///
/// The reason why it is invalid.
pub fn parse(bytes: &[u8]) -> Result<Event, Invalid> {
    if bytes.len() > LONGEST {
        let detail = format!("{} bytes are more than {LONGEST}", bytes.len());
        return Err(Invalid::new(InvalidReason::TooLong, detail));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Invalid::new(InvalidReason::NotUtf8, format!("not UTF-8 at byte {}", error.valid_up_to() + 1))
    })?;
    event(text)
}

/// Reads an event of any length.
pub(super) fn event(text: &str) -> Result<Event, Invalid> {
    fast::parse(text).map_or_else(|| parse_any(text), Ok)
}

/// Reads any datagram, without the fast parser.
fn parse_any(text: &str) -> Result<Event, Invalid> {
    event_of(Members::read(text)?)
}

/// Reads the text of a policy from [`super::canonical`].
pub(super) fn description(text: &str) -> Result<PolicyDescription, Invalid> {
    description_of(Members::read(text)?)
}

/// Reads the text of a failure from [`super::canonical`].
pub(super) fn failure(text: &str) -> Result<Failure, Invalid> {
    failure_of(Members::read(text)?)
}

fn event_of(mut members: Members<'_>) -> Result<Event, Invalid> {
    match members.optional_text("dpv")? {
        Some(other) if other != VERSION => {
            let detail = format!("dpv is {other:?}: only version {VERSION:?} of the datagram is known");
            return Err(Invalid::new(InvalidReason::OtherVersion, detail));
        }
        _ => {}
    }
    Ok(Event {
        domain: members.text("d")?,
        record: members.text("pr")?,
        policies: members.list("policies", |value, place| policy_of(Members::of(value, place)?))?,
    })
}

fn policy_of(mut members: Members<'_>) -> Result<Policy, Invalid> {
    let result = members.number("f")?;
    let failures = members.optional_list("failure-details", |value, place| failure_of(Members::of(value, place)?))?;
    // The number of failures, which is also the length of the list.
    members.take("t");
    Ok(Policy { result, failures: failures.unwrap_or_default(), description: description_of(members)? })
}

fn description_of(mut members: Members<'_>) -> Result<PolicyDescription, Invalid> {
    Ok(PolicyDescription {
        policy_type: members.number("policy-type")?,
        policy_domain: members.optional_text("policy-domain")?,
        policy_string: members.optional_list("policy-string", text)?,
        mx_host: members.optional_list("mx-host", text)?,
        others: members.map,
    })
}

fn failure_of(mut members: Members<'_>) -> Result<Failure, Invalid> {
    let code = members.number("c")?;
    let mut details = FailureDetails::default();
    for &member in FailureMember::ALL {
        details.set(member, members.optional_text(member.key())?);
    }
    Ok(Failure { code, details })
}

/// Where a value is in the datagram.
#[derive(Clone, Copy)]
enum Place<'p> {
    Datagram,
    Member(&'p Place<'p>, &'static str),
    Item(&'p Place<'p>, usize),
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Datagram => out.write_str("the datagram"),
            Self::Member(Self::Datagram, name) => out.write_str(name),
            Self::Member(object, name) => write!(out, "{object}.{name}"),
            Self::Item(list, index) => write!(out, "{list}[{index}]"),
        }
    }
}

/// The members of an object, each of which is taken once.
struct Members<'p> {
    map: Map<String, Value>,
    place: Place<'p>,
}

impl<'p> Members<'p> {
    fn of(value: Value, place: Place<'p>) -> Result<Self, Invalid> {
        match value {
            Value::Object(map) => Ok(Self { map, place }),
            _ => Err(wrong_type(place, "an object")),
        }
    }

    /// The members of the outermost object.
    fn read(text: &str) -> Result<Self, Invalid> {
        let value = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        Self::of(value, Place::Datagram)
    }

    /// Removes a member and returns its value. None if it is missing or null.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.map.swap_remove(name).filter(|value| !value.is_null())
    }

    fn required(&mut self, name: &'static str) -> Result<Value, Invalid> {
        self.take(name).ok_or_else(|| {
            let place = Place::Member(&self.place, name);
            Invalid::new(InvalidReason::MissingMember, format!("{place} is missing"))
        })
    }

    fn text(&mut self, name: &'static str) -> Result<String, Invalid> {
        let value = self.required(name)?;
        text(value, Place::Member(&self.place, name))
    }

    fn optional_text(&mut self, name: &'static str) -> Result<Option<String>, Invalid> {
        let place = self.place;
        self.take(name).map(|value| text(value, Place::Member(&place, name))).transpose()
    }

    fn number(&mut self, name: &'static str) -> Result<i32, Invalid> {
        let value = self.required(name)?;
        number(&value, Place::Member(&self.place, name))
    }

    fn list<T>(&mut self, name: &'static str, read: ReadItem<T>) -> Result<Vec<T>, Invalid> {
        let value = self.required(name)?;
        list(value, Place::Member(&self.place, name), read)
    }

    fn optional_list<T>(&mut self, name: &'static str, read: ReadItem<T>) -> Result<Option<Vec<T>>, Invalid> {
        let place = self.place;
        self.take(name).map(|value| list(value, Place::Member(&place, name), read)).transpose()
    }
}

type ReadItem<T> = fn(Value, Place<'_>) -> Result<T, Invalid>;

fn list<T>(value: Value, place: Place<'_>, read: ReadItem<T>) -> Result<Vec<T>, Invalid> {
    let Value::Array(items) = value else { return Err(wrong_type(place, "an array")) };
    items.into_iter().enumerate().map(|(index, item)| read(item, Place::Item(&place, index))).collect()
}

fn text(value: Value, place: Place<'_>) -> Result<String, Invalid> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(wrong_type(place, "a string")),
    }
}

fn number(value: &Value, place: Place<'_>) -> Result<i32, Invalid> {
    let Value::Number(number) = value else { return Err(wrong_type(place, "a number")) };
    if let Some(number) = number.as_i64().and_then(|number| i32::try_from(number).ok()) {
        return Ok(number);
    }
    // An integer beyond 64 bits is a floating-point number here.
    match number.as_f64() {
        Some(float) if float.fract() != 0.0 => Err(wrong_type(place, "an integer")),
        _ => Err(Invalid::new(InvalidReason::NumberOutOfRange, format!("{place} is {number}, beyond 32 bits"))),
    }
}

fn wrong_type(place: Place<'_>, expected: &str) -> Invalid {
    Invalid::new(InvalidReason::WrongType, format!("{place} is not {expected}"))
}

/// Finds the reason from the text of the error: serde_json has no other way to tell its limits from errors of syntax. A
/// test fails if these texts change.
fn not_json(error: &serde_json::Error) -> Invalid {
    let detail = error.to_string();
    let reason = if detail.starts_with("recursion limit exceeded") {
        InvalidReason::TooDeep
    } else if detail.starts_with("number out of range") {
        InvalidReason::NumberOutOfRange
    } else {
        InvalidReason::NotJson
    };
    Invalid::new(reason, detail)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{InvalidReason, LONGEST, fast, parse, parse_any};

    fn reason(datagram: impl AsRef<[u8]>) -> (InvalidReason, String) {
        let invalid = parse(datagram.as_ref()).unwrap_err();
        (invalid.reason, invalid.detail)
    }

    fn policy(members: &str) -> String {
        format!(r#"{{"d":"a.example","pr":"","policies":[{{"policy-type":9,"f":0,{members}}}]}}"#)
    }

    #[test]
    fn each_reason_has_a_datagram() {
        use InvalidReason::*;
        let deep = |depth| policy(&format!("\"x\":{}{}", "[".repeat(depth), "]".repeat(depth)));
        let cases = [
            (vec![b' '; LONGEST + 1], TooLong, "bytes are more than"),
            (b"{\"d\":\"\xff\"}".to_vec(), NotUtf8, "not UTF-8 at byte 7"),
            (b"not json".to_vec(), NotJson, "line 1 column 2"),
            (b"".to_vec(), NotJson, "EOF"),
            (b"{} {}".to_vec(), NotJson, "trailing"),
            (deep(125).into(), TooDeep, "recursion limit"),
            (policy(r#""x":1e999"#).into(), NumberOutOfRange, "number out of range"),
            (policy(r#""policy-type":2147483648"#).into(), NumberOutOfRange, "policies[0].policy-type is 2147483648"),
            (policy(r#""f":-2147483649"#).into(), NumberOutOfRange, "policies[0].f is -2147483649"),
            (policy(r#""f":99999999999999999999"#).into(), NumberOutOfRange, "policies[0].f"),
            (b"5".to_vec(), WrongType, "the datagram is not an object"),
            (b"[1]".to_vec(), WrongType, "the datagram is not an object"),
            (br#"{"d":5}"#.to_vec(), WrongType, "d is not a string"),
            (br#"{"dpv":1,"d":""}"#.to_vec(), WrongType, "dpv is not a string"),
            (br#"{"d":"","pr":"","policies":5}"#.to_vec(), WrongType, "policies is not an array"),
            (br#"{"d":"","pr":"","policies":[5]}"#.to_vec(), WrongType, "policies[0] is not an object"),
            (policy(r#""f":0.5"#).into(), WrongType, "policies[0].f is not an integer"),
            (policy(r#""f":"0""#).into(), WrongType, "policies[0].f is not a number"),
            (policy(r#""policy-domain":["x"]"#).into(), WrongType, "policies[0].policy-domain is not a string"),
            (policy(r#""mx-host":["x",1]"#).into(), WrongType, "policies[0].mx-host[1] is not a string"),
            (policy(r#""failure-details":[{"c":"x"}]"#).into(), WrongType, "policies[0].failure-details[0].c is not"),
            (b"{}".to_vec(), MissingMember, "d is missing"),
            (br#"{"d":null}"#.to_vec(), MissingMember, "d is missing"),
            (br#"{"d":""}"#.to_vec(), MissingMember, "pr is missing"),
            (br#"{"d":"","pr":""}"#.to_vec(), MissingMember, "policies is missing"),
            (br#"{"d":"","pr":"","policies":[{"f":0}]}"#.to_vec(), MissingMember, "policies[0].policy-type is missing"),
            (policy(r#""failure-details":[{}]"#).into(), MissingMember, "policies[0].failure-details[0].c is missing"),
            (br#"{"dpv":"2","d":""}"#.to_vec(), OtherVersion, "dpv is \"2\""),
        ];
        for (datagram, expected, detail) in cases {
            let shown = String::from_utf8_lossy(&datagram[..datagram.len().min(80)]).into_owned();
            let (reason, found) = reason(datagram);
            assert_eq!(reason, expected, "{shown}: {found}");
            assert!(found.contains(detail), "{shown}: {found}");
        }
        // The deepest and the longest valid datagram.
        assert!(parse(deep(124).as_bytes()).is_ok());
        let mut longest = policy(r#""x":1"#).into_bytes();
        longest.resize(LONGEST, b' ');
        assert!(parse(&longest).is_ok());
    }

    /// The JSON pointers of a value and of all values inside it.
    fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.into());
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    pointers(item, &format!("{at}/{index}"), found);
                }
            }
            Value::Object(members) => {
                members.iter().for_each(|(name, member)| pointers(member, &format!("{at}/{name}"), found));
            }
            _ => {}
        }
    }

    /// Values to put into a datagram instead of `value`.
    fn replacements(value: &Value) -> Vec<Value> {
        let mut others = vec![
            json!(null),
            json!(5),
            json!(-1),
            json!(0.5),
            json!(1e300),
            json!(1_u64 << 32),
            json!(true),
            json!(""),
            json!("2"),
            json!([]),
            json!(["x"]),
            json!([null]),
            json!({}),
            json!([[]]),
        ];
        if let Value::Object(members) = value {
            others.push(members.values().cloned().collect());
            for name in members.keys() {
                let mut fewer = members.clone();
                fewer.remove(name);
                others.push(fewer.into());
            }
            let mut more = members.clone();
            more.insert("x".into(), json!(1));
            others.push(more.into());
        }
        others
    }

    #[test]
    fn both_parsers_return_equal_events_for_what_the_fast_one_accepts() {
        let whole = json!({"dpv": "1", "d": "a", "pr": "b", "policies": [
            {"policy-type": 2, "policy-domain": "a", "policy-string": ["b"], "mx-host": ["c"], "failure-details":
                [{"c": 204, "s": "1", "n": "2", "h": "3", "r": "4", "a": "5", "f": "\u{e9}\"\u{1f600}"}], "t": 1, "f": 1},
            {"policy-type": 9, "f": 0},
        ]});
        let mut places = Vec::new();
        pointers(&whole, "", &mut places);
        let (mut fast, mut others) = (0, 0);
        let mut compare = |text: &str| match fast::parse(text) {
            Some(event) => {
                fast += 1;
                assert_eq!(parse_any(text), Ok(event), "{text}");
            }
            None => others += 1,
        };
        compare(&whole.to_string());
        for place in places {
            for other in replacements(whole.pointer(&place).unwrap()) {
                let mut changed = whole.clone();
                *changed.pointer_mut(&place).unwrap() = other;
                compare(&changed.to_string());
            }
        }
        for text in [r#"["1","a","b",[]]"#, r#"{"d":"a","pr":"b","policies":[[9,"a",null,null,[],0,0]]}"#] {
            compare(text);
        }
        assert!(fast > 50 && others > 50, "{fast} {others}");
    }

    #[test]
    fn the_last_of_two_members_counts() {
        let event = parse(br#"{"d":"a","d":"b","pr":"","policies":[{"policy-type":9,"policy-type":2,"f":1,"f":0}]}"#);
        let event = event.unwrap();
        assert_eq!(event.domain, "b");
        let [policy] = &event.policies[..] else { panic!("one policy") };
        assert_eq!((policy.description.policy_type(), policy.succeeded()), (Ok("sts"), true));
    }

    #[test]
    fn versions_and_members_that_may_be_missing() {
        for version in ["", r#""dpv":"1","#, r#""dpv":null,"#] {
            let event = parse(format!(r#"{{{version}"d":"a","pr":"r","policies":[]}}"#).as_bytes()).unwrap();
            assert_eq!((&*event.domain, &*event.record, event.policies.len()), ("a", "r", 0));
        }
        let event = parse(policy(r#""policy-domain":null,"failure-details":null,"t":"any""#).as_bytes()).unwrap();
        let [policy] = &event.policies[..] else { panic!("one policy") };
        assert_eq!((&policy.description.policy_domain, policy.failures.len()), (&None, 0));
        assert!(policy.description.others.is_empty());
    }
}
