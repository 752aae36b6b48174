//! What may not be read hides nothing of what was.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use crate::observation::{Server, ServerRole};
use crate::registry::Value;
use crate::registry::memory::Memory;

const ADAPTERS: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\InterfaceSpecificParameters";

fn asking(server: &str) -> Resolver {
    let server = Server { address: server.parse().unwrap(), roles: vec![ServerRole::Configured] };
    Resolver { timing: Timing::default(), outcome: Outcome::Cancelled, servers: vec![server] }
}

fn refused(seen: &EncryptedDns) -> Vec<&str> {
    let why = UnreadReason::Failed(ReadFailure::NotPermitted);
    seen.unread.iter().filter(|unread| unread.why == why).map(|unread| unread.path.as_str()).collect()
}

#[test]
fn refused_key_is_listed_and_what_another_key_sets_is_kept() {
    let of = |id: &str| format!(r"{ADAPTERS}\{id}\DohInterfaceSettings\Doh");
    let key = format!(r"{}\10.0.0.4", of("{a}"));
    let (policy, second) = (r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient", of("{b}"));
    let below = format!(r"{second}\10.0.0.5");
    let values = [(key.as_str(), "DohFlags", Value::Number(1)), (below.as_str(), "DohFlags", Value::Number(1))];
    let world = World {
        registry: Some(Memory::refusing(&values, &[policy, &second])),
        ..World::from_system(Some(Path::new("/nonexistent")), None)
    };
    let seen = read(&world, Instant::now(), Some(&asking("10.0.0.4:53")));
    let found = seen.outcome.seen().expect("what was read");
    assert_eq!(found[0].servers, ["10.0.0.4"]);
    assert_eq!(refused(&seen), [policy, second.as_str()]);
}

#[test]
fn refused_file_is_listed_and_what_another_file_sets_is_kept() {
    let root = std::env::temp_dir().join(format!("encrypted-{}", uuid::Uuid::new_v4()));
    for (path, text) in [
        ("etc/systemd/resolved.conf", "[Resolve]\nDNSOverTLS=yes\n"),
        ("etc/systemd/resolved.conf.d/x.conf", "[Resolve]\nDNSOverTLS=no\n"),
        ("etc/stubby/stubby.yml", ""),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let denied = ["/etc/systemd/resolved.conf.d/x.conf", "/etc/stubby/stubby.yml"];
    let world = World {
        denied: denied.iter().map(PathBuf::from).collect::<BTreeSet<_>>(),
        ..World::from_system(Some(&root), None)
    };
    let seen = read(&world, Instant::now(), Some(&asking("127.0.0.53:53")));
    fs::remove_dir_all(&root).unwrap();
    assert_eq!(refused(&seen), denied);
    assert_eq!(seen.outcome.seen().expect("what was read")[0].setting, "DNSOverTLS=yes");
}
