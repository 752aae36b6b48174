//! Whether private paths are expected.

use super::{EndpointFacts, Expect, Facts, View, ViewKind, is_blob_zone};

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

    /// A required name that should be private, and whose first address is not.
    pub fn leads_astray(&self, name: &EndpointFacts<'_>) -> bool {
        let first = || name.addresses().first().and_then(|address| self.leads_private(name.fqdn(), *address));
        name.required()
            && name.ampls_zone(self.observations()).is_some()
            && first() == Some(false)
            && self.private_expected()
    }

    /// Something that this machine itself uses shows a private link.
    pub fn shows_private_link(&self) -> bool {
        let shared = |zone: Option<&str>| zone.is_some_and(|zone| !is_blob_zone(zone));
        let mut endpoints = self.ampls_endpoints().filter(|facts| shared(facts.ampls_zone(self.observations())));
        endpoints.any(|facts| facts.views.iter().any(|view| self.shows_private(view)))
    }

    fn shows_private(&self, view: &View) -> bool {
        matches!(view.view, ViewKind::System | ViewKind::Server)
            && (view.is_private() || self.denied_by_private_zone(view))
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::endpoint::{Expectation, Group};
    use ampls_probes::testing::{API, AZURE, CUSTOM, ODS, Says, Scene, private_world, public_world};

    use super::*;

    fn expected(scene: &Scene) -> bool {
        Facts::new(&scene.observations()).private_expected()
    }

    #[test]
    fn a_private_or_privately_denied_name_raises_the_expectation() {
        assert!(expected(&private_world()));
        assert!(expected(&public_world().says(CUSTOM, API, &Says::Private("10.0.0.4"))));
        assert!(expected(&public_world().says(CUSTOM, API, &Says::DeniedByPrivateZone)));
        assert!(expected(&public_world().system(ODS, &Says::Private("10.0.0.4"))));
    }

    #[test]
    fn what_only_azure_shows_does_not() {
        assert!(!expected(&public_world().says(AZURE, ODS, &Says::Private("10.0.0.4"))));
        assert!(!expected(&public_world()));
    }

    #[test]
    fn names_of_other_services_do_not() {
        let storage = |seen: &mut ampls_probes::Observations| {
            let mut extra =
                ampls_probes::testing::endpoint("acct.blob.core.windows.net", ampls_probes::endpoint::Need::Required);
            extra.group = Group::Extra;
            extra.expected = Expectation::Private;
            seen.endpoints.push(extra);
        };
        let scene = public_world().edit(storage).everywhere("acct.blob.core.windows.net", &Says::Private("10.0.0.9"));
        assert!(!expected(&scene));
    }

    #[test]
    fn an_argument_decides() {
        assert!(!expected(&private_world().expect(Expect::Public)));
        assert!(expected(&public_world().expect(Expect::Private)));
    }
}
