//! A token for the machine's identity, from the metadata service or from the agent of Azure Arc.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use url::form_urlencoded;

use super::{Identity, arc};
use crate::azure::Cloud;
use crate::observation::{MetadataFailure, Outcome, TokenFailure, TokenGranted};
use crate::os;
use crate::probe::Context;
use crate::probe::imds::{self, Answered};
use crate::secret::Secret;
use crate::world::METADATA;

/// As long as the instance document may take.
const BUDGET: Duration = Duration::from_secs(2);
/// The answers that tell several identities from none; both have status 400 and the error `invalid_request`.
/// Source: <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>
const SEVERAL: &str = "Multiple user assigned identities exist";
const NONE: &str = "Identity not found";

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_on: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error_description: Option<String>,
}

/// Asks for it. Before it is read, this process can no longer be dumped.
pub(super) async fn token(
    ctx: &Context,
    cloud: Cloud,
    identity: Option<&Identity>,
) -> (Outcome<TokenGranted, TokenFailure>, Option<Secret>) {
    if !os::seal() {
        return (Outcome::Failed(TokenFailure::NotSealed), None);
    }
    let Answered { status, body, .. } = match asked(ctx, METADATA, &path(cloud, identity, "2018-02-01"), None).await {
        Ok(answer) => answer,
        Err(failed) => return (failed, None),
    };
    taken(ctx, status, &body)
}

/// The same from the agent of Azure Arc. The key that it wants to see is a secret too.
pub(super) async fn of_arc(ctx: &Context, cloud: Cloud) -> (Outcome<TokenGranted, TokenFailure>, Option<Secret>) {
    if !os::seal() {
        return (Outcome::Failed(TokenFailure::NotSealed), None);
    }
    let path = path(cloud, None, "2019-11-01");
    let mut answer = match asked(ctx, arc::ADDRESS, &path, None).await {
        Ok(answer) => answer,
        Err(failed) => return (failed, None),
    };
    match arc::proof(&ctx.world, &answer) {
        None => {}
        Some(Err(failure)) => return (Outcome::Failed(failure), None),
        Some(Ok(proof)) => match asked(ctx, arc::ADDRESS, &path, Some(&proof)).await {
            Ok(second) => answer = second,
            Err(failed) => return (failed, None),
        },
    }
    taken(ctx, answer.status, &answer.body)
}

async fn asked(
    ctx: &Context,
    address: SocketAddr,
    path: &str,
    authorization: Option<&Secret>,
) -> Result<Answered, Outcome<TokenGranted, TokenFailure>> {
    let asked = imds::bounded_get_as(ctx, address, path, authorization);
    match ctx.within_time(BUDGET.min(ctx.options.step_timeout), asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(MetadataFailure::Unreachable(failure))) => Err(Outcome::Failed(TokenFailure::Unreachable(failure))),
        Ok(Err(_)) => Err(Outcome::Failed(TokenFailure::Malformed)),
        Err(ended) => Err(ended.into()),
    }
}

fn taken(ctx: &Context, status: u16, body: &[u8]) -> (Outcome<TokenGranted, TokenFailure>, Option<Secret>) {
    match granted(status, body) {
        Ok((token, expires)) => {
            let expires_in_s = expires.map(|expires| expires - ctx.world.clock.now().as_second());
            (Outcome::Seen(TokenGranted { expires_in_s }), Some(token))
        }
        Err(failure) => (Outcome::Failed(failure), None),
    }
}

fn path(cloud: Cloud, identity: Option<&Identity>, version: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("api-version", version);
    query.append_pair("resource", &format!("https://{}/", cloud.monitor_suffix()));
    if let Some(identity) = identity {
        query.append_pair(&identity.named.by, &identity.value);
    }
    format!("/metadata/identity/oauth2/token?{}", query.finish())
}

fn granted(status: u16, body: &[u8]) -> Result<(Secret, Option<i64>), TokenFailure> {
    if status == 200 {
        let granted: Granted = serde_json::from_slice(body).map_err(|_| TokenFailure::Malformed)?;
        // What goes into a header is one word.
        let fits = !granted.access_token.is_empty() && granted.access_token.bytes().all(|byte| byte.is_ascii_graphic());
        let expires =
            granted.expires_on.and_then(|text| text.parse().ok()).filter(|at| Timestamp::from_second(*at).is_ok());
        return fits.then(|| (Secret::new(granted.access_token), expires)).ok_or(TokenFailure::Malformed);
    }
    let said = serde_json::from_slice::<Refused>(body).ok().and_then(|refused| refused.error_description);
    Err(match said {
        Some(text) if text.starts_with(SEVERAL) => TokenFailure::SeveralIdentities,
        Some(text) if text.starts_with(NONE) => TokenFailure::NoIdentity,
        _ => TokenFailure::Status(status),
    })
}
