//! Where a token may go, and what is taken of an answer. Whole dialogues are held in the simulated worlds.

use ::http::Response;

use super::*;

#[test]
fn only_hosts_of_the_control_service_of_this_cloud_are_its_own() {
    for (host, own) in [
        ("global.handler.control.monitor.azure.com", true),
        ("dce-ab12.westeurope-1.handler.control.monitor.azure.com", true),
        ("handler.control.monitor.azure.com", false),
        (".handler.control.monitor.azure.com", false),
        ("x..handler.control.monitor.azure.com", false),
        ("x.handler.control.monitor.azure.us", false),
        ("x.handler.control.monitor.azure.com.attacker.example", false),
        ("evil-handler.control.monitor.azure.com", false),
        ("xhandler.control.monitor.azure.com", false),
        ("handler-control-monitor.westeurope.cloudapp.azure.com", false),
        ("a b.handler.control.monitor.azure.com", false),
        ("a@b.handler.control.monitor.azure.com", false),
    ] {
        assert_eq!(is_of_service(host, Cloud::Public), own, "{host}");
    }
}

#[test]
fn a_place_is_https_on_port_443_without_a_user() {
    for url in [
        "http://x.handler.control.monitor.azure.com/a",
        "https://x.handler.control.monitor.azure.com:8443/a",
        "https://user@x.handler.control.monitor.azure.com/a",
        "https://x.handler.control.monitor.azure.com/a#b",
        "x.handler.control.monitor.azure.com",
        "",
    ] {
        assert_eq!(answer::place(url), None, "{url}");
    }
    let place = answer::place("https://X.handler.control.monitor.azure.com:443/a/b?c=d&e=f");
    assert_eq!(place, Some(("x.handler.control.monitor.azure.com".to_owned(), "/a/b?c=d&e=f".to_owned())));
}

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Option<ControlReply> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let (head, ()) = response.body(()).expect("an answer").into_parts();
    answer::reply(&head, body.as_bytes()).map(|(reply, _)| reply)
}

#[test]
fn of_a_document_only_ids_protocols_and_hosts_are_kept() {
    let body = r#"{"configurations":[{"configurationId":"dcr-1","eTag":"x","op":"added","content":{
        "dataSources":[{"id":"secret","configuration":{"filePatterns":["/srv/customer"]}}],
        "channels":[{"id":"c","protocol":"gig","endpointUriTemplate":"https://Dce.ingest.monitor.azure.com/dcr/<STREAM>",
        "tokenEndpointUri":"https://h.handler.control.monitor.azure.com/t"}]}}]}"#;
    let reply = reply(200, &[("x-ms-request-id", "id-1")], body).expect("a document");
    assert_eq!(reply.request_id.as_deref(), Some("id-1"));
    let channel = &reply.rules[0].channels[0];
    assert_eq!(channel.host.as_deref(), Some("dce.ingest.monitor.azure.com"));
    assert_eq!(channel.token_host.as_deref(), Some("h.handler.control.monitor.azure.com"));
    assert!(!format!("{reply:?}").contains("customer") && !format!("{reply:?}").contains("secret"));
}

#[test]
fn a_page_is_not_a_document_and_a_refusal_needs_none() {
    assert_eq!(reply(200, &[], "<html>"), None);
    assert_eq!(reply(403, &[], "<html>").map(|reply| (reply.status, reply.code)), Some((403, None)));
    let body = r#"{"error":{"code":"InvalidAccess","message":"Data collection endpoint must be used."}}"#;
    assert_eq!(reply(403, &[], body).and_then(|reply| reply.code).as_deref(), Some("InvalidAccess"));
}

#[test]
fn an_associated_endpoint_is_taken_from_a_421_alone() {
    let header = [("x-ms-agent-config-endpoint", "https://dce-1.westeurope-1.handler.control.monitor.azure.com")];
    let host = Some("dce-1.westeurope-1.handler.control.monitor.azure.com".to_owned());
    assert_eq!(reply(421, &header, "").map(|reply| reply.associated), Some(host));
    assert_eq!(reply(403, &header, "").map(|reply| reply.associated), Some(None));
}

#[test]
fn what_the_metadata_service_says_becomes_a_path_only_if_it_is_plain() {
    let id = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm";
    let of = |location: &str, id: &str| {
        path(&Instance { location: Some(location.to_owned()), resource_id: Some(id.to_owned()), ..Instance::default() })
    };
    let made = of("westeurope", id).expect("a path");
    assert!(made.starts_with(&format!("/locations/westeurope{id}/agentConfigurations?platform=")), "{made}");
    for (location, id) in [("west europe", id), ("westeurope", "/x?y=z"), ("westeurope", "/x\r\nHost: y")] {
        assert_eq!(of(location, id), None, "{location} {id}");
    }
}
