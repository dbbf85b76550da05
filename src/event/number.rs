//! Integers in decimal.

use core::ffi::c_int;

use crate::{memory::Buffer, system::Errno};

/// Appends the number. Callers of C may pass any int for a type or a result.
pub(super) fn append<const N: usize>(out: &mut Buffer<N>, number: c_int) -> Result<(), Errno> {
    if number < 0 {
        out.append(b"-")?;
    }
    append_magnitude(out, number.unsigned_abs())
}

fn append_magnitude<const N: usize>(out: &mut Buffer<N>, magnitude: u32) -> Result<(), Errno> {
    let mut digits = [0; u32::MAX.ilog10() as usize + 1];
    let mut rest = magnitude;
    let mut unused = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        unused -= 1;
        if rest == 0 {
            break;
        }
    }
    out.append(digits.get(unused..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::append;
    use crate::memory::{Buffer, Hooks};

    #[test]
    fn writes_any_int() {
        for number in [0, 1, 9, 10, 99, 201, 901, 1000, 65_536, i32::MAX, -1, -10, -999, i32::MIN] {
            let mut out = Buffer::<16>::new(Hooks::current());
            append(&mut out, number).unwrap();
            assert_eq!(out.as_slice(), number.to_string().as_bytes());
        }
    }
}
