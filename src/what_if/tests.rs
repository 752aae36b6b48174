//! Predictions on scenes whose outcome is known, and what is never guessed.

use ampls_probes::Observations;
use ampls_probes::azure::AgentKind;
use ampls_probes::endpoint::Group;
use ampls_probes::observation::{
    Agents, CachedConfiguration, LinkServers, NameRule, Observation, Outcome, ReadFailure, Resolver, ResolverConfig,
    ServerRole, Unread, UnreadReason,
};
use ampls_probes::testing::{
    AZURE, CUSTOM, DCE, HANDLER, ODS, OMS, Says, Scene, ZONES, agent, endpoint, private_world, public_world,
};

use super::*;
use crate::facts_file::InAzure;

/// Another workspace's name in the zone of [`OMS`].
const OTHER: &str = "00000000-1111-2222-3333-444444444444.oms.opinsights.azure.com";
const ODS_ZONE: &str = ZONES[2];

/// The machine asks Azure's DNS and nothing else.
fn at_azure(scene: Scene) -> Scene {
    scene.server(CUSTOM, &[ServerRole::Extra]).server(AZURE, &[ServerRole::Configured, ServerRole::Azure])
}

/// Everything is private but log upload, whose zone is not linked.
fn without_ods() -> Scene {
    let scene = private_world().everywhere(ODS, &Says::Public("20.150.190.99"));
    scene.soa(CUSTOM, ODS_ZONE, &Says::PublicZone).soa(AZURE, ODS_ZONE, &Says::PublicZone)
}

fn predicted(scene: &Scene, changes: &[&str], like: Option<&Scene>) -> MachinePrediction {
    let changes: Vec<Change> =
        changes.iter().map(|text| Change::parse(text, &|_| Err(String::new())).unwrap()).collect();
    let like = like.map(Scene::observations);
    predict(&scene.observations(), &changes, Like::new(like.as_ref(), None).as_ref(), &Around::default())
}

/// What a scene shows, with another configuration of the resolver.
fn configured(scene: &Scene, change: impl FnOnce(&mut ResolverConfig)) -> Observations {
    let mut seen = scene.observations();
    let config = seen.seen.iter_mut().find_map(|seen| match seen {
        Observation::Resolver(Resolver { outcome: Outcome::Seen(config), .. }) => Some(config),
        _ => None,
    });
    change(config.unwrap());
    seen
}

fn of(machine: &MachinePrediction, fqdn: &str) -> (Option<Route>, Fate) {
    let name = machine.names.iter().find(|name| name.fqdn == fqdn).unwrap();
    (name.after, name.fate)
}

#[test]
fn a_link_gives_what_the_zone_holds_on_a_machine_where_it_is_linked() {
    let like = at_azure(private_world());
    let machine = predicted(&at_azure(without_ods()), &["link privatelink.ods.opinsights.azure.com"], Some(&like));
    assert_eq!(of(&machine, ODS), (Some(Route::Private), Fate::Improves));
    assert_eq!(of(&machine, OMS), (Some(Route::Private), Fate::Same));
    assert_eq!(machine.fate, Fate::Improves);
    let lacking = at_azure(private_world().everywhere(ODS, &Says::DeniedByPrivateZone));
    let machine = predicted(&at_azure(without_ods()), &["link privatelink.ods.opinsights.azure.com"], Some(&lacking));
    assert_eq!(of(&machine, ODS), (Some(Route::None), Fate::Breaks));
    assert_eq!(
        machine.names.iter().find_map(|name| name.saved_by.clone()),
        Some(format!("record {ODS}=PRIVATE_ENDPOINT_ADDRESS"))
    );
}

#[test]
fn a_link_that_comes_back_gives_nothing_to_a_name_that_is_led_past_the_zone() {
    let ruled = at_azure(private_world().everywhere(ODS, &Says::Public("20.150.190.99")));
    let like = at_azure(private_world());
    let changes = |zone: &str| [format!("unlink {zone}"), format!("link {zone}")];
    let after = |zone: &str, name: &str| {
        let changes = changes(zone);
        of(&predicted(&ruled, &changes.each_ref().map(String::as_str), Some(&like)), name)
    };
    assert_eq!(after(ODS_ZONE, ODS), (None, Fate::Unknown));
    assert_eq!(after("privatelink.oms.opinsights.azure.com", OMS), (Some(Route::Private), Fate::Same));
}

