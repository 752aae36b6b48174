//! Names with parameters, like `<workspace>.ods.opinsights.azure.com`.

use std::collections::BTreeMap;
use std::fmt;

use crate::azure::{is_guid, stamp};

/// The parameters of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parameter {
    /// A workspace id.
    Workspace,
    /// A region, like `westeurope`.
    Region,
    /// A data collection endpoint with its place, like `name-x1y2.westeurope-1`.
    Dce,
    /// Region and number of regional ingestion, like `westeurope-5`.
    Stamp,
    /// A storage account.
    Storage,
    /// The id of an Automation account.
    Account,
    /// Azure Automation's code of a region, like `we`.
    RegionCode,
    /// An Azure Monitor workspace with its key, like `name-x1y2`.
    MonitorWorkspace,
}

/// The values of parameters.
pub type Values = BTreeMap<Parameter, String>;

impl Parameter {
    const NAMES: [(Self, &str); 8] = [
        (Self::Workspace, "workspace"),
        (Self::Region, "region"),
        (Self::Dce, "dce"),
        (Self::Stamp, "stamp"),
        (Self::Storage, "storage"),
        (Self::Account, "account"),
        (Self::RegionCode, "rc"),
        (Self::MonitorWorkspace, "amw"),
    ];

    /// Its name, without brackets.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(parameter, _)| *parameter == self).map_or("", |(_, name)| name)
    }

    fn fits(self, value: &str) -> bool {
        let lower_alnum =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        match self {
            Self::Workspace | Self::Account => is_guid(value),
            Self::Region => lower_alnum(value) && value.starts_with(|c: char| c.is_ascii_lowercase()),
            Self::RegionCode => lower_alnum(value),
            Self::Stamp => stamp(value).is_some(),
            Self::Dce => {
                // A canary region has a label of its own behind the number.
                let value = value.strip_suffix(".canary").unwrap_or(value);
                value.split_once('.').is_some_and(|(label, place)| !label.is_empty() && stamp(place).is_some())
            }
            Self::Storage => lower_alnum(value) && (3..=24).contains(&value.len()),
            Self::MonitorWorkspace => !value.is_empty() && !value.contains('.'),
        }
    }
}

/// A text with parameters in angle brackets.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Parameter(Parameter),
}

impl Template {
    /// Parses a template; the error names the parameter that does not exist.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('<') {
            let (name, after) = after.split_once('>').ok_or_else(|| format!("`{text}` has a `<` without `>`"))?;
            let parameter = Parameter::NAMES.iter().find(|(_, known)| *known == name);
            let (parameter, _) = parameter.ok_or_else(|| format!("`{text}` has an unknown parameter `<{name}>`"))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Parameter(*parameter));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Its parameters, in their order.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Parameter(parameter) => Some(*parameter),
        })
    }

    /// The text with all parameters filled in; `None` when a value is missing.
    pub fn fill(&self, values: &Values) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(literal) => Some(literal.as_str()),
                Part::Parameter(parameter) => values.get(parameter).map(String::as_str),
            })
            .collect()
    }

    /// The text with what is known filled in; the rest stays in angle brackets.
    pub fn fill_known(&self, values: &Values) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Parameter(parameter) => match values.get(parameter) {
                    Some(value) => text.push_str(value),
                    None => text.extend(["<", parameter.as_str(), ">"]),
                },
            }
        }
        text
    }

    /// The values with which this template gives `text`, if there are such.
    pub fn matches(&self, text: &str) -> Option<Values> {
        // Longer is not a host name; it bounds the search, too.
        if text.len() > 253 || !text.is_ascii() {
            return None;
        }
        let mut values = Values::new();
        matches(&self.parts, text, &mut values).then_some(values)
    }
}

fn matches(parts: &[Part], text: &str, values: &mut Values) -> bool {
    match parts {
        [] => text.is_empty(),
        [Part::Literal(literal), rest @ ..] => {
            text.strip_prefix(literal.as_str()).is_some_and(|text| matches(rest, text, values))
        }
        [Part::Parameter(parameter), rest @ ..] => (1..=text.len()).any(|end| {
            let Some((value, after)) = text.split_at_checked(end) else {
                return false;
            };
            if !parameter.fits(value) || !matches(rest, after, values) {
                return false;
            }
            values.insert(*parameter, value.to_owned());
            true
        }),
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.fill_known(&Values::new()))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_matches_what_it_fills() {
        let template = Template::parse("<dce>.ingest.monitor.azure.com").expect("a template");
        let values = Values::from([(Parameter::Dce, "a-b1.westeurope-1".to_owned())]);
        let name = template.fill(&values).expect("all values");
        assert_eq!(name, "a-b1.westeurope-1.ingest.monitor.azure.com");
        assert_eq!(template.matches(&name), Some(values));
        assert_eq!(template.matches("a-b1.westeurope-1.metrics.ingest.monitor.azure.com"), None);
        assert_eq!(template.fill(&Values::new()), None);
        assert_eq!(template.to_string(), "<dce>.ingest.monitor.azure.com");
    }

    #[test]
    fn parameter_takes_only_values_of_its_kind() {
        let ods = Template::parse("<workspace>.ods.opinsights.azure.com").expect("a template");
        assert!(ods.matches("11111111-2222-3333-4444-555555555555.ods.opinsights.azure.com").is_some());
        assert!(ods.matches("westeurope.ods.opinsights.azure.com").is_none());
        let handler = Template::parse("<region>.handler.control.monitor.azure.com").expect("a template");
        assert!(handler.matches("westeurope.handler.control.monitor.azure.com").is_some());
        assert!(handler.matches("a-b1.westeurope-1.handler.control.monitor.azure.com").is_none());
        let jrds = Template::parse("<account>.jrds.<rc>.azure-automation.net").expect("a template");
        let values =
            jrds.matches("11111111-2222-3333-4444-555555555555.jrds.we.azure-automation.net").expect("a match");
        assert_eq!(values.get(&Parameter::RegionCode).map(String::as_str), Some("we"));
    }

    #[test]
    fn unknown_parameter_is_named() {
        assert!(Template::parse("<regoin>.x").expect_err("unknown").contains("<regoin>"));
        assert!(Template::parse("<region.x").is_err());
    }
}
