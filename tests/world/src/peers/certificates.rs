//! Peers whose certificates make work: meshes of authorities, copies, thousands of names, octets that are no certificate.

use rcgen::{CustomExtension, DnType, SanType};
use rustls::pki_types::CertificateDer;

use super::serve::{Presented, Server};
use super::{Layer, NAME, Peer};
use crate::certificates::Authorities;

pub(super) fn peers() -> Vec<Peer> {
    let unknown = "seen UnknownIssuer";
    let table: Vec<(&str, Presented, &'static str)> = vec![
        ("40 intermediates that sign each other", |known| mesh(known, 7, 40), unknown),
        ("nine intermediates that sign each other", |known| mesh(known, 3, 9), unknown),
        (
            "100 copies of one intermediate",
            |known| {
                let (issuer, mesh) = Authorities::mesh(1, 1)?;
                known.server_of(NAME, &issuer, mesh.iter().cycle().take(100).cloned().collect())
            },
            unknown,
        ),
        (
            "40 intermediates that are noise",
            |known| known.server_with(NAME, |_| {}, (0..40_u8).map(|octet| CertificateDer::from(vec![octet; 512]))),
            unknown,
        ),
        (
            "intermediates of no octets",
            |known| known.server_with(NAME, |_| {}, (0..40).map(|_| CertificateDer::from(Vec::new()))),
            unknown,
        ),
        (
            "2,000 names",
            |known| {
                known.server_with(
                    NAME,
                    |leaf| {
                        let names = (0..2_000).filter_map(|number| format!("n{number}.example").try_into().ok());
                        leaf.subject_alt_names.extend(names.map(SanType::DnsName));
                    },
                    [],
                )
            },
            unknown,
        ),
        (
            "a subject of 30,000 octets",
            |known| {
                known.server_with(NAME, |leaf| leaf.distinguished_name.push(DnType::CommonName, "x".repeat(30_000)), [])
            },
            unknown,
        ),
        (
            "an extension of 40,000 octets",
            |known| {
                known.server_with(
                    NAME,
                    |leaf| {
                        let extension =
                            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 311, 99, 1], vec![4; 40_000]);
                        leaf.custom_extensions.push(extension);
                    },
                    [],
                )
            },
            unknown,
        ),
    ];
    let peer = |(name, presented, outcome)| Peer {
        name: format!("certificates, {name}"),
        layer: Layer::Tls,
        server: Server::Presents(presented),
        endless: false,
        outcomes: vec![outcome],
        // The server is an honest TLS stack: its bytes are not counted.
        bytes: 0,
    };
    table.into_iter().map(peer).collect()
}

fn mesh(
    known: &Authorities,
    keys: usize,
    certificates: usize,
) -> std::io::Result<std::sync::Arc<rustls::ServerConfig>> {
    let (issuer, mesh) = Authorities::mesh(keys, certificates)?;
    known.server_of(NAME, &issuer, mesh)
}
