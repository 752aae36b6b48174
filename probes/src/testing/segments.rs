//! Steps that stalled, taken again over segments of several sizes.

use std::net::SocketAddr;

use super::Scene;
use crate::observation::{Observation, Outcome, SegmentAnswer, SegmentTry, Segments, SegmentsSeen, Timing};

impl Scene {
    /// What came of a name's stalled step over segments of these sizes; `None`: as large as the systems make them.
    #[must_use]
    pub fn segments(self, name: &str, tries: &[(Option<u16>, SegmentAnswer)]) -> Self {
        let made = tries.iter().map(|(most, answer)| SegmentTry { most: *most, answer: *answer, elapsed_us: 20_000 });
        let seen = SegmentsSeen { path_mtu: Some(1500), tries: made.collect() };
        self.segments_ended(name, Outcome::Seen(seen))
    }

    /// How that look ended.
    #[must_use]
    pub fn segments_ended(self, name: &str, outcome: Outcome<SegmentsSeen, crate::observation::IoFailure>) -> Self {
        let addresses = self.system.get(name).and_then(Outcome::seen).map(|found| found.addresses.clone());
        let address = addresses.unwrap_or_default().first().copied().expect("a name that has an address");
        let address = SocketAddr::new(address, self.port(name));
        let segments = Segments { endpoint: name.to_owned(), address, timing: Timing::default(), outcome };
        self.edit(|seen| seen.seen.push(Observation::Segments(segments)))
    }
}
