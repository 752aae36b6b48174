//! Values of a simulated registry, as world files and fake disks write them.

use serde::Deserialize;

/// A value: a text, a number, a list of texts, or octets in hexadecimal digits.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// `REG_SZ`
    Text(String),
    /// `REG_DWORD`, or `REG_QWORD` where it is too large
    Number(u64),
    /// `REG_MULTI_SZ`
    List(Vec<String>),
    /// `REG_BINARY`
    Octets {
        /// Pairs of digits, with spaces between them where one likes.
        hex: Hex,
    },
}

/// Octets that are written as pairs of hexadecimal digits.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
        let octet = |pair: &[u8]| {
            let pair =
                std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            u8::from_str_radix(pair, 16).ok().filter(|_| pair.len() == 2)
        };
        let octets: Option<Vec<u8>> = digits.chunks(2).map(octet).collect();
        octets.map(Self).ok_or_else(|| format!("`{text}` is not pairs of hexadecimal digits"))
    }
}

impl Value {
    /// The same with what stands in its texts expanded.
    pub fn given(&self, expand: impl Fn(&str) -> String) -> ampls_probes::registry::Value {
        use ampls_probes::registry::Value as Given;
        match self {
            Self::Text(text) => Given::Text(expand(text)),
            Self::Number(number) => Given::Number(*number),
            Self::List(list) => Given::List(list.iter().map(|text| expand(text)).collect()),
            Self::Octets { hex: Hex(octets) } => Given::Octets(octets.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_pairs_of_digits_and_nothing_else() {
        let read = |text: &str| Hex::try_from(text.to_owned()).map(|Hex(octets)| octets);
        assert_eq!(read("01 ffA0"), Ok(vec![0x01, 0xff, 0xa0]));
        assert_eq!(read(""), Ok(Vec::new()));
        for wrong in ["0g1", "1", "01 f", "0x01", "+1", "01-02", "ä"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let world = "title = \"t\"\nstory = \"s\"\n[registry.'HKLM\\A']\nB = { hex = \"0g\" }\n";
        assert!(crate::scenario::Scenario::parse("test", world).is_err(), "a typing error fails when it is read");
    }
}
