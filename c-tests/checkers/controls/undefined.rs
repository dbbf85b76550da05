//! Breaks the precondition of an unsafe function: a library that is built with all checks has to end the process.

fn main() {
    let odd = std::ptr::without_provenance::<u16>(std::env::args().count() | 1);
    // SAFETY: there is none. The address is odd, which no reference to a u16 may be.
    let numbers = unsafe { std::slice::from_raw_parts(odd, 1) };
    println!("{}", numbers.len());
}
