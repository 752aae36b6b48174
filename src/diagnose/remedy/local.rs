//! What is done on this machine itself: its proxies, its clock, its view of a peer's certificates.

use std::net::SocketAddr;

use ampls_probes::observation::Transport;

use super::Right;
use crate::diagnose::command::{Command, FilePath, Host, NoProxy, Peer, RegistryKey, command};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{BlastRadius, Fix};

/// Shows the chain that a peer presents for a name.
pub(in crate::diagnose) fn show_chain(facts: &Facts<'_>, address: &str, fqdn: &str) -> Fix {
    let chain = if facts.on_windows() {
        handshake(address, fqdn)
    } else {
        command!(
            Sh,
            "openssl s_client -connect {} -servername {} -showcerts </dev/null",
            Peer::new(address),
            Host::new(fqdn)
        )
    };
    Fix::look("look at the certificate chain, using the public name", [chain])
}

/// A handshake by the system's own TLS, whatever the chain, and what is to be done with it: Windows has no `openssl`.
macro_rules! handshake {
    ($then:literal, $address:expr, $fqdn:expr) => {
        command!(
            PowerShell,
            concat!(
                "$u = [uri]'tls://{}'; $t = New-Object Net.Sockets.TcpClient($u.DnsSafeHost, $u.Port); $s = New-Object Net.Security.SslStream($t.GetStream(), $false, { $true }); $s.AuthenticateAsClient('{}', $null, 'Tls12', $false); ",
                $then
            ),
            Peer::new($address),
            Host::new($fqdn)
        )
    };
}

/// The chain of a handshake as this Windows completes it.
pub(in crate::diagnose) fn handshake(address: &str, fqdn: &str) -> Command {
    handshake!(
        "$c = New-Object Security.Cryptography.X509Certificates.X509Chain; [void]$c.Build($s.RemoteCertificate); $c.ChainElements.Certificate | Format-List Subject, Issuer, NotAfter; $c.ChainStatus",
        address,
        fqdn
    )
}

/// Where the certificate that a peer presents says its issuer can be downloaded.
pub(in crate::diagnose) fn issuer_place(facts: &Facts<'_>, address: &str, fqdn: &str) -> Command {
    if facts.on_windows() {
        return handshake!(
            "$c = New-Object Security.Cryptography.X509Certificates.X509Certificate2($s.RemoteCertificate); ($c.Extensions | Where-Object { $_.Oid.Value -eq '1.3.6.1.5.5.7.1.1' }).Format($true)",
            address,
            fqdn
        );
    }
    command!(
        Sh,
        "openssl s_client -connect {} -servername {} </dev/null | openssl x509 -noout -ext authorityInfoAccess",
        Peer::new(address),
        Host::new(fqdn)
    )
}

/// A request by `curl`, as the machine calls it; `without_body` throws away what comes.
macro_rules! curl {
    ($facts:expr, $request:literal $(, $word:expr)* $(,)?) => {
        if $facts.on_windows() {
            $crate::diagnose::command::command!(PowerShell, concat!("curl.exe ", $request) $(, $word)*)
        } else {
            $crate::diagnose::command::command!(Sh, concat!("curl ", $request) $(, $word)*)
        }
    };
    ($facts:expr, without_body $request:literal $(, $word:expr)* $(,)?) => {
        if $facts.on_windows() {
            $crate::diagnose::command::command!(PowerShell, concat!("curl.exe -o NUL ", $request) $(, $word)*)
        } else {
            $crate::diagnose::command::command!(Sh, concat!("curl -o /dev/null ", $request) $(, $word)*)
        }
    };
}
pub(in crate::diagnose) use curl;

/// Asks a DNS server for a name's addresses, on Windows. Of its own programs only `nslookup` takes a port.
pub(in crate::diagnose) fn ask_on_windows(server: SocketAddr, name: Option<Host>, transport: Transport) -> Command {
    let (address, port) = (server.ip(), server.port());
    match transport {
        Transport::Udp if port == DNS => {
            command!(PowerShell, "Resolve-DnsName {} -Server {} -Type A -DnsOnly", name, address)
        }
        _ if port == DNS => {
            command!(PowerShell, "Resolve-DnsName {} -Server {} -Type A -DnsOnly -TcpOnly", name, address)
        }
        Transport::Udp => command!(Any, "nslookup -port={} {} {}", port, name, address),
        _ => command!(Any, "nslookup -vc -port={} {} {}", port, name, address),
    }
}

const DNS: u16 = 53;

/// Shows what a source of settings holds: a file, or on Windows a key of the registry.
pub(in crate::diagnose) fn show(facts: &Facts<'_>, source: &str) -> Command {
    if let Some(key) = RegistryKey::new(source) {
        return command!(PowerShell, "reg.exe query {} /s", key);
    }
    if facts.on_windows() {
        return command!(PowerShell, "Get-Content -LiteralPath {}", FilePath::new(source));
    }
    command!(Sh, "cat {}", FilePath::new(source))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_windows_a_server_is_asked_by_the_transport_and_the_port_that_were_seen() {
        let ask = |server: &str, transport| {
            let server = server.parse().expect("an address");
            ask_on_windows(server, Host::new("a.example"), transport).as_str().to_owned()
        };
        let resolve = "Resolve-DnsName a.example -Server 10.0.0.4 -Type A -DnsOnly";
        assert_eq!(ask("10.0.0.4:53", Transport::Udp), resolve);
        assert_eq!(ask("10.0.0.4:53", Transport::Tcp), format!("{resolve} -TcpOnly"));
        assert_eq!(ask("10.0.0.4:5353", Transport::Udp), "nslookup -port=5353 a.example 10.0.0.4");
        assert_eq!(ask("10.0.0.4:5353", Transport::Tcp), "nslookup -vc -port=5353 a.example 10.0.0.4");
    }
}
