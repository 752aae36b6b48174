//! What is done on this machine itself: its proxies, its clock, its view of a peer's certificates.

use super::Right;
use crate::diagnose::command::{Command, Host, NoProxy, Peer, command};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{BlastRadius, Fix};

/// Shows the chain that a peer presents for a name.
pub(in crate::diagnose) fn show_chain(address: &str, fqdn: &str) -> Fix {
    Fix::look(
        "look at the certificate chain, using the public name",
        [command!(
            Sh,
            "openssl s_client -connect {} -servername {} -showcerts </dev/null",
            Peer::new(address),
            Host::new(fqdn)
        )],
    )
}

/// Where proxies are set, without showing passwords.
pub(in crate::diagnose) fn show_proxies(windows: bool) -> Vec<Command> {
    if windows {
        return vec![
            command!(PowerShell, "netsh winhttp show proxy"),
            command!(
                PowerShell,
                "Get-ChildItem env:*_proxy | ForEach-Object { $_.Name + '=' + ($_.Value -replace '//[^@/]*@', '//***@') }"
            ),
        ];
    }
    vec![
        command!(Sh, "env | grep -i _proxy | sed 's#//[^@/]*@#//***@#'"),
        command!(
            Sh,
            "sudo grep -his proxy /etc/environment /etc/default/azuremonitoragent | sed 's#//[^@/]*@#//***@#'"
        ),
    ]
}

/// Adds names or addresses to what the environment exempts from its proxy.
pub(in crate::diagnose) fn exempt_from_proxy(facts: &Facts<'_>, names: &[&str]) -> Fix {
    let known = facts.proxy_settings().and_then(|settings| settings.exempt.as_ref());
    let former = known.map(|exempt| exempt.names.replace(' ', "")).filter(|names| !names.is_empty());
    let shown = former.as_deref().map(NoProxy::new);
    // A name that cannot stand there is none that can be exempted.
    let added =
        NoProxy::new(&names.iter().copied().filter(|name| Host::new(name).is_some()).collect::<Vec<_>>().join(","));
    let fix = Fix::change(
        BlastRadius::Machine,
        if facts.on_windows() {
            "exempt them from the proxy in this machine's environment; services read it when they start, and an agent has its own setting"
        } else {
            "exempt them from the proxy for programs started from this shell; services read their unit or `/etc/environment`, an agent its own setting"
        },
    )
    .under(Right::MACHINE)
    .after_looking("check whether the direct path is open", [command!(Any, "ampls-doctor check --proxy none")]);
    let former = match &shown {
        None => "its former value (none)".to_owned(),
        Some(shown) => {
            format!("its former value, `{}`", shown.as_ref().map_or("FORMER_VALUE", NoProxy::as_str))
        }
    };
    let undo = format!("set `NO_PROXY` to {former}");
    let commands = match (facts.on_windows(), shown) {
        (true, Some(shown)) => vec![command!(
            PowerShell,
            "[Environment]::SetEnvironmentVariable('NO_PROXY', '{},{}', 'Machine')",
            shown,
            added
        )],
        (true, None) => {
            vec![command!(PowerShell, "[Environment]::SetEnvironmentVariable('NO_PROXY', '{}', 'Machine')", added)]
        }
        (false, Some(shown)) => {
            vec![command!(Sh, "export NO_PROXY='{},{}' no_proxy='{},{}'", shown.clone(), added.clone(), shown, added)]
        }
        (false, None) => vec![command!(Sh, "export NO_PROXY='{}' no_proxy='{}'", added.clone(), added)],
    };
    fix.with(commands).undone_by(undo)
}

/// Steps the clock to its time source.
pub(in crate::diagnose) fn set_clock(windows: bool) -> Fix {
    let fix = Fix::change(BlastRadius::Machine, "repair time synchronisation, then set the clock from its source")
        .under(Right::MACHINE)
        .undone_by("not needed: the time source then keeps the clock right");
    if windows {
        return fix.with([command!(Any, "w32tm /resync /force")]).after_looking(
            "check the source and the offset; a jump of the clock may upset databases and clusters",
            [command!(Any, "w32tm /query /status")],
        );
    }
    fix.with([command!(Sh, "sudo chronyc makestep")]).after_looking(
        "a source must be selected, Azure's is /dev/ptp_hyperv; a jump of the clock may upset databases and clusters",
        [command!(Sh, "chronyc sources -v")],
    )
}

/// Shows the clock beside its time source.
pub(in crate::diagnose) fn show_clock(windows: bool) -> Fix {
    let commands = if windows {
        vec![command!(Any, "w32tm /query /status")]
    } else {
        vec![command!(Sh, "timedatectl"), command!(Sh, "chronyc tracking")]
    };
    Fix::look("compare this machine's clock with its time source", commands)
}
