//! JSON as Chromium reads policies: with comments and trailing commas. No I/O.
//!
//! Source: <https://chromium.googlesource.com/chromium/src/+/main/components/policy/core/common/config_dir_policy_loader.cc>

use serde_json::Value;

/// Parses a document; nesting is bounded by the parser (128 levels).
pub(super) fn lenient(bytes: &[u8]) -> Option<Value> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(&strict(bytes)).ok()
}

/// The same document without comments and trailing commas.
fn strict(bytes: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied().peekable();
    while let Some(octet) = rest.next() {
        match (octet, rest.peek()) {
            (b'"', _) => {
                out.push(octet);
                while let Some(inner) = rest.next() {
                    out.push(inner);
                    match inner {
                        b'"' => break,
                        b'\\' => out.extend(rest.next()),
                        _ => {}
                    }
                }
            }
            (b'/', Some(b'/')) => while rest.next().is_some_and(|octet| octet != b'\n') {},
            (b'/', Some(b'*')) => {
                rest.next();
                while let Some(inner) = rest.next() {
                    if inner == b'*' && rest.peek() == Some(&b'/') {
                        rest.next();
                        break;
                    }
                }
            }
            (b'}' | b']', _) => {
                let last = out.iter().rposition(|before| !before.is_ascii_whitespace());
                if let Some(last) = last.filter(|last| out.get(*last) == Some(&b',')) {
                    out.remove(last);
                }
                out.push(octet);
            }
            _ => out.push(octet),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn comments_and_trailing_commas_are_passed_over() {
        let text = b"\xef\xbb\xbf// a\n{ \"a\": \"// no, \\\" }\", /* b * */ \"b\": [1, 2, ],\n}";
        assert_eq!(lenient(text), Some(json!({"a": "// no, \" }", "b": [1, 2]})));
    }

    #[test]
    fn broken_deep_and_binary_documents_are_none() {
        for text in [&b"{"[..], b"", b"\"", b"/*", b"{\"a\": \"\xff\"}", b"\0\0", b"{\"a\" 1}"] {
            assert_eq!(lenient(text), None, "{text:?}");
        }
        assert_eq!(lenient("[".repeat(100_000).as_bytes()), None);
    }
}
