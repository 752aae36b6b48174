//! The picture as one page that needs nothing but itself: the causes by machines, and every machine to filter.
//!
//! The causes stand in the page as text and are readable where no script runs. The list of machines is drawn by the one
//! script that the page's policy knows by its hash; what it draws, it sets as text and never as markup.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::LazyLock;

use ampls_probes::packed::unpacked;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Value, json};

use super::{broken, headline, many, most, summary, team, titled};
use crate::diagnose::finding::Severity;
use crate::fleet::{Counted, Group, Machine, Picture, State, Whole};
use crate::render::html::findings::{change, look_first};
use crate::render::html::{document_head, prose, visible};
use crate::render::json;
use crate::render::words;
use crate::text::thousands;

static OWN_STYLE: LazyLock<String> =
    LazyLock::new(|| unpacked(include_bytes!(concat!(env!("OUT_DIR"), "/page.css.gz"))));
static SCRIPT: LazyLock<String> = LazyLock::new(|| unpacked(include_bytes!(concat!(env!("OUT_DIR"), "/page.js.gz"))));

/// What the page may do: its styles, and the one script of this hash.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-3I8Yfc7eNguMHRw2yIw3B9GPteb8pZc7mVG0otGZ8Xs='; img-src data:; base-uri 'none'; form-action 'none'";

/// Values named in one line.
const NAMED: usize = 5;
/// Causes that stand open, and that are printed: with the longest of what stands in them they fill two pages. The others are folded, so that the machines follow soon.
const PRINTED: usize = 8;
/// Causes beyond these that have a card; all of them are in the filter.
const CARDS: usize = 200;
/// Causes of one machine alone that are listed; each machine is in the list.
const OUTLIERS: usize = 200;

/// Writes the page.
pub(super) fn write(whole: &Whole, out: &mut dyn Write) -> io::Result<()> {
    let data = data(whole)?;
    writeln!(out, "{}", visible(&page(&whole.picture, &data).into_string()))
}

fn page(picture: &Picture, data: &str) -> Markup {
    let title = headline(picture);
    html! {
        (DOCTYPE)
        html lang="en" {
            (document_head(POLICY, &format!("{title}: ampls-doctor fleet"), &OWN_STYLE))
            body {
                main data-machines=(picture.machines.seen) {
                    (head(picture, &title))
                    (since(picture))
                    (causes(picture))
                    (outliers(picture))
                    (cut(picture))
                    (machines())
                    footer { "ampls-doctor " (picture.version) ", schema " (picture.schema) ". Times are UTC. This page loads nothing." }
                }
                script type="application/json" id="data" { (PreEscaped(data)) }
                script { (PreEscaped(SCRIPT.as_str())) }
            }
        }
    }
}

fn head(picture: &Picture, title: &str) -> Markup {
    let all = &picture.machines;
    let tone = match (all.error, all.warning + all.unexamined) {
        (1.., _) => "bad",
        (0, 1..) => "warn",
        _ => "ok",
    };
    html! {
        header class={ "card verdict " (tone) } {
            h1 { (title) }
            p { (summary(picture)) }
            p class="unprinted" { a href="#machines" { "Find machines by cause, DNS server, zone or region" } }
            @if let Some(broken) = broken(picture) { p class="soft" { (prose(&broken)) } }
        }
    }
}

fn since(picture: &Picture) -> Markup {
    html! {
        @if let Some(since) = &picture.since {
            section {
                h2 { "Since then" }
                div class="card" {
                    p {
                        (thousands(since.better.len())) " better, " (thousands(since.worse.len())) " worse, "
                        (thousands(since.same)) " as before, " (thousands(since.appeared.len())) " appeared, "
                        (thousands(since.vanished.len())) " vanished"
                    }
                    @for cause in since.causes.iter().take(NAMED) {
                        p { (cause.code) " " (cause.title) ": " (thousands(cause.before)) " → " (thousands(cause.now)) " machines" }
                    }
                }
            }
        }
    }
}

fn causes(picture: &Picture) -> Markup {
    let most = picture.causes().map(|group| group.machines).max().unwrap_or(1);
    let all: Vec<(usize, &Group)> = picture
        .groups
        .iter()
        .enumerate()
        .filter(|(_, group)| !group.outlier && group.severity > Severity::Info)
        .collect();
    let (first, more) = all.split_at(all.len().min(PRINTED));
    html! {
        section {
            h2 { "Causes, by machines" }
            @if most == 1 { p { "No two machines share a fault." } }
            @for (place, group) in first { (card(*place, group, most)) }
            @if !more.is_empty() {
                details class="more" {
                    summary { (many(more.len(), "more cause", "more causes")) }
                    @for (place, group) in more.iter().take(CARDS) { (card(*place, group, most)) }
                    @if more.len() > CARDS { p class="soft" { (thousands(more.len() - CARDS)) " more are in the filter" } }
                }
            }
        }
    }
}

