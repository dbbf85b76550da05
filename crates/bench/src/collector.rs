//! The receiver: a socket whose queue is emptied between measurements, so that no send finds it full.

use std::{
    io,
    os::unix::net::UnixDatagram,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// The number of datagrams that may be sent before [`Collector::drain`]. A queue holds 10 unless
/// net.unix.max_dgram_qlen is raised.
pub(crate) const BATCH: usize = 8;

/// A bound socket in a folder of its own, removed at the end.
pub(crate) struct Collector {
    socket: UnixDatagram,
    folder: PathBuf,
}

impl Collector {
    /// Binds a socket.
    pub(crate) fn new() -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tlsrpt-bench-{}-{number}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let socket = UnixDatagram::bind(folder.join("socket"))?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, folder })
    }

    /// The path of the socket.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// Takes everything out of the queue; returns the length of the last datagram, which is in `datagram`.
    pub(crate) fn drain_into(&self, datagram: &mut [u8]) -> usize {
        let mut len = 0;
        while let Ok(received) = self.socket.recv(datagram) {
            len = received;
        }
        len
    }

    /// Takes everything out of the queue.
    pub(crate) fn drain(&self) {
        self.drain_into(&mut [0; 4096]);
    }

    /// Receives `count` datagrams, waiting for each.
    pub(crate) fn receive(&self, count: usize) -> io::Result<()> {
        self.socket.set_nonblocking(false)?;
        let mut datagram = [0; 4096];
        for _ in 0..count {
            self.socket.recv(&mut datagram)?;
        }
        self.socket.set_nonblocking(true)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
