//! What the rules about browsers share: evidence, severity and the policy that fixes it.

use ampls_probes::catalogue::BrowserCatalogue;
use ampls_probes::observation::{Asks, BrowserFamily, BrowserSetting, SecureDnsMode, SetBy};

use super::command::{FilePath, RegistryKey, Zone, command};
use super::draft::{Draft, Reach, Title};
use super::facts::{Answers, EndpointFacts, Facts};
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
    let whom = whom(setting);
    let answers = facts.answers_to_browser(setting, names);
    let (severity, sure, follows) = follows(setting, &private, &answers);
    let draft = Draft::new(severity, Owner::Os, Title::plain(format!("`{}` {how}", setting.name)))
        .as_stated()
        .group(setting.id.clone())
        .about(private)
        .summary(format!("it asks {whom}; {follows}"))
        .evidence(std::iter::once(evidence(setting)).chain(answers.lines))
        .list("browser", [setting.id.clone()])
        .arg("mode", mode_word(setting.mode))
        .arg("set_by", by_word(setting.set_by))
        .arg("resolver", whom_value(setting))
        .reaching(Reach::Nothing)
        .fix(fixes(facts, setting));
    if sure { draft } else { draft.likely() }
}

/// How bad it is, whether that is known, and what follows. Only the answer of the browser's own resolver tells what it gets.
fn follows(setting: &BrowserSetting, private: &[&str], answers: &Answers) -> (Severity, bool, &'static str) {
    if private.is_empty() {
        return (
            Severity::Info,
            true,
            "no name that a private link covers is private here, so nothing goes wrong today",
        );
    }
    if answers.leads_past() {
        return (
            Severity::Warning,
            true,
            "it does not give the private addresses that these names have here, so the portal and queries go around the private link or are refused",
        );
    }
    // Names of workspaces and endpoints are asked of nobody, and a resolver that was silent may answer otherwise.
    let sure = answers.silent == 0 && private.iter().all(|name| answers.private.iter().any(|known| known == name));
    // Source: `network.trr.allow-rfc1918`, false by default.
    let refuses = setting.family == BrowserFamily::Firefox && !setting.allows_private;
    match (answers.is_private(), refuses, setting.asks) {
        (true, true, Asks::EncryptedOnly) => (
            Severity::Warning,
            true,
            "it answers with private addresses, which Firefox does not take from it, so these names do not resolve in the browser",
        ),
        (true, true, _) => (
            Severity::Info,
            sure,
            "it answers with private addresses, which Firefox does not take from it: it asks this machine's own resolver then",
        ),
        (true, false, _) if sure => {
            (Severity::Info, true, "it answers with private addresses too, so nothing goes wrong today")
        }
        (true, false, _) => (
            Severity::Info,
            false,
            "it answers with private addresses too, for the names that it was asked for: those of workspaces and endpoints are asked of nobody",
        ),
        (false, ..) => (
            Severity::Warning,
            false,
            "names that are private here get their public addresses in it, so the portal and queries go around the private link or are refused",
        ),
    }
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
        BrowserFamily::Chromium => vec![chromium(facts, setting)],
        BrowserFamily::Firefox => firefox(facts, setting),
    }
}

fn chromium(facts: &Facts<'_>, setting: &BrowserSetting) -> Fix {
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
        .after_looking("", [remedy::local::show(facts, &setting.source)])
        .undone_by("restore the former value");
    }
    if facts.on_windows() {
        return chromium_on_windows(setting);
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

fn chromium_on_windows(setting: &BrowserSetting) -> Fix {
    let key = policy_key(&setting.id);
    let key = key.as_ref();
    let shown = key.map_or("REGISTRY_KEY", RegistryKey::as_str);
    Fix::change(
        BlastRadius::Machine,
        format!("set the policy `DnsOverHttpsMode` to `off` in `{shown}`, for every user of {}", setting.name),
    )
    .under(remedy::Right::MACHINE)
    .with([command!(PowerShell, "reg.exe add {} /v DnsOverHttpsMode /t REG_SZ /d off /f", key)])
    .after_looking("a group policy writes its own value back", [command!(PowerShell, "reg.exe query {} /s", key)])
    .undone_with("", [command!(PowerShell, "reg.exe delete {} /v DnsOverHttpsMode /f", key)])
}

/// Where a browser reads its policies on Windows, as the catalogue has it.
fn policy_key(id: &str) -> Option<RegistryKey> {
    let catalogue = BrowserCatalogue::builtin().ok()?;
    let places = catalogue.chromium.iter().find(|places| places.id == id)?;
    RegistryKey::new(&format!(r"HKLM\SOFTWARE\Policies\{}", places.windows.as_ref()?.policy))
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
            .after_looking("it may hold other policies: add to them", [remedy::local::show(facts, file)])
            .undone_by("remove the lines again")
    };
    if facts.on_windows() {
        return firefox_on_windows(setting, &zones);
    }
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

fn firefox_on_windows(setting: &BrowserSetting, zones: &[String]) -> Vec<Fix> {
    let key = RegistryKey::new(&setting.policy_file);
    let doh = RegistryKey::new(&format!(r"{}\DNSOverHTTPS", setting.policy_file));
    let fix = |text: String| {
        Fix::change(BlastRadius::Machine, text)
            .under(remedy::Right::MACHINE)
            .after_looking(
                "a group policy writes its own values back",
                [command!(PowerShell, "reg.exe query {} /s", key.clone())],
            )
            .undone_by("set the former values again, or remove those that were not set")
    };
    vec![
        fix("switch it off by policy, for every user of Firefox".to_owned()).with([
            command!(PowerShell, "reg.exe add {} /v Enabled /t REG_DWORD /d 0 /f", doh.clone()),
            command!(PowerShell, "reg.exe add {} /v Locked /t REG_DWORD /d 1 /f", doh.clone()),
        ]),
        fix(format!(
            "keep it and leave the names of Azure Monitor out: the values `1`, `2` … of the key `ExcludedDomains` below {} are {}",
            quote(&format!(r"{}\DNSOverHTTPS", setting.policy_file)),
            zones.join(", ")
        ))
        .instead(),
    ]
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::browser;

    use super::*;

    #[test]
    fn private_answers_are_certain_only_where_every_private_name_was_asked() {
        let setting = browser("chrome", Asks::EncryptedFirst);
        let mut answers = Answers { private: vec!["a".to_owned()], answered: 1, ..Answers::default() };
        let said = |private: &[&str], answers: &Answers| {
            let (severity, sure, _) = follows(&setting, private, answers);
            (severity, sure)
        };
        assert_eq!(said(&["a"], &answers), (Severity::Info, true));
        assert_eq!(said(&["a", "b"], &answers), (Severity::Info, false));
        answers.silent = 1;
        assert_eq!(said(&["a"], &answers), (Severity::Info, false));
    }
}
