//! What `ampls-doctor fleet` takes of a document: the few fields that say which machine it is and what its roots are. Everything
//! else is passed over unread.
//!
//! This is a crate of its own because of how it is built: code that reads a document is generated for each type, with the settings of
//! the crate that names the type, and the rest of the program is built for the smallest size, where hardly anything is inlined.

use std::collections::BTreeMap;

use jiff::Timestamp;
use memchr::memmem;
use serde::Deserialize;
use serde_json::Result;
use serde_json::value::RawValue;
use uuid::Uuid;

pub use loose::{List, Object, Word};

mod loose;

/// A JSON object, of whatever kind it is.
#[derive(Debug, Deserialize)]
pub struct Document {
    /// Version of the document.
    pub schema: Option<u32>,
    /// What it is; none in a report.
    pub kind: Option<String>,
    /// Which program wrote it.
    pub tool: Option<Tool>,
    /// The run that it is of.
    pub run: Option<Run>,
    /// The machine.
    #[serde(default)]
    pub host: Object<Host>,
    /// What is said of the machine as a whole.
    #[serde(default)]
    pub verdict: Object<Verdict>,
    /// Findings, roots and what follows from them.
    pub findings: Option<Vec<Found>>,
    /// A list in reports, a map in digests.
    #[serde(default)]
    pub agents: List<Object<Agent>>,
    /// DNS servers.
    #[serde(default)]
    pub servers: List<Object<Server>>,
    /// What the run took its knowledge from.
    #[serde(default)]
    pub sources: List<Object<Looked>>,
    /// What was replaced in it.
    pub redacted: Option<Box<RawValue>>,
}

/// Which program wrote a report.
#[derive(Debug, Deserialize)]
pub struct Tool {
    /// Its version.
    pub version: String,
}

/// A run.
#[derive(Debug, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: Uuid,
    /// When it began.
    pub started_at: Timestamp,
    /// What ended it early.
    #[serde(default)]
    pub stopped: Word,
}

/// A machine.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Host {
    /// Its name.
    pub name: Word,
    /// What Azure says of it.
    pub azure: Object<Azure>,
}

/// What Azure says of a machine.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Azure {
    /// Its id.
    pub vm_id: Word,
    /// Its resource id.
    pub resource_id: Word,
    /// The cloud.
    pub cloud: Word,
    /// The region.
    pub region: Word,
    /// The subnet.
    pub subnet: Word,
}

/// What is said of a machine as a whole.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// Private, public or both.
    pub route: Word,
    /// The worst of its findings.
    pub health: Word,
}

/// A monitoring agent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Agent {
    /// Which.
    pub kind: Word,
    /// Its version.
    pub version: Word,
}

/// A DNS server.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Server {
    /// Address and port.
    pub address: Word,
    /// Who asks it.
    pub roles: List<Word>,
}

/// A source, and what came of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Looked {
    /// Which.
    pub source: Word,
    /// What came of it.
    pub outcome: Word,
}

/// A finding.
#[derive(Debug, Deserialize)]
pub struct Found {
    /// Its code.
    pub code: String,
    /// How bad it is.
    pub severity: Word,
    /// How certain it is.
    #[serde(default)]
    pub certainty: Word,
    /// Whose work it is.
    #[serde(default)]
    pub owner: Word,
    /// The code of its root; none for a root itself.
    #[serde(default)]
    pub caused_by: Option<String>,
    /// Names of what it is about.
    #[serde(default)]
    pub endpoints: Vec<String>,
    /// What is filled into its sentences.
    #[serde(default)]
    pub args: BTreeMap<String, Box<RawValue>>,
}

/// What is taken of a document.
pub fn document(text: &[u8]) -> Result<Document> {
    serde_json::from_slice(text)
}

/// What is taken of a report as this program writes it. `None` for every other text, and for a report in which something is wrong.
pub fn report(line: &[u8]) -> Option<Document> {
    serde_json::from_slice(&brief(line)?).ok()
}

