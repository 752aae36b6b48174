//! What the rules about browsers share: evidence, severity and the policy that fixes it.

use ampls_probes::catalogue::BrowserCatalogue;
use ampls_probes::observation::{BrowserFamily, BrowserSetting, SecureDnsMode, SetBy};

use super::command::{FilePath, Zone, command};
use super::draft::{Draft, Reach, Title};
use super::facts::{EndpointFacts, Facts};
use super::finding::{BlastRadius, Fix, Owner, Severity};
use super::remedy;
use crate::text::quote;

/// A browser that does not ask this machine's resolver for these names, or not first.
pub(super) fn draft(facts: &Facts<'_>, setting: &BrowserSetting, names: &[&EndpointFacts<'_>], how: &str) -> Draft {
    let private: Vec<&str> = facts
        .private_here()
        .map(EndpointFacts::fqdn)
        .filter(|fqdn| names.iter().any(|name| name.fqdn() == *fqdn))
        .collect();
    let severity = if private.is_empty() { Severity::Info } else { Severity::Warning };
    let whom = whom(setting);
    let follows = if private.is_empty() {
        "no name that a private link covers is private here, so nothing goes wrong today"
    } else {
        "names that are private here get their public addresses in it, so the portal and queries go around the private link or are refused"
    };
    Draft::new(severity, Owner::Os, Title::plain(format!("`{}` {how}", setting.name)))
        .as_stated()
        .group(setting.id.clone())
        .about(private)
        .summary(format!("it asks {whom}; {follows}"))
        .evidence([evidence(setting)])
        .list("browser", [setting.id.clone()])
        .arg("mode", mode_word(setting.mode))
        .arg("set_by", by_word(setting.set_by))
        .arg("resolver", whom_value(setting))
        .reaching(Reach::Nothing)
        .fix(fixes(facts, setting))
}

/// One line: profile, mode, who set it and where.
pub(super) fn evidence(setting: &BrowserSetting) -> String {
    let profile = setting.profile.as_deref().map(|profile| format!(" in `{profile}`")).unwrap_or_default();
    let mode = match (setting.trr_mode, setting.family) {
        (Some(mode), BrowserFamily::Firefox) if setting.rolled_out => {
            format!("`network.trr.mode` {mode} with Firefox' own rollout")
        }
        (Some(mode), BrowserFamily::Firefox) => format!("`network.trr.mode` {mode}"),
        _ => format!("mode `{}`", mode_word(setting.mode)),
    };
    let source = if setting.source.is_empty() { String::new() } else { format!(" in `{}`", setting.source) };
    let resolver = whom(setting);
    format!("{}{profile}: {mode}, set by {}{source}; resolver {resolver}", setting.name, by_word(setting.set_by))
}

fn whom_value(setting: &BrowserSetting) -> String {
    setting.template.clone().or_else(|| setting.upgraded_to.clone()).unwrap_or_default()
}

fn whom(setting: &BrowserSetting) -> String {
    match (&setting.template, &setting.upgraded_to) {
        (Some(template), _) => format!("`{template}`"),
        (None, Some(provider)) => format!("{provider}, whose plain DNS server this machine is set to"),
        (None, None) => "nobody: no resolver is set".to_owned(),
    }
}

fn mode_word(mode: SecureDnsMode) -> &'static str {
    match mode {
        SecureDnsMode::Off => "off",
        SecureDnsMode::Automatic => "automatic",
        SecureDnsMode::Secure => "secure",
        SecureDnsMode::Unset => "unset",
    }
}

fn by_word(by: SetBy) -> &'static str {
    match by {
        SetBy::Policy => "policy",
        SetBy::User => "user",
        SetBy::Default => "default",
    }
}

fn fixes(facts: &Facts<'_>, setting: &BrowserSetting) -> Vec<Fix> {
    match setting.family {
        BrowserFamily::Chromium => vec![chromium(setting)],
        BrowserFamily::Firefox => firefox(facts, setting),
    }
}

fn chromium(setting: &BrowserSetting) -> Fix {
    if setting.set_by == SetBy::Policy {
        return Fix::change(
            BlastRadius::Machine,
            format!(
                "set the policy `DnsOverHttpsMode` to `off` in {}, for every user of {}",
                quote(&setting.source),
                setting.name
            ),
        )
        .under(remedy::Right::MACHINE)
        .after_looking("", [command!(Sh, "cat {}", FilePath::new(&setting.source))])
        .undone_by("restore the former value");
    }
    let folder = managed_folder(&setting.id);
    let folder = folder.as_ref();
    let shown = folder.map_or("FILE_PATH", FilePath::as_str);
    Fix::change(
        BlastRadius::Machine,
        format!(
            "set the policy `DnsOverHttpsMode` to `off` in `{shown}/ampls.json`, for every user of {}",
            setting.name
        ),
    )
    .under(remedy::Right::MACHINE)
    .with([
        command!(Sh, "sudo mkdir -p {}", folder),
        command!(
            Sh,
            r#"test -e {}/ampls.json || printf '{"DnsOverHttpsMode": "off"}\n' | sudo tee {}/ampls.json"#,
            folder,
            folder
        ),
    ])
    .after_looking(
        "if several files set the policy, the alphabetically last one wins; an existing `ampls.json` is left as it is",
        [command!(Sh, "ls -l {}", folder)],
    )
    .undone_with(
        "",
        [command!(
            Sh,
            r#"printf '{"DnsOverHttpsMode": "off"}\n' | cmp -s - {}/ampls.json && sudo rm {}/ampls.json"#,
            folder,
            folder
        )],
    )
}

/// Where a browser reads its policies, as the catalogue has it: what is written to with `sudo` is no observed path.
fn managed_folder(id: &str) -> Option<FilePath> {
    let catalogue = BrowserCatalogue::builtin().ok()?;
    let places = catalogue.chromium.iter().find(|places| places.id == id)?;
    places.managed.first().and_then(|folder| FilePath::new(folder))
}

fn firefox(facts: &Facts<'_>, setting: &BrowserSetting) -> Vec<Fix> {
    let file = if setting.set_by == SetBy::Policy && setting.source.ends_with("/policies.json") {
        &setting.source
    } else {
        &setting.policy_file
    };
    let zones = facts.observations().zones.iter().filter_map(|zone| Zone::new(zone));
    let zones: Vec<String> = zones.map(|zone| format!("\"{}\"", zone.public().as_str())).collect();
    let fix = |text: String| {
        Fix::change(BlastRadius::Machine, text)
            .under(remedy::Right::MACHINE)
            .after_looking("it may hold other policies: add to them", [command!(Sh, "cat {}", FilePath::new(file))])
            .undone_by("remove the lines again")
    };
    vec![
        fix(format!(
            "set in {}: `{{\"policies\": {{\"DNSOverHTTPS\": {{\"Enabled\": false, \"Locked\": true}}}}}}`",
            quote(file)
        )),
        fix(format!(
            "keep it and leave the names of Azure Monitor out, in {}: `\"DNSOverHTTPS\": {{\"ExcludedDomains\": [{}], \"Locked\": true}}`",
            quote(file),
            zones.join(", ")
        ))
        .instead(),
    ]
}
