//! HTP001: the service refuses by network isolation.

use std::net::IpAddr;

use ampls_probes::addr::Class;
use ampls_probes::catalogue::refusals::AnswerCause;

use crate::diagnose::command::Guid;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, HttpFault, Route, route_word};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::remedy::{self, scope::Resource};
use crate::diagnose::rule::{NOT_DELIVERED, rule};

rule! {
    /// ## What it means
    ///
    /// The service itself answers, and refuses because of the network that the request came from: its answer carries
    /// `NspValidationFailedError` or `InsufficientAccessError`. A bare 401, 403 or 404 is not such a refusal: this program asks
    /// without credentials. It shows that the service was reached, not that it would permit the request.
    ///
    /// Only these two codes are recognised. Other texts for the same refusal exist (`only permitted through an attached
    /// Private Link`, `not attached to the current scope`, a network security perimeter's `AuthorizationFailure`).
    /// This version does not recognise them.
    ///
    /// Over a public address it means that the workspace, component or data collection endpoint accepts no public traffic. Over
    /// a private address it means that the resource is not in the scope behind this private endpoint while the scope's access
    /// mode is `PrivateOnly`. Some refusals quote the address that the service saw.
    ///
    /// ## Why it matters
    ///
    /// Queries or uploads from this machine are refused, whatever credentials they carry.
    ///
    /// ## How to fix
    ///
    /// Over a public address: fix name resolution first, so that the name becomes private. Over a private address: add
    /// the resource to the scope. Opening the resource to public networks is a decision of those who closed it.
    ///
    /// ## How to confirm
    ///
    /// The same request is refused for its missing credentials only (401 or a bare 403), or answered.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-design>
    HTP001 = "access-denied-by-scope" {
        layer: Http,
        severity: Error,
        owner: Monitor,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["AZR009"], NOT_DELIVERED],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let denied = facts.endpoints().iter().filter(|name| name.http_fault() == Some(HttpFault::DeniedByScope));
    denied.map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let private = name.tunnel.is_none() && matches!(name.route(), Route::Private | Route::Mixed);
    let path = if name.tunnel.is_some() { "through a proxy" } else { route_word(name.route()) };
    let client = name.response().and_then(|response| quoted_address(&response.body));
    let seen = client.map(|address| match facts.class(address) {
        Class::Public => format!("; the service saw the public address `{address}`"),
        _ => format!("; the service saw the private address `{address}`"),
    });
    let mut draft = Draft::new(
        Severity::Error,
        Owner::Monitor,
        Title::list(&format!("refused by network isolation ({path}): "), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(if private { "private" } else { "public" })
    .summary(format!(
        "{}{}",
        match name.refusal() {
            Some(AnswerCause::OutsideScope) => {
                "the service refuses because the resource is not in the scope behind this private endpoint, and the scope's query mode is `PrivateOnly`"
            }
            Some(AnswerCause::Perimeter) => {
                "a network security perimeter refuses the request: agents get in only through an IP rule or in transition mode"
            }
            _ if private => {
                "the service refuses although the path is private: the resource is not in the scope behind this private endpoint, and the scope's access mode is `PrivateOnly`"
            }
            _ => {
                "the service refuses because the request came from a public network: the resource accepts no public traffic, and the name should be private here"
            }
        },
        seen.unwrap_or_default()
    ))
    .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
    .evidence(name.tunnel.map(|tunnel| facts.tunnel_line(name, tunnel)))
    .evidence(name.exchange.map(|exchange| facts.exchange_line(name, exchange)))
    .list("route", [if private { "private" } else { "public" }])
    .excludes("missing credentials: those are refused without this code")
    .excludes("the network path, TLS and any certificate: the service itself answered")
    .reaching(Reach::Own);
    if let Some(client) = client {
        draft = draft.arg("seen_from", client.to_string());
    }
    let resource = Resource::of(name.fqdn());
    let workspace = match &resource {
        Some(Resource::Workspace(id)) => Guid::new(id),
        _ => remedy::scope::workspaces(facts).first().and_then(|id| Guid::new(id)),
    };
    draft = draft.fix([
        Fix::look("check the scope's access modes and its members", [remedy::scope::find(), remedy::scope::list()]),
        Fix::look("check whether the workspace accepts public traffic", [remedy::scope::find_workspace(workspace)]),
    ]);
    if private {
        return draft.fix([remedy::scope::add(&resource.unwrap_or(Resource::Any))]);
    }
    let zone = name.endpoint.zone.clone();
    draft.fix(zone.iter().flat_map(|zone| [remedy::zone::find(&[zone]), remedy::zone::list_links(zone)]))
}

/// The first address in quotes, as refusals tell whom they refused.
fn quoted_address(body: &str) -> Option<IpAddr> {
    body.split(['\'', '"']).find_map(|part| part.parse().ok())
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{API, ODS, Scene, private_world, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared, says_http};

    const BODY: &str = r#"{"error":{"code":"InsufficientAccessError","message":"…","innererror":{"code":"NspValidationFailedError","message":"Access to workspace 'w' from '20.1.2.3' is denied."}}}"#;

    fn refused(scene: Scene, status: u16, body: &str) -> Vec<Draft> {
        drafts(&HTP001, &says_http(scene, ODS, status, body))
    }

    #[test]
    fn fires_over_public_addresses_and_quotes_what_the_service_saw() {
        let found = refused(public_world(), 403, BODY);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!((found[0].lists["route"][0].as_str(), found[0].args["seen_from"].as_str()), ("public", "20.1.2.3"));
    }

    #[test]
    fn fires_over_private_addresses_and_speaks_of_the_scope() {
        let found = fires_as_declared(&HTP001, &says_http(private_world(), ODS, 403, BODY));
        assert!(found[0].summary.contains("not in the scope"), "{}", found[0].summary);
        assert!(found[0].fix.iter().any(|fix| !fix.read_only));
    }

    #[test]
    fn fires_for_every_documented_text_with_its_own_meaning() {
        let table = [
            ("Access to resource 'w' is only permitted through an attached Private Link", "public"),
            (
                "Private link connection does not allow querying resource 'w' not attached to the current scope",
                "not in the scope",
            ),
            ("This request is not authorized by network security perimeter to perform this operation.", "perimeter"),
        ];
        for (body, wanted) in table {
            let found = refused(public_world(), 403, body);
            assert!(found.len() == 1 && found[0].summary.contains(wanted), "{body}: {found:?}");
        }
    }

    #[test]
    fn silent_for_a_bare_refusal() {
        for status in [401, 403, 404] {
            assert_eq!(refused(private_world(), status, ""), [], "{status}");
        }
        assert_eq!(refused(private_world(), 401, r#"{"error":{"code":"AuthorizationRequiredError"}}"#), []);
    }

    #[test]
    fn silent_when_the_word_stands_in_a_good_answer() {
        assert_eq!(refused(private_world(), 200, BODY), []);
        assert_eq!(drafts(&HTP001, &private_world().without(API)), []);
    }
}
