//! Integers in decimal.

use core::ffi::c_int;

use crate::{errno::Errno, memory::Buffer};

/// Appends `opening` and the number. Nearly all numbers have one digit, but C callers may pass any int as a type or a
/// result.
#[inline(always)]
pub(super) fn append_number(out: &mut Buffer, opening: &[u8], number: c_int) -> Result<(), Errno> {
    match number {
        0..=9 => out.append_all([opening, &[b'0' + number as u8]]),
        _ => {
            out.append(opening)?;
            append_long(out, number)
        }
    }
}

fn append_long(out: &mut Buffer, number: c_int) -> Result<(), Errno> {
    let mut digits = [0; u32::MAX.ilog10() as usize + 1];
    let mut unused = digits.len();
    let mut rest = number.unsigned_abs();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        unused -= 1;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let sign: &[u8] = if number < 0 { b"-" } else { b"" };
    out.append_all([sign, digits.get(unused..).unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::append_number;
    use crate::memory::{Buffer, Hooks};

    #[test]
    fn writes_any_int() {
        for number in [0, 1, 9, 10, 99, 201, 901, 1000, 65_536, i32::MAX, -1, -10, -999, i32::MIN] {
            let mut out = Buffer::new(Hooks::current());
            append_number(&mut out, b"", number).unwrap();
            assert_eq!(out.as_slice(), number.to_string().as_bytes());
        }
    }
}
