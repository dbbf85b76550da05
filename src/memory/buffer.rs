//! A growing run of bytes whose first part lies in the value itself, so that a usual event needs no block for it.

use core::{
    mem::MaybeUninit,
    ptr::{self, NonNull},
    slice,
};

use super::Hooks;
use crate::errno::Errno;

/// How many bytes need no allocation. Postfix's datagrams have 110 to 700 bytes; with this many, a delivery request is
/// a block of 1,032 bytes, the largest that glibc serves from its per-thread cache.
const INLINE: usize = 904;

/// Bytes that are appended and, seldom, inserted.
///
/// `repr(C)` here and in what holds a buffer keeps the inline bytes last in their block. With fields behind them that
/// start as zero, the compiler would zero all of them on the way.
#[repr(C)]
pub(crate) struct Buffer {
    hooks: Hooks,
    /// Holds all the bytes once they outgrow `inline`.
    block: Option<NonNull<u8>>,
    capacity: usize,
    len: usize,
    /// Never zeroed: only bytes below `len` are read.
    inline: MaybeUninit<[u8; INLINE]>,
}

// SAFETY: the block belongs to this buffer alone, as a Vec's does.
unsafe impl Send for Buffer {}
// SAFETY: a shared reference can only read.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// An empty buffer that will grow by `hooks`.
    #[inline]
    pub(crate) const fn new(hooks: Hooks) -> Self {
        Self { hooks, block: None, capacity: INLINE, len: 0, inline: MaybeUninit::uninit() }
    }

    /// What it grows by.
    pub(crate) const fn hooks(&self) -> Hooks {
        self.hooks
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: the first `len` bytes at the start are initialized and live as long as the buffer.
        unsafe { slice::from_raw_parts(self.start(), self.len) }
    }

    /// Adds `bytes` at the end. Made for constants, whose copy the compiler writes out.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        self.reserve(bytes.len())?;
        // SAFETY: there is room for `bytes` behind the first `len` bytes; a shared slice cannot lie in a buffer that is
        // borrowed for writing.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start_mut().add(self.len), bytes.len()) };
        self.len += bytes.len();
        Ok(())
    }

    /// Adds several runs of bytes at the end, or none. Made for short texts of any length between constants: one check
    /// and one new length serve all, and there is no call of memcpy.
    #[inline(always)]
    pub(crate) fn append_all<const RUNS: usize>(&mut self, runs: [&[u8]; RUNS]) -> Result<(), Errno> {
        let more = runs.iter().fold(0_usize, |more, run| more.saturating_add(run.len()));
        self.reserve(more)?;
        // SAFETY: as in `append`, for one after the other.
        unsafe {
            let mut end = self.start_mut().add(self.len);
            for run in runs {
                copy_run(run, end);
                end = end.add(run.len());
            }
        }
        self.len += more;
        Ok(())
    }

    /// Puts `bytes` before the byte at `position`, or at the end if there is none; moves what stands behind.
    pub(crate) fn insert(&mut self, position: usize, bytes: &[u8]) -> Result<(), Errno> {
        self.reserve(bytes.len())?;
        let position = position.min(self.len);
        // SAFETY: there is room to move the bytes from `position` to `len` up by `bytes.len()`; the gap then lies
        // inside the buffer, which `bytes` does not.
        unsafe {
            let gap = self.start_mut().add(position);
            ptr::copy(gap, gap.add(bytes.len()), self.len - position);
            ptr::copy_nonoverlapping(bytes.as_ptr(), gap, bytes.len());
        }
        self.len += bytes.len();
        Ok(())
    }

    /// The end of the buffer, for writing many short pieces.
    #[inline]
    pub(crate) fn tail(&mut self) -> Tail<'_> {
        // SAFETY: `len` is at most the capacity.
        let end = unsafe { self.start_mut().add(self.len) };
        Tail { end, room: self.capacity - self.len, buffer: self }
    }

    /// Makes room for `more` bytes.
    #[inline]
    pub(crate) fn reserve(&mut self, more: usize) -> Result<(), Errno> {
        if more > self.capacity - self.len { self.grow(more) } else { Ok(()) }
    }

    fn start(&self) -> *const u8 {
        match self.block {
            Some(block) => block.as_ptr(),
            None => self.inline.as_ptr().cast::<u8>(),
        }
    }

    fn start_mut(&mut self) -> *mut u8 {
        match self.block {
            Some(block) => block.as_ptr(),
            None => self.inline.as_mut_ptr().cast::<u8>(),
        }
    }

    /// Moves to a block with room for `more` bytes, at least twice as large, so that copying stays linear in the whole.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) -> Result<(), Errno> {
        let needed = self.len.checked_add(more).ok_or(Errno::ENOMEM)?;
        let capacity = needed.max(self.capacity.saturating_mul(2));
        let block = self.hooks.allocate(capacity)?;
        // SAFETY: the new block is longer than `len` and apart from the old place.
        unsafe { ptr::copy_nonoverlapping(self.start(), block.as_ptr(), self.len) };
        self.release();
        self.block = Some(block);
        self.capacity = capacity;
        Ok(())
    }

    fn release(&mut self) {
        if let Some(block) = self.block.take() {
            // SAFETY: the block came from these hooks, and `take` leaves no second way to it.
            unsafe { self.hooks.release(block) };
        }
    }
}

/// Writes short pieces at the end of a buffer. Keeps the place to write to and the room there in registers, which saves
/// a load and a store of the length for each piece; the buffer gets its new length when this value is dropped.
pub(crate) struct Tail<'a> {
    buffer: &'a mut Buffer,
    end: *mut u8,
    room: usize,
}

