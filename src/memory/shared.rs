//! A value with several owners: like `Arc`, but with the caller's allocator and with an error where `Arc` aborts.

use core::{
    mem,
    ops::Deref,
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{Hooks, Owned};
use crate::errno::Errno;

/// One of the owners of a `T`. Dropping the last owner drops the value.
pub(crate) struct Shared<T> {
    counted: NonNull<Counted<T>>,
}

struct Counted<T> {
    owners: AtomicUsize,
    value: T,
}

// SAFETY: owners in several threads share the value, which `T: Sync` allows, and any of them may drop it, which
// `T: Send` allows.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: a shared reference to an owner can make further owners, so the same holds.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(hooks: Hooks, value: T) -> Result<Self, Errno> {
        let counted = Owned::new(hooks, Counted { owners: AtomicUsize::new(1), value })?;
        Ok(Self { counted: counted.into_raw() })
    }

    /// The value if this is its last owner.
    pub(crate) fn into_inner(self) -> Option<T> {
        let counted = self.counted;
        mem::forget(self);
        // SAFETY: `self` is forgotten, so its count is released once.
        unsafe { Self::leave(counted) }.map(|last| last.into_inner().value)
    }

    /// Turns this owner into a handle for C; [`from_raw`](Self::from_raw) turns it into the owner again.
    #[cfg(feature = "capi")]
    pub(crate) fn into_raw(self) -> NonNull<()> {
        let counted = self.counted;
        mem::forget(self);
        counted.cast()
    }

    /// # Safety
    ///
    /// `raw` comes from [`into_raw`](Self::into_raw) of the same type, and only one result for it is dropped. To borrow
    /// the value, wrap the result in `ManuallyDrop`.
    #[cfg(feature = "capi")]
    pub(crate) unsafe fn from_raw(raw: NonNull<()>) -> Self {
        Self { counted: raw.cast() }
    }

    /// Decreases the number of owners; returns the block if that was the last.
    ///
    /// # Safety
    ///
    /// `counted` is allocated, and the caller does not use one of its owners afterwards.
    unsafe fn leave(counted: NonNull<Counted<T>>) -> Option<Owned<Counted<T>>> {
        // SAFETY: allocated until the owner of the caller is counted off, which happens here.
        if unsafe { counted.as_ref() }.owners.fetch_sub(1, Ordering::Release) != 1 {
            return None;
        }
        // Everything that the other owners did with the value happens before it is dropped. A load has the effect of a
        // fence here, and ThreadSanitizer understands it.
        // SAFETY: this was the last owner, so nothing else frees the block.
        unsafe { counted.as_ref() }.owners.load(Ordering::Acquire);
        // SAFETY: there is no other owner; the pointer comes from `into_raw` in `new`.
        Some(unsafe { Owned::from_raw(counted) })
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // SAFETY: allocated while this owner exists. The count cannot overflow: each owner takes memory.
        unsafe { self.counted.as_ref() }.owners.fetch_add(1, Ordering::Relaxed);
        Self { counted: self.counted }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: allocated while this owner exists.
        unsafe { &self.counted.as_ref().value }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: nothing uses this owner after it is dropped.
        drop(unsafe { Self::leave(self.counted) });
    }
}
