//! Real packages in real databases: an empty `omsagent` built, installed into a fake root by dpkg and rpm, and read.

use std::fs;
use std::path::Path;
use std::process::Command;

use ampls_probes::azure::AgentKind;

use super::{Root, agents_of, examine};
use crate::needs;

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The version of OMS that is found below a root, and where it was read.
fn found(root: &Path) -> Option<(String, String)> {
    let report = examine(root, &[]);
    let agents = agents_of(&report);
    assert_eq!(agents.unread, [], "everything is read");
    let oms = agents.found.iter().find(|agent| agent.kind == AgentKind::Oms)?;
    oms.versions.first().map(|installed| (installed.version.clone(), installed.source.clone()))
}

fn deb(work: &Path, version: &str) -> std::path::PathBuf {
    let tree = work.join("tree");
    fs::create_dir_all(tree.join("DEBIAN")).expect("a folder");
    let control = format!(
        "Package: omsagent\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: empty\n"
    );
    fs::write(tree.join("DEBIAN/control"), control).expect("a control file");
    let file = work.join(format!("omsagent-{version}.deb"));
    run(Command::new("dpkg-deb").args(["--build", "--root-owner-group"]).arg(&tree).arg(&file));
    file
}

fn dpkg(root: &Path, what: &[&str]) {
    let flags = ["--force-not-root", "--force-script-chrootless", "--log=/dev/null"];
    run(Command::new("dpkg").arg(format!("--root={}", root.display())).args(flags).args(what));
}

#[cfg(target_os = "linux")]
#[test]
fn package_that_dpkg_installed_is_found_until_it_is_removed() {
    if !needs::programs(&["dpkg", "dpkg-deb"]) {
        return;
    }
    let (root, work) = (Root::new(), Root::new());
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates"] {
        fs::create_dir_all(root.0.join(folder)).expect("a folder");
    }
    fs::write(root.0.join("var/lib/dpkg/status"), "").expect("an empty database");
    for version in ["1.12.15-0", "1.14.9.0~rc1-2"] {
        let file = deb(&work.0, version);
        dpkg(&root.0, &["--install", file.to_str().expect("a plain path")]);
        assert_eq!(found(&root.0), Some((version.to_owned(), "/var/lib/dpkg/status".to_owned())));
    }
    dpkg(&root.0, &["--remove", "omsagent"]);
    assert_eq!(found(&root.0), None);
}

fn rpm_file(work: &Path, name: &str, version: &str, release: &str) -> std::path::PathBuf {
    let spec = work.join(format!("{name}.spec"));
    let files: Vec<String> = (0..400).map(|n| format!("%ghost /opt/{name}/a/long/way/down/to/file-{n}")).collect();
    let files = files.join("\n");
    let text = format!(
        "Name: {name}\nVersion: {version}\nRelease: {release}\nSummary: empty\nLicense: none\nBuildArch: noarch\n%description\nempty\n%files\n{files}"
    );
    fs::write(&spec, text).expect("a spec file");
    let top = format!("_topdir {}", work.display());
    run(Command::new("rpmbuild").args(["-bb", "--quiet", "--define", &top]).arg(&spec));
    work.join(format!("RPMS/noarch/{name}-{version}-{release}.noarch.rpm"))
}

fn rpm(root: &Path, what: &[&str]) {
    let mut command = Command::new("rpm");
    command.args(["--root", root.to_str().expect("a plain path")]);
    command.args(["--define", "_db_backend sqlite", "--define", "_dbpath /var/lib/rpm"]);
    run(command.args(["--nodeps", "--nosignature", "--noscripts"]).args(what));
}

