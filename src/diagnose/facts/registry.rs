//! What the registry of Windows says of the system as a whole.

use ampls_probes::observation::{Observation, RegistrySeen};

use super::Facts;

impl<'a> Facts<'a> {
    /// What was read of it; `None` on other systems, and where it was not read.
    pub fn registry(&self) -> Option<&'a RegistrySeen> {
        self.observations().seen.iter().find_map(|seen| match seen {
            Observation::Registry(registry) => registry.outcome.seen(),
            _ => None,
        })
    }

    /// The number of the build of Windows, which stands last in its name: `Windows Server 2022 Datacenter (20348)`.
    pub fn windows_build(&self) -> Option<u32> {
        let os = self.on_windows().then_some(self.observations().machine.os.as_str())?;
        os.rsplit_once('(')?.1.strip_suffix(')')?.parse().ok()
    }

    /// The system fetches roots and intermediate certificates when it needs them.
    pub fn fetches_roots(&self) -> bool {
        self.on_windows() && !self.registry().is_some_and(|registry| registry.root_updates_off)
    }
}
