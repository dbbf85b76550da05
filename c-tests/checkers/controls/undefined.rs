//! Breaks the precondition of an unsafe function: a library that is built with all checks must end the process.

fn main() {
    let odd = std::ptr::without_provenance::<u16>(std::env::args().count() | 1);
    // SAFETY: violated on purpose. A reference to a u16 must be aligned, and the address is odd.
    let numbers = unsafe { std::slice::from_raw_parts(odd, 1) };
    println!("{}", numbers.len());
}
