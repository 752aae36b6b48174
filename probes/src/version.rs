//! Dotted versions, parsed and ordered by number: 1.13.4 is newer than 1.12.25.
//!
//! A package's epoch and revision and a build's tag (`1:1.14.9-0`, `1.33.1-build.main.777`, `1.14.9.0~rc1`) are not part of
//! what is compared. What a version is good for is not decided here.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Numbers that are kept; no agent has more than four.
const MOST_NUMBERS: usize = 8;

/// A dotted version. `1.2` and `1.2.0` are equal.
#[derive(Clone, Debug)]
pub struct Version(Vec<u64>);

/// The text does not begin with a number, or has a number that no version has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoVersion;

impl fmt::Display for NoVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no version")
    }
}

impl std::error::Error for NoVersion {}

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let text = text.trim();
        let after_epoch = text.split_once(':').filter(|(epoch, _)| is_number(epoch)).map_or(text, |(_, rest)| rest);
        let mut numbers = Vec::new();
        for part in after_epoch.split('.').take(MOST_NUMBERS) {
            let digits = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
            let (number, tag) = part.split_at(digits);
            if number.is_empty() {
                break;
            }
            numbers.push(number.parse().map_err(|_| NoVersion)?);
            if !tag.is_empty() {
                break;
            }
        }
        if numbers.is_empty() { Err(NoVersion) } else { Ok(Self(numbers)) }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Version {
    fn significant(&self) -> &[u64] {
        let end = self.0.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
        self.0.get(..end).unwrap_or_default()
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.significant() == other.significant()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.significant().cmp(other.significant())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u64::to_string).collect();
        formatter.write_str(&numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect(text)
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        let table = [
            ("1.13.4", Ordering::Greater, "1.12.25"),
            ("10.20.18067.0", Ordering::Greater, "10.20.18038.0"),
            ("10.20.18038.0", Ordering::Equal, "10.20.18038.0"),
            ("10.20.18029", Ordering::Less, "10.20.18038.0"),
            ("1.12.25", Ordering::Equal, "1.12.25.0"),
            ("1.12.9", Ordering::Less, "1.12.25"),
            ("2", Ordering::Greater, "1.99.99"),
            ("01.2", Ordering::Equal, "1.2"),
            ("0.0", Ordering::Less, "0.0.1"),
        ];
        for (left, order, right) in table {
            assert_eq!(version(left).cmp(&version(right)), order, "{left} {right}");
        }
    }

    #[test]
    fn tags_revisions_and_epochs_are_set_apart() {
        for text in ["1.12.25-0", "1.12.25-build.main.777", "1:1.12.25", "1.12.25~rc1", "1.12.25+git", "1.12.25.el7.9"]
        {
            assert_eq!(version(text), version("1.12.25"), "{text}");
        }
        assert_eq!(version("1.33.1-build.main.777").to_string(), "1.33.1");
    }

    #[test]
    fn text_without_a_leading_number_is_no_version() {
        for text in ["", " ", "-1", ".1", "v1", "x", "build.1", "99999999999999999999.1", "\u{661}.2"] {
            assert_eq!(text.parse::<Version>(), Err(NoVersion), "{text}");
        }
    }

    fn numbers() -> impl Strategy<Value = Vec<u64>> {
        proptest::collection::vec(0..40_u64, 1..6)
    }

    fn dotted(numbers: &[u64]) -> String {
        numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn order_is_that_of_padded_numbers(mut left in numbers(), mut right in numbers()) {
            let (a, b) = (version(&dotted(&left)), version(&dotted(&right)));
            left.resize(MOST_NUMBERS, 0);
            right.resize(MOST_NUMBERS, 0);
            prop_assert_eq!(a.cmp(&b), left.cmp(&right));
            prop_assert_eq!(a == b, left == right);
        }

        #[test]
        fn a_revision_or_a_tag_changes_nothing(numbers in numbers(), tag in "[-~+][0-9a-z.-]{0,12}") {
            prop_assert_eq!(version(&format!("{}{tag}", dotted(&numbers))), version(&dotted(&numbers)));
        }

        #[test]
        fn any_text_is_taken_or_refused(text: String, like in "[0-9a-z.:~+-]{0,40}") {
            for text in [text, like] {
                if let Ok(version) = text.parse::<Version>() {
                    prop_assert_eq!(version.to_string().parse::<Version>(), Ok(version));
                }
            }
        }
    }
}
