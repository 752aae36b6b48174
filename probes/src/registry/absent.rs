//! Systems without a registry.

use std::sync::Arc;

use super::Registry;

pub(super) fn registry() -> Option<Arc<dyn Registry>> {
    None
}
