//! The allocator: libc's, or the pair of functions that the caller set.

use core::{
    ffi::c_void,
    mem,
    ptr::{self, NonNull},
    sync::atomic::{AtomicPtr, Ordering},
};

use crate::errno::{Errno, report_errno, restore_errno};

/// A function with the contract of C's `malloc`.
type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
/// A function with the contract of C's `free`.
type Free = unsafe extern "C" fn(*mut c_void);

/// An allocator. Each block keeps a copy, so that it is released by the `free` of its own `malloc` even if the caller sets
/// another pair meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Hooks {
    malloc: Malloc,
    free: Free,
}

/// The caller's functions. NULL stands for libc's: the library then needs no relocation for them.
static MALLOC: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static FREE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

impl Hooks {
    /// Sets the pair for later handles; `None` is the pair of libc.
    #[cfg(feature = "capi")]
    pub(crate) fn install(hooks: Option<(Malloc, Free)>) {
        let (malloc, free) = match hooks {
            Some((malloc, free)) => (malloc as *mut (), free as *mut ()),
            None => (ptr::null_mut(), ptr::null_mut()),
        };
        MALLOC.store(malloc, Ordering::Release);
        FREE.store(free, Ordering::Release);
    }

    /// The pair for new handles.
    pub(crate) fn current() -> Self {
        let malloc = MALLOC.load(Ordering::Acquire);
        let free = FREE.load(Ordering::Acquire);
        if malloc.is_null() || free.is_null() {
            return Self { malloc: libc::malloc, free: libc::free };
        }
        // SAFETY: neither is NULL, and `install` stores functions of these types only.
        unsafe {
            Self { malloc: mem::transmute::<*mut (), Malloc>(malloc), free: mem::transmute::<*mut (), Free>(free) }
        }
    }

    /// A block of `size` bytes, uninitialized and aligned for every standard type of C.
    pub(crate) fn allocate(self, size: usize) -> Result<NonNull<u8>, Errno> {
        // SAFETY: libc's malloc, or a function that behaves like it, as `tlsrpt_set_malloc_and_free` requires.
        let answer = report_errno(|| unsafe { (self.malloc)(size) }, |block| !block.is_null());
        match answer.map(|block| NonNull::new(block.cast::<u8>())) {
            Ok(Some(block)) => Ok(block),
            Ok(None) => Err(Errno::ENOMEM),
            Err(errno) => Err(Errno::from_number(errno, Errno::ENOMEM)),
        }
    }

    /// Releases a block. Restores errno, which the free function may set.
    ///
    /// # Safety
    ///
    /// `block` comes from [`allocate`](Self::allocate) of an equal pair and is not used again.
    pub(crate) unsafe fn release(self, block: NonNull<u8>) {
        // SAFETY: the caller grants that the block came from the malloc of this pair and is not used again.
        restore_errno(|| unsafe { (self.free)(block.as_ptr().cast::<c_void>()) });
    }
}
