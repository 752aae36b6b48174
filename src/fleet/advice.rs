//! What to do about a group, from one report of it that was judged again.
//!
//! Nothing that a saved report says becomes advice: its commands may be anybody's. What it observed is judged by the rules of
//! this version, and their commands hold typed words alone.

use super::cause::causes;
use super::{Group, LONGEST, Names, Place, Root};
use crate::report::Report;
use crate::report::held::CHANGED;
use crate::text::escape;

impl Group {
    /// Takes the fix from a report that shows the cause; a report that does not is left alone.
    pub fn advise(&mut self, report: &Report) {
        let azure = report.host.azure.as_ref();
        let given = |of: fn(&crate::report::Azure) -> Option<&String>| azure.and_then(of).map(String::as_str);
        let place = Place::new(
            given(|it| it.resource_id.as_ref()),
            given(|it| it.region.as_ref()),
            given(|it| it.subnet.as_ref()),
        );
        let names = Names::of(report.redacted.as_ref());
        let shows = |finding: &&crate::diagnose::finding::Finding| {
            let root = Root {
                code: finding.code.clone(),
                severity: finding.severity,
                certainty: Some(finding.certainty),
                owner: Some(finding.owner),
                affects: Vec::new(),
                args: finding.args.clone(),
                unnamed: false,
            };
            causes(&root, &place, names)
                .iter()
                .any(|cause| cause.code == self.code && cause.facts.iter().all(|fact| self.has(fact.name, &fact.value)))
        };
        if let Some(finding) = report.roots().find(shows) {
            self.fix.clone_from(&finding.fix);
            if let Some(changed) = finding.evidence.iter().find_map(|line| line.strip_prefix(CHANGED)) {
                self.title.push_str("; ");
                self.title.push_str(changed);
            }
            self.fix_from = Some(escape(&report.host.name, LONGEST));
        }
    }

    fn has(&self, name: &str, value: &str) -> bool {
        let of = self.facts.iter().filter(|fact| fact.name == name);
        of.flat_map(|fact| &fact.values).any(|known| known.value == value)
    }
}
