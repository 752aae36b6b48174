//! Arguments that are allowed and probably not what was meant.

use ampls_probes::azure::Region;

use super::{HowArgs, LookArgs};
use crate::text::{meant, quote};

/// What in the arguments is allowed and probably not meant, one line each.
pub fn doubts(look: &LookArgs, how: &HowArgs) -> Vec<String> {
    let mut doubts = Vec::new();
    if let Some(region) = look.region.as_ref().filter(|region| !Region::known().any(|known| known == region.as_str())) {
        let meant = meant(region.as_str(), Region::known());
        let region = quote(region.as_str());
        doubts
            .push(format!("--region {region}: this version knows no region of that name and takes it as it is{meant}"));
    }
    if let (Some(timeout), Some(deadline)) = (how.timeout, how.deadline)
        && timeout > deadline
    {
        let (timeout, deadline) = (timeout.as_secs_f64(), deadline.as_secs_f64());
        doubts.push(format!(
            "--timeout {timeout} is longer than --deadline {deadline}: one silent server can take the whole run, and what comes \
             after it is not looked at"
        ));
    }
    doubts
}
