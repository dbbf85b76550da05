//! Counts the values of a JSON text before it takes memory for them.

use crate::limits::{OF_ARRAY, OF_OBJECT};

/// Whether the text has more values. Reads no further than that.
pub(super) fn has_more_values_than(json: &[u8], most: usize) -> bool {
    let (mut values, mut in_string, mut escaped) = (0, false, false);
    for byte in json {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_string = false,
            (false, b'"') => {
                in_string = true;
                values += 1;
            }
            (false, b',') => values += 1,
            (false, b'[') => values += OF_ARRAY,
            (false, b'{') => values += OF_OBJECT,
            _ => {}
        }
        if values > most {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::has_more_values_than;

    #[test]
    fn values_outside_of_texts_are_counted() {
        let text = br#"{"a": [1, 2, "x,\"[{,"], "b": 3}"#;
        // The object, two names, the array, a text, three commas.
        let all = 16 + 2 + 4 + 1 + 3;
        assert!(has_more_values_than(text, all - 1));
        assert!(!has_more_values_than(text, all));
    }
}
