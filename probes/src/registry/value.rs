//! What a value of the registry holds. No I/O.
//!
//! Source: <https://learn.microsoft.com/windows/win32/sysinfo/registry-value-types>

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `REG_SZ`, `REG_EXPAND_SZ`: up to the first NUL.
    Text(String),
    /// `REG_MULTI_SZ`: up to the first empty text.
    List(Vec<String>),
    /// `REG_DWORD`, `REG_QWORD`.
    Number(u64),
    /// Everything else.
    Octets(Vec<u8>),
}

impl Value {
    /// What octets of a type mean. Texts without their closing NUL are common, and numbers may be cut.
    pub(super) fn of(kind: u32, octets: &[u8]) -> Self {
        match kind {
            1 | 2 => Self::Text(text(octets)),
            4 => {
                octets.first_chunk().map_or_else(|| raw(octets), |four| Self::Number(u32::from_le_bytes(*four).into()))
            }
            5 => {
                octets.first_chunk().map_or_else(|| raw(octets), |four| Self::Number(u32::from_be_bytes(*four).into()))
            }
            7 => Self::List(list(octets)),
            11 => octets.first_chunk().map_or_else(|| raw(octets), |eight| Self::Number(u64::from_le_bytes(*eight))),
            _ => raw(octets),
        }
    }
}

fn raw(octets: &[u8]) -> Value {
    Value::Octets(octets.to_vec())
}

/// UTF-16 up to the first NUL; what is not text is replaced.
pub(super) fn text(octets: &[u8]) -> String {
    let (pairs, _) = octets.as_chunks();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

fn list(octets: &[u8]) -> Vec<String> {
    let (pairs, _) = octets.as_chunks();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    units.split(|unit| *unit == 0).take_while(|part| !part.is_empty()).map(String::from_utf16_lossy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn each_type_is_what_windows_says() {
        let table: [(u32, Vec<u8>, Value); 8] = [
            (1, utf16("a b\0"), Value::Text("a b".to_owned())),
            (1, utf16("ü"), Value::Text("ü".to_owned())),
            (2, utf16("%SystemRoot%\\x\0rest\0"), Value::Text("%SystemRoot%\\x".to_owned())),
            (7, utf16("a\0b\0\0"), Value::List(vec!["a".to_owned(), "b".to_owned()])),
            (7, utf16("\0"), Value::List(Vec::new())),
            (4, vec![1, 2, 0, 0], Value::Number(0x201)),
            (11, vec![1, 0, 0, 0, 0, 0, 0, 1], Value::Number(0x100_0000_0000_0001)),
            (3, vec![9, 8], Value::Octets(vec![9, 8])),
        ];
        for (kind, octets, expected) in table {
            assert_eq!(Value::of(kind, &octets), expected, "{kind} {octets:?}");
        }
    }

    #[test]
    fn cut_values_are_no_other_values() {
        for (kind, octets) in [(4, &[1, 2, 3][..]), (11, &[0; 7]), (5, &[])] {
            assert_eq!(Value::of(kind, octets), Value::Octets(octets.to_vec()), "{kind}");
        }
        assert_eq!(Value::of(1, &[0x41, 0, 0x42]), Value::Text("A".to_owned()));
        assert_eq!(Value::of(1, &[0, 0xd8]), Value::Text("\u{fffd}".to_owned()));
    }
}