#[test]
fn a_new_link_gives_nothing_that_is_known_where_every_name_is_led_past_its_zone() {
    let led_past = |scene: Scene| {
        let scene = at_azure(scene).soa(CUSTOM, ODS_ZONE, &Says::PublicZone);
        scene.soa(AZURE, ODS_ZONE, &Says::PublicZone)
    };
    let like = at_azure(private_world());
    let of_link = |scene: Scene| of(&predicted(&scene, &[&format!("link {ODS_ZONE}")], Some(&like)), ODS);
    let public = Says::Public("20.150.190.99");
    assert_eq!(of_link(led_past(private_world().every_name(&public))), (None, Fate::Unknown));
    assert_eq!(of_link(led_past(private_world().everywhere(ODS, &public))), (Some(Route::Private), Fate::Improves));
}

#[test]
fn what_a_server_answers_by_a_rule_of_its_own_is_not_known_after_a_change() {
    let like = at_azure(private_world());
    let forward = format!("forward {} ods.opinsights.azure.com=168.63.129.16", CUSTOM.trim_end_matches(":53"));
    let unlink = format!("unlink {ODS_ZONE}");
    // A block page of Cisco Umbrella, a denial that nobody signs, and an answer without its private address.
    for says in [Says::Plain("146.112.61.106"), Says::Unsigned, Says::Withheld] {
        let scene = private_world().server(AZURE, &[ServerRole::Azure]).says(CUSTOM, ODS, &says).system(ODS, &says);
        for change in [&forward, &unlink] {
            let machine = predicted(&scene, &[change], Some(&like));
            assert_eq!(of(&machine, ODS), (None, Fate::Unknown), "{change} {says:?}");
        }
    }
}

#[test]
fn a_name_that_a_search_domain_answers_first_is_unknown() {
    let like = at_azure(private_world()).observations();
    let change = [Change::parse("link privatelink.ods.opinsights.azure.com", &|_| Err(String::new())).unwrap()];
    let scene = at_azure(without_ods()).search("corp.example").system(ODS, &Says::Plain("203.0.113.7"));
    let after = |ndots: u32| {
        let seen = configured(&scene, |config| config.ndots = ndots);
        of(&predict(&seen, &change, Like::new(Some(&like), None).as_ref(), &Around::default()), ODS)
    };
    assert_eq!(after(5), (None, Fate::Unknown), "four dots");
    assert_eq!(after(1), (Some(Route::Private), Fate::Improves), "public addresses are handed out in turn");
}

#[test]
fn what_no_report_shows_is_unknown() {
    let link = ["link privatelink.ods.opinsights.azure.com"];
    assert_eq!(of(&predicted(&at_azure(without_ods()), &link, None), ODS), (None, Fate::Unknown));
    let other = at_azure(private_world().without(ODS));
    assert_eq!(
        of(&predicted(&at_azure(without_ods()), &link, Some(&other)), ODS),
        (None, Fate::Unknown),
        "nobody asked"
    );
    // Whether a server of somebody's own forwards the suffix shows nowhere.
    assert_eq!(of(&predicted(&without_ods(), &link, Some(&at_azure(private_world()))), ODS), (None, Fate::Unknown));
    let machine = predicted(&without_ods(), &["dns 10.200.0.4"], None);
    assert!(machine.names.iter().all(|name| name.fate == Fate::Unknown), "{machine:?}");
}

#[test]
fn an_agent_without_an_endpoint_is_refused_where_the_shared_handler_turns_private() {
    let mut ama = agent(AgentKind::Ama, "1.33.0");
    ama.cached.as_mut().unwrap().shared_handlers.push("westeurope.handler.control.monitor.azure.com".to_owned());
    let scene = at_azure(public_world()).agents([ama]);
    let machine = predicted(&scene, &["link privatelink.monitor.azure.com"], Some(&at_azure(private_world())));
    assert_eq!(of(&machine, HANDLER), (Some(Route::Private), Fate::Breaks));
    assert!(machine.follows.iter().any(|what| what.contains("403")), "{machine:?}");
}

