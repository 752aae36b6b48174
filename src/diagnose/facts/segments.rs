//! Which sizes of packets pass on the way to an endpoint that accepted a connection and did not answer.

use ampls_probes::observation::segments::headers;
use ampls_probes::observation::{SegmentAnswer, SegmentTry};

use super::{EndpointFacts, Facts, HttpFault, Outcome, TlsFault};
use crate::text::thousands;

/// What the step that stalled showed when it was taken again over small segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// It passes over small segments, and stalls over those that both systems would make.
    Matter(BlackHole),
    /// It stalls over small ones too.
    DoNotMatter,
    /// It passed whatever the size: what stalled before was slow, or is so at times.
    Passed,
}

/// Packets from a size on are lost, and nothing says so. In bytes of the whole packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlackHole {
    /// The largest that was answered.
    pub passes: u32,
    /// The smallest bounded one that was not; `None` where only the usual size was seen to be lost.
    pub lost: Option<u32>,
    /// What of a packet is no data of its segment.
    pub headers: u32,
}

impl BlackHole {
    /// The one size lies beside the other.
    pub fn is_exact(&self) -> bool {
        self.lost == Some(self.passes + 1)
    }

    /// The data of one segment in the largest packet that passes.
    pub fn segment(&self) -> u32 {
        self.passes.saturating_sub(self.headers)
    }
}

impl EndpointFacts<'_> {
    /// What small segments showed; `None` where nothing stalled, they were not tried, or sizes contradict each other.
    pub fn sizes(&self) -> Option<Sizes> {
        if !self.has_tls_fault(TlsFault::Stalled) && !self.is_silent_after_tls() {
            return None;
        }
        let segments = self.segments?;
        let tries = &segments.outcome.seen()?.tries;
        let headers = u32::from(headers(segments.address.ip()));
        let with = |answer| tries.iter().filter(move |it: &&SegmentTry| it.answer == answer);
        if with(SegmentAnswer::Failed).next().is_some() {
            return None;
        }
        let usual = tries.iter().rev().find(|it| it.most.is_none()).map(|it| it.answer);
        let Some(passes) = with(SegmentAnswer::Answered).filter_map(|it| it.most).max() else {
            return with(SegmentAnswer::Silent).next().map(|_| Sizes::DoNotMatter);
        };
        let lost = with(SegmentAnswer::Silent).filter_map(|it| it.most).min();
        if lost.is_some_and(|lost| lost <= passes) {
            return None;
        }
        match usual? {
            SegmentAnswer::Answered if lost.is_none() => Some(Sizes::Passed),
            SegmentAnswer::Silent => {
                let packet = |segment: u16| u32::from(segment) + headers;
                Some(Sizes::Matter(BlackHole { passes: packet(passes), lost: lost.map(packet), headers }))
            }
            _ => None,
        }
    }

    fn is_silent_after_tls(&self) -> bool {
        self.http_fault() == Some(HttpFault::NoAnswer)
            && self.exchange.is_some_and(|exchange| exchange.outcome == Outcome::TimedOut)
    }
}

impl Facts<'_> {
    /// Which sizes passed and which did not; `None` where small segments were not tried.
    pub fn sizes_line(&self, name: &EndpointFacts<'_>) -> Option<String> {
        let segments = name.segments?;
        let tries = segments.outcome.seen()?.tries.len();
        let what = match name.sizes()? {
            Sizes::Matter(BlackHole { passes, lost, .. }) => {
                let lost =
                    lost.map_or_else(|| "of the usual size".to_owned(), |lost| format!("of {} bytes", bytes(lost)));
                format!(
                    "answered with packets of {} bytes and was silent where it would have sent some {lost}",
                    bytes(passes)
                )
            }
            Sizes::DoNotMatter => "was silent with small packets too".to_owned(),
            Sizes::Passed => "answered this time, whatever the size of packets".to_owned(),
        };
        let tries = if tries == 1 { "1 connection".to_owned() } else { format!("{tries} connections") };
        Some(format!("{} `{}` {what} ({tries})", self.when(&segments.timing), segments.address))
    }

    /// What this system itself believes to pass on the way to a name; no message named a smaller one.
    pub fn path_mtu_line(&self, name: &EndpointFacts<'_>) -> Option<String> {
        let segments = name.segments?;
        let mtu = segments.outcome.seen()?.path_mtu?;
        Some(format!(
            "this system takes packets of up to {} bytes to pass on the way to `{}`",
            bytes(mtu),
            segments.address
        ))
    }
}

/// A number of bytes, for people.
pub fn bytes(number: u32) -> String {
    thousands(usize::try_from(number).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Skip, TlsFailure};
    use ampls_probes::testing::{ODS, Scene, Tls, private_world};

    use super::*;

    fn of(scene: &Scene) -> Option<Sizes> {
        Facts::new(&scene.observations()).endpoint(ODS).expect("the name").sizes()
    }

    fn stalled() -> Scene {
        private_world().tls(ODS, Tls::failed(Outcome::TimedOut))
    }

    #[test]
    fn sizes_that_contradict_each_other_say_nothing() {
        let silent = SegmentAnswer::Silent;
        let answered = SegmentAnswer::Answered;
        for tries in [
            vec![(Some(536), answered), (Some(536), silent), (None, silent)],
            vec![(Some(536), answered), (Some(1200), silent), (Some(1300), answered), (None, silent)],
            vec![(Some(536), answered), (Some(1200), silent), (None, answered)],
            vec![(Some(536), answered), (None, SegmentAnswer::Failed)],
            vec![(Some(536), answered)],
            Vec::new(),
        ] {
            assert_eq!(of(&stalled().segments(ODS, &tries)), None, "{tries:?}");
        }
    }

    #[test]
    fn the_largest_that_passes_is_told_with_its_headers() {
        let tries = [
            (Some(536), SegmentAnswer::Answered),
            (Some(1361), SegmentAnswer::Silent),
            (Some(1360), SegmentAnswer::Answered),
            (None, SegmentAnswer::Silent),
        ];
        let Some(Sizes::Matter(hole)) = of(&stalled().segments(ODS, &tries)) else { panic!("a black hole") };
        assert_eq!((hole.passes, hole.lost, hole.segment(), hole.is_exact()), (1400, Some(1401), 1360, true));
    }

    #[test]
    fn a_step_that_did_not_stall_has_no_sizes() {
        let tries = [(Some(536), SegmentAnswer::Answered), (None, SegmentAnswer::Silent)];
        let reset = Tls::failed(Outcome::Failed(TlsFailure::NotTls));
        assert_eq!(of(&private_world().segments(ODS, &tries)), None);
        assert_eq!(of(&private_world().tls(ODS, reset).segments(ODS, &tries)), None);
        assert_eq!(of(&stalled()), None);
        let skipped = stalled().segments_ended(ODS, Outcome::Skipped(Skip::NotOnThisSystem));
        assert_eq!(of(&skipped), None);
    }
}
