//! A growing sequence of bytes. A short one is stored in the value itself, so that a usual event needs no other block.

use core::{
    marker::PhantomData,
    mem::MaybeUninit,
    ptr::{self, NonNull},
    slice,
};

use super::Hooks;
use crate::errno::Errno;

/// How many bytes are stored in the value. Datagrams of Postfix have 110 to 700 bytes. With this size, a delivery request
/// is a block of 1,032 bytes, the largest that glibc serves from its per-thread cache.
const INLINE: usize = 904;

/// Bytes that are appended and, rarely, inserted.
///
/// `repr(C)`, here and in the types that contain a buffer, keeps the inline bytes last in their block. If fields that
/// start as zero followed them, the compiler would zero the inline bytes too.
#[repr(C)]
pub(crate) struct Buffer {
    hooks: Hooks,
    /// Holds all the bytes once they outgrow `inline`.
    block: Option<NonNull<u8>>,
    capacity: usize,
    len: usize,
    /// Not initialized: only bytes below `len` are read.
    inline: MaybeUninit<[u8; INLINE]>,
}

// SAFETY: only this buffer has a pointer to the block, and any thread may use and free it.
unsafe impl Send for Buffer {}
// SAFETY: a shared reference gives read access only.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// An empty buffer that takes its blocks from `hooks`.
    #[inline]
    pub(crate) const fn new(hooks: Hooks) -> Self {
        Self { hooks, block: None, capacity: INLINE, len: 0, inline: MaybeUninit::uninit() }
    }

    /// The allocator of its blocks.
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

    /// Adds `bytes` at the end. Best for constants: the compiler emits their copy inline.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        self.reserve(bytes.len())?;
        // SAFETY: `reserve` made room for `bytes` behind the first `len` bytes. A shared slice does not overlap with a
        // buffer that is borrowed mutably.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start_mut().add(self.len), bytes.len()) };
        self.len += bytes.len();
        Ok(())
    }

    /// Adds all runs of bytes at the end, or none. Best for short texts between constants: one check of the capacity for
    /// all of them, and no call of memcpy.
    #[inline(always)]
    pub(crate) fn append_all<const RUNS: usize>(&mut self, runs: [&[u8]; RUNS]) -> Result<(), Errno> {
        let more = runs.iter().fold(0_usize, |more, run| more.saturating_add(run.len()));
        self.reserve(more)?;
        // SAFETY: `reserve` made room for all runs. They do not overlap with a buffer that is borrowed mutably.
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

    /// Inserts `bytes` at `position`, or at the end if the buffer is shorter.
    pub(crate) fn insert(&mut self, position: usize, bytes: &[u8]) -> Result<(), Errno> {
        self.reserve(bytes.len())?;
        let position = position.min(self.len);
        // SAFETY: `reserve` made room to move the bytes from `position` to `len` up by `bytes.len()`. `bytes` does not
        // overlap with a buffer that is borrowed mutably.
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
        let room = self.capacity - self.len;
        let mut buffer = NonNull::from(self);
        // The place to write to comes from this pointer, so that the pointer stays valid beside it.
        // SAFETY: the buffer is borrowed mutably as long as the value lives, and `len` is at most the capacity.
        let end = unsafe {
            let buffer = buffer.as_mut();
            buffer.start_mut().add(buffer.len)
        };
        Tail { buffer, end, room, borrowed: PhantomData }
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

    /// Moves to a block with room for `more` bytes that is at least twice as large, so that the total cost of copying is
    /// linear.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) -> Result<(), Errno> {
        let needed = self.len.checked_add(more).ok_or(Errno::ENOMEM)?;
        let capacity = needed.max(self.capacity.saturating_mul(2));
        let block = self.hooks.allocate(capacity)?;
        // SAFETY: the new block has at least `len` bytes and does not overlap with the old place.
        unsafe { ptr::copy_nonoverlapping(self.start(), block.as_ptr(), self.len) };
        self.release();
        self.block = Some(block);
        self.capacity = capacity;
        Ok(())
    }

    fn release(&mut self) {
        if let Some(block) = self.block.take() {
            // SAFETY: the block came from these hooks, and `take` removed the only pointer to it.
            unsafe { self.hooks.release(block) };
        }
    }
}

/// Writes short pieces at the end of a buffer. Keeps the write position and the free space in registers, which saves a
/// load and a store of the length for each piece. The buffer gets its new length when this value is dropped.
pub(crate) struct Tail<'a> {
    /// A pointer, since a reference would claim the bytes that `end` points to whenever this value moves.
    buffer: NonNull<Buffer>,
    end: *mut u8,
    room: usize,
    borrowed: PhantomData<&'a mut Buffer>,
}

impl Tail<'_> {
    /// Writes a piece of a constant size and keeps its first `len` bytes.
    #[inline(always)]
    pub(crate) fn push<const SIZE: usize>(&mut self, piece: [u8; SIZE], len: usize) -> Result<(), Errno> {
        if self.room < SIZE {
            // Takes and returns values, so that the fields of `self` stay in registers.
            // SAFETY: the buffer is borrowed mutably as long as this value lives, and `end` is set anew.
            (self.end, self.room) = Self::grow(unsafe { self.buffer.as_mut() }, self.room, SIZE)?;
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
        // SAFETY: the buffer is borrowed mutably as long as this value lives, and `end` is not used any more.
        let buffer = unsafe { self.buffer.as_mut() };
        buffer.len = buffer.capacity - self.room;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.release();
    }
}

/// Copies a run of bytes. Most have at most 32 bytes: two words that may overlap are cheaper than a call of memcpy.
///
/// # Safety
///
/// `to` has room for all bytes of `run` and does not overlap with it.
#[inline(always)]
unsafe fn copy_run(run: &[u8], to: *mut u8) {
    let (from, len) = (run.as_ptr(), run.len());
    // SAFETY: no word is longer than the run, and the caller grants room for all of it.
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

/// Copies the first and the last word of `len` bytes; the two may overlap.
///
/// # Safety
///
/// `len` is at least the size of a word, at most two; `from` and `to` have that many bytes and do not overlap.
#[inline(always)]
unsafe fn copy_ends<W: Copy>(from: *const u8, to: *mut u8, len: usize) {
    let last = len - size_of::<W>();
    // SAFETY: both words lie within the `len` bytes that the caller grants; unaligned access needs no alignment.
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
        for round in 0..if cfg!(miri) { 400 } else { 1000_usize } {
            let bytes: Vec<u8> = (0..100).take(round % 100).collect();
            buffer.append(&bytes).unwrap();
            expected.extend_from_slice(&bytes);
            assert_eq!(buffer.as_slice(), expected);
        }
        assert!(expected.len() > 8 * INLINE);
    }

    #[test]
    fn grows_only_when_the_inline_bytes_are_full() {
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