#[cfg(target_os = "linux")]
#[test]
fn package_that_rpm_installed_is_found_until_it_is_removed() {
    if !needs::programs(&["rpm", "rpmbuild"]) {
        return;
    }
    let work = Root::new();
    let old = rpm_file(&work.0, "omsagent", "1.12.24", "7");
    let new = rpm_file(&work.0, "omsagent", "1.13.4", "1");
    let others: Vec<_> = (0..30).map(|n| rpm_file(&work.0, &format!("other{n}"), "9.9", "1")).collect();
    let root = Root::new();
    let source = "/var/lib/rpm/rpmdb.sqlite".to_owned();
    let path = |file: &Path| file.to_str().expect("a plain path").to_owned();
    let mut install = vec!["--install".to_owned(), path(&old)];
    install.extend(others.iter().map(|other| path(other)));
    rpm(&root.0, &install.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(found(&root.0), Some(("1.12.24-7".to_owned(), source.clone())));
    rpm(&root.0, &["--upgrade", &path(&new)]);
    assert_eq!(found(&root.0), Some(("1.13.4-1".to_owned(), source)));
    rpm(&root.0, &["--erase", "omsagent"]);
    assert_eq!(found(&root.0), None);
}

/// A header as rpm stores it: entries for name, version and release, and a long last one.
fn header(name: &str, version: &str, padding: usize) -> Vec<u8> {
    let mut data = Vec::new();
    let mut entries = Vec::new();
    for (tag, text) in [(1000_u32, name), (1001, version), (1002, "3")] {
        for number in [tag, 6, u32::try_from(data.len()).expect("short"), 1] {
            entries.extend(number.to_be_bytes());
        }
        data.extend(text.as_bytes());
        data.push(0);
    }
    data.extend(std::iter::repeat_n(0, padding));
    let counts = [3, u32::try_from(data.len()).expect("short")];
    counts.iter().flat_map(|count| count.to_be_bytes()).chain(entries).chain(data).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn package_in_a_table_of_berkeley_db_is_found() {
    use std::fmt::Write as _;
    use std::io::Write as _;
    use std::process::Stdio;

    if !needs::programs(&["db5.3_load"]) {
        return;
    }
    let root = Root::new();
    fs::create_dir_all(root.0.join("var/lib/rpm")).expect("a folder");
    let mut dump = "VERSION=3\nformat=bytevalue\ntype=hash\nh_nelem=64\nHEADER=END\n".to_owned();
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(" ".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    let mut headers: Vec<Vec<u8>> = (0..40).map(|n| header(&format!("other{n}"), "9.9", n * 997)).collect();
    headers.insert(20, header("omsagent", "1.14.9", 30_000));
    headers.push(header("azcmagent", "1.44.1", 3));
    for (number, header) in (1_u32..).zip(&headers) {
        let _ = writeln!(dump, "{}\n{}", hex(&number.to_le_bytes()), hex(header));
    }
    dump.push_str("DATA=END\n");
    let mut load = Command::new("db5.3_load")
        .arg(root.0.join("var/lib/rpm/Packages"))
        .stdin(Stdio::piped())
        .spawn()
        .expect("db5.3_load is installed");
    load.stdin.take().expect("a pipe").write_all(dump.as_bytes()).expect("it reads");
    assert!(load.wait().expect("it ends").success());
    let report = examine(&root.0, &[]);
    let versions = agents_of(&report).found.iter().flat_map(|agent| &agent.versions);
    let versions: Vec<&str> = versions.map(|installed| installed.version.as_str()).collect();
    assert_eq!(versions, ["1.14.9-3", "1.44.1-3"]);
}

/// Debian's rpm writes no such file: it is laid out as `rpmpkg.c` of rpm says.
#[test]
fn package_in_the_format_of_suse_is_found_and_a_free_slot_is_none() {
    let live = header("omsagent", "1.14.9", 40_000);
    let mut file = vec![0; 4096];
    file[..4].copy_from_slice(b"RpmP");
    file[12] = 1;
    for slot in file.chunks_exact_mut(16).skip(2) {
        slot[..4].copy_from_slice(b"Slot");
    }
    for (slot, number, header) in [(3, 7_u32, &live), (200, 9, &header("azcmagent", "1.44.1", 3))] {
        let place = u32::try_from(file.len() / 16).expect("short");
        file[slot * 16 + 4..slot * 16 + 8].copy_from_slice(&number.to_le_bytes());
        file[slot * 16 + 8..slot * 16 + 12].copy_from_slice(&place.to_le_bytes());
        file.extend(b"BlbS");
        for number in [number, 1, u32::try_from(header.len()).expect("short")] {
            file.extend(number.to_le_bytes());
        }
        file.extend(header);
        file.resize(file.len().next_multiple_of(16) + 16, 0);
    }
    let root = Root::new();
    fs::create_dir_all(root.0.join("usr/lib/sysimage/rpm")).expect("a folder");
    let place = root.0.join("usr/lib/sysimage/rpm/Packages.db");
    fs::write(&place, &file).expect("a file");
    assert_eq!(found(&root.0).map(|(version, _)| version).as_deref(), Some("1.14.9-3"));
    file[3 * 16 + 4..3 * 16 + 16].fill(0);
    fs::write(&place, &file).expect("a file");
    assert_eq!(found(&root.0), None);
}

#[test]
fn broken_database_is_reported_and_does_no_harm() {
    for start in [&b"SQLite format 3\0\x10\0"[..], b"RpmP\0\0\0\0\0\0\0\0\xff\xff\xff\xff", b"nothing", b""] {
        let root = Root::new();
        fs::create_dir_all(root.0.join("var/lib/rpm")).expect("a folder");
        let mut bytes = start.to_vec();
        bytes.resize(5_000, 0xff);
        fs::write(root.0.join("var/lib/rpm/Packages"), bytes).expect("a file");
        let report = examine(&root.0, &[]);
        assert_eq!(agents_of(&report).unread.len(), 1, "{start:?}");
    }
}