#[test]
fn agents_that_were_not_looked_at_do_not_make_the_shared_handler_better() {
    let own = |chunks: u32, handlers: &[&str]| {
        let mut ama = agent(AgentKind::Ama, "1.33.0");
        let endpoint_handlers = handlers.iter().map(|host| (*host).to_owned()).collect();
        ama.cached = Some(CachedConfiguration { chunks, endpoint_handlers, ..CachedConfiguration::default() });
        ama
    };
    let hidden = |seen: &mut Observations| {
        let why = UnreadReason::Failed(ReadFailure::NotPermitted);
        let unread = vec![Unread { path: "/etc/opt/microsoft/azuremonitoragent".to_owned(), why }];
        seen.seen.push(Observation::Agents(Agents { unread, ..Agents::default() }));
    };
    let public = at_azure(public_world());
    for (scene, wanted) in [
        (public.clone(), Fate::Unknown),
        (public.clone().edit(hidden), Fate::Unknown),
        (public.clone().agents([own(0, &[])]), Fate::Unknown),
        (public.clone().agents([own(1, &[DCE])]), Fate::Improves),
        (public.clone().agents([]), Fate::Improves),
    ] {
        let machine = predicted(&scene, &["link privatelink.monitor.azure.com"], Some(&at_azure(private_world())));
        assert_eq!(of(&machine, HANDLER), (Some(Route::Private), wanted), "{scene:?}");
    }
}

#[test]
fn without_its_link_a_zone_gives_way_to_public_dns() {
    for scene in [private_world(), at_azure(private_world())] {
        let machine = predicted(&scene, &["unlink privatelink.monitor.azure.com"], None);
        assert_eq!(of(&machine, HANDLER), (Some(Route::Public), Fate::Breaks));
        assert_eq!(of(&machine, ODS), (Some(Route::Private), Fate::Same));
    }
    let machine = predicted(&at_azure(without_ods()), &["unlink privatelink.ods.opinsights.azure.com"], None);
    assert_eq!(of(&machine, ODS), (Some(Route::Public), Fate::Same));
}

#[test]
fn a_record_counts_where_its_zone_is_linked() {
    let denied = private_world().everywhere(ODS, &Says::DeniedByPrivateZone);
    let add = [format!("record {ODS}=10.0.0.6")];
    let add: Vec<&str> = add.iter().map(String::as_str).collect();
    for scene in [&denied, &at_azure(denied.clone())] {
        assert_eq!(of(&predicted(scene, &add, None), ODS), (Some(Route::Private), Fate::Improves));
    }
    assert_eq!(of(&predicted(&without_ods(), &add, None), ODS), (Some(Route::Public), Fate::Same));
    let alias = "record 6b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d.privatelink.ods.opinsights.azure.com=10.0.0.6";
    assert_eq!(of(&predicted(&denied, &[alias], None), ODS), (Some(Route::Private), Fate::Improves));
    let remove = format!("record {OMS}=none");
    let both = denied.clone().everywhere(OMS, &Says::DeniedByPrivateZone).name(OTHER, Need::Required);
    let both = both.everywhere(OTHER, &Says::Private("10.0.0.7"));
    let remove_other = format!("record {OTHER}=none");
    assert_eq!(of(&predicted(&both, &[&remove_other], None), OTHER), (Some(Route::None), Fate::Breaks));
    for scene in [private_world(), denied] {
        assert_eq!(
            of(&predicted(&scene, &[&remove], None), OMS),
            (None, Fate::Unknown),
            "the link may fall back: what another zone shows is about another link"
        );
    }
}

#[test]
fn what_a_change_says_of_fallback_counts_for_the_next_one() {
    let remove = format!("record {OMS}=none");
    for (fallback, wanted) in [("on", (Some(Route::Public), Fate::Breaks)), ("off", (Some(Route::None), Fate::Breaks))]
    {
        let fallback = format!("fallback privatelink.oms.opinsights.azure.com={fallback}");
        assert_eq!(of(&predicted(&private_world(), &[&fallback, &remove], None), OMS), wanted, "{fallback}");
    }
    let like = at_azure(private_world());
    let ods = format!("record {ODS}=none");
    let link = "link privatelink.ods.opinsights.azure.com";
    for changes in [[link, &ods], [&ods, link]] {
        let machine = predicted(&at_azure(without_ods()), &changes, Some(&like));
        assert_eq!(of(&machine, ODS), (Some(Route::None), Fate::Breaks), "{changes:?}: a new link does not fall back");
    }
}

#[test]
fn what_a_change_makes_of_an_answer_out_of_an_unseen_zone_is_unknown() {
    let unseen = private_world().soa(CUSTOM, ODS_ZONE, &Says::PublicZone);
    let denied = unseen.clone().everywhere(ODS, &Says::DeniedByPrivateZone);
    let changes = ["unlink privatelink.ods.opinsights.azure.com", "fallback privatelink.ods.opinsights.azure.com=off"];
    for change in changes.map(str::to_owned).into_iter().chain([format!("record {ODS}=none")]) {
        for scene in [&unseen, &denied] {
            assert_eq!(of(&predicted(scene, &[&change], None), ODS), (None, Fate::Unknown), "{change}");
        }
    }
}

