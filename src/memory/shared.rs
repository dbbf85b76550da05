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
        // SAFETY: the block stays allocated until this owner is counted off, which happens here.
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

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
        vec::Vec,
    };

    use super::{Hooks, Shared};

    /// Counts how often it is dropped.
    struct Counting<'a>(&'a AtomicUsize);

    impl Drop for Counting<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_last_owner_drops_the_value() {
        let drops = AtomicUsize::new(0);
        let first = Shared::new(Hooks::current(), Counting(&drops)).unwrap();
        let second = first.clone();
        drop(first);
        assert_eq!(drops.load(Ordering::Relaxed), 0);
        drop(second);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn only_the_last_owner_gets_the_value() {
        let first = Shared::new(Hooks::current(), 7).unwrap();
        let second = first.clone();
        assert_eq!(*second, 7);
        assert_eq!(first.into_inner(), None);
        assert_eq!(second.into_inner(), Some(7));
    }

    #[test]
    #[cfg(feature = "capi")]
    fn a_borrowed_handle_stays_an_owner() {
        use core::mem::ManuallyDrop;

        let drops = AtomicUsize::new(0);
        let raw = Shared::new(Hooks::current(), Counting(&drops)).unwrap().into_raw();
        // SAFETY: from `into_raw`; not dropped.
        let borrowed = ManuallyDrop::new(unsafe { Shared::<Counting<'_>>::from_raw(raw) });
        drop((*borrowed).clone());
        assert_eq!(drops.load(Ordering::Relaxed), 0);
        // SAFETY: from `into_raw`; the only result that is dropped.
        drop(unsafe { Shared::<Counting<'_>>::from_raw(raw) });
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn owners_in_several_threads_drop_the_value_once() {
        let rounds = if cfg!(miri) { 5 } else { 500 };
        for _ in 0..rounds {
            let drops = AtomicUsize::new(0);
            let first = Shared::new(Hooks::current(), Counting(&drops)).unwrap();
            let owners: Vec<_> = (0..4).map(|_| first.clone()).collect();
            thread::scope(|scope| {
                for owner in owners {
                    scope.spawn(move || drop(owner.clone()));
                }
                drop(first);
            });
            assert_eq!(drops.load(Ordering::Relaxed), 1);
        }
    }
}
