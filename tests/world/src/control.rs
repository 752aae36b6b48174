//! The control service: which rules apply to a machine that comes with a token, and where it is to ask.
//!
//! Shapes: <https://github.com/microsoft/Docker-Provider/blob/ci_prod/source/plugins/go/src/ingestion_token_utils.go>

use crate::http::{Answer, Request};
use crate::scenario::{ArcAnswer, ControlAnswer, IdentityAnswer, Scenario};

/// The token that the simulated metadata service gives.
pub const TOKEN: &str = "eyJhbGciOiJub25lIn0.simulated-identity-token-that-nobody-may-see.c2VjcmV0";
/// The token that the simulated control service gives for a channel.
pub const INGESTION_TOKEN: &str = "eyJhbGciOiJub25lIn0.simulated-ingestion-token-that-nobody-may-see.c2VjcmV0";

/// What stands in the key of Azure Arc's agent.
pub const ARC_KEY: &str = "simulated-key-of-arc-that-nobody-may-see";
/// The key, where it is.
pub(crate) const ARC_KEY_FILE: &str = "/var/opt/azcmagent/tokens/5f0c6d1e-8a7b.key";
/// Where Azure Arc's agent answers.
pub(crate) const ARC: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 40_342);

const RULE: &str = "dcr-5d3c8f0e2b7a4c1f9e6d0a1b2c3d4e5f";
/// More than is read of any answer.
const HUGE: usize = 4 * 1024 * 1024;

/// The control service of a world.
pub(crate) struct Service {
    answers: ControlAnswer,
    /// The token that comes has expired.
    expired: bool,
    /// The handler of the associated endpoint.
    endpoint: Option<String>,
    ingest: String,
    workspace: String,
    suffix: String,
}

impl Service {
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let suffix = scenario.cloud.monitor().to_owned();
        let dce = scenario.dces.first();
        Self {
            answers: scenario.control.answers,
            expired: scenario.control.identity == IdentityAnswer::Expired,
            endpoint: dce.map(|dce| format!("{dce}.handler.control.{suffix}")),
            ingest: dce
                .map_or_else(|| format!("dce.westeurope-1.ingest.{suffix}"), |dce| format!("{dce}.ingest.{suffix}")),
            workspace: scenario.expand("<workspace>"),
            suffix,
        }
    }

    /// The answer to a request for rules or for a token; `None` for every other request.
    pub(crate) fn answer(&self, name: &str, private: bool, request: &Request) -> Option<Answer> {
        let path = request.target.split('?').next()?;
        if !name.contains(".handler.control.") || !path.contains("/agentConfigurations") {
            return None;
        }
        let bearer = format!("Bearer {TOKEN}");
        if self.expired || !request.headers.iter().any(|(name, value)| name == "authorization" && *value == bearer) {
            return Some(refusal(401, "InvalidAuthenticationToken", "The access token is invalid."));
        }
        if path.ends_with("/issueIngestionToken") && self.answers == ControlAnswer::NoUploadTokens {
            return Some(refusal(403, "Forbidden", "The token is not granted."));
        }
        if path.ends_with("/issueIngestionToken") {
            let body = format!(r#"{{"configurationId":"{RULE}","ingestionAuthToken":"{INGESTION_TOKEN}"}}"#);
            return Some(Answer::new(200, &[ID, ("Cache-Control", "max-age=84123")], body));
        }
        let global = format!("global.handler.control.{}", self.suffix);
        let answer = match (self.answers, &self.endpoint) {
            (ControlAnswer::NoRules, _) => Answer::new(200, &[ID], r#"{"configurations":[]}"#),
            (ControlAnswer::Loop, Some(endpoint)) if name == global => redirect(endpoint),
            (ControlAnswer::Loop, _) => redirect(&global),
            (ControlAnswer::Foreign, _) => redirect("handler-control-monitor.westeurope.cloudapp.azure.com"),
            (ControlAnswer::Refused, _) => refusal(403, "Forbidden", "The machine may not read this configuration."),
            (ControlAnswer::Throttled, _) => Answer::new(429, &[ID, ("Retry-After", "30")], ""),
            (ControlAnswer::Failing, _) => Answer::new(503, &[ID], ""),
            (ControlAnswer::Malformed, _) => {
                Answer::new(200, &[ID, ("Content-Type", "text/html")], "<html>gateway</html>")
            }
            (ControlAnswer::Huge, _) => Answer::new(200, &[ID], "x".repeat(HUGE)),
            (ControlAnswer::Azure | ControlAnswer::NoUploadTokens, Some(endpoint)) if name == global => {
                redirect(endpoint)
            }
            (ControlAnswer::Azure | ControlAnswer::NoUploadTokens, None) if private => refusal(
                403,
                "InvalidAccess",
                "Data collection endpoint must be used to access configuration over private link.",
            ),
            (ControlAnswer::Azure | ControlAnswer::NoUploadTokens, _) => {
                Answer::new(200, &[ID], self.rules(name, path))
            }
        };
        Some(answer)
    }

    fn rules(&self, handler: &str, path: &str) -> String {
        let resource = path.split("/agentConfigurations").next().unwrap_or_default();
        let resource = resource.find("/subscriptions/").and_then(|at| resource.get(at..)).unwrap_or_default();
        let token = |channel: &str| {
            format!(
                "https://{handler}{resource}/agentConfigurations/{RULE}/channels/{channel}/issueIngestionToken?operatingLocation=westeurope&platform=linux&includeMeConfig=true&api-version=2022-06-02"
            )
        };
        let (ods, gig) = (token("ods-channel"), token("gig-channel"));
        let (workspace, ingest) = (&self.workspace, &self.ingest);
        format!(
            r#"{{"configurations":[{{"configurationId":"{RULE}","eTag":"0","op":"added","content":{{
"dataSources":[{{"id":"customer-secret-path","configuration":{{"filePatterns":["/srv/customer/*.log"]}}}}],
"channels":[{{"id":"ods-channel","protocol":"ods","endpoint":"https://{workspace}.ods.opinsights.azure.com","tokenEndpointUri":"{ods}"}},
{{"id":"gig-channel","protocol":"gig","endpointUriTemplate":"https://{ingest}/dataCollectionRules/{RULE}/streams/<STREAM>?api-version=2021-11-01-preview","tokenEndpointUri":"{gig}"}}]}}}}]}}"#
        )
    }
}

