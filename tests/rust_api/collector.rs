//! A collector's socket in a folder of its own.

use std::{
    env, fs, io,
    os::unix::net::UnixDatagram,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use tlsrpt::Connection;

pub(crate) struct Collector {
    folder: PathBuf,
    socket: UnixDatagram,
}

impl Collector {
    pub(crate) fn start() -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("tlsrpt-rust-{}-{number}", process::id()));
        fs::create_dir(&folder).unwrap();
        let socket = UnixDatagram::bind(folder.join("s")).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { folder, socket }
    }

    pub(crate) fn connect(&self) -> Connection {
        let name = self.folder.join("s");
        Connection::open(name.as_os_str().as_encoded_bytes()).unwrap()
    }

    /// The datagrams that have arrived. A sent datagram is in the queue at once, so nothing waits.
    pub(crate) fn receive(&self) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        let mut datagram = vec![0; 1 << 20];
        loop {
            match self.socket.recv(&mut datagram) {
                Ok(len) => datagrams.push(datagram[..len].to_vec()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return datagrams,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).unwrap();
    }
}
