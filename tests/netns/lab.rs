//! A lab: a machine in a network namespace of its own, and an Azure of real servers in another.
//!
//! A [`Lab`] owns everything it makes, and dropping it takes everything away: namespaces, `/etc/netns`, processes, files.
//! What a killed run left behind is removed by the next. The namespaces have no way out of the machine.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, Once, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::design::{
    AZURE_DNS, BEHIND_RULESET, CUSTOM_DNS, Design, Inspection, PROXY, PUBLIC_DNS, SECOND_DNS, Stub, VPN_DNS,
};
use super::namespace::{PREFIX, batch, inside, link, run};
use super::{certificates, namespace, router, servers};
use crate::needs;

/// What fails in the lab ends the test with its reason.
pub(super) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A guard against a server that never answers, no measurement.
const PATIENCE: Duration = Duration::from_mins(10);

/// A running lab.
pub(super) struct Lab {
    /// The machine's namespace.
    vm: String,
    /// Everything else's namespace.
    azure: String,
    folder: PathBuf,
    children: Vec<Child>,
    _turn: Turn,
}

/// Places for labs on this machine. Labs share neither namespace nor port nor file, only the processor: what stands in the way of
/// any number at once is that servers have to answer within the limits of a run.
const PLACES: usize = 4;

static FREE: Mutex<usize> = Mutex::new(PLACES);
static FREED: Condvar = Condvar::new();

/// The places that a lab holds.
pub(super) struct Turn(usize);

impl Turn {
    fn of(places: usize) -> Self {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = FREED.wait_while(free, |free| *free < places).unwrap_or_else(PoisonError::into_inner);
        *free -= places;
        Self(places)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *FREE.lock().unwrap_or_else(PoisonError::into_inner) += self.0;
        FREED.notify_all();
    }
}

/// Whether labs can be built here; without the means to, a test is skipped.
pub(super) fn possible() -> bool {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    MISSING.get_or_init(namespace::missing).as_ref().is_none_or(|missing| needs::without(missing))
}

/// Waits for all other labs to be gone; the first also removes what killed runs left.
pub(super) fn turn() -> Turn {
    let turn = Turn::of(PLACES);
    sweep();
    turn
}

fn sweep() {
    static SWEEP: Once = Once::new();
    SWEEP.call_once(namespace::sweep);
}

impl Lab {
    /// Builds the lab and waits until every server answers. Two such labs run at once.
    pub(super) fn start(design: &Design) -> Result<Self> {
        sweep();
        Self::build(design, Turn::of(PLACES / 2))
    }

    /// The same for a test that looks again where a busy machine let a step time out: as many as there are places.
    pub(super) fn start_beside(design: &Design) -> Result<Self> {
        sweep();
        Self::build(design, Turn::of(1))
    }

