//! `libtlsrpt.so` and `libtlsrpt.a`: the C functions of the crate `tlsrpt`, and the panic handler that a library
//! without std needs to link.

#![cfg_attr(not(test), no_std)]

#[cfg(not(any(test, panic = "abort")))]
compile_error!(
    "libtlsrpt must not unwind into C: build it with panic = \"abort\", as the profiles of this workspace do"
);

#[cfg(target_arch = "arm")]
mod arm;

pub use client::capi;

// A library without std needs a panic handler to link. Nothing in the finished library calls it; `make test-artefacts`
// checks that. When cargo builds the whole workspace at once, another package may enable the feature `std` of the
// client library, and std has a panic handler of its own.
#[cfg(not(test))]
client::without_std! {
    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        // SAFETY: abort has no preconditions.
        unsafe { libc::abort() }
    }
}