#[test]
fn a_record_is_that_of_every_name_that_shares_it() {
    let named = |fqdn: &str| {
        let mut of_stamp = endpoint(fqdn, Need::Required);
        of_stamp.alias = Some("westeurope-5.in.ai.privatelink.monitor.azure.com".to_owned());
        of_stamp.zone = Some(ZONES[0].to_owned());
        of_stamp
    };
    let both = ["one.monitor.azure.com", "two.monitor.azure.com"];
    let scene = private_world().endpoint(named(both[0])).endpoint(named(both[1]));
    let scene = scene.everywhere(both[0], &Says::DeniedByPrivateZone).everywhere(both[1], &Says::DeniedByPrivateZone);
    for called in [both[0], "westeurope-5.in.ai.monitor.azure.com", "westeurope-5.in.ai.privatelink.monitor.azure.com"]
    {
        let machine = predicted(&scene, &[&format!("record {called}=10.0.0.12")], None);
        for name in both {
            assert_eq!(of(&machine, name), (Some(Route::Private), Fate::Improves), "{called}: {name}");
        }
    }
}

#[test]
fn a_change_of_zones_counts_where_the_servers_of_this_machine_resolve() {
    let machine =
        predicted(&private_world(), &["unlink privatelink.ods.opinsights.azure.com", "dns 168.63.129.16"], None);
    assert_eq!(of(&machine, ODS), (None, Fate::Unknown), "whether the two resolve in one network cannot be seen");
    assert_eq!(of(&machine, OMS), (Some(Route::Private), Fate::Same));
}

#[test]
fn fallback_saves_what_a_zone_denies() {
    let denied = at_azure(private_world().everywhere(ODS, &Says::DeniedByPrivateZone));
    let on = "fallback privatelink.ods.opinsights.azure.com=on";
    assert_eq!(of(&predicted(&denied, &[on], None), ODS), (Some(Route::Public), Fate::Improves));
    assert_eq!(
        of(&predicted(&denied, &["fallback privatelink.ods.opinsights.azure.com=off"], None), ODS),
        (Some(Route::None), Fate::Same)
    );
}

#[test]
fn other_servers_give_what_they_gave_when_they_were_asked() {
    let bypassed =
        public_world().says(AZURE, HANDLER, &Says::Private("10.0.0.5")).says(AZURE, ODS, &Says::Private("10.0.0.6"));
    let bypassed = bypassed.agents([]);
    let machine = predicted(&bypassed, &["dns 168.63.129.16"], None);
    assert_eq!(of(&machine, HANDLER), (Some(Route::Private), Fate::Improves));
    assert_eq!(of(&machine, OMS), (Some(Route::Public), Fate::Same));
    // What Azure's DNS answers in the server's own network is another matter.
    let forwarded = ["forward 10.1.0.4 monitor.azure.com=168.63.129.16"];
    assert_eq!(of(&predicted(&bypassed, &forwarded, None), HANDLER), (None, Fate::Unknown));
    let like = at_azure(private_world());
    assert_eq!(of(&predicted(&bypassed, &forwarded, Some(&like)), HANDLER), (Some(Route::Private), Fate::Improves));
    assert_eq!(of(&predicted(&bypassed, &forwarded, Some(&like)), ODS), (Some(Route::Public), Fate::Same));
}

#[test]
fn other_servers_of_the_adapters_do_not_move_what_a_rule_redirects() {
    let (azure, rule) = (&[ServerRole::Configured, ServerRole::Azure][..], &[ServerRole::Rule][..]);
    let scene = private_world().server(AZURE, azure).server("10.0.0.53:53", rule);
    let scene = scene.server(CUSTOM, &[ServerRole::Extra]).server_says("10.0.0.53:53", &Says::Public("20.50.88.5"));
    let scene = scene.server_says(CUSTOM, &Says::Public("20.50.88.5")).system(ODS, &Says::Public("20.50.88.5"));
    let redirects = |namespace: &str| {
        let (servers, namespaces) = (vec!["10.0.0.53:53".parse().unwrap()], vec![namespace.to_owned()]);
        let rule = NameRule { source: "HKLM".to_owned(), namespaces, servers };
        configured(&scene, |config| config.rules.push(rule))
    };
    let changes = [Change::Dns(vec![CUSTOM.parse().unwrap()])];
    let some = predict(&redirects(".ods.opinsights.azure.com"), &changes, None, &Around::default());
    assert_eq!(of(&some, ODS), (Some(Route::Public), Fate::Same));
    assert_eq!(of(&some, OMS), (Some(Route::Public), Fate::Breaks), "the adapter's servers are asked for it");
    let all = scene.clone().every_name(&Says::Public("20.50.88.5")).server_says(AZURE, &Says::Private("10.0.0.5"));
    let all = all.server("10.0.0.53:53", rule);
    let rule = NameRule {
        namespaces: vec![".".to_owned()],
        servers: vec!["10.0.0.53:53".parse().unwrap()],
        ..NameRule::default()
    };
    let all = predict(
        &configured(&all, |config| config.rules.push(rule)),
        &[Change::Dns(vec![AZURE.parse().unwrap()])],
        None,
        &Around::default(),
    );
    assert!(all.names.iter().all(|name| name.fate == Fate::Same), "{all:?}");
}

