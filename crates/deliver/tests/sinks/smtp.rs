//! A mail server that takes everything but what it is told to refuse. The tests of the command use it too.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A mail that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// The envelope sender.
    pub(crate) from: String,
    /// The recipients of the envelope.
    pub(crate) to: Vec<String>,
    /// Its lines, without their ends.
    pub(crate) lines: Vec<String>,
}

impl Mail {
    /// The line of the Message-ID.
    pub(crate) fn id(&self) -> String {
        self.lines.iter().find(|line| line.starts_with("Message-ID:")).cloned().unwrap_or_default()
    }
}

/// The server. It lives as long as the process.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl Sink {
    pub(crate) fn start() -> Self {
        Self::refusing("")
    }

    /// Refuses each command that contains this text, for good.
    pub(crate) fn refusing(refused: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Self { port: listener.local_addr().unwrap().port(), mails: Arc::default() };
        let of_threads = sink.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let sink = of_threads.clone();
                thread::spawn(move || sink.serve(stream.unwrap(), refused));
            }
        });
        sink
    }

    /// What was taken, in its order.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    /// The lines of the Message-IDs.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.mails().iter().map(Mail::id).collect()
    }

    fn serve(&self, stream: TcpStream, refused: &str) {
        let mut out = stream.try_clone().unwrap();
        let mut say = |line: &str| out.write_all(format!("{line}\r\n").as_bytes());
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        if say("220 sink").is_err() {
            return;
        }
        let (mut from, mut to) = (String::new(), Vec::new());
        while let Some(line) = lines.next() {
            let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            let answer = match line.as_str() {
                line if !refused.is_empty() && line.contains(refused) => "550 5.1.1 no such user",
                line if line.starts_with("MAIL") => {
                    (from, to) = (address(), Vec::new());
                    "250 fine"
                }
                line if line.starts_with("RCPT") => {
                    to.push(address());
                    "250 fine"
                }
                "DATA" => {
                    let _ = say("354 go on");
                    let mut mail = Vec::new();
                    loop {
                        match lines.next() {
                            Some(line) if line == "." => break,
                            Some(line) => mail.push(line),
                            // Of a client that is killed in the middle, nothing is taken.
                            None => return,
                        }
                    }
                    self.mails.lock().unwrap().push(Mail { from: from.clone(), to: to.clone(), lines: mail });
                    "250 taken"
                }
                "QUIT" => {
                    let _ = say("221 bye");
                    return;
                }
                _ => "250 fine",
            };
            if say(answer).is_err() {
                return;
            }
        }
    }
}

/// A port at which nobody listens.
pub(crate) fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The port of a server that accepts and says nothing.
pub(crate) fn silent() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut streams = Vec::new();
        listener.incoming().for_each(|stream| streams.push(stream));
    });
    port
}
