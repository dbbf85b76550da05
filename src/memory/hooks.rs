//! The allocator: libc's, or the pair that the caller set.

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

/// The pair that serves one handle. Kept with what it allocated, so that a block goes back to where it came from even
/// when the caller sets another pair in between.
#[derive(Clone, Copy)]
pub(crate) struct Hooks {
    malloc: Malloc,
    free: Free,
}

/// The caller's functions; NULL stands for libc's, so that the library needs no relocation for them.
static MALLOC: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static FREE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

impl Hooks {
    /// Sets the pair for the handles that are made from now on; `None` is libc's pair.
    #[cfg(feature = "capi")]
    pub(crate) fn install(hooks: Option<(Malloc, Free)>) {
        let (malloc, free) = match hooks {
            Some((malloc, free)) => (malloc as *mut (), free as *mut ()),
            None => (ptr::null_mut(), ptr::null_mut()),
        };
        MALLOC.store(malloc, Ordering::Release);
        FREE.store(free, Ordering::Release);
    }

    /// The pair in force.
    pub(crate) fn current() -> Self {
        let malloc = MALLOC.load(Ordering::Acquire);
        let free = FREE.load(Ordering::Acquire);
        if malloc.is_null() || free.is_null() {
            return Self { malloc: libc::malloc, free: libc::free };
        }
        // SAFETY: `install` stored functions of these types and nothing else but NULL.
        unsafe {
            Self { malloc: mem::transmute::<*mut (), Malloc>(malloc), free: mem::transmute::<*mut (), Free>(free) }
        }
    }

    /// A block of `size` bytes, aligned as `malloc` does, uninitialized.
    pub(crate) fn allocate(self, size: usize) -> Result<NonNull<u8>, Errno> {
        // SAFETY: the caller of `tlsrpt_set_malloc_and_free` vouches for a function that does what malloc does.
        let answer = report_errno(|| unsafe { (self.malloc)(size) }, |block| !block.is_null());
        match answer.map(|block| NonNull::new(block.cast::<u8>())) {
            Ok(Some(block)) => Ok(block),
            Ok(None) => Err(Errno::ENOMEM),
            Err(errno) => Err(Errno::from_number(errno, Errno::ENOMEM)),
        }
    }

    /// Gives a block back. The free function may set errno; the caller's stays.
    ///
    /// # Safety
    ///
    /// `block` comes from [`allocate`](Self::allocate) of an equal pair and is not used again.
    pub(crate) unsafe fn release(self, block: NonNull<u8>) {
        // SAFETY: the block came from the malloc that this free belongs to.
        restore_errno(|| unsafe { (self.free)(block.as_ptr().cast::<c_void>()) });
    }
}
