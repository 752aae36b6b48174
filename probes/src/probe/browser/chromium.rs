//! Chromium and its relatives: policies in folders or in the registry, the user's choice in `Local State`.
//!
//! A mandatory `DnsOverHttpsMode` wins over the user. Without one, any other policy of the machine switches encrypted DNS off,
//! whatever the user chose: so does a recommended one.
//! Source: <https://chromium.googlesource.com/chromium/src/+/main/chrome/browser/net/stub_resolver_config_reader.cc>

use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::policies::{MODE, Policies, TEMPLATES};
use super::{Look, portal, windows, written};
use crate::catalogue::ChromiumPlaces;
use crate::observation::{Asks, BrowserFamily, BrowserSetting, SecureDnsMode, SetBy, UnreadReason};
use crate::read::root::Case;
use crate::read::{self, below};

/// Octets of a `Local State`: experiments and profiles fill some hundred thousand.
const STATE_LIMIT: u64 = 16 * 1024 * 1024;
/// Characters of a list of templates that are kept.
const TEMPLATE_LIMIT: usize = 1000;

pub(super) fn look(look: &mut Look<'_>, places: &ChromiumPlaces) {
    let policies = Policies::read(look, places);
    let mut profiles = Vec::new();
    for home in look.homes.clone() {
        for data in data(look, places) {
            let state = Path::new(data).join("Local State");
            let path = written(look.world, &home, data);
            let file = written(look.world, &home, &format!("{data}/Local State"));
            match local_state(&home.place, &state, look.world.case()) {
                Ok(user) => {
                    let policies = policies.with_account(look, places, &home);
                    profiles.push((Some((path, file)), user, policies));
                }
                Err(why) => look.unread(&file, why),
            }
        }
    }
    if profiles.is_empty() && policies.first.as_deref().is_some_and(|file| is_own(look, places, file)) {
        profiles.push((None, UserChoice::default(), policies));
    }
    let upgraded_to = look.servers.iter().find_map(|server| look.catalogue.provider(*server));
    let upgraded_to = upgraded_to.map(|provider| provider.name.clone());
    let policy_file = policy_file(look, places);
    for (profile, user, policies) in profiles {
        let chosen = weigh(&policies, profile.as_ref().map(|(_, file)| file.as_str()), &user);
        let asks = asks(chosen.mode, chosen.template.as_deref(), upgraded_to.is_some());
        let upgrades = asks == Asks::EncryptedFirst && chosen.template.is_none();
        look.seen.settings.push(BrowserSetting {
            id: places.id.clone(),
            name: places.name.clone(),
            family: BrowserFamily::Chromium,
            profile: profile.map(|(path, _)| path),
            mode: chosen.mode,
            trr_mode: None,
            set_by: chosen.set_by,
            asks,
            template: chosen.template,
            bootstrap: None,
            upgraded_to: upgraded_to.clone().filter(|_| upgrades),
            source: chosen.source,
            rolled_out: false,
            excluded_domains: Vec::new(),
            allows_private: true,
            local_network: portal::local_network(&policies),
            policy_file: policy_file.clone(),
        });
    }
}

/// Roots of user data on the examined system.
fn data<'p>(look: &Look<'_>, places: &'p ChromiumPlaces) -> &'p [String] {
    let windows = places.windows.as_ref().map_or(&[][..], |places| places.data.as_slice());
    if look.world.is_windows() { windows } else { &places.data }
}

/// Where a policy of the machine belongs.
fn policy_file(look: &Look<'_>, places: &ChromiumPlaces) -> String {
    let key = || places.windows.as_ref().map(|places| windows::policy_key("HKLM", &places.policy));
    let place = if look.world.is_windows() { key() } else { places.policy_file() };
    place.unwrap_or_default()
}

/// Of browsers that share a folder of policies the first of the catalogue owns it.
fn is_own(look: &Look<'_>, places: &ChromiumPlaces, file: &str) -> bool {
    if look.world.is_windows() {
        return true;
    }
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let reads =
        |places: &&ChromiumPlaces| places.managed.iter().chain(&places.recommended).any(|known| known == folder);
    look.catalogue.chromium.iter().find(reads).is_some_and(|owner| owner.id == places.id)
}

