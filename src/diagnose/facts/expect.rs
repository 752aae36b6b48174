//! Whether private paths are expected.

use super::{Expect, Facts, View, ViewKind, is_blob_zone};

impl Facts<'_> {
    /// `--expect`; with `auto`, private is expected as soon as a private-capable name of `monitor`, `ods`, `oms` or
    /// `agentsvc` is private, or denied by a private zone, in the system's or a configured server's view.
    pub fn private_expected(&self) -> bool {
        match self.expect() {
            Expect::Private => true,
            Expect::Public => false,
            Expect::Auto => self.shows_private_link(),
        }
    }

    /// Something that this machine itself uses shows a private link.
    pub fn shows_private_link(&self) -> bool {
        let shared = |zone: Option<&str>| zone.is_some_and(|zone| !is_blob_zone(zone));
        let mut endpoints = self.ampls_endpoints().filter(|facts| shared(facts.ampls_zone(self.observations())));
        endpoints.any(|facts| facts.views.iter().any(|view| self.tells_private(view)))
    }

    fn tells_private(&self, view: &View) -> bool {
        matches!(view.view, ViewKind::System | ViewKind::Server)
            && (view.is_private() || self.denied_by_private_zone(view))
    }
}
