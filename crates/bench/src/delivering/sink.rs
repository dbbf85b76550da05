//! A mail server that accepts and discards every mail.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The mail server.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) port: u16,
    mails: Arc<AtomicUsize>,
}

impl Sink {
    /// Listens at a free port, as long as this program runs.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let mails = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&mails);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let counter = Arc::clone(&counter);
                thread::spawn(move || stream.and_then(|stream| serve(stream, &counter)));
            }
        });
        Ok(Self { port, mails })
    }

    /// The number of accepted mails.
    pub(crate) fn mails(&self) -> usize {
        self.mails.load(Ordering::SeqCst)
    }
}

fn serve(stream: TcpStream, mails: &AtomicUsize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream);
    let (mut line, mut is_in_mail) = (Vec::new(), false);
    out.write_all(b"220 sink\r\n")?;
    while lines.read_until(b'\n', &mut line)? > 0 {
        if !is_in_mail && line == b"DATA\r\n" {
            is_in_mail = true;
            out.write_all(b"354 go on\r\n")?;
        } else if !is_in_mail {
            out.write_all(b"250 fine\r\n")?;
        } else if line == b".\r\n" {
            is_in_mail = false;
            mails.fetch_add(1, Ordering::SeqCst);
            out.write_all(b"250 taken\r\n")?;
        }
        line.clear();
    }
    Ok(())
}
