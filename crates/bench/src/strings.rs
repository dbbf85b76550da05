//! The speed of encoding long strings, by their content.

use std::{error::Error, ffi::CString, hint::black_box, ptr};

use crate::{
    collector::Collector,
    event::cancel,
    library::{Handle, Library},
    measure::{Contender, Time, in_turn},
    table::section,
};

const LEN: usize = 200_000;

/// The table of both libraries, of std with serde_json, and of memcpy.
pub(crate) fn compare(ours: &Library, theirs: &Library) -> Result<String, Box<dyn Error>> {
    let collector = Collector::new()?;
    let connections = [ours, theirs].map(|library| library.connect(&collector.path()));
    let texts = [
        ("plain ASCII", "recipient.example.org mx1 "),
        ("a quote in every 32 bytes", "the \"quotes\" come in pairs, as of habit, and now and then alone."),
        ("EHLO reply, CR LF", "250-mx1.example.org\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n"),
        ("quotes only", "\""),
        ("German", "Zustellung über geprüfte Verschlüsselung größtenteils möglich. "),
        ("Greek", "Παράδοση μηνυμάτων με κρυπτογράφηση. "),
        ("Japanese", "暗号化された配送の例です。"),
        ("control bytes", "\u{1}\u{1b}\u{7f}"),
    ];
    let mut rows = Vec::new();
    for (name, pattern) in texts {
        let text = CString::new(repeated(pattern))?;
        let times = in_turn(30, 3, &mut contenders([ours, theirs], connections, &text));
        let mut row = vec![name.to_owned()];
        row.extend(times.into_iter().map(gigabytes_per_second));
        rows.push(row);
    }
    ours.disconnect(connections[0]);
    theirs.disconnect(connections[1]);
    Ok(section(
        "Long strings",
        "GB of input a second for one policy string of 200 kB, building the whole event. For comparison, a Rust program \
         without the library: std validates the bytes as UTF-8, then serde_json writes them into a Vec that is large \
         enough. memcpy copies them.",
        &["text", "ours", "C", "std and serde_json", "memcpy"],
        &rows,
    ))
}

fn repeated(pattern: &str) -> String {
    pattern
        .chars()
        .cycle()
        .scan(0, |len, char| {
            *len += char.len_utf8();
            (*len <= LEN).then_some(char)
        })
        .collect()
}

fn contenders<'a>(libraries: [&'a Library; 2], connections: [Handle; 2], text: &'a CString) -> Vec<Contender<'a>> {
    let mut contenders: Vec<_> = [0, 1]
        .map(|side| {
            let (library, connection) = (libraries[side], connections[side]);
            Contender::new(1, move || cancel(library, build(library, connection, text)))
        })
        .into();
    let bytes = text.to_bytes();
    let mut out = Vec::with_capacity(8 * LEN);
    contenders.push(Contender::new(1, move || {
        out.clear();
        let text = std::str::from_utf8(black_box(bytes)).expect("the texts are UTF-8");
        serde_json::to_writer(&mut out, text).expect("a Vec takes everything");
        black_box(&out);
    }));
    let mut copy = vec![0; bytes.len()];
    contenders.push(Contender::new(1, move || {
        copy.copy_from_slice(black_box(bytes));
        black_box(&copy);
    }));
    contenders
}

fn build(library: &Library, connection: Handle, text: &CString) -> Handle {
    let mut request = ptr::null_mut();
    // SAFETY: an open connection, a request that is used here alone, and NUL-terminated strings.
    unsafe {
        (library.init_delivery_request)(&mut request, connection, c"d".as_ptr(), c"r".as_ptr());
        (library.init_policy)(request, 2, c"d".as_ptr());
        (library.add_policy_string)(request, text.as_ptr());
        (library.finish_policy)(request, 0);
    }
    request
}

fn gigabytes_per_second(time: Time) -> String {
    format!("{:.2}", LEN as f64 / time.median)
}
