//! What the Azure platform's own services showed, and what the peers' clocks did.

use ampls_probes::observation::{Metadata, Observation, WireServer};
use jiff::SignedDuration;

use super::{EndpointFacts, Facts, Outcome};

/// This machine's clock beside a peer's, from the `Date` of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockOffset {
    /// Host name of the peer.
    pub fqdn: String,
    /// How far this machine is ahead (negative: behind).
    pub ahead: SignedDuration,
    /// The offset is uncertain by this much either way: half the round trip, and the half second that `Date` leaves out.
    pub error: SignedDuration,
}

impl Facts<'_> {
    /// What the metadata service said, where it was asked.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.observations().seen.iter().find_map(|seen| match seen {
            Observation::Metadata(metadata) => Some(metadata),
            _ => None,
        })
    }

    /// What the wire server said, where it was asked.
    pub fn wire_server(&self) -> Option<&WireServer> {
        self.observations().seen.iter().find_map(|seen| match seen {
            Observation::WireServer(wire) => Some(wire),
            _ => None,
        })
    }

    /// Both services of the platform were asked and neither answers: this is no Azure VM, or something hides the platform.
    pub fn platform_is_silent(&self) -> bool {
        let metadata =
            self.metadata().is_some_and(|seen| matches!(seen.outcome, Outcome::TimedOut | Outcome::Failed(_)));
        let wire =
            self.wire_server().is_some_and(|seen| matches!(seen.outcome, Outcome::TimedOut | Outcome::Failed(_)));
        metadata && wire
    }

    /// The offsets of all verified answers that carry a `Date`, smallest first.
    pub fn clock_offsets(&self) -> Vec<ClockOffset> {
        let mut offsets: Vec<ClockOffset> = self.endpoints().iter().filter_map(offset).collect();
        offsets.sort_by(|one, other| (one.ahead, &one.fqdn).cmp(&(other.ahead, &other.fqdn)));
        offsets
    }

    /// The median of [`Facts::clock_offsets`]; of an even number the smaller of the two in the middle.
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        let mut offsets = self.clock_offsets();
        let middle = offsets.len().checked_sub(1)? / 2;
        (middle < offsets.len()).then(|| offsets.swap_remove(middle))
    }
}

/// The peer wrote its second at some moment between our request and its answer.
fn offset(name: &EndpointFacts<'_>) -> Option<ClockOffset> {
    if !name.handshake?.verified() {
        return None;
    }
    let exchange = name.exchange?;
    let response = exchange.outcome.seen()?;
    let half_trip = SignedDuration::from_micros(i64::try_from(exchange.timing.elapsed_us).ok()? / 2);
    let half_second = SignedDuration::from_millis(500);
    let received = response.received_at.duration_since(response.date?);
    let error = half_trip.checked_add(half_second)?;
    Some(ClockOffset { fqdn: name.fqdn().to_owned(), ahead: received.checked_sub(error)?, error })
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{HANDLER, private_world};

    use super::*;

    #[test]
    fn offset_is_uncertain_by_half_the_round_trip_and_half_a_second() {
        let mut seen = private_world().observations();
        for step in &mut seen.seen {
            if let Observation::Exchange(exchange) = step
                && exchange.endpoint == HANDLER
            {
                exchange.timing.elapsed_us = 4_000_000;
            }
        }
        let offsets = Facts::new(&seen).clock_offsets();
        let handler = offsets.iter().find(|offset| offset.fqdn == HANDLER).expect("a verified answer with a date");
        let uncertain = SignedDuration::from_millis(2_500);
        assert_eq!((handler.error, handler.ahead), (uncertain, -uncertain));
        assert!(offsets.is_sorted_by_key(|offset| offset.ahead));
    }
}
