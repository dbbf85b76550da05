//! The content of a batch as bytes: the number of the form, then text that zlib compresses, with its checksum.
//!
//! The first line of the text is JSON about the whole batch. Each other line is an event: how often it arrived, a space,
//! and the event as JSON.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Read, Write},
    str::FromStr,
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tlsrpt_format::datagram::{Event, InvalidReason};

use crate::{Batch, CountedEvent};

/// The number of the form that this version writes, the only one so far.
const FORM: u8 = 1;

/// The content of one batch or of several.
#[derive(Debug, Default)]
pub(super) struct Content {
    about: About,
    /// Each event as JSON, and how often it arrived.
    events: HashMap<String, u64>,
}

/// What is said about a batch besides its events.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    /// When the last event arrived, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    invalid: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    dropped: u64,
}

/// The form of serde.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The bytes of a content, and their number before the compression.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    pub(super) size: u64,
}

impl Content {
    /// The content of a batch.
    pub(super) fn of(batch: &Batch) -> Self {
        let mut content = Self {
            about: About {
                last: batch.last_event.map(|at| at.as_second()),
                invalid: batch.invalid.iter().map(|(reason, datagrams)| ((*reason).to_owned(), *datagrams)).collect(),
                dropped: batch.dropped,
            },
            events: HashMap::with_capacity(batch.events.len()),
        };
        for CountedEvent { event, times } in &batch.events {
            content.count(event.to_json(), *times);
        }
        content
    }

    fn count(&mut self, event: String, times: u64) {
        *self.events.entry(event).or_default() += times;
    }

    /// Packs it.
    pub(super) fn pack(&self) -> Packed {
        let mut text = serde_json::to_string(&self.about).expect("numbers and strings can be written as JSON");
        text.push('\n');
        for (event, times) in &self.events {
            text.push_str(&times.to_string());
            text.push(' ');
            text.push_str(event);
            text.push('\n');
        }
        packed(&text)
    }

    /// Adds what was packed. `size` is [`Packed::size`].
    ///
    /// # Errors
    ///
    /// The reason why the bytes are not what this program writes. Then a part may be added.
    pub(super) fn unpack(&mut self, bytes: &[u8], size: u64) -> Result<(), String> {
        let text = text_of(bytes, size)?;
        let mut lines = text.lines();
        let about: About = serde_json::from_str(lines.next().unwrap_or_default()).map_err(|why| why.to_string())?;
        self.about.last = self.about.last.max(about.last);
        self.about.dropped += about.dropped;
        for (reason, datagrams) in about.invalid {
            *self.about.invalid.entry(reason).or_default() += datagrams;
        }
        for line in lines {
            let (times, event) = line.split_once(' ').ok_or("a line without a count")?;
            self.count(event.to_owned(), u64::from_str(times).map_err(|why| why.to_string())?);
        }
        Ok(())
    }

    /// The parts of a batch: the last event, the events, the invalid datagrams, the dropped ones.
    ///
    /// # Errors
    ///
    /// The reason why a text is not what this program writes.
    pub(super) fn into_parts(self) -> Result<Parts, String> {
        let last = self.about.last.map(Timestamp::from_second).transpose().map_err(|why| why.to_string())?;
        let event = |(text, times): (String, u64)| {
            Event::from_json(&text).map(|event| CountedEvent { event, times }).map_err(|why| why.detail)
        };
        let reason = |(name, datagrams): (String, u64)| {
            let reason = InvalidReason::from_name(&name).ok_or_else(|| format!("{name} is no reason"))?;
            Ok((reason.name(), datagrams))
        };
        Ok(Parts {
            last_event: last,
            events: self.events.into_iter().map(event).collect::<Result<_, _>>()?,
            invalid: self.about.invalid.into_iter().map(reason).collect::<Result<_, String>>()?,
            dropped: self.about.dropped,
        })
    }
}

/// The parts of a [`Batch`] that its content has.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) last_event: Option<Timestamp>,
    pub(super) events: Vec<CountedEvent>,
    pub(super) invalid: Vec<(&'static str, u64)>,
    pub(super) dropped: u64,
}

fn packed(text: &str) -> Packed {
    let mut encoder = ZlibEncoder::new(vec![FORM], Compression::fast());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    Packed { bytes: written.expect("a vector takes all bytes"), size: text.len() as u64 }
}