#[test]
fn which_server_is_asked_stays_open_behind_a_stub_and_with_rotate() {
    let two = private_world().server(CUSTOM, &[ServerRole::Configured]).server("10.9.0.4:53", &[ServerRole::Extra]);
    let two = two.server_says("10.9.0.4:53", &Says::Public("20.50.88.5"));
    let behind = two.clone().server("127.0.0.53:53", &[ServerRole::Configured]).server(CUSTOM, &[ServerRole::Upstream]);
    let change = ["dns 10.1.0.4,10.9.0.4"];
    let behind = behind.server_says("127.0.0.53:53", &Says::Private("10.0.0.6"));
    let changes = [Change::parse(change[0], &|_| Err(String::new())).unwrap()];
    for seen in [behind.stub().observations(), configured(&two, |config| config.rotate = true)] {
        assert_eq!(of(&predict(&seen, &changes, None, &Around::default()), ODS), (None, Fate::Unknown));
    }
    let links = |config: &mut ResolverConfig| {
        let link = |server: &str| LinkServers { servers: vec![server.parse().unwrap()], ..LinkServers::default() };
        config.links = vec![link(CUSTOM), link("10.9.0.5:53")];
    };
    assert_eq!(of(&predict(&configured(&two, links), &changes, None, &Around::default()), ODS), (None, Fate::Unknown));
    assert_eq!(of(&predicted(&two, &change, None), ODS), (Some(Route::Private), Fate::Same));
}

#[test]
fn another_private_address_is_as_before_only_where_it_is_seen_to_answer() {
    let because = |scene: &Scene, change: &str| {
        let machine = predicted(scene, &[change], None);
        let name = machine.names.into_iter().find(|name| name.fqdn == ODS).unwrap();
        (name.after, name.fate, name.why)
    };
    let (after, fate, why) = because(&private_world(), &format!("record {ODS}=10.99.99.99"));
    assert_eq!((after, fate), (Some(Route::Private), Fate::Unknown), "nobody ever reached it");
    assert!(why.contains("`10.99.99.99`"), "{why}");
    let (after, fate, why) = because(&private_world(), &format!("record {ODS}=10.0.0.5"));
    assert_eq!((after, fate), (Some(Route::Private), Fate::Same), "the handler's connection reached it: {why}");
    let (_, fate, why) = because(&private_world(), "dns 168.63.129.16");
    assert_eq!((fate, why.as_str()), (Fate::Same, "it keeps its address"));
}

#[test]
fn what_a_record_holds_is_private_by_its_kind() {
    let denied = private_world().everywhere(ODS, &Says::DeniedByPrivateZone);
    for (address, wanted) in [
        ("0.0.0.0", (Some(Route::None), Fate::Same)),
        ("127.0.0.1", (Some(Route::None), Fate::Same)),
        ("2603:1020::1", (Some(Route::Public), Fate::Improves)),
        ("10.0.0.6,2603:1020::1", (Some(Route::Mixed), Fate::Improves)),
        ("20.1.2.3", (Some(Route::Private), Fate::Improves)),
        ("100.64.0.1", (Some(Route::Private), Fate::Improves)),
    ] {
        let machine = predicted(&denied, &[&format!("record {ODS}={address}")], None);
        assert_eq!(of(&machine, ODS), wanted, "{address}");
    }
}

#[test]
fn queries_and_application_insights_are_known_by_their_group() {
    let mut ingestion = endpoint("dc.monitor.azure.com", Need::Optional);
    ingestion.group = Group::AppInsights;
    let scene = at_azure(public_world()).agents([]).endpoint(ingestion);
    let scene = scene.everywhere("dc.monitor.azure.com", &Says::Public("20.50.88.40"));
    let add = "record dc.monitor.azure.com=10.0.0.12";
    let machine = predicted(&scene, &[add, "link privatelink.monitor.azure.com"], Some(&at_azure(private_world())));
    assert!(machine.follows.iter().any(|what| what.contains("Application Insights")), "{machine:?}");
}

