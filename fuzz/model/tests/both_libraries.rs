//! The inputs of the fuzzer of that name, and that the libraries it compares are two: other code at other addresses,
//! from another file.

use std::{ffi::CStr, mem::MaybeUninit};

use tlsrpt_model::{
    both_libraries::one_event_each,
    library::{Library, reference},
};

/// The file that an address was loaded from.
fn file_of(address: usize) -> String {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr fills the structure, or leaves its zeros.
    let info = unsafe {
        assert_ne!(libc::dladdr(address as *const libc::c_void, info.as_mut_ptr()), 0, "no file holds the function");
        info.assume_init()
    };
    // SAFETY: a string of the loader's.
    unsafe { CStr::from_ptr(info.dli_fname) }.to_str().unwrap().to_owned()
}

#[test]
fn no_function_is_shared() {
    let file = reference();
    let theirs = Library::load(&file).addresses();
    let ours = Library::ours().addresses();
    assert_eq!(theirs.len(), 19);
    assert!(theirs.iter().all(|address| file_of(*address) == file.to_str().unwrap()));
    assert!(ours.iter().all(|address| file_of(*address) != file.to_str().unwrap()));
}

/// They differ where they are meant to: so a comparison that finds no difference has looked at both.
#[test]
fn only_ours_replaces_what_is_not_utf8() {
    let [theirs, ours] = one_event_each();
    assert!(theirs.windows(4).any(|part| part == b"caf\xe9"));
    assert!(ours.windows(6).any(|part| part == "caf\u{fffd}".as_bytes()));
    assert_eq!(String::from_utf8_lossy(&theirs).as_bytes(), ours);
}

#[test]
fn inputs_worth_keeping() {
    tlsrpt_model::corpus::replay("both_libraries", tlsrpt_model::both_libraries::run);
}
