//! The certificate roots of Azure's services as data: `catalogue/roots.toml`.

use std::collections::BTreeMap;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::Value;

use super::CatalogueError;
use crate::azure::{file_of_the_catalogue, taken, values};

const FILE: &str = "roots.toml";

/// The file, parsed and checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AzureRoots {
    /// The day of Azure's list, `YYYY-MM-DD`.
    pub date: String,
    /// Where the facts are from, by key.
    pub sources: BTreeMap<String, String>,
    /// Roots, in the order of the file.
    #[serde(rename = "root")]
    pub roots: Vec<AzureRoot>,
}

/// One root.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AzureRoot {
    /// Its common name.
    pub name: String,
    /// The SHA-1 thumbprint of Azure's list, lower-case hexadecimal.
    pub sha1: Option<String>,
    /// The day on which the public stores dropped it, `YYYY-MM-DD`.
    pub dropped: Option<String>,
    /// The certificate; `None` where only the name is known.
    pub pem: Option<String>,
    /// Keys of [`AzureRoots::sources`].
    pub source: Vec<String>,
}

impl AzureRoots {
    /// The file that is part of the program.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::checked(file_of_the_catalogue!("roots"))
    }

    /// Parses the text of such a file.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        Self::checked(values(text))
    }

    fn checked(values: Result<Value, String>) -> Result<Self, CatalogueError> {
        let wrong = |message: String| CatalogueError { file: FILE.to_owned(), message };
        let parsed: Self = values.and_then(|values| taken(&values)).map_err(wrong)?;
        for root in &parsed.roots {
            let name = &root.name;
            if root.source.is_empty() || root.source.iter().any(|key| !parsed.sources.contains_key(key)) {
                return Err(wrong(format!("root `{name}`: `source` must name keys of `[sources]`")));
            }
            if root.pem.is_some() && root.certificate().is_none() {
                return Err(wrong(format!("root `{name}`: `pem` is not a certificate")));
            }
        }
        Ok(parsed)
    }

    /// Every certificate.
    pub fn certificates(&self) -> impl Iterator<Item = CertificateDer<'static>> + '_ {
        self.roots.iter().filter_map(AzureRoot::certificate)
    }
}

impl AzureRoot {
    /// Its certificate.
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        CertificateDer::from_pem_slice(self.pem.as_deref()?.as_bytes()).ok()
    }

    /// Whether a distinguished name is this root's.
    pub fn is_named_by(&self, distinguished: &str) -> bool {
        let parts = distinguished.split(',').map(str::trim);
        let common =
            parts.filter_map(|part| part.split_once('=')).find(|(key, _)| key.trim().eq_ignore_ascii_case("cn"));
        common.is_some_and(|(_, name)| name.trim() == self.name)
    }
}

#[cfg(test)]
mod tests {
    use ring::digest;

    use super::*;

    #[test]
    fn certificates_have_the_thumbprints_of_azures_list() {
        let roots = AzureRoots::builtin().expect("the built-in file");
        let mut compared = 0;
        for root in &roots.roots {
            let (Some(certificate), Some(thumbprint)) = (root.certificate(), &root.sha1) else { continue };
            let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
            let byte = |at: usize| u8::from_str_radix(thumbprint.get(at..at + 2)?, 16).ok();
            let listed: Option<Vec<u8>> = (0..40).step_by(2).map(byte).collect();
            assert_eq!(listed.as_deref(), Some(digest.as_ref()), "{}", root.name);
            compared += 1;
        }
        assert_eq!((compared, roots.roots.len()), (7, 9));
    }

    #[test]
    fn root_is_recognised_by_its_whole_common_name() {
        let root = &AzureRoots::builtin().expect("the built-in file").roots[0];
        assert!(root.is_named_by("C=US, O=DigiCert Inc, OU=www.digicert.com, CN=DigiCert Global Root CA"));
        for name in ["CN=DigiCert Global Root CA G9", "O=DigiCert Global Root CA", "CN=x,O=y", ""] {
            assert!(!root.is_named_by(name), "{name}");
        }
    }

    #[test]
    fn a_wrong_file_is_an_error_that_names_the_root() {
        let good = include_str!("../../catalogue/roots.toml");
        for (from, to) in [("-----BEGIN CERTIFICATE-----", "-----BEGIN NONSENSE-----"), ("\"debian\"", "\"nowhere\"")] {
            let error = AzureRoots::parse(&good.replacen(from, to, 1)).map(|_| ());
            if from == "\"debian\"" {
                assert!(error.is_err(), "{to}");
            } else {
                assert!(error.is_err_and(|error| error.to_string().contains("DigiCert Global Root CA")), "{to}");
            }
        }
    }
}
