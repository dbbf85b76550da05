//! A value with several owners: `Arc`, with the caller's allocator and an error in place of an abort.

use core::{
    mem,
    ops::Deref,
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{Hooks, Owned};
use crate::errno::Errno;

/// One of the owners of a `T`. The last one to go drops it.
pub(crate) struct Shared<T> {
    counted: NonNull<Counted<T>>,
}

struct Counted<T> {
    owners: AtomicUsize,
    value: T,
}

// SAFETY: owners in several threads give out shared references, and whichever is last drops the value: as Arc.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(hooks: Hooks, value: T) -> Result<Self, Errno> {
        let counted = Owned::new(hooks, Counted { owners: AtomicUsize::new(1), value })?;
        Ok(Self { counted: counted.into_raw() })
    }

    /// The value itself when this is its last owner.
    pub(crate) fn into_inner(self) -> Option<T> {
        let counted = self.counted;
        mem::forget(self);
        // SAFETY: the count of this owner is given up here, once.
        unsafe { Self::leave(counted) }.map(|last| last.into_inner().value)
    }

    /// Makes this owner a handle for C; [`from_raw`](Self::from_raw) takes it back.
    #[cfg(feature = "capi")]
    pub(crate) fn into_raw(self) -> NonNull<()> {
        let counted = self.counted;
        mem::forget(self);
        counted.cast()
    }

    /// # Safety
    ///
    /// `raw` comes from [`into_raw`](Self::into_raw) of the same type, and is not taken back twice. To only look at the
    /// value, wrap the result in `ManuallyDrop`.
    #[cfg(feature = "capi")]
    pub(crate) unsafe fn from_raw(raw: NonNull<()>) -> Self {
        Self { counted: raw.cast() }
    }

    /// Takes one owner off; gives the value to the last.
    ///
    /// # Safety
    ///
    /// `counted` is alive, and the caller gives up one of its owners.
    unsafe fn leave(counted: NonNull<Counted<T>>) -> Option<Owned<Counted<T>>> {
        // SAFETY: alive as long as the owner that is given up in this very step.
        if unsafe { counted.as_ref() }.owners.fetch_sub(1, Ordering::Release) != 1 {
            return None;
        }
        // Whatever the other owners did with the value comes before its end. A load does what a fence would, and
        // ThreadSanitizer understands it.
        // SAFETY: this was the last owner, so nobody else can end the value.
        unsafe { counted.as_ref() }.owners.load(Ordering::Acquire);
        // SAFETY: no other owner is left; the pointer came from `into_raw` in `new`.
        Some(unsafe { Owned::from_raw(counted) })
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // SAFETY: alive as long as this owner. A count cannot overflow: each owner takes up memory.
        unsafe { self.counted.as_ref() }.owners.fetch_add(1, Ordering::Relaxed);
        Self { counted: self.counted }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: alive as long as this owner.
        unsafe { &self.counted.as_ref().value }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: this owner goes.
        drop(unsafe { Self::leave(self.counted) });
    }
}
