//! The symbol `__aeabi_unwind_cpp_pr0`, without which the library does not link on 32-bit ARM.
//!
//! Code that a panic could unwind through names the personality routine of the ARM exception handling ABI, which is in
//! libgcc. The compiled core library has such code, although this library never unwinds: panic is abort. If another
//! module unwinds through this library, for instance a free hook, the routine here returns `_URC_FAILURE`, which stops
//! it.

core::arch::global_asm!(
    ".globl __aeabi_unwind_cpp_pr0",
    ".hidden __aeabi_unwind_cpp_pr0",
    ".type __aeabi_unwind_cpp_pr0, %function",
    "__aeabi_unwind_cpp_pr0:",
    "    mov r0, #9",
    "    bx lr",
    ".size __aeabi_unwind_cpp_pr0, . - __aeabi_unwind_cpp_pr0",
);
