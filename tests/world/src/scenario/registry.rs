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
        /// Pairs of digits, with spaces where one likes.
        hex: String,
    },
}

impl Value {
    /// The same with what stands in its texts expanded.
    pub fn given(&self, expand: impl Fn(&str) -> String) -> ampls_probes::registry::Value {
        use ampls_probes::registry::Value as Given;
        match self {
            Self::Text(text) => Given::Text(expand(text)),
            Self::Number(number) => Given::Number(*number),
            Self::List(list) => Given::List(list.iter().map(|text| expand(text)).collect()),
            Self::Octets { hex } => {
                let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
                let pairs = digits.chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
                Given::Octets(pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect())
            }
        }
    }
}
