//! Strings for C: NULL, any bytes, or a few bytes many times over, for sizes that a fuzzer's input has no room for.

use std::{
    ffi::{CString, c_char},
    ptr,
};

use arbitrary::Arbitrary;

/// An argument of type `const char*`.
#[derive(Debug, Clone, Arbitrary)]
pub enum Text<'a> {
    Null,
    Bytes(&'a [u8]),
    Repeated(&'a [u8], u8, bool),
}

impl Text<'_> {
    /// The string up to its first NUL, as C sees it; `None` for NULL.
    pub fn value(&self) -> Option<Vec<u8>> {
        let bytes = match *self {
            Text::Null => return None,
            Text::Bytes(bytes) => bytes.to_vec(),
            Text::Repeated(unit, times, many) => {
                let end = unit.iter().position(|byte| *byte == 0).unwrap_or(unit.len()).min(8);
                return Some(unit[..end].repeat(usize::from(times) * if many { 8 } else { 1 }));
            }
        };
        Some(bytes.into_iter().take_while(|byte| *byte != 0).collect())
    }
}

/// A value as C takes it. It keeps its memory exactly as long as its text, so that reading past the NUL is noticed.
pub struct Argument(Option<CString>);

impl Argument {
    pub fn new(value: Option<&[u8]>) -> Self {
        Self(value.map(|bytes| CString::new(bytes).expect("a text ends at its first NUL")))
    }

    pub fn as_ptr(&self) -> *const c_char {
        self.0.as_ref().map_or(ptr::null(), |text| text.as_ptr())
    }
}
