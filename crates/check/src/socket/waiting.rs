//! How much waits in the queue of a local socket: what ss(8) asks the system, see sock_diag(7).

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
};

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

use crate::processes;

/// The type of the message and its flag, for one socket.
const BY_FAMILY: u16 = 20;
const REQUEST: u16 = 1;
/// `UDIAG_SHOW_RQLEN`, and the attribute of the answer.
const SHOW_QUEUE: u32 = 0x10;
const QUEUE: u16 = 4;
const LOCAL: u8 = 1;
/// The lengths of the head of each message, of the question, and of the answer before its attributes.
const HEAD: usize = 16;
const QUESTION: usize = 24;
const ANSWER: usize = 16;
/// The length of the head of an attribute, and the multiple at which the next one begins.
const ATTRIBUTE: usize = 4;

/// The numbers of the datagram sockets that are bound to this path, in this network namespace.
pub(super) fn bound_to(path: &Path) -> Vec<u32> {
    let here = processes::bound_here().into_iter().filter(|bound| bound.name == path);
    here.filter_map(|bound| u32::try_from(bound.inode).ok()).collect()
}

/// Whether datagrams wait in the socket with this number.
///
/// # Errors
///
/// The system does not say it.
pub(super) fn has_datagrams(inode: u32) -> io::Result<bool> {
    let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)?;
    sendto(netlink.as_raw_fd(), &question(inode), &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = [0; 512];
    // The system answers before it returns from the question.
    let length = receive(&netlink, &mut answer)?;
    queue_in(&answer[..length]).map(|bytes| bytes > 0).ok_or_else(|| io::Error::other("no answer about the queue"))
}

fn receive(netlink: &OwnedFd, answer: &mut [u8]) -> io::Result<usize> {
    Ok(recv(netlink.as_raw_fd(), answer, MsgFlags::MSG_DONTWAIT)?)
}

fn question(inode: u32) -> Vec<u8> {
    let length = u32::try_from(HEAD + QUESTION).unwrap_or_default();
    let mut message = Vec::with_capacity(HEAD + QUESTION);
    message.extend(length.to_ne_bytes());
    message.extend(BY_FAMILY.to_ne_bytes());
    message.extend(REQUEST.to_ne_bytes());
    // Number and sender, which one question does not need.
    message.extend([0; 8]);
    // Family, protocol, padding.
    message.extend([LOCAL, 0, 0, 0]);
    // All states.
    message.extend(u32::MAX.to_ne_bytes());
    message.extend(inode.to_ne_bytes());
    message.extend(SHOW_QUEUE.to_ne_bytes());
    // No cookie.
    message.extend([0xff; 8]);
    message
}

/// The length of the queue in an answer.
fn queue_in(answer: &[u8]) -> Option<u32> {
    let number = |bytes: &[u8]| Some(u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?));
    let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
    if kind != BY_FAMILY {
        return None;
    }
    let mut left = answer.get(HEAD + ANSWER..)?;
    loop {
        let length = usize::from(u16::from_ne_bytes(left.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(left.get(2..4)?.try_into().ok()?);
        if kind == QUEUE {
            return number(left.get(ATTRIBUTE..)?);
        }
        left = left.get(length.max(ATTRIBUTE).next_multiple_of(ATTRIBUTE)..)?;
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::{bound_to, has_datagrams, queue_in};

    #[test]
    fn a_datagram_that_waits_is_seen_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let collector = UnixDatagram::bind(&path).unwrap();
        let [inode] = bound_to(&path)[..] else { panic!("one socket") };
        assert!(!has_datagrams(inode).unwrap());
        UnixDatagram::unbound().unwrap().send_to(b"event", &path).unwrap();
        assert!(has_datagrams(inode).unwrap() && has_datagrams(inode).unwrap());
        assert_eq!(collector.recv(&mut [0; 8]).unwrap(), 5);
        assert!(!has_datagrams(inode).unwrap());
        drop(collector);
        assert!(has_datagrams(inode).is_err());
    }

    #[test]
    fn answers_that_are_cut_off_say_nothing() {
        assert_eq!(queue_in(&[0; 3]), None);
        assert_eq!(queue_in(&[20; 40]), None);
    }
}