/// A report as this program writes it, without its endpoints, zones, notes and observations: they are most of it, and `fleet`
/// hardly ever needs them. `None` for a text in another order.
///
/// No quote stands within a text of JSON without a backslash before it, so that keys are found. What is left of keys that stand at
/// different depths is not JSON, or findings come once more behind them, and the whole is read instead. So it is where another
/// report begins in what is left out: a line that was cut off and went on with the next.
pub fn brief(line: &[u8]) -> Option<Vec<u8>> {
    if !line.starts_with(br#"{"schema":"#) || !line.ends_with(b"]}}") {
        return None;
    }
    let (first, rest) = around(line, br#","endpoints":["#)?;
    let (endpoints, rest) = around(rest, br#"],"zones":["#)?;
    let (zones, rest) = around(rest, br#"],"agents":["#)?;
    let (second, rest) = around(rest, br#"],"notes":["#)?;
    let (notes, rest) = around(rest, br#"],"findings":["#)?;
    let (third, observations) = around(rest, br#"],"observations":{"version":"#)?;
    let begins = |part: &[u8]| memmem::find(part, br#"{"schema":"#).is_some();
    if [endpoints, zones, notes].into_iter().any(begins) || memmem::find(observations, br#","findings":["#).is_some() {
        return None;
    }
    Some([first, br#","agents":["#, second, br#"],"findings":["#, third, b"]}"].concat())
}

/// What stands before a part of a text and behind it.
fn around<'t>(text: &'t [u8], part: &[u8]) -> Option<(&'t [u8], &'t [u8])> {
    let at = memmem::find(text, part)?;
    text.get(..at).zip(text.get(at + part.len()..))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"schema":2,"host":{"name":"a"},"endpoints":[{"fqdn":"x"}],"zones":[{}],"agents":[{"kind":"ama"}],"browsers":[],"servers":[],"notes":["n"],"findings":[{"code":"X","severity":"error"}],"observations":{"version":1,"seen":[]}}"#;

    #[test]
    fn report_is_read_without_what_is_most_of_it() {
        let brief = String::from_utf8(brief(REPORT.as_bytes()).unwrap()).unwrap();
        assert!(!["endpoints", "zones", "notes", "observations"].iter().any(|key| brief.contains(key)), "{brief}");
        let document = report(REPORT.as_bytes()).unwrap();
        assert_eq!(document.host.0.name.text(), Some("a"));
        assert_eq!(document.agents.each()[0].0.kind.text(), Some("ama"));
        assert_eq!(document.findings.map(|all| all.len()), Some(1));
    }

    #[test]
    fn what_is_no_report_or_is_one_in_another_order_is_left_to_others() {
        let other = REPORT.replace(r#","notes":["n"]"#, "");
        let deeper = REPORT.replace(r#"{"name":"a"}"#, r#"{"name":"a","endpoints":[1]}"#);
        let inner = r#""notes":[{"x":[],"findings":[],"observations":{"version":1}}]"#;
        let compensated = REPORT.replace(r#""notes":["n"]"#, inner);
        let no_text = [&REPORT.as_bytes()[..20], b"\xff", &REPORT.as_bytes()[20..]].concat();
        for line in [b"".as_slice(), b"{}", &REPORT.as_bytes()[..50], other.as_bytes(), deeper.as_bytes(), &no_text] {
            assert!(report(line).is_none(), "{}", String::from_utf8_lossy(line));
        }
        assert!(brief(compensated.as_bytes()).is_none());
    }

    #[test]
    fn report_that_was_cut_off_and_went_on_with_the_next_is_left_to_others() {
        for cut in 1..REPORT.len() {
            let joined = format!("{}{REPORT}", &REPORT[..cut]);
            assert!(report(joined.as_bytes()).is_none(), "{joined}");
        }
    }
}
