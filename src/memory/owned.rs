//! A value in a block of its own: like `Box`, but with the caller's allocator and with an error where `Box` aborts.

use core::{
    mem,
    ops::{Deref, DerefMut},
    ptr::{self, NonNull},
};

use super::Hooks;
use crate::errno::Errno;

/// The least alignment of a block from `malloc`, which suits every standard type of C, `uint64_t` included. The libc
/// crate has no `max_align_t` for many systems.
const MALLOC_ALIGNMENT: usize = align_of::<u64>();

/// The only owner of a `T` in a block from `malloc`.
pub(crate) struct Owned<T> {
    block: NonNull<Block<T>>,
}

#[repr(C)]
struct Block<T> {
    hooks: Hooks,
    value: T,
}

// SAFETY: only this owner has a pointer to the block, and any thread may use and free it.
unsafe impl<T: Send> Send for Owned<T> {}
// SAFETY: a shared reference to the owner gives shared references to the value and nothing else.
unsafe impl<T: Sync> Sync for Owned<T> {}

impl<T> Owned<T> {
    /// The size of the block of an owned value.
    pub(crate) const BLOCK_SIZE: usize = size_of::<Block<T>>();

    /// Moves `value` into a block.
    #[inline]
    pub(crate) fn new(hooks: Hooks, value: T) -> Result<Self, Errno> {
        const { assert!(align_of::<Block<T>>() <= MALLOC_ALIGNMENT) };
        let block = hooks.allocate(Self::BLOCK_SIZE)?.cast::<Block<T>>();
        // SAFETY: a new block of this size; its alignment is sufficient by the assertion.
        unsafe { block.write(Block { hooks, value }) };
        Ok(Self { block })
    }

    /// The address of the value, as a handle for C; [`from_raw`](Self::from_raw) turns it into the owner again.
    pub(crate) fn into_raw(self) -> NonNull<T> {
        let block = self.block;
        mem::forget(self);
        // SAFETY: the block is allocated, so the address of its field is not NULL; no reference is made.
        unsafe { NonNull::new_unchecked(&raw mut (*block.as_ptr()).value) }
    }

    /// # Safety
    ///
    /// `value` comes from [`into_raw`](Self::into_raw), and `from_raw` was not called with it before.
    pub(crate) unsafe fn from_raw(value: NonNull<T>) -> Self {
        // SAFETY: the value is at this offset in its block, and the pointer may access the whole block.
        Self { block: unsafe { value.byte_sub(mem::offset_of!(Block<T>, value)).cast() } }
    }
}

impl<T> Owned<T> {
    /// Moves the value out and releases the block.
    pub(crate) fn into_inner(self) -> T {
        let block = self.block;
        mem::forget(self);
        // SAFETY: the block is initialized. `self` is forgotten, so the value is moved out and the block released once.
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
        // SAFETY: the block is allocated and initialized while its owner exists.
        unsafe { &self.block.as_ref().value }
    }
}

impl<T> DerefMut for Owned<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the block is allocated and initialized while its owner exists, which is borrowed mutably.
        unsafe { &mut self.block.as_mut().value }
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: nothing uses the block after its only owner; it is released by the allocator that it came from.
        unsafe {
            let hooks = self.block.as_ref().hooks;
            ptr::drop_in_place(self.block.as_ptr());
            hooks.release(self.block.cast());
        }
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::{Hooks, Owned};

    /// Counts how often it is dropped.
    struct Counting<'a>(&'a Cell<usize>);

    impl Drop for Counting<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn drops_its_value_once() {
        let drops = Cell::new(0);
        let owned = Owned::new(Hooks::current(), Counting(&drops)).unwrap();
        assert_eq!(drops.get(), 0);
        drop(owned);
        assert_eq!(drops.get(), 1);
    }

    #[test]
    fn moves_its_value_out() {
        let drops = Cell::new(0);
        let value = Owned::new(Hooks::current(), Counting(&drops)).unwrap().into_inner();
        assert_eq!(drops.get(), 0);
        drop(value);
        assert_eq!(drops.get(), 1);
    }

    #[test]
    fn a_handle_turns_back_into_the_owner_of_its_value() {
        let mut owned = Owned::new(Hooks::current(), [1_u8, 2, 3]).unwrap();
        owned[1] = 7;
        let raw = owned.into_raw();
        // SAFETY: from `into_raw`, and turned back once.
        let mut owned = unsafe { Owned::from_raw(raw) };
        assert_eq!(*owned, [1, 7, 3]);
        owned[0] = 9;
        assert_eq!(owned.into_inner(), [9, 7, 3]);
    }

    #[test]
    fn holds_values_of_any_size() {
        assert_eq!(Owned::new(Hooks::current(), ()).unwrap().into_inner(), ());
        let large = Owned::new(Hooks::current(), [0xa5_u8; 100_000]).unwrap();
        assert!(large.iter().all(|byte| *byte == 0xa5));
    }
}
