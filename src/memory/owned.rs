//! A value in a block of its own: `Box`, with the caller's allocator and an error in place of an abort.

use core::{
    mem,
    ops::{Deref, DerefMut},
    ptr::{self, NonNull},
};

use super::Hooks;
use crate::errno::Errno;

/// The only owner of a `T` in a block from `malloc`.
pub(crate) struct Owned<T> {
    block: NonNull<Block<T>>,
}

#[repr(C)]
struct Block<T> {
    hooks: Hooks,
    value: T,
}

// SAFETY: the block is reachable through this owner alone, as a Box's is.
unsafe impl<T: Send> Send for Owned<T> {}
// SAFETY: a shared reference to the owner gives out shared references to the value, nothing more.
unsafe impl<T: Sync> Sync for Owned<T> {}

impl<T> Owned<T> {
    /// What an owned value takes from the allocator.
    pub(crate) const BLOCK_SIZE: usize = size_of::<Block<T>>();

    /// Moves `value` into a block.
    #[inline]
    pub(crate) fn new(hooks: Hooks, value: T) -> Result<Self, Errno> {
        const { assert!(align_of::<Block<T>>() <= align_of::<libc::max_align_t>()) };
        let block = hooks.allocate(Self::BLOCK_SIZE)?.cast::<Block<T>>();
        // SAFETY: a fresh block of the size of what is written, aligned for every type of C.
        unsafe { block.write(Block { hooks, value }) };
        Ok(Self { block })
    }

    /// The value's address, as a handle for C; [`from_raw`](Self::from_raw) takes it back.
    pub(crate) fn into_raw(self) -> NonNull<T> {
        let block = self.block;
        mem::forget(self);
        // SAFETY: the block is alive; no reference is made.
        unsafe { NonNull::new_unchecked(&raw mut (*block.as_ptr()).value) }
    }

    /// # Safety
    ///
    /// `value` comes from [`into_raw`](Self::into_raw) and has not been taken back since.
    pub(crate) unsafe fn from_raw(value: NonNull<T>) -> Self {
        // SAFETY: the value lies at this offset in its block.
        Self { block: unsafe { value.byte_sub(mem::offset_of!(Block<T>, value)).cast() } }
    }
}

impl<T> Owned<T> {
    /// Moves the value out and gives the block back.
    pub(crate) fn into_inner(self) -> T {
        let block = self.block;
        mem::forget(self);
        // SAFETY: the value is moved out once, and the owner that would drop it is forgotten.
        unsafe {
            let Block { hooks, value } = block.read();
            hooks.release(block.cast());
            value
        }
    }
}

impl<T> Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the block is alive and initialized as long as its owner.
        unsafe { &self.block.as_ref().value }
    }
}

impl<T> DerefMut for Owned<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and this owner is the only way to the value.
        unsafe { &mut self.block.as_mut().value }
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the only owner goes: the value is dropped in place and the block given back to its own allocator.
        unsafe {
            let hooks = self.block.as_ref().hooks;
            ptr::drop_in_place(self.block.as_ptr());
            hooks.release(self.block.cast());
        }
    }
}
