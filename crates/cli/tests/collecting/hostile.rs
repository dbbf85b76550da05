//! Arbitrary and invalid datagrams.

use std::{fs, os::unix::net::UnixDatagram};

use crate::support::{Place, event, until};

/// The same pseudo-random numbers in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).unwrap() % limit
    }
}

/// Arbitrary bytes, or a valid datagram that is truncated, has many brackets before it, or has some bytes changed.
fn arbitrary(numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = event("a.example").into_bytes();
    match numbers.below(4) {
        0 => {
            let len = numbers.below(2000);
            bytes = (0..len).map(|_| numbers.next().to_le_bytes()[0]).collect();
        }
        1 => bytes.truncate(numbers.below(bytes.len())),
        2 => bytes = [b"[".repeat(numbers.below(5000)), bytes].concat(),
        _ => {
            for _ in 0..=numbers.below(5) {
                let place = numbers.below(bytes.len());
                bytes[place] = numbers.next().to_le_bytes()[0];
            }
        }
    }
    bytes
}

pub(crate) fn arbitrary_datagrams_do_not_end_the_collector() {
    let seconds = std::env::var("FUZZ_COLLECT_SECONDS").map_or(3, |text| text.parse().unwrap());
    let place = Place::new("");
    let collector = place.start();
    let sender = UnixDatagram::unbound().unwrap();
    let mut numbers = Numbers(0x1234_5678_9abc_def1);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    let (mut strange, mut valid, mut first_memory) = (0_u64, 0_u64, None);
    while std::time::Instant::now() < end {
        for _ in 0..1000 {
            sender.send_to(&arbitrary(&mut numbers), place.socket()).unwrap();
            strange += 1;
        }
        sender.send_to(event("valid.example").as_bytes(), place.socket()).unwrap();
        valid += 1;
        if strange == 10_000 {
            first_memory = Some(collector.memory("VmRSS:"));
        }
    }
    until(|| {
        let totals = place.totals();
        totals.events + totals.invalid == strange + valid
    });
    let memory = collector.memory("VmRSS:");
    println!(
        "  {strange} arbitrary datagrams, {valid} valid ones between them; memory {first_memory:?}, then {memory} KiB"
    );
    assert!(memory < 64 << 10, "{memory}");
    collector.end();
    let mut reader = place.reader();
    let counted: u64 = reader
        .days()
        .unwrap()
        .iter()
        .flat_map(|day| reader_domains(&place, day.day))
        .filter(|(domain, _)| domain == "valid.example")
        .map(|(_, events)| events)
        .sum();
    assert_eq!(counted, valid);
    assert!(reader.check().unwrap().is_empty());
}

fn reader_domains(place: &Place, day: tlsrpt_store::Date) -> Vec<(String, u64)> {
    let domains = place.reader().domains(day, "valid.exampld", 10).unwrap();
    domains.into_iter().map(|domain| (domain.domain, domain.events)).collect()
}

pub(crate) fn invalid_datagrams_are_kept() {
    let place = Place::new("");
    let kept = place.path("invalid");
    place.configure(&format!("keep-invalid = {kept:?}"), &place.store());
    let mut collector = place.start();
    let bad: [&[u8]; 6] = [
        b"5",
        b"not json \x1b[2J",
        b"{\"policies\":5}",
        b"\xff",
        b"{\"d\":1}",
        b"{\"dpv\":\"2\",\"d\":\"a\",\"pr\":\"\",\"policies\":[]}",
    ];
    collector.send(&place, bad[0]);
    let said = collector.says("invalid datagram (wrong-type");
    assert!(said.ends_with("of 1 bytes: \"5\""), "{said}");
    for datagram in &bad[1..] {
        collector.send(&place, datagram);
    }
    collector.end();
    assert_eq!(place.totals().invalid, 6);
    let mut reader = place.reader();
    let day = reader.days().unwrap()[0].day;
    let reasons: Vec<_> =
        reader.invalid(day).unwrap().into_iter().map(|counts| (counts.reason, counts.datagrams)).collect();
    let expected = [("wrong-type", 2), ("missing-member", 1), ("not-json", 1), ("not-utf8", 1), ("other-version", 1)];
    let mut found: Vec<_> = reasons.iter().map(|(reason, datagrams)| (&**reason, *datagrams)).collect();
    found.sort_by_key(|(reason, datagrams)| (std::cmp::Reverse(*datagrams), *reason));
    assert_eq!(found, expected);
    let mut files: Vec<_> = fs::read_dir(kept).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    files.sort();
    let mut all = bad.map(<[u8]>::to_vec);
    all.sort();
    assert_eq!(files, all);
}

/// Texts of any length fill the store up to `max-size` and one batch. Then known policies are counted as before, and others
/// in one row.
pub(crate) fn long_texts_do_not_fill_the_disk() {
    const LEAST: u64 = 16 << 20;
    let place = Place::new("buffer = \"1MiB\"");
    place.add_to_configuration("max-size = \"16MiB\"");
    let mut collector = place.start();
    collector.send(&place, event("known.example"));
    let long = |number: u32| {
        let text = format!(r#""policy-string":["{number:0>60000}"],"t":0"#);
        event("long.example").replace(r#""t":0"#, &text)
    };
    (0..400).for_each(|number| collector.send(&place, long(number)));
    let said = collector.says("has reached max-size = 16.0 MiB");
    assert!(said.contains("in one row"), "{said}");
    collector.send(&place, event("known.example"));
    collector.send(&place, event("new.example"));
    collector.end();
    let mut reader = place.reader();
    // Half as much again: the batch in hand, and the indexes.
    let size = reader.size().unwrap();
    assert!((LEAST..LEAST * 3 / 2).contains(&size), "{size}");
    let day = reader.days().unwrap()[0].clone();
    assert_eq!((day.events, day.domains), (403, 2));
    let mut sessions = |domain| {
        let policies = reader.policies(day.day, domain).unwrap();
        policies.iter().map(|policy| policy.succeeded).sum::<u64>()
    };
    assert_eq!(sessions("known.example"), 2);
    assert_eq!(sessions("long.example"), 400);
    assert_eq!(sessions(tlsrpt_store::OTHER_DOMAINS), 1);
}

pub(crate) fn each_reached_limit_is_logged() {
    let place = Place::new("max-domains = 3\nmax-failures = 1");
    let mut collector = place.start();
    // Within the limit, because it is in the store before the others arrive.
    collector.send(&place, event("0.example"));
    place.wait_for_events(1);
    for number in 1..10 {
        collector.send(&place, event(&format!("{number}.example")));
    }
    let said = collector.says("has reached max-domains = 3");
    assert!(said.contains("in one row"), "{said}");
    // A limit that is reached later on the same day has its own message.
    for code in [201, 202, 203] {
        let failed = format!(r#""failure-details":[{{"c":{code}}}],"t":1,"f":1"#);
        collector.send(&place, event("0.example").replace(r#""t":0,"f":0"#, &failed));
    }
    collector.says("has reached max-failures = 1");
    collector.end();
    let mut reader = place.reader();
    let day = reader.days().unwrap()[0].clone();
    assert_eq!((day.events, day.domains, day.failures), (13, 3, 1));
    let others = reader.policies(day.day, tlsrpt_store::OTHER_DOMAINS).unwrap();
    assert_eq!(others.iter().map(|policy| policy.succeeded).sum::<u64>(), 7);
    let policies = reader.policies(day.day, "0.example").unwrap();
    let times: Vec<_> = policies[0].failures.iter().map(|counts| (counts.failure.is_none(), counts.times)).collect();
    assert_eq!(times, [(true, 2), (false, 1)]);
}
