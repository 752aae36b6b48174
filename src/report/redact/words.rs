//! Words that may stay: those of the catalogue, of Azure's own names, of paths and protocols. None tells whose machine it is.

use std::collections::BTreeSet;

use ampls_probes::Catalogue;

/// Lower case, a word a space. Azure's and Microsoft's names; DNS; HTTP and TLS as answers and certificates have them; the
/// refusals of the ingestion endpoints; folders of agents, browsers and the system; resource ids.
const WORDS: &str = "\
azure azureprivatedns privatelink azuredns azuredns-hostmaster blockpolicy invalid com net org info us cn io local localhost arpa microsoft \
windows core blob msft msedge msnhst trafficmanager cloudapp azure-dns azure-automation azurefd \
azurepubliccloud azureusgovernment azureusgovernmentcloud azurechinacloud www https http socks5 socks tcp udp tls \
none proxy --proxy https_proxy http_proxy all_proxy no_proxy wpad system environment winhttp pac \
html head body title doctype text plain json xml application charset utf utf-8 healthy error code message status nginx apache \
microsoft-httpapi httpapi microsoft-iis iis kestrel basic digest ntlm negotiate bearer realm forbidden unauthorized ok bad request gateway \
service unavailable timeout ping nspvalidationfailederror insufficientaccesserror invalidaccess \
cn o ou c st l dc corporation ca rsa ecc issuing tls digicert inc global root g2 g3 r1 redmond wa baltimore cybertrust ireland \
etc opt var lib usr share home root run proc sys dev tmp log mnt config conf d resolv.conf resolv hosts nsswitch drivers \
system32 programdata program files users appdata roaming registry hklm hkcu software policies currentversion \
omsagent omsadmin azuremonitoragent azuremonitorwindowsagent waagent himds azcmagent mdsd amacoreagent systemd google chrome \
chromium firefox mozilla edge brave opera vivaldi browser esr stable beta snap flatpak profiles default managed policy policies.json prefs.js user.js preferences state \
dns google cloudflare-dns quad9 opendns query dns-query chrome.cloudflare-dns family security \
subscriptions resourcegroups providers compute virtualmachines virtualmachinescalesets hybridcompute machines insights extensions";

/// The words.
pub(super) fn kept(catalogue: &Catalogue) -> BTreeSet<String> {
    let mut kept: BTreeSet<String> = WORDS.split_whitespace().map(str::to_owned).collect();
    for cloud in &catalogue.clouds {
        kept.extend(cloud.environments.iter().map(|name| name.to_ascii_lowercase()));
        for zone in &cloud.zones {
            add(&zone.name, &mut kept);
            zone.forwards.iter().for_each(|name| add(name, &mut kept));
        }
        for entry in &cloud.entries {
            add(&entry.id.to_string(), &mut kept);
            add(&entry.name.to_string(), &mut kept);
            add(&entry.path, &mut kept);
            entry.alias.iter().for_each(|alias| add(&alias.to_string(), &mut kept));
            entry.service_tag.iter().for_each(|tag| add(tag, &mut kept));
        }
        cloud.patterns.iter().for_each(|pattern| add(&pattern.name, &mut kept));
    }
    kept
}

/// The words of a name, its parameters left out.
fn add(name: &str, kept: &mut BTreeSet<String>) {
    let mut inside = false;
    let literal: String = name
        .chars()
        .map(|c| {
            inside = (inside || c == '<') && c != '>';
            if inside || c == '>' { '.' } else { c.to_ascii_lowercase() }
        })
        .collect();
    let words = literal.split(|c: char| !c.is_alphanumeric() && c != '-').map(|word| word.trim_matches('-'));
    kept.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
}
