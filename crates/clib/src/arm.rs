//! What the linker wants on 32-bit ARM.
//!
//! Code that a panic could unwind through names the personality routine of the ARM exception handling ABI, which is in
//! libgcc. The compiled core library has such code, although this library never unwinds: panic is abort. The routine
//! here ends an unwinding that starts elsewhere, for instance in a free hook: it answers `_URC_FAILURE`.

core::arch::global_asm!(
    ".globl __aeabi_unwind_cpp_pr0",
    ".hidden __aeabi_unwind_cpp_pr0",
    ".type __aeabi_unwind_cpp_pr0, %function",
    "__aeabi_unwind_cpp_pr0:",
    "    mov r0, #9",
    "    bx lr",
    ".size __aeabi_unwind_cpp_pr0, . - __aeabi_unwind_cpp_pr0",
);
