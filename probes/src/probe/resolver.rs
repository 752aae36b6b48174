//! The resolver configuration.

use crate::observation::Resolver;
use crate::options::Options;
use crate::world::World;

/// Reads the configuration.
pub fn read(_world: &World, _options: &Options) -> Resolver {
    unimplemented!()
}
