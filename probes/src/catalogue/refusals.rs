//! How Azure Monitor refuses, as data: `catalogue/refusals.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::CatalogueError;
use crate::azure::{file_of_the_catalogue, taken, values};
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
    /// Lines of the agents' logs that stand for a success.
    #[serde(rename = "success")]
    pub successes: Vec<SuccessLine>,
    /// Texts in the bodies of answers.
    #[serde(rename = "answer")]
    pub answers: Vec<RefusalAnswer>,
}

/// A text in the body of an answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalAnswer {
    /// A code or a sentence; `*` stands for any text.
    pub text: String,
    /// What it proves.
    pub cause: AnswerCause,
    /// Keys of [`Refusals::sources`].
    pub source: Vec<String>,
}

/// What the body of an answer proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerCause {
    /// Public access is off, and the request came over a public path or from outside the resource's own scope.
    Closed,
    /// The resource is not in the scope behind the private endpoint.
    OutsideScope,
    /// A rule of a network security perimeter.
    Perimeter,
    /// A data collection endpoint has to be used.
    EndpointRequired,
}

/// A line of a log that stands for a refusal.
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

/// A line of a log that stands for a success.
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
        Self::checked(file_of_the_catalogue!("refusals"))
    }

    /// Parses the text of such a file.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        Self::checked(values(text))
    }

    fn checked(values: Result<Value, String>) -> Result<Self, CatalogueError> {
        let wrong = |message: String| CatalogueError { file: FILE.to_owned(), message };
        let parsed: Self = values.and_then(|values| taken(&values)).map_err(wrong)?;
        let lines = parsed.lines.iter().map(|line| ("line", &line.words, &line.source));
        let successes = parsed.successes.iter().map(|line| ("success", &line.words, &line.source));
        for answer in &parsed.answers {
            if answer.source.is_empty() || answer.source.iter().any(|key| !parsed.sources.contains_key(key)) {
                return Err(wrong(format!("answer `{}`: `source` must name keys of `[sources]`", answer.text)));
            }
        }
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

    /// The refusal that a line, in lower case, stands for.
    pub fn refusal(&self, line: &str) -> Option<(RefusalCode, Option<Channel>)> {
        let known = self.lines.iter().find(|known| known.words.iter().all(|word| line.contains(word)))?;
        match known.cause {
            LineCause::Uncertain => None,
            LineCause::Refused(code) => Some((code, known.channel)),
        }
    }

    /// What the body of a refusal proves: its longest known text decides.
    pub fn answer(&self, body: &str) -> Option<AnswerCause> {
        let lower = body.to_ascii_lowercase();
        let known = self.answers.iter().filter(|known| holds(&lower, &known.text.to_ascii_lowercase()));
        known.max_by_key(|known| known.text.len()).map(|known| known.cause)
    }

    /// The success that a line, in lower case, stands for.
    pub fn success(&self, line: &str) -> Option<Channel> {
        let known = |known: &&SuccessLine| known.words.iter().all(|word| line.contains(word));
        self.successes.iter().find(known).map(|known| known.channel)
    }
}

/// Whether a text holds the parts of a pattern in order, the first as a word of its own.
fn holds(text: &str, pattern: &str) -> bool {
    let part_of_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let whole = text.match_indices(first).map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).and_then(|rest| rest.chars().next_back());
        let after = text.get(at + first.len()..).and_then(|rest| rest.chars().next());
        let goes_on = first.ends_with(part_of_word) && after.is_some_and(part_of_word);
        let joined = before.is_some_and(part_of_word) || goes_on;
        !joined
    });
    let Some(at) = whole else { return false };
    let mut rest = text.get(at + first.len()..).unwrap_or_default();
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_recognised_by_its_own_entry() {
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
    fn answer_is_recognised_by_its_longest_text_whatever_stands_for_the_resource() {
        let refusals = Refusals::builtin().expect("the built-in file");
        let table = [
            (
                r#"{"code":"InsufficientAccessError","innererror":{"code":"NspValidationFailedError"}}"#,
                Some(AnswerCause::Closed),
            ),
            (
                "access to resource '/subscriptions/s/w' is only permitted through an attached private link.",
                Some(AnswerCause::Closed),
            ),
            (
                r#"{"code":"InsufficientAccessError","message":"Private link connection does not allow querying resource 'w' not attached to the current scope"}"#,
                Some(AnswerCause::OutsideScope),
            ),
            (
                "This request is not authorized by network security perimeter to perform this operation.",
                Some(AnswerCause::Perimeter),
            ),
            (r#"{"code":"InvalidAccess"}"#, Some(AnswerCause::EndpointRequired)),
            ("InvalidAccessToken", None),
            ("xInvalidAccess", None),
            ("Access to resource 'w' is permitted", None),
            ("", None),
        ];
        for (body, expected) in table {
            assert_eq!(refusals.answer(body), expected, "{body}");
        }
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
