//! How Azure Monitor refuses, as data: `catalogue/refusals.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::CatalogueError;
use crate::observation::RefusalCode;

const FILE: &str = "refusals.toml";

/// The file, parsed and checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusals {
    /// Where the facts are from, by key.
    pub sources: BTreeMap<String, String>,
    /// Lines of the agents' logs that tell of a refusal; the first that fits counts.
    #[serde(rename = "line")]
    pub lines: Vec<RefusalLine>,
    /// Lines of the agents' logs that tell of a success.
    #[serde(rename = "success")]
    pub successes: Vec<SuccessLine>,
}

/// A line of a log that tells of a refusal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalLine {
    /// All of these stand in the line; lower case.
    pub words: Vec<String>,
    /// What it proves.
    pub cause: LineCause,
    /// What failed; where it is missing, the host in the line says so.
    pub channel: Option<Channel>,
    /// Keys of [`Refusals::sources`].
    pub source: Vec<String>,
}

/// A line of a log that tells of a success.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuccessLine {
    /// All of these stand in the line; lower case.
    pub words: Vec<String>,
    /// What worked.
    pub channel: Channel,
    /// Keys of [`Refusals::sources`].
    pub source: Vec<String>,
}

/// What a line of a log proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineCause {
    /// It looks like a refusal, and the agent writes it for other reasons too.
    Uncertain,
    /// A refusal.
    Refused(RefusalCode),
}

impl<'de> Deserialize<'de> for LineCause {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::IntoDeserializer as _;

        let word = String::deserialize(deserializer)?;
        if word == "uncertain" {
            return Ok(Self::Uncertain);
        }
        RefusalCode::deserialize(word.into_deserializer()).map(Self::Refused)
    }
}

/// What an agent does on its way to delivered data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A token for the machine's identity.
    Metadata,
    /// The data collection rules.
    Configuration,
    /// A token for an upload.
    Token,
    /// The upload itself.
    Upload,
}

impl Refusals {
    /// The file that is part of the program.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::parse(include_str!("../../catalogue/refusals.toml"))
    }

    /// Parses the text of such a file.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let wrong = |message: String| CatalogueError { file: FILE.to_owned(), message };
        let parsed: Self = toml::from_str(text).map_err(|error| wrong(super::file::place(text, &error)))?;
        let lines = parsed.lines.iter().map(|line| ("line", &line.words, &line.source));
        let successes = parsed.successes.iter().map(|line| ("success", &line.words, &line.source));
        for (kind, words, source) in lines.chain(successes) {
            let name = words.first().map_or("", String::as_str);
            if name.is_empty() || words.iter().any(|word| *word != word.to_lowercase()) {
                return Err(wrong(format!("{kind} `{name}`: `words` must name lower-case words")));
            }
            if source.is_empty() {
                return Err(wrong(format!("{kind} `{name}`: `source` must name one")));
            }
            if let Some(key) = source.iter().find(|key| !parsed.sources.contains_key(*key)) {
                return Err(wrong(format!("{kind} `{name}`: `source` names `{key}`, which `[sources]` does not hold")));
            }
        }
        Ok(parsed)
    }

    /// The refusal that a line, in lower case, tells of.
    pub fn refusal(&self, line: &str) -> Option<(RefusalCode, Option<Channel>)> {
        let known = self.lines.iter().find(|known| known.words.iter().all(|word| line.contains(word)))?;
        match known.cause {
            LineCause::Uncertain => None,
            LineCause::Refused(code) => Some((code, known.channel)),
        }
    }

    /// The success that a line, in lower case, tells of.
    pub fn success(&self, line: &str) -> Option<Channel> {
        let known = |known: &&SuccessLine| known.words.iter().all(|word| line.contains(word));
        self.successes.iter().find(known).map(|known| known.channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_told_by_its_own_entry() {
        let refusals = Refusals::builtin().expect("the built-in file");
        for (index, line) in refusals.lines.iter().enumerate() {
            let text = line.words.join(" ");
            let first = refusals.lines.iter().position(|known| known.words.iter().all(|word| text.contains(word)));
            assert_eq!(first, Some(index), "{text}: an earlier entry takes it");
        }
        assert!(refusals.success("heartbeating for odsuploader https://x") == Some(Channel::Upload));
        assert_eq!(refusals.refusal("failed to upload to ods: request canceled by user., datatype: x"), None);
    }

    #[test]
    fn a_wrong_file_is_an_error_that_names_the_key() {
        let good = include_str!("../../catalogue/refusals.toml");
        let table = [
            (good.replacen("cause = \"invalid-access\"", "cause = \"xyz\"", 1), "xyz"),
            (good.replacen("words = [\"invalidaccess\"]", "words = [\"InvalidAccess\"]", 1), "InvalidAccess"),
            (good.replacen("source = [\"oms\"]", "source = [\"nowhere\"]", 1), "nowhere"),
            (good.replacen("channel = \"token\"", "chanel = \"token\"", 1), "chanel"),
        ];
        for (text, key) in table {
            let error = Refusals::parse(&text).expect_err(key).to_string();
            assert!(error.contains("refusals.toml") && error.contains(key), "{error}");
        }
    }
}