/// What a user chose.
#[derive(Debug, Default, PartialEq, Eq)]
struct UserChoice {
    mode: Option<SecureDnsMode>,
    template: Option<String>,
}

#[derive(Deserialize)]
struct LocalState {
    #[serde(default)]
    dns_over_https: Value,
}

fn local_state(home: &Path, state: &Path, case: Case) -> Result<UserChoice, UnreadReason> {
    let file = below::open_in(home, state, case)?;
    let mut bytes = Vec::new();
    let read = file.take(STATE_LIMIT + 1).read_to_end(&mut bytes);
    let read = read.map_err(|error| UnreadReason::Failed(read::failure(&error)))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > STATE_LIMIT {
        return Err(UnreadReason::LongerThan(STATE_LIMIT));
    }
    // An array would do for the fields of a structure.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(UnreadReason::NotUnderstood);
    }
    let state: LocalState = serde_json::from_slice(&bytes).map_err(|_| UnreadReason::NotUnderstood)?;
    Ok(UserChoice {
        mode: state.dns_over_https.get("mode").and_then(mode),
        template: state.dns_over_https.get("templates").and_then(template),
    })
}

fn mode(value: &Value) -> Option<SecureDnsMode> {
    match value.as_str()? {
        "off" => Some(SecureDnsMode::Off),
        "automatic" => Some(SecureDnsMode::Automatic),
        "secure" => Some(SecureDnsMode::Secure),
        _ => None,
    }
}

/// The templates that are any use: others are ignored by the browser too.
fn template(value: &Value) -> Option<String> {
    let usable = value.as_str()?.split_whitespace().filter(|template| template.starts_with("https://"));
    let usable: Vec<&str> = usable.collect();
    let text: String = usable.join(" ").chars().take(TEMPLATE_LIMIT).collect();
    (!text.is_empty()).then_some(text)
}

struct Chosen {
    mode: SecureDnsMode,
    set_by: SetBy,
    template: Option<String>,
    source: String,
}

/// `state` is the file of the user's choice, where there is a profile.
fn weigh(policies: &Policies, state: Option<&str>, user: &UserChoice) -> Chosen {
    let policy_template = policies.managed(TEMPLATES).and_then(|policy| template(&policy.value));
    let by_policy = policies.managed(MODE).and_then(|policy| Some((mode(&policy.value)?, &policy.source)));
    if let Some((mode, source)) = by_policy {
        let template = match mode {
            SecureDnsMode::Off => None,
            // A strict policy without templates empties those of the user; seen with Chromium 156.
            SecureDnsMode::Secure => policy_template,
            _ => policy_template.or_else(|| user.template.clone()),
        };
        return Chosen { mode, set_by: SetBy::Policy, template, source: source.clone() };
    }
    if let Some(source) = &policies.first {
        return Chosen { mode: SecureDnsMode::Off, set_by: SetBy::Policy, template: None, source: source.clone() };
    }
    match (user.mode, state) {
        (Some(mode), Some(state)) => {
            let template = user.template.clone().filter(|_| mode != SecureDnsMode::Off);
            Chosen { mode, set_by: SetBy::User, template, source: state.to_owned() }
        }
        _ => Chosen {
            mode: SecureDnsMode::Unset,
            set_by: SetBy::Default,
            template: user.template.clone(),
            source: String::new(),
        },
    }
}

/// Automatic mode, which is the default too, asks its templates first, or the encrypted twin of a server of the machine.
fn asks(mode: SecureDnsMode, template: Option<&str>, known_server: bool) -> Asks {
    match mode {
        SecureDnsMode::Secure => Asks::EncryptedOnly,
        SecureDnsMode::Automatic | SecureDnsMode::Unset if template.is_some() || known_server => Asks::EncryptedFirst,
        _ => Asks::System,
    }
}
