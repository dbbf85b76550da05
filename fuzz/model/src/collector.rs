//! The collector's socket, and other files that may be at its name.

use std::{
    fs,
    io::ErrorKind,
    os::unix::{
        ffi::OsStrExt as _,
        net::{UnixDatagram, UnixListener},
    },
    path::PathBuf,
    process,
    sync::atomic::{AtomicUsize, Ordering},
};

use arbitrary::Arbitrary;

/// The file at a socket name.
#[derive(Debug, Clone, Arbitrary)]
pub enum Name<'a> {
    Null,
    Collector,
    Missing,
    Folder,
    File,
    StreamSocket,
    NobodyListens,
    Empty,
    TooLong,
    /// A name below the folder of the others: nothing lies there, or one of the others.
    Any(&'a [u8]),
}

/// A folder with a collector in it, and with everything that [`Name`] can name.
pub struct Collector {
    folder: PathBuf,
    socket: UnixDatagram,
    _stream: UnixListener,
    datagram: Vec<u8>,
}

impl Collector {
    pub fn start() -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tlsrpt-{}-{number}", process::id()));
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let socket = UnixDatagram::bind(folder.join("collector")).expect("a socket");
        socket.set_nonblocking(true).expect("a socket that does not wait");
        let stream = UnixListener::bind(folder.join("stream")).expect("a stream socket");
        drop(UnixDatagram::bind(folder.join("nobody")).expect("a socket to leave behind"));
        fs::write(folder.join("file"), "").expect("a file");
        Self { folder, socket, _stream: stream, datagram: vec![0; 16 << 20] }
    }

    /// The bytes of a name; `None` for NULL.
    pub fn resolve(&self, name: &Name<'_>) -> Option<Vec<u8>> {
        let below = |file: &str| Some(self.folder.join(file).as_os_str().as_bytes().to_vec());
        match name {
            Name::Null => None,
            Name::Collector => below("collector"),
            Name::Missing => below("missing"),
            Name::Folder => below("."),
            Name::File => below("file"),
            Name::StreamSocket => below("stream"),
            Name::NobodyListens => below("nobody"),
            Name::Empty => Some(Vec::new()),
            Name::TooLong => Some(vec![b'x'; 108]),
            Name::Any(bytes) => {
                let mut path = below("x-")?;
                path.extend(bytes.iter().take_while(|byte| **byte != 0).filter(|byte| **byte != b'/'));
                Some(path)
            }
        }
    }

    /// The next datagram that waits, if any.
    pub fn receive(&mut self) -> Option<&[u8]> {
        match self.socket.recv(&mut self.datagram) {
            Ok(len) => Some(&self.datagram[..len]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("the collector's socket: {error}"),
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Files that remain are in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