fn card(place: usize, group: &Group, most_machines: usize) -> Markup {
    let tone = if group.severity == Severity::Error { "bad" } else { "warn" };
    let all = group.machines;
    let known = |values: &[Counted]| {
        if values.iter().all(|it| it.value == "unknown") { String::new() } else { most(values, NAMED, all) }
    };
    let facts = [
        ("who", team(group.owner).to_owned()),
        ("affects", most(&group.affects, NAMED, all)),
        ("regions", known(&group.regions)),
        ("subnets", known(&group.subnets)),
        ("subscriptions", known(&group.subscriptions)),
        ("agents", known(&group.agents)),
        ("first seen", format!("{:.0}", group.first_seen)),
        ("last seen", format!("{:.0}", group.last_seen)),
        ("only fault on", thousands(group.only_fault)),
    ];
    let share = all * 100 / most_machines.max(1);
    html! {
        div class={ "card " (tone) } data-code=(group.code) data-machines=(all) {
            div class="rank" {
                b { (thousands(all)) }
                span class={ "tag " (tone) } { (group.code) }
                h3 { (titled(group)) }
            }
            div class="bar" { i style={ "width:" (share) "%" } {} }
            dl class="facts" {
                @for (name, value) in &facts {
                    @if !value.is_empty() { div { dt { (name) } dd { (value) } } }
                }
            }
            p class="soft" {
                "e.g. "
                @for (index, example) in group.examples.iter().enumerate() {
                    @if index > 0 { ", " }
                    span title=[example.resource_id.as_ref()] { (example.host) }
                }
                " "
                button class="pick unprinted" type="button" data-group=(place) hidden { "show these machines" }
            }
            (fix(group))
        }
    }
}

fn fix(group: &Group) -> Markup {
    let first = group.fix.iter().position(|fix| !fix.read_only);
    html! {
        @if !group.fix.is_empty() {
            details {
                summary { "What to do" @if let Some(host) = &group.fix_from { ", as on " (host) } }
                @for (place, fix) in group.fix.iter().enumerate() {
                    @if fix.read_only { div class="fix" { (look_first(fix)) } }
                    @else { (change(words::label(fix, Some(place) == first), fix, None)) }
                }
            }
        }
    }
}

fn outliers(picture: &Picture) -> Markup {
    let all: Vec<&Group> = picture.outliers().collect();
    html! {
        @if !all.is_empty() {
            section class="unprinted" {
                h2 { "Machines alone with a fault" }
                div class="card" {
                    @for group in all.iter().take(OUTLIERS) {
                        p {
                            @for example in &group.examples { b { (example.host) } ": " }
                            (group.code) " " (titled(group))
                        }
                    }
                    @if all.len() > OUTLIERS { p class="soft" { (thousands(all.len() - OUTLIERS)) " more" } }
                }
            }
        }
    }
}

fn cut(picture: &Picture) -> Markup {
    html! {
        @if let Some(cut) = &picture.by {
            section class="unprinted" {
                h2 { "By " (cut.dimension.as_str()) }
                div class="card scroll" {
                    table {
                        thead { tr { th { (cut.dimension.as_str()) } th { "machines" } th { "broken" } th { "first cause" } } }
                        tbody {
                            @for slice in &cut.slices {
                                tr {
                                    th class="mono" { (slice.value) }
                                    td { (thousands(slice.machines)) }
                                    td { (thousands(slice.error)) }
                                    td { @if let Some(cause) = slice.causes.first() { (cause.value) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn machines() -> Markup {
    html! {
        noscript { p { "The list of machines needs a script, which this viewer does not run." } }
        section id="machines" class="unprinted" hidden {
            h2 { "Machines" }
            div class="card" {
                form id="filters" class="filters" {
                    label { "name or resource id" input id="text" type="search"; }
                    @for (id, label) in [("cause", "cause"), ("server", "DNS server"), ("zone", "zone"), ("region", "region"), ("subnet", "subnet"), ("state", "state")] {
                        label { (label) select id=(id) { option value="" { "all" } } }
                    }
                    button type="reset" { "all machines" }
                    span id="count" class="soft" {}
                }
                div id="list" tabindex="0" { div id="tall" {} }
            }
        }
    }
}

/// The machines for the script. Nothing in it ends the element that it stands in.
fn data(whole: &Whole) -> io::Result<String> {
    let mut texts = Texts::default();
    let machines: Vec<Value> = whole.machines.iter().map(|machine| texts.machine(machine)).collect();
    let group = |group: &Group| {
        let zones = group.facts.iter().filter(|fact| fact.name == "zone").flat_map(|fact| &fact.values);
        let zones: Vec<&str> = zones.map(|zone| zone.value.as_str()).collect();
        json!({ "code": group.code, "title": titled(group), "machines": group.machines, "zones": zones })
    };
    let groups: Vec<Value> = whole.picture.groups.iter().map(group).collect();
    let mut text = Vec::new();
    json::write_line(&json!({ "strings": texts.all, "machines": machines, "groups": groups }), &mut text)?;
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    Ok(text.trim_end().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
}

/// Texts that many machines share, each once.
#[derive(Default)]
struct Texts<'w> {
    all: Vec<&'w str>,
    places: BTreeMap<&'w str, usize>,
}

impl<'w> Texts<'w> {
    fn place(&mut self, text: &'w str) -> usize {
        *self.places.entry(text).or_insert_with(|| {
            self.all.push(text);
            self.all.len() - 1
        })
    }

    fn or_unknown(&mut self, text: Option<&'w String>) -> usize {
        self.place(text.map_or("unknown", String::as_str))
    }

    /// The columns that the script knows by their places.
    fn machine(&mut self, machine: &'w Machine) -> Value {
        let state = match machine.common.state {
            State::Ok => 0,
            State::Warning => 1,
            State::Error => 2,
            State::Unexamined => 3,
        };
        let place = &machine.common.shared.place;
        let subscription = self.or_unknown(place.subscription.as_ref());
        let region = self.or_unknown(place.region.as_ref());
        let subnet = self.or_unknown(place.subnet.as_ref());
        let servers: Vec<usize> = machine.common.shared.servers.iter().map(|server| self.place(server)).collect();
        json!([machine.name, machine.resource_id, subscription, region, subnet, state, servers, machine.common.groups])
    }
}