#[test]
fn a_name_that_is_not_a_host_name_gives_no_change_to_paste() {
    let hostile = "x'; id; '.ods.opinsights.azure.com";
    let scene = private_world().name(hostile, Need::Required).everywhere(hostile, &Says::DeniedByPrivateZone);
    let scene = scene.everywhere(ODS, &Says::Private("10.0.0.6"));
    let public = at_azure(scene).soa(AZURE, ODS_ZONE, &Says::PublicZone);
    let public = public.everywhere(hostile, &Says::Public("20.1.2.3")).everywhere(ODS, &Says::Public("20.1.2.3"));
    let lacking = private_world().name(hostile, Need::Required).everywhere(hostile, &Says::DeniedByPrivateZone);
    let lacking = at_azure(lacking.everywhere(ODS, &Says::DeniedByPrivateZone));
    let machine = predicted(&public, &["link privatelink.ods.opinsights.azure.com"], Some(&lacking));
    assert_eq!(of(&machine, hostile), (Some(Route::None), Fate::Breaks));
    let saved: Vec<String> = machine.names.into_iter().filter_map(|name| name.saved_by).collect();
    assert_eq!(saved, [format!("record {ODS}=PRIVATE_ENDPOINT_ADDRESS")]);
}

#[test]
fn a_forwarder_changes_nothing_where_it_cannot_matter() {
    let (like, forward) = (at_azure(private_world()), ["forward 10.1.0.4 monitor.azure.com=168.63.129.16"]);
    let silent = public_world().server("10.1.0.5:53", &[ServerRole::Configured]);
    let silent = silent.server_says("10.1.0.5:53", &Says::Public("20.50.88.5")).server_says(CUSTOM, &Says::Silence);
    let machine = predicted(&silent, &forward, Some(&like));
    assert_eq!(of(&machine, HANDLER), (Some(Route::Public), Fate::Same), "a dead server stays dead");
    let own = private_world().everywhere(HANDLER, &Says::DeniedLocally).soa(CUSTOM, ZONES[0], &Says::LocalZone);
    let machine = predicted(&own, &forward, Some(&like));
    assert_eq!(of(&machine, HANDLER), (Some(Route::None), Fate::Same), "its own zone stands above its forwarders");
    let aliased = private_world().soa(CUSTOM, ZONES[0], &Says::LocalZone);
    assert_eq!(
        of(&predicted(&aliased, &forward, Some(&like)), HANDLER),
        (None, Fate::Unknown),
        "its own privatelink zone"
    );
}

#[test]
fn a_forwarder_whose_effect_is_not_seen_is_unknown() {
    let silent = at_azure(private_world()).server_says(AZURE, &Says::Silence);
    let machine = predicted(&public_world(), &["forward 10.1.0.4 monitor.azure.com=168.63.129.16"], Some(&silent));
    assert_eq!(of(&machine, HANDLER), (None, Fate::Unknown), "the target is silent for the other machine");
    let asked = public_world().server("10.2.0.4:53", &[ServerRole::Extra]).server_says("10.2.0.4:53", &Says::Silence);
    let machine = predicted(&asked, &["forward 10.1.0.4 monitor.azure.com=10.2.0.4"], None);
    assert_eq!(of(&machine, HANDLER), (None, Fate::Unknown), "the server may reach what this machine does not");
    for server in ["10.77.0.4", "168.63.129.16"] {
        let change = format!("forward {server} monitor.azure.com=10.2.0.4");
        let machine = predicted(&private_world(), &[&change], None);
        assert_eq!(of(&machine, HANDLER), (None, Fate::Unknown), "{server} may stand behind the machine's own");
        assert_eq!(of(&machine, ODS), (Some(Route::Private), Fate::Same));
    }
}

#[test]
fn what_another_machine_shows_knows_nothing_of_a_change_before_it() {
    let (like, remove) = (at_azure(private_world()), format!("record {ODS}=none"));
    let forward = "forward 10.1.0.4 opinsights.azure.com=168.63.129.16";
    let machine = predicted(&public_world(), &[&remove, forward], Some(&like));
    assert_eq!((of(&machine, ODS), of(&machine, OMS).0), ((None, Fate::Unknown), Some(Route::Private)));
    let machine = predicted(&public_world(), &[forward, &remove], Some(&like));
    assert_eq!(of(&machine, ODS), (None, Fate::Unknown));
}

