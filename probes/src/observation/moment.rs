//! Moments as they are written: UTC, to the millisecond, always with three digits.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serializer};

/// Writes a moment so that all of them have one length and sort as text.
pub fn to_millisecond<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{moment:.3}"))
}

/// Reads a moment as it is written: what is computed from it is the same before it is written and after.
pub fn from_millisecond<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let moment = Timestamp::deserialize(deserializer)?;
    Ok(Timestamp::from_millisecond(moment.as_millisecond()).unwrap_or(moment))
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct At(#[serde(serialize_with = "to_millisecond", deserialize_with = "from_millisecond")] Timestamp);

    #[test]
    fn every_moment_has_three_digits() {
        for (moment, written) in [
            ("2026-11-28T19:45:55Z", "\"2026-11-28T19:45:55.000Z\""),
            ("2026-11-28T19:45:55.3Z", "\"2026-11-28T19:45:55.300Z\""),
            ("2026-11-28T19:45:55.123999999Z", "\"2026-11-28T19:45:55.123Z\""),
        ] {
            assert_eq!(serde_json::to_string(&At(moment.parse().expect("a moment"))).expect("JSON"), written);
            let read: At = serde_json::from_str(&format!("\"{moment}\"")).expect("a moment");
            assert_eq!(format!("\"{:.9}\"", read.0), written.replace("Z\"", "000000Z\""));
        }
    }
}