const ID: (&str, &str) = ("x-ms-request-id", "0a7f6c52-5b1e-4f0d-8c3a-9e2d1b4c6f70");

fn redirect(host: &str) -> Answer {
    let endpoint = format!("https://{host}");
    let body = format!(
        r#"{{"error":{{"code":"MisdirectedAgentRequest","message":"Agent configuration needs to be acquired from '{endpoint}' endpoint which was configured for this resource."}}}}"#
    );
    Answer::new(421, &[ID, ("x-ms-agent-config-endpoint", &endpoint)], body)
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::new(status, &[ID], format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#))
}

/// What Azure Arc's agent answers.
/// Source: <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>
pub(crate) fn arc(scenario: &Scenario, request: &Request) -> Answer {
    let json = [("Content-Type", "application/json; charset=utf-8")];
    let header =
        |wanted: &str| request.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    if header("metadata").is_none() {
        return Answer::new(400, &json, r#"{"error":"Bad request. Required metadata header not specified"}"#);
    }
    if request.target.starts_with("/metadata/instance/compute") {
        let document = format!(
            r#"{{"azEnvironment":"{}","location":"{}","name":"srv-01","resourceId":"/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-arc/providers/Microsoft.HybridCompute/machines/srv-01","vmId":"02aab8a4-74ef-476e-8182-f6d2ba4166a7"}}"#,
            scenario.cloud.environment(),
            scenario.region
        );
        return Answer::new(200, &json, document);
    }
    if header("authorization") == Some(&format!("Basic {ARC_KEY}")) {
        return token(scenario.control.identity, &request.target);
    }
    let file = match scenario.control.arc {
        ArcAnswer::Elsewhere => "/etc/shadow",
        ArcAnswer::Gone => "/var/opt/azcmagent/tokens/gone.key",
        ArcAnswer::Challenge | ArcAnswer::Absent => ARC_KEY_FILE,
    };
    Answer::new(401, &[("Www-Authenticate", &format!("Basic realm={file}"))], "")
}

/// The metadata service's answer to the request for a token.
/// Source: <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>
pub(crate) fn token(identity: IdentityAnswer, target: &str) -> Answer {
    let names_one = ["mi_res_id=", "object_id=", "client_id="].iter().any(|parameter| target.contains(parameter));
    let refused = |text: &str| {
        let body = format!(r#"{{"error":"invalid_request","error_description":"{text}"}}"#);
        Answer::new(400, &[], body)
    };
    let granted = |expires: i64| {
        let body = format!(
            r#"{{"access_token":"{TOKEN}","client_id":"","expires_in":"86400","expires_on":"{expires}","resource":"https://monitor.azure.com/","token_type":"Bearer"}}"#
        );
        Answer::new(200, &[], body)
    };
    let now = jiff::Timestamp::now().as_second();
    match identity {
        IdentityAnswer::Several if !names_one => refused(
            "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
        ),
        IdentityAnswer::One | IdentityAnswer::Several => granted(now + 86_400),
        IdentityAnswer::Absent => refused("Identity not found"),
        IdentityAnswer::Expired => granted(now - 60),
        IdentityAnswer::Malformed => Answer::new(200, &[], r#"{"token_type":"Bearer"}"#),
        IdentityAnswer::Huge => Answer::new(200, &[], "x".repeat(HUGE)),
    }
}