#[test]
fn the_hosts_file_stands_above_every_change() {
    let scene = private_world().hosts("10.9.9.9", HANDLER);
    let machine = predicted(&scene, &["unlink privatelink.monitor.azure.com"], None);
    assert_eq!(of(&machine, HANDLER).1, Fate::Same);
}

#[test]
fn what_the_servers_do_not_explain_is_unknown() {
    let stale = private_world().system(HANDLER, &Says::Public("20.50.88.5"));
    let machine = predicted(&stale, &["unlink privatelink.monitor.azure.com"], None);
    assert_eq!(of(&machine, HANDLER), (None, Fate::Unknown));
}

#[test]
fn what_was_not_looked_at_is_unknown_and_not_as_before() {
    let unread = private_world().server(CUSTOM, &[ServerRole::Extra]);
    for change in ["unlink privatelink.ods.opinsights.azure.com", "fallback privatelink.ods.opinsights.azure.com=on"] {
        let machine = predicted(&unread, &[change], None);
        assert_eq!(of(&machine, ODS), (None, Fate::Unknown), "{change}");
        assert_eq!(of(&machine, OMS), (Some(Route::Private), Fate::Same), "{change}");
    }
    let unfinished = private_world().system(ODS, &Says::Unfinished);
    let machine = predicted(&unfinished, &["unlink privatelink.ods.opinsights.azure.com"], None);
    let name = machine.names.iter().find(|name| name.fqdn == ODS).unwrap();
    assert_eq!((name.before, name.after, name.fate), (None, None, Fate::Unknown));
    let nothing = private_world().edit(|seen| seen.endpoints.clear());
    let machine = predicted(&nothing, &["dns 10.0.0.4"], None);
    assert_eq!((machine.fate, machine.follows.len()), (Fate::Unknown, 1));
}

#[test]
fn a_change_that_no_report_is_about_is_found() {
    let read = |text: &str| Change::parse(text, &|_| Err(String::new())).unwrap();
    let changes = [
        "unlink privatelink.monitr.azure.com",
        "unlink privatelink.monitor.azure.us",
        "record 00000000-0000-0000-0000-000000000000.ods.opinsights.azure.com=none",
        "forward 10.1.0.4 corp.example=168.63.129.16",
        "unlink privatelink.monitor.azure.com",
        "record api.privatelink.monitor.azure.com=none",
        "forward 10.1.0.4 opinsights.azure.com=168.63.129.16",
        "dns 10.0.0.4",
    ];
    let changes = changes.map(read);
    let machine = predict(&private_world().observations(), &changes, None, &Around::default());
    assert_eq!(unmet(&changes, &[machine]), changes[..4].iter().collect::<Vec<_>>());
}

#[test]
fn changes_are_made_one_after_the_other() {
    let like = at_azure(private_world());
    let both = ["link privatelink.ods.opinsights.azure.com", "unlink privatelink.ods.opinsights.azure.com"];
    assert_eq!(of(&predicted(&at_azure(without_ods()), &both, Some(&like)), ODS), (Some(Route::Public), Fate::Same));
}

#[test]
fn a_prediction_begins_with_its_coverage_and_breaks_the_build_where_it_should() {
    let machine = predicted(&private_world(), &["unlink privatelink.monitor.azure.com"], None);
    let unknown = predicted(&without_ods(), &["link privatelink.ods.opinsights.azure.com"], None);
    let same = predicted(&private_world(), &["unlink privatelink.blob.core.windows.net"], None);
    let document = |machines: Vec<MachinePrediction>| what_if("0.1.0", &[], Coverage::default(), machines);
    assert_eq!(document(vec![same.clone(), machine.clone()]).predictions[0], machine);
    assert_eq!(document(vec![machine]).exit_status(true), 1);
    assert_eq!((document(vec![unknown.clone()]).exit_status(false), document(vec![unknown]).exit_status(true)), (1, 0));
    let quiet = document(vec![same]);
    assert_eq!(quiet.exit_status(false), 0);
    assert_eq!(quiet.coverage.sentence, "reports cover 1 machine; others on these networks are not in it");
    let coverage = Coverage { redacted: 1, ..Coverage::default() };
    let sentence = what_if("0.1.0", &[], coverage, Vec::new()).coverage.sentence;
    assert!(sentence.contains("(1 redacted: names and addresses are pseudonyms)"), "{sentence}");
    let around = |not_named| InAzure {
        collected_at: jiff::Timestamp::UNIX_EPOCH,
        machines: 1_200,
        not_named,
        not_named_first: Vec::new(),
    };
    for (without, said) in [
        (0, "reports name all 1,200 that the Azure facts hold on these networks"),
        (1_199, "of 1,200 that the Azure facts hold on these networks, no report names 1,199"),
    ] {
        let coverage = Coverage { in_azure: Some(around(without)), ..Coverage::default() };
        let sentence = what_if("0.1.0", &[], coverage, Vec::new()).coverage.sentence;
        assert_eq!(sentence, format!("reports cover 0 machines; {said}"));
    }
}

