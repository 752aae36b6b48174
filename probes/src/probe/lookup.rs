//! x
use crate::world::{Boxed,SystemResolver};
use crate::observation::{Found, LookupFailure,Lookup};
use super::Context;
/// The operating system's resolver.
pub struct OsResolver;
impl SystemResolver for OsResolver {
    fn lookup<'a>(&'a self, _name: &'a str) -> Boxed<'a, Result<Found, LookupFailure>> { Box::pin(async { Err(LookupFailure::Failed) }) }
}
/// Resolves.
pub async fn lookup(_context: &Context, _name: &str) -> Lookup { unimplemented!() }
