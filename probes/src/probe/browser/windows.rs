//! Windows: policies are in the registry, which is not looked at yet. A mounted disk of another system has files.

use crate::observation::Skip;
use crate::world::World;

/// Why browsers are not looked at, if they are not.
pub(super) fn skipped(world: &World) -> Option<Skip> {
    (world.root == crate::os::root()).then_some(Skip::NotOnThisSystem)
}