/// What Azure holds of one zone: each of these records, or null.
fn held(zones: usize, records: &serde_json::Value) -> crate::facts_file::Holdings {
    let id = |number| {
        format!("/subscriptions/s/resourceGroups/g{number}/providers/Microsoft.Network/privateDnsZones/{ODS_ZONE}")
    };
    let zones: Vec<_> = (0..zones).map(|number| serde_json::json!({"id": id(number), "records": records})).collect();
    let scope = "/subscriptions/s/resourceGroups/g/providers/microsoft.insights/privateLinkScopes/a";
    let file = serde_json::json!({
        "kind": "azure-facts", "schema": 1, "collected_at": "2026-11-29T20:00:00Z", "zones": zones, "scopes": [{"id": scope}],
    });
    crate::facts_file::read(file.to_string().as_bytes()).unwrap()
}

#[test]
fn a_link_gives_what_azure_holds_of_the_zone() {
    let seen = at_azure(without_ods()).observations();
    let change = [Change::parse("link privatelink.ods.opinsights.azure.com", &|_| Err(String::new())).unwrap()];
    let after = |held: &crate::facts_file::Holdings, like: Option<&Observations>| {
        of(&predict(&seen, &change, Like::new(like, Some(held)).as_ref(), &Around::default()), ODS)
    };
    let own = serde_json::json!([{"name": ODS.split('.').next(), "addresses": ["10.0.0.6"]}]);
    let other = serde_json::json!([{"name": "other", "addresses": ["10.0.0.6"]}]);
    assert_eq!(after(&held(1, &own), None), (Some(Route::Private), Fate::Improves));
    assert_eq!(after(&held(1, &other), None), (Some(Route::None), Fate::Breaks), "the file holds the zone whole");
    assert_eq!(after(&held(1, &serde_json::Value::Null), None), (None, Fate::Unknown), "its records were not read");
    assert_eq!(after(&held(2, &own), None), (None, Fate::Unknown), "two zones of one name");
    assert_eq!(after(&held(0, &own), None), (None, Fate::Unknown), "no zone of that name");
    let like = at_azure(private_world()).observations();
    assert_eq!(after(&held(0, &own), Some(&like)), (Some(Route::Private), Fate::Improves), "the machine shows it");
}

#[test]
fn an_inbound_endpoint_answers_as_azures_dns_does_and_a_server_of_ones_own_may_not() {
    let change = [Change::parse("link privatelink.ods.opinsights.azure.com", &|_| Err(String::new())).unwrap()];
    let like = at_azure(private_world()).observations();
    let after = |around: &Around| {
        let machine = predict(&without_ods().observations(), &change, Like::new(Some(&like), None).as_ref(), around);
        let name = machine.names.into_iter().find(|name| name.fqdn == ODS).unwrap();
        (name.after, name.fate, name.why)
    };
    let inbound = Around { inbound: [CUSTOM.parse().unwrap()].into(), ..Around::default() };
    let (route, fate, why) = after(&inbound);
    assert_eq!((route, fate), (Some(Route::Private), Fate::Improves), "{why}");
    let (route, fate, why) = after(&Around::default());
    assert_eq!((route, fate), (None, Fate::Unknown), "{why}");
    let says = "give --change `forward 10.1.0.4:53 ods.opinsights.azure.com=168.63.129.16` instead";
    assert!(why.ends_with(says), "{why}");
}

#[test]
fn how_a_link_treats_what_its_zone_lacks_may_be_known_from_elsewhere() {
    let change = [Change::parse(&format!("record {ODS}=none"), &|_| Err(String::new())).unwrap()];
    let after = |falls_back: Option<bool>| {
        let falls_back = falls_back.map(|it| ((ODS_ZONE.to_owned(), CUSTOM.parse().unwrap()), it));
        let around = Around { falls_back: falls_back.into_iter().collect(), ..Around::default() };
        of(&predict(&private_world().observations(), &change, None, &around), ODS)
    };
    assert_eq!(after(Some(false)), (Some(Route::None), Fate::Breaks));
    assert_eq!(after(Some(true)), (Some(Route::Public), Fate::Breaks));
    assert_eq!(after(None), (None, Fate::Unknown));
}
