//! A growing run of bytes whose first part lies in the value itself, so that a usual event needs no block for it.

use core::{
    mem::MaybeUninit,
    ptr::{self, NonNull},
    slice,
};

use super::Hooks;
use crate::system::Errno;

/// Bytes that are appended and, seldom, inserted. The first `INLINE` of them need no allocation.
pub(crate) struct Buffer<const INLINE: usize> {
    hooks: Hooks,
    /// Holds all the bytes once they outgrow `inline`.
    block: Option<NonNull<u8>>,
    capacity: usize,
    len: usize,
    /// Never zeroed: only bytes below `len` are read.
    inline: MaybeUninit<[u8; INLINE]>,
}

// SAFETY: the block belongs to this buffer alone, as a Vec's does.
unsafe impl<const INLINE: usize> Send for Buffer<INLINE> {}
// SAFETY: a shared reference can only read.
unsafe impl<const INLINE: usize> Sync for Buffer<INLINE> {}

impl<const INLINE: usize> Buffer<INLINE> {
    /// An empty buffer that will grow by `hooks`.
    #[inline]
    pub(crate) const fn new(hooks: Hooks) -> Self {
        Self { hooks, block: None, capacity: INLINE, len: 0, inline: MaybeUninit::uninit() }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: the first `len` bytes at the start are initialized and live as long as the buffer.
        unsafe { slice::from_raw_parts(self.start(), self.len) }
    }

    /// Empties the buffer; it keeps its block.
    pub(crate) const fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds `bytes` at the end.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        if bytes.len() > self.capacity - self.len {
            self.grow(bytes.len())?;
        }
        // SAFETY: there is room for `bytes` behind the first `len` bytes, and `bytes`, a shared slice, cannot lie in a
        // buffer that is borrowed for writing.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start_mut().add(self.len), bytes.len()) };
        self.len += bytes.len();
        Ok(())
    }

    /// Puts `bytes` before the byte at `position`, or at the end if there is none; moves what stands behind.
    pub(crate) fn insert(&mut self, position: usize, bytes: &[u8]) -> Result<(), Errno> {
        if bytes.len() > self.capacity - self.len {
            self.grow(bytes.len())?;
        }
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

impl<const INLINE: usize> Drop for Buffer<INLINE> {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::{Buffer, Hooks};

    #[test]
    fn keeps_all_bytes_across_every_growth() {
        let mut buffer = Buffer::<4>::new(Hooks::current());
        let mut expected = Vec::new();
        for round in 0..100_u8 {
            let bytes: Vec<u8> = (0..round).collect();
            buffer.append(&bytes).unwrap();
            expected.extend_from_slice(&bytes);
            assert_eq!(buffer.as_slice(), expected);
        }
    }

    #[test]
    fn inserts_anywhere_with_and_without_growth() {
        let mut buffer = Buffer::<8>::new(Hooks::current());
        buffer.append(b"ad").unwrap();
        buffer.insert(1, b"bc").unwrap();
        assert_eq!(buffer.as_slice(), b"abcd");
        buffer.insert(0, b"123456789").unwrap();
        assert_eq!(buffer.as_slice(), b"123456789abcd");
        buffer.insert(13, b"!").unwrap();
        buffer.insert(usize::MAX, b"?").unwrap();
        assert_eq!(buffer.as_slice(), b"123456789abcd!?");
    }

    #[test]
    fn a_cleared_buffer_starts_again() {
        let mut buffer = Buffer::<0>::new(Hooks::current());
        buffer.append(b"first").unwrap();
        buffer.clear();
        buffer.append(b"2nd").unwrap();
        assert_eq!(buffer.as_slice(), b"2nd");
    }

    #[test]
    fn an_impossible_size_is_refused() {
        let mut buffer = Buffer::<0>::new(Hooks::current());
        buffer.append(b"x").unwrap();
        assert!(buffer.grow(usize::MAX).is_err());
        assert_eq!(buffer.as_slice(), b"x");
    }
}