fn text_of(bytes: &[u8], size: u64) -> Result<String, String> {
    let (form, compressed) = bytes.split_first().ok_or("it is empty")?;
    if *form != FORM {
        return Err(format!("its form has the number {form}"));
    }
    let mut text = String::new();
    // One byte more, so that a longer text is noticed, and the end of the stream with its checksum is read.
    let read = ZlibDecoder::new(compressed).take(size.saturating_add(1)).read_to_string(&mut text);
    match read.map_err(|error: io::Error| error.to_string())? as u64 {
        read if read == size => Ok(text),
        read => Err(format!("{read} bytes instead of {size}")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tlsrpt_format::datagram;

    use super::{Content, Packed};
    use crate::{Batch, BatchId, CountedEvent};

    fn event(domain: &str) -> datagram::Event {
        let text = format!(
            r#"{{"d":"{domain}","pr":"v=TLSRPTv1","policies":[{{"policy-type":9,"f":1,"failure-details":[{{"c":201,"f":"a\nb"}}]}}]}}"#
        );
        datagram::parse(text.as_bytes()).unwrap()
    }

    fn batch(events: &[(&str, u64)], last: Option<i64>, invalid: &[(&'static str, u64)], dropped: u64) -> Batch {
        Batch {
            id: BatchId { writer: "w".into(), number: 1 },
            day: "2026-11-24".parse().unwrap(),
            last_event: last.map(|last| Timestamp::from_second(last).unwrap()),
            events: events.iter().map(|(domain, times)| CountedEvent { event: event(domain), times: *times }).collect(),
            invalid: invalid.to_vec(),
            dropped,
        }
    }

    /// Events, the last event, invalid datagrams and dropped ones.
    type Shown = (Vec<(String, u64)>, Option<i64>, Vec<(&'static str, u64)>, u64);

    fn unpacked(packed: &[Packed]) -> Shown {
        let mut content = Content::default();
        for Packed { bytes, size } in packed {
            content.unpack(bytes, *size).unwrap();
        }
        let parts = content.into_parts().unwrap();
        let mut events: Vec<_> =
            parts.events.into_iter().map(|counted| (counted.event.to_json(), counted.times)).collect();
        events.sort();
        (events, parts.last_event.map(|at| at.as_second()), parts.invalid, parts.dropped)
    }

    #[test]
    fn contents_are_read_back_and_merged() {
        let one = batch(&[("a", 2), ("b", 1)], Some(70), &[("not-json", 1)], 3);
        let other = batch(&[("b", 5), ("c", u64::MAX >> 1)], Some(60), &[("not-json", 2), ("too-long", 1)], 0);
        let (one, other) = (Content::of(&one).pack(), Content::of(&other).pack());
        let text = |domain| event(domain).to_json();
        assert_eq!(
            unpacked(&[one, other]),
            (
                vec![(text("a"), 2), (text("b"), 6), (text("c"), u64::MAX >> 1)],
                Some(70),
                vec![("not-json", 3), ("too-long", 1)],
                3
            )
        );
        let nothing = Content::of(&batch(&[], None, &[], 0)).pack();
        assert_eq!(unpacked(&[nothing]), (Vec::new(), None, Vec::new(), 0));
    }

    #[test]
    fn equal_events_take_their_space_once() {
        let of = |domains: usize| {
            let names: Vec<_> = (0..domains).map(|number| format!("{number}.example")).collect();
            let events: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
            Content::of(&batch(&events, Some(1), &[], 0)).pack()
        };
        let Packed { bytes, size } = of(1000);
        assert!(bytes.len() as u64 * 5 < size, "{} of {size}", bytes.len());
    }

    /// Some bits of zlib have no effect on the text, such as the size of its window.
    #[test]
    fn changed_bytes_are_noticed_or_change_nothing() {
        let Packed { bytes, size } = Content::of(&batch(&[("a", 2), ("b", 1)], Some(70), &[("not-json", 1)], 3)).pack();
        let text = super::text_of(&bytes, size).unwrap();
        let mut noticed = 0;
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[position] ^= 1 << bit;
                match super::text_of(&changed, size) {
                    Ok(read) => assert_eq!(read, text, "byte {position}, bit {bit}"),
                    Err(_) => noticed += 1,
                }
            }
        }
        assert!(noticed > bytes.len() * 7, "{noticed} of {} bytes", bytes.len());
        for len in 0..bytes.len() {
            assert!(super::text_of(&bytes[..len], size).is_err(), "{len} bytes");
        }
        assert!(super::text_of(&bytes, size - 1).is_err());
        assert!(super::text_of(&bytes, size + 1).is_err());
        for text in ["", "{}\nx {}\n", "{}\n1\n", "5\n", "{\"x\":1}\n"] {
            let packed = super::packed(text);
            assert!(Content::default().unpack(&packed.bytes, packed.size).is_err(), "{text:?}");
        }
        for text in ["{}\n1 {}\n", "{\"invalid\":{\"no-such\":1}}\n"] {
            let packed = super::packed(text);
            let mut content = Content::default();
            content.unpack(&packed.bytes, packed.size).unwrap();
            assert!(content.into_parts().is_err(), "{text:?}");
        }
    }
}
