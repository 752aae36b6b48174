//! Text that is used and never shown: passwords and what is made of them.

use std::fmt;

use serde::{Serialize, Serializer};

/// What stands where a secret would be shown.
pub const HIDDEN: &str = "‹hidden›";

/// A secret: `Debug` and `Serialize` print [`HIDDEN`], there is no `Display`, and nothing reads it back from a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_by_neither_debug_nor_serialize() {
        #[derive(Debug, Serialize)]
        struct Holder {
            password: Secret,
        }
        let holder = Holder { password: Secret::new("hunter2") };

        let debug = format!("{holder:?} {holder:#?}");
        let json = serde_json::to_string(&holder).unwrap_or_default();

        assert_eq!(holder.password.expose(), "hunter2");
        assert!(!debug.contains("hunter2") && debug.contains(HIDDEN), "{debug}");
        assert_eq!(json, r#"{"password":"‹hidden›"}"#);
    }
}