    fn build(design: &Design, turn: Turn) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);

        let name = format!("{PREFIX}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut lab = Self {
            vm: format!("{name}-vm"),
            azure: format!("{name}-azure"),
            folder: std::env::temp_dir().join(&name),
            children: Vec::new(),
            _turn: turn,
        };
        fs::create_dir(&lab.folder)?;
        lab.certificates(design)?;
        lab.machine_files(design)?;
        lab.wire(design)?;
        lab.firewall(design)?;
        servers::start(&mut lab, design)?;
        Ok(lab)
    }

    /// A folder for the files of the lab's programs; what runs as another user may enter it.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The root certificate that stands for the public ones.
    pub(super) fn public_roots(&self) -> PathBuf {
        self.folder.join("front-root.pem")
    }

    /// A command inside the machine, with an environment of its own. What resolved writes below `/run/systemd` is the lab's own.
    pub(super) fn on_machine(&self, program: &str) -> Command {
        let own = self.folder.join("systemd");
        if !own.is_dir() {
            return inside(&self.vm, program);
        }
        let mut command = inside(&self.vm, "unshare");
        let script = "mkdir -p /run/systemd && mount --bind \"$0\" /run/systemd && exec \"$@\"";
        command.args(["--mount", "sh", "-c", script]).arg(own).arg(program);
        command
    }

    /// A second wire, to a VPN's own network.
    pub(super) fn add_vpn(&self) -> Result<()> {
        link(&self.vm, "vpn0", &self.azure, "vpn0")?;
        batch(&self.vm, "link set vpn0 up\naddress add 10.8.0.10/24 dev vpn0\n")?;
        batch(&self.azure, &format!("link set vpn0 up\naddress add {VPN_DNS}/24 dev vpn0\n"))
    }

    /// A file of the machine below its `/etc`, in a folder that exists there: it is laid over that folder.
    pub(super) fn place(&self, path: &str, text: &str) -> Result<()> {
        let file = Path::new("/etc/netns").join(&self.vm).join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(file, text)?)
    }

    /// Lets the machine trust one more authority.
    pub(super) fn trust(&self, root: &Path) -> Result<()> {
        let store = Path::new("/etc/netns").join(&self.vm).join("ssl/certs/ca-certificates.crt");
        let known = fs::read_to_string(&store)?;
        Ok(fs::write(store, known + &fs::read_to_string(root)?)?)
    }

    /// A command on Azure's side.
    pub(super) fn in_azure(&self, program: &str) -> Command {
        inside(&self.azure, program)
    }

    /// Starts a server that lives as long as the lab; what it says goes to `NAME.log`.
    pub(super) fn serve(&mut self, name: &str, mut command: Command) -> Result<()> {
        let log = File::create(self.folder.join(format!("{name}.log")))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.children.push(command.spawn()?);
        Ok(())
    }

    /// Waits until a probe succeeds.
    pub(super) fn wait_until(&mut self, what: &str, mut ready: impl FnMut(&Self) -> bool) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if ready(self) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(30));
        }
        Err(format!("{what} did not get ready in {PATIENCE:?}: {}", self.logs()).into())
    }

    /// Adds rules for what comes to Azure's side over the wire; the lab's own servers always reach each other.
    pub(super) fn filter(&self, rules: &str) -> Result<()> {
        // nft 1.0.6 takes a rule and the closing brace on one line for a syntax error.
        let hook = "type filter hook input priority 0\niifname != \"eth0\" accept";
        self.nft(&format!("table inet faults {{\nchain input {{\n{hook}\n{rules}\n}}\n}}\n"))
    }

    /// The end of every log, for a failure's message.
    pub(super) fn logs(&self) -> String {
        let mut text = String::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let log = fs::read(&path).unwrap_or_default();
                let tail = log.get(log.len().saturating_sub(2000)..).unwrap_or_default();
                let _ = write!(text, "\n--- {}\n{}", path.display(), String::from_utf8_lossy(tail));
            }
        }
        text
    }

    fn certificates(&self, design: &Design) -> Result<()> {
        let hosts = design.names.hosts();
        certificates::write(&self.folder, "front", "Lab Public Trust", &hosts)?;
        certificates::write(&self.folder, "inspection", design.inspector, &hosts)
    }

    /// What `ip netns exec` lays over the machine's `/etc`.
    fn machine_files(&self, design: &Design) -> Result<()> {
        let etc = Path::new("/etc/netns").join(&self.vm);
        let store = etc.join("ssl/certs");
        fs::create_dir_all(&store)?;
        fs::write(etc.join("resolv.conf"), &design.resolv_conf)?;
        fs::write(etc.join("hosts"), format!("127.0.0.1 localhost\n{}", design.hosts))?;
        // Services such as systemd-resolved are reached through Unix sockets, which no network namespace holds back.
        if matches!(design.stub, Stub::Resolved { .. }) {
            for (file, line) in
                [("passwd", "systemd-resolve:x:990:990::/:/bin/false"), ("group", "systemd-resolve:x:990:")]
            {
                let known = fs::read_to_string(Path::new("/etc").join(file))?;
                let others: Vec<&str> = known.lines().filter(|line| !line.starts_with("systemd-resolve:")).collect();
                fs::write(etc.join(file), format!("{}\n{line}\n", others.join("\n")))?;
            }
        }
        fs::write(etc.join("nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n")?;
        let mut trusted = String::new();
        if !design.distrustful {
            trusted += &fs::read_to_string(self.public_roots())?;
        }
        if design.distrustful || design.inspection == Inspection::Trusted {
            trusted += &fs::read_to_string(self.folder.join("inspection-root.pem"))?;
        }
        fs::write(store.join("ca-certificates.crt"), trusted)?;
        Ok(())
    }

    /// Joins machine and Azure by a wire; everything that is not on the machine's own network lies behind Azure's side.
    fn wire(&mut self, design: &Design) -> Result<()> {
        let (vm, azure) = (self.vm.clone(), self.azure.clone());
        for namespace in [&vm, &azure] {
            run(Command::new("ip").args(["netns", "add", namespace]))?;
        }
        if design.delay_ms.is_some() || design.largest_packet.is_some() {
            let middle = self.middle();
            run(Command::new("ip").args(["netns", "add", &middle]))?;
            for (end, name) in [(&vm, "a"), (&azure, "b")] {
                link(end, "eth0", &middle, name)?;
                run(Command::new("ip").args(["-n", &middle, "link", "set", "dev", name, "up"]))?;
            }
        } else {
            link(&vm, "eth0", &azure, "eth0")?;
        }
        batch(
            &vm,
            "link set lo up\nlink set eth0 up\naddress add 10.0.0.10/24 dev eth0\nroute add default via 10.0.0.1\n",
        )?;
        batch(
            &azure,
            &format!(
                "link set lo up\nlink set eth0 up\naddress add 10.0.0.1/24 dev eth0\naddress add {CUSTOM_DNS}/24 dev eth0\n\
                 address add {PROXY}/24 dev eth0\naddress add {SECOND_DNS}/24 dev eth0\naddress add {AZURE_DNS}/32 dev lo\naddress add {PUBLIC_DNS}/32 dev lo\n\
                 address add {BEHIND_RULESET}/32 dev lo\n\
                 address add 169.254.169.254/32 dev lo\nroute add local 10.1.0.0/24 dev lo\nroute add local 10.7.0.0/16 dev lo\n\
                 route add local 20.0.0.0/8 dev lo\n"
            ),
        )?;
        if let Some(delay) = design.delay_ms {
            servers::delay(self, delay)?;
        }
        if let Some(largest) = design.largest_packet {
            router::start(self, largest)?;
        }
        // The safety of everything that follows: what runs on the machine is not in the namespace of the tests.
        let own = fs::read_link("/proc/self/ns/net")?;
        let output = run(self.on_machine("readlink").arg("/proc/self/ns/net"))?;
        if own.to_string_lossy() == String::from_utf8_lossy(&output.stdout).trim() {
            return Err("the machine has no network namespace of its own".into());
        }
        Ok(())
    }

    /// The namespace between the two, where packets are held back or lost.
    pub(super) fn middle(&self) -> String {
        self.vm.replace("-vm", "-mid")
    }

    fn firewall(&self, design: &Design) -> Result<()> {
        let port = match design.inspection {
            Inspection::None => None,
            Inspection::Trusted => Some(8443),
            Inspection::Old => Some(8444),
            Inspection::Mitmproxy => Some(8080),
        };
        if let Some(port) = port {
            self.nft(&format!(
                "table ip inspection {{\nchain prerouting {{\ntype nat hook prerouting priority -100\n\
                 iifname \"eth0\" tcp dport 443 redirect to :{port}\n}}\n}}\n"
            ))?;
        }
        if design.firewall.is_empty() { Ok(()) } else { self.filter(design.firewall) }
    }

    /// Rules of nftables for Azure's side.
    pub(super) fn nft(&self, text: &str) -> Result<()> {
        let file = self.folder.join("rules.nft");
        fs::write(&file, text)?;
        run(self.in_azure("nft").arg("-f").arg(&file))?;
        Ok(())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        for namespace in [&self.vm, &self.azure, &self.middle()] {
            namespace::remove(namespace);
        }
        let _ = fs::remove_dir_all(&self.folder);
        // Only when no other lab is left.
        let _ = fs::remove_dir("/etc/netns");
    }
}