impl Tail<'_> {
    /// Writes a piece of a constant size and keeps its first `len` bytes.
    #[inline(always)]
    pub(crate) fn push<const SIZE: usize>(&mut self, piece: [u8; SIZE], len: usize) -> Result<(), Errno> {
        if self.room < SIZE {
            // Takes and returns values, so that the fields of `self` stay in registers.
            (self.end, self.room) = Self::grow(self.buffer, self.room, SIZE)?;
        }
        let len = len.min(SIZE);
        // SAFETY: there is room for `SIZE` bytes behind `end`, and `len` is not more.
        unsafe {
            self.end.cast::<[u8; SIZE]>().write_unaligned(piece);
            self.end = self.end.add(len);
        }
        self.room -= len;
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn grow(buffer: &mut Buffer, room: usize, more: usize) -> Result<(*mut u8, usize), Errno> {
        buffer.len = buffer.capacity - room;
        buffer.grow(more)?;
        // SAFETY: `len` is at most the capacity.
        let end = unsafe { buffer.start_mut().add(buffer.len) };
        Ok((end, buffer.capacity - buffer.len))
    }
}

impl Drop for Tail<'_> {
    fn drop(&mut self) {
        self.buffer.len = self.buffer.capacity - self.room;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.release();
    }
}

/// Copies a run of bytes. Most are shorter than 32 bytes, for which two overlapping words are cheaper than a call of
/// memcpy.
///
/// # Safety
///
/// `to` has room for all bytes of `run` and does not overlap with it.
#[inline(always)]
unsafe fn copy_run(run: &[u8], to: *mut u8) {
    let (from, len) = (run.as_ptr(), run.len());
    // SAFETY: both words lie within the run: they are not longer than it.
    unsafe {
        match len {
            16..=32 => copy_ends::<u128>(from, to, len),
            8..16 => copy_ends::<u64>(from, to, len),
            4..8 => copy_ends::<u32>(from, to, len),
            2..4 => copy_ends::<u16>(from, to, len),
            1 => *to = *from,
            _ => ptr::copy_nonoverlapping(from, to, len),
        }
    }
}

/// Copies the first and the last word of `len` bytes; between them they may share bytes.
///
/// # Safety
///
/// `len` is at least the size of a word, at most two; `from` and `to` have that many bytes and do not overlap.
#[inline(always)]
unsafe fn copy_ends<W: Copy>(from: *const u8, to: *mut u8, len: usize) {
    let last = len - size_of::<W>();
    // SAFETY: see above; the words need no alignment.
    unsafe {
        let (head, tail) = (from.cast::<W>().read_unaligned(), from.add(last).cast::<W>().read_unaligned());
        to.cast::<W>().write_unaligned(head);
        to.add(last).cast::<W>().write_unaligned(tail);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::{Buffer, Hooks, INLINE};

    #[test]
    fn keeps_all_bytes_across_every_growth() {
        let mut buffer = Buffer::new(Hooks::current());
        let mut expected = Vec::new();
        for round in 0..1000_usize {
            let bytes: Vec<u8> = (0..100).take(round % 100).collect();
            buffer.append(&bytes).unwrap();
            expected.extend_from_slice(&bytes);
            assert_eq!(buffer.as_slice(), expected);
        }
        assert!(expected.len() > 16 * INLINE);
    }

    #[test]
    fn grows_when_the_first_byte_too_many_comes() {
        for len in [INLINE - 1, INLINE, INLINE + 1] {
            let mut buffer = Buffer::new(Hooks::current());
            buffer.append(&std::vec![b'x'; len]).unwrap();
            assert_eq!(buffer.block.is_some(), len > INLINE);
            assert_eq!(buffer.as_slice(), std::vec![b'x'; len]);
        }
    }

    #[test]
    fn copies_runs_of_every_length() {
        for len in 0..100 {
            let bytes: Vec<u8> = (1..=len).collect();
            let mut buffer = Buffer::new(Hooks::current());
            buffer.append_all([&bytes, b">"]).unwrap();
            buffer.append_all([b"<", &bytes]).unwrap();
            assert_eq!(buffer.as_slice(), [&bytes[..], b"><", &bytes].concat());
        }
    }

    #[test]
    fn inserts_anywhere_with_and_without_growth() {
        let mut buffer = Buffer::new(Hooks::current());
        buffer.append(b"ad").unwrap();
        buffer.insert(1, b"bc").unwrap();
        assert_eq!(buffer.as_slice(), b"abcd");
        let long = [b'-'; INLINE];
        buffer.insert(0, &long).unwrap();
        assert_eq!(buffer.as_slice(), [&long[..], b"abcd"].concat());
        buffer.insert(INLINE + 4, b"!").unwrap();
        buffer.insert(usize::MAX, b"?").unwrap();
        assert_eq!(buffer.as_slice(), [&long[..], b"abcd!?"].concat());
    }

    #[test]
    fn short_pieces_across_every_growth() {
        let mut buffer = Buffer::new(Hooks::current());
        let mut expected = Vec::new();
        let mut tail = buffer.tail();
        for number in 0..10_000_usize {
            let piece = [number as u8; 8];
            tail.push(piece, number % 9).unwrap();
            expected.extend_from_slice(&piece[..number % 9]);
        }
        tail.push(*b"all", usize::MAX).unwrap();
        drop(tail);
        expected.extend_from_slice(b"all");
        assert_eq!(buffer.as_slice(), expected);
        buffer.append(b".").unwrap();
        assert_eq!(buffer.len(), expected.len() + 1);
    }

    #[test]
    fn an_impossible_size_is_refused() {
        let mut buffer = Buffer::new(Hooks::current());
        buffer.append(b"x").unwrap();
        assert!(buffer.grow(usize::MAX).is_err());
        assert_eq!(buffer.as_slice(), b"x");
    }
}
