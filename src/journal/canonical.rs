//! Canonical JSON: keys sorted by their octets, UTF-8, no space that means nothing, whole numbers and texts only. Without
//! fractions no rules for writing numbers are needed, so that any program can make the same octets.

use serde_json::Value;

/// A payload that has no canonical form.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a payload of the journal holds the fraction {0}; write it as a text")]
pub(super) struct Fraction(pub(super) String);

/// Writes `value` in canonical form.
pub(super) fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), Fraction> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) if number.is_f64() => return Err(Fraction(number.to_string())),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => text_in(text, out),
        Value::Array(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(value, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => {
            let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
            pairs.sort_unstable_by_key(|(key, _)| *key);
            out.push(b'{');
            for (index, (key, value)) in pairs.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                text_in(key, out);
                out.push(b':');
                write(value, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// A text in quotes; escaped is what must be (RFC 8259 section 7), in its short form where there is one, else as `\u00xx`.
pub(super) fn text_in(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x00..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn canonical(value: &Value) -> String {
        let mut out = Vec::new();
        write(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn keys_are_sorted_and_nothing_is_between() {
        let value = json!({ "b": [1, -2, null, true], "a": { "é": "端口", "e": "a\"\\\n\u{1}" } });
        assert_eq!(canonical(&value), "{\"a\":{\"e\":\"a\\\"\\\\\\n\\u0001\",\"é\":\"端口\"},\"b\":[1,-2,null,true]}");
        assert_eq!(canonical(&json!({})), "{}");
    }

    #[test]
    fn fractions_are_refused_wherever_they_hide() {
        for value in [json!(1.5), json!([0, 2.0]), json!({ "a": { "b": 1e300 } })] {
            assert!(write(&value, &mut Vec::new()).is_err(), "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_the_same(text in "\\PC*|[\\x00-\\x7f]*", number: i64) {
            let value = json!({ "t": text, "n": number });
            let back: Value = serde_json::from_str(&canonical(&value)).unwrap();
            proptest::prop_assert_eq!(back, value);
        }
    }
}
