//! Waiting before the first look, so that machines which are started together do not ask their servers together.

use std::hash::Hasher;
use std::time::Duration;

use ampls_probes::run::{Patience, prepared};
use ampls_probes::world::identity;
use siphasher::sip::SipHasher24;
use uuid::Uuid;

use super::args::TalkArgs;
use super::exit::Failure;
use super::progress::ProgressLine;

/// How often the progress line is written again.
const TICK: Duration = Duration::from_secs(1);

/// Waits this machine's part of the time; fails when a signal ends the wait. `limit` bounds the look for the machine's id.
///
/// Gives what listens for signals: without a listener, one that comes before the look listens itself would end the process
/// without a word.
pub(super) fn wait(most: Duration, limit: Duration, talk: TalkArgs) -> Result<Patience, Failure> {
    let patience = Patience::new()?;
    let whole = part(most, &own_identity(limit)?);
    let line = ProgressLine::new(talk.quiet, whole);
    loop {
        let left = whole.saturating_sub(patience.elapsed());
        if left.is_zero() {
            return Ok(patience);
        }
        line.show_wait(left);
        if !patience.pause(left.min(TICK)) {
            return Err(Failure::Impossible(
                "a signal ended the wait of --splay: nothing was looked at, nothing was written".to_owned(),
            ));
        }
    }
}

/// What the wait is derived from. A machine that nothing tells from others waits another time at each run.
fn own_identity(limit: Duration) -> Result<String, Failure> {
    Ok(prepared(limit, identity)?.unwrap_or_else(|| Uuid::new_v4().to_string()))
}

/// The part of the time that a machine waits: the same at each run, spread evenly over machines.
pub fn part(most: Duration, identity: &str) -> Duration {
    let mut hasher = SipHasher24::new();
    hasher.write(identity.as_bytes());
    // Above 32 bits lies less than a microsecond of an hour.
    let share = hasher.finish() >> 32;
    let nanoseconds = most.as_nanos().saturating_mul(u128::from(share)) >> 32;
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_machine_keeps_its_place() {
        // Another number here moves every machine of every fleet.
        assert_eq!(part(MINUTE, "5f1c0d6e8a7b4c2f9d3e1b2a3c4d5e6f vm-1").as_millis(), 17_291);
        // To the nanosecond below.
        assert!(part(MINUTE * 2, "vm-1").abs_diff(part(MINUTE, "vm-1") * 2) <= Duration::from_nanos(1));
        assert_eq!(part(Duration::ZERO, "vm-1"), Duration::ZERO);
    }

    #[test]
    fn machines_are_spread_evenly_also_where_their_names_are_alike() {
        let mut tenths = [0; 10];
        for number in 0..10_000 {
            let place = part(MINUTE, &format!("id vm-{number:05}"));
            assert!(place < MINUTE);
            tenths[usize::try_from(place.as_secs() / 6).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|machines| (850..1_150).contains(machines)), "{tenths:?}");
    }
}
