//! A token for the identity of a machine that Azure Arc manages. Arc's agent wants proof that who asks may read a file of its own: it
//! names one in its refusal, and a second request that carries the content of that file gets the token.
//!
//! Source: <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::observation::{Instance, ReadFailure, TokenFailure, UnreadReason};
use crate::probe::Context;
use crate::probe::imds::{Answered, arc_instance_of, bounded_get_as};
use crate::read::{self, below};
use crate::secret::Secret;
use crate::world::World;

/// Where Arc's agent answers.
pub(super) const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_342);
/// The folder of its keys, which are gone soon after.
const ON_LINUX: &str = "/var/opt/azcmagent/tokens";
const ON_WINDOWS: &str = r"C:\ProgramData\AzureConnectedMachineAgent\Tokens";
const EXTENSION: &str = ".key";
/// Octets of a key. Source: <https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/identity/azure-identity/azure/identity/_credentials/azure_arc.py>
const LONGEST: u64 = 4096;

/// The machine, as Arc's agent names it.
pub(super) async fn instance(ctx: &Context) -> Option<Instance> {
    let asked = bounded_get_as(ctx, ADDRESS, "/metadata/instance/compute?api-version=2020-06-01", None);
    let answer = ctx.within(asked).await.ok()?.ok()?;
    if answer.status == 200 { arc_instance_of(&answer.body) } else { None }
}

/// What proves who asks, from the file that a refusal names; `None` where it is no such refusal.
pub(super) fn proof(world: &World, refusal: &Answered) -> Option<Result<Secret, TokenFailure>> {
    let challenge = refusal.challenge.as_deref().filter(|_| refusal.status == 401)?;
    let (scheme, named) = challenge.split_once(' ')?;
    let path = named.trim().strip_prefix("realm=")?.trim_matches('"');
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let Some(name) = file(world, path) else { return Some(Err(TokenFailure::ForeignKey)) };
    Some(key(world, name).map(|key| Secret::new(format!("Basic {}", key.expose()))))
}

fn folder(world: &World) -> &'static str {
    if world.is_windows() { ON_WINDOWS } else { ON_LINUX }
}

/// The name of a key in the folder of keys, and nothing else: a stranger on the port could name any file of this machine.
fn file<'p>(world: &World, path: &'p str) -> Option<&'p str> {
    let (of, name) = path.rsplit_once(if world.is_windows() { ['/', '\\'] } else { ['/', '/'] })?;
    let own = if world.is_windows() { of.eq_ignore_ascii_case(folder(world)) } else { of == folder(world) };
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let stem = name.strip_suffix(EXTENSION)?;
    (own && plain && !stem.is_empty() && !stem.starts_with('.')).then_some(name)
}

fn key(world: &World, name: &str) -> Result<Secret, TokenFailure> {
    let place = world.readable(folder(world)).map_err(TokenFailure::Key)?;
    // Not even a link to a neighbour: Arc's agent writes files.
    let is_link = std::fs::symlink_metadata(place.join(name)).is_ok_and(|found| found.is_symlink());
    if is_link {
        return Err(TokenFailure::Key(ReadFailure::NotAFile));
    }
    let file = below::open_in(&place, Path::new(name), world.case()).map_err(|why| match why {
        UnreadReason::Failed(failure) => TokenFailure::Key(failure),
        _ => TokenFailure::Key(ReadFailure::NotAFile),
    })?;
    let mut text = String::new();
    let read = file.take(LONGEST + 1).read_to_string(&mut text);
    let length = read.map_err(|error| TokenFailure::Key(read::failure(&error)))?;
    let fits = length > 0 && u64::try_from(length).is_ok_and(|length| length <= LONGEST);
    let key = Secret::new(text.trim());
    let plain = key.expose().bytes().all(|byte| byte.is_ascii_graphic());
    if fits && plain && !key.expose().is_empty() { Ok(key) } else { Err(TokenFailure::Malformed) }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A machine with these keys.
    fn machine(keys: &[(&str, &str)]) -> (World, PathBuf) {
        let root = std::env::temp_dir().join(format!("ampls-arc-{}", uuid::Uuid::new_v4()));
        let folder = root.join(ON_LINUX.trim_start_matches('/'));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in keys {
            std::fs::write(folder.join(name), text).unwrap();
        }
        (World { registry: None, ..World::from_system(Some(&root), None) }, root)
    }

    fn refusal(challenge: &str) -> Answered {
        Answered { status: 401, challenge: Some(challenge.to_owned()), body: Vec::new() }
    }

    fn proved(world: &World, realm: &str) -> Option<Result<String, TokenFailure>> {
        let proof = proof(world, &refusal(&format!("Basic realm={realm}")))?;
        Some(proof.map(|proof| proof.expose().to_owned()))
    }

    #[test]
    fn key_in_the_folder_of_keys_is_the_proof() {
        let (world, root) = machine(&[("a-1.key", "secret\n")]);
        assert_eq!(proved(&world, "/var/opt/azcmagent/tokens/a-1.key"), Some(Ok("Basic secret".to_owned())));
        assert_eq!(
            proved(&world, "/var/opt/azcmagent/tokens/b.key"),
            Some(Err(TokenFailure::Key(ReadFailure::Missing)))
        );
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn file_that_is_no_key_of_arcs_agent_is_not_read() {
        let (world, root) = machine(&[("a.key", "secret"), ("a.txt", "secret")]);
        for realm in [
            "/etc/shadow",
            "/etc/shadow.key",
            "/var/opt/azcmagent/tokens/a.txt",
            "/var/opt/azcmagent/tokens/../tokens/a.key",
            "/var/opt/azcmagent/tokens/x/a.key",
            "/var/opt/azcmagent/tokens/.key",
            "/var/opt/azcmagent/tokens/..key",
            "a.key",
            r"C:\ProgramData\AzureConnectedMachineAgent\Tokens\a.key",
            "",
        ] {
            let seen = proved(&world, realm);
            assert!(matches!(seen, None | Some(Err(TokenFailure::ForeignKey))), "{realm}: {seen:?}");
        }
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn other_refusals_ask_for_no_proof() {
        let (world, root) = machine(&[("a.key", "secret")]);
        let realm = "realm=/var/opt/azcmagent/tokens/a.key";
        for (status, challenge) in
            [(401, format!("Bearer {realm}")), (403, format!("Basic {realm}")), (401, "Basic".to_owned())]
        {
            let answer = Answered { status, challenge: Some(challenge), body: Vec::new() };
            assert!(proof(&world, &answer).is_none());
        }
        std::fs::remove_dir_all(root).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn link_and_a_file_that_is_too_long_are_refused() {
        let long = "x".repeat(4097);
        let (world, root) =
            machine(&[("a.key", "secret"), ("long.key", &long), ("lines.key", "two words"), ("empty.key", "")]);
        let folder = root.join(ON_LINUX.trim_start_matches('/'));
        std::os::unix::fs::symlink("a.key", folder.join("near.key")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", folder.join("far.key")).unwrap();
        for (name, wanted) in [
            ("near", TokenFailure::Key(ReadFailure::NotAFile)),
            ("far", TokenFailure::Key(ReadFailure::NotAFile)),
            ("long", TokenFailure::Malformed),
            ("lines", TokenFailure::Malformed),
            ("empty", TokenFailure::Malformed),
        ] {
            assert_eq!(proved(&world, &format!("{ON_LINUX}/{name}.key")), Some(Err(wanted)), "{name}");
        }
        std::fs::remove_dir_all(root).unwrap();
    }
}
