//! The lab's certificates: root → intermediate → leaf, once for the fronts and once for an inspecting firewall.

use std::error::Error;
use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
    date_time_ymd,
};

/// Writes `NAME.pem` (leaf and intermediate), `NAME.key` and `NAME-root.pem` for a leaf that is valid for all `hosts`; and for
/// the same key what is wrong with certificates: `NAME-leaf.pem` (no intermediate), `NAME-expired.pem`, `NAME-elsewhere.pem`
/// (another name) and `NAME-alone.pem` (signed by itself).
pub(super) fn write(folder: &Path, name: &str, organisation: &str, hosts: &[String]) -> Result<(), Box<dyn Error>> {
    let root_key = KeyPair::generate()?;
    let root_params = authority(&format!("{organisation} Root CA"), organisation);
    let root = root_params.self_signed(&root_key)?;
    let root_issuer = Issuer::new(root_params, root_key);

    let middle_key = KeyPair::generate()?;
    let middle_params = authority(&format!("{organisation} Issuing CA 01"), organisation);
    let middle = middle_params.signed_by(&middle_key, &root_issuer)?;
    let middle_issuer = Issuer::new(middle_params, middle_key);

    let leaf_key = KeyPair::generate()?;
    let mut leaf_params = CertificateParams::new(hosts)?;
    let subject = hosts.first().map_or("lab", String::as_str);
    leaf_params.distinguished_name.push(DnType::CommonName, subject);
    leaf_params.use_authority_key_identifier_extension = true;
    leaf_params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let alone = leaf_params.self_signed(&leaf_key)?;
    fs::write(folder.join(format!("{name}-alone.pem")), alone.pem())?;
    // As public authorities do, and those of inspecting devices do not.
    if name == "front" {
        leaf_params.custom_extensions.push(issuer_url());
    }
    let leaf = leaf_params.signed_by(&leaf_key, &middle_issuer)?;

    fs::write(folder.join(format!("{name}.pem")), leaf.pem() + &middle.pem())?;
    fs::write(folder.join(format!("{name}-leaf.pem")), leaf.pem())?;
    let mut elsewhere = leaf_params.clone();
    elsewhere.subject_alt_names = vec![SanType::DnsName("portal.captive.example".try_into()?)];
    let elsewhere = elsewhere.signed_by(&leaf_key, &middle_issuer)?;
    fs::write(folder.join(format!("{name}-elsewhere.pem")), elsewhere.pem() + &middle.pem())?;
    leaf_params.not_before = date_time_ymd(2024, 1, 1);
    leaf_params.not_after = date_time_ymd(2025, 1, 1);
    let expired = leaf_params.signed_by(&leaf_key, &middle_issuer)?;
    fs::write(folder.join(format!("{name}-expired.pem")), expired.pem() + &middle.pem())?;
    fs::write(folder.join(format!("{name}.key")), leaf_key.serialize_pem())?;
    fs::write(folder.join(format!("{name}-root.pem")), root.pem())?;
    Ok(())
}

/// Where the issuer's certificate is to be fetched (RFC 5280, 4.2.2.1).
fn issuer_url() -> CustomExtension {
    // One description: caIssuers, and a URL of 33 octets.
    let mut content = vec![0x30, 0x2f, 0x30, 0x2d, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 0x30, 0x02, 0x86, 0x21];
    content.extend(b"http://certs.lab.example/ca01.cer");
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

fn authority(common_name: &str, organisation: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.distinguished_name.push(DnType::OrganizationName, organisation);
    params
}
