//! `libtlsrpt.so` and `libtlsrpt.a`: the C functions of the crate `tlsrpt`, and what a library without std needs to link.

#![cfg_attr(not(test), no_std)]

#[cfg(not(any(test, panic = "abort")))]
compile_error!(
    "libtlsrpt must not unwind into C: build it with panic = \"abort\", as the profiles of this workspace do"
);

pub use client::capi;

/// A library without std needs this to link. Nothing in the finished library leads here, which
/// `make test-artefacts` holds.
#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: abort has no preconditions.
    unsafe { libc::abort() }
}
