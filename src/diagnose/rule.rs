//! What a rule is, and the macro that declares it: the page, and everything that other parts of the program know about it.
//!
//! Nothing else in the program decides by a rule's code.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ampls_probes::packed::unpacked;

use super::draft::Draft;
use super::facts::Facts;
use super::finding::{Owner, Severity};

/// Where in the stack a fault lies; findings of one severity are ordered by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Metadata service and platform.
    Metadata,
    /// Name resolution.
    Dns,
    /// TCP.
    Tcp,
    /// TLS.
    Tls,
    /// HTTP.
    Http,
    /// Proxies.
    Proxy,
    /// Agents.
    Agent,
    /// Browsers.
    Browser,
    /// The run itself.
    Run,
}

/// A station on the way from this machine to a service, in the order in which a request passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hop {
    /// The DNS server that is asked, or the hosts file in its place.
    Server,
    /// The alias that the server's answer goes through.
    Alias,
    /// The address at the end.
    Address,
    /// What answers at that address.
    Service,
}

/// What kind of statement a rule makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// Something is wrong, or worth knowing.
    Fault,
    /// Only that steps of the run did not end. It proves nothing about what they would have found.
    Unfinished,
    /// Only that something fails and no other rule says why. It is dropped where another rule does.
    Unexplained,
}

/// One diagnosis.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The code, e.g. `DNS003`; never reused.
    pub code: &'static str,
    /// The fault, e.g. `zone-not-linked`.
    pub name: &'static str,
    /// Where the fault lies.
    pub layer: Layer,
    /// How bad a finding usually is on a required endpoint. What was observed decides in the end.
    pub severity: Severity,
    /// Who usually repairs it. What was observed decides in the end.
    pub owner: Owner,
    /// The stations at which the fault is drawn; none where it is not about the path to one endpoint.
    pub hops: &'static [Hop],
    /// What kind of statement it makes.
    pub claim: Claim,
    /// It concludes from every name or every server. It says nothing about observations of which a part is unreadable.
    pub all_names: bool,
    /// It amounts to an endpoint that does not answer. A network that blocks what is optional and public does so rightly.
    pub no_answer: bool,
    /// Codes of symptoms that this fault explains on the endpoints it concerns.
    pub explains: &'static [&'static str],
    /// Finds the fault. Total: no panic, no input or output, the same answer for the same facts.
    pub check: fn(&Facts<'_>) -> Vec<Draft>,
    /// The source file.
    pub file: &'static str,
}

/// The headings of every page, in order.
pub const HEADINGS: [&str; 5] = ["What it means", "Why it matters", "How to fix", "How to confirm", "References"];

/// The doc comments of all rules by their codes. Together they are a tenth of a megabyte, of which packed a quarter is left.
static PAGES: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| unpacked(include_bytes!(concat!(env!("OUT_DIR"), "/pages.txt.gz"))));
    TEXT.split('\u{1e}').filter_map(|page| page.split_once('\n')).collect()
});

impl Rule {
    /// The doc comment: Markdown with the headings of [`HEADINGS`]; every line begins with the comment's space.
    fn page(&self) -> &'static str {
        PAGES.get(self.code).copied().unwrap_or_default()
    }

    /// The page as Markdown, with its title.
    pub fn page_markdown(&self) -> String {
        let (code, severity, owner) = (self.code, self.severity.as_str(), self.owner.as_str());
        let mut page = format!("# {code} {}\n\nUsual severity: {severity}. Usual owner: {owner}.\n\n", self.name);
        for line in self.page().lines() {
            page.push_str(line.strip_prefix(' ').unwrap_or(line).trim_end());
            page.push('\n');
        }
        if !self.explains.is_empty() {
            let mut symptoms = self.explains.to_vec();
            symptoms.sort_unstable();
            let symptoms = symptoms.join(", ");
            page.extend(["\nWhen ", code, " is the cause, these appear under it: ", &symptoms, ".\n"]);
        }
        page
    }

    /// The first reference of the page.
    pub fn link(&self) -> &'static str {
        let page = self.page();
        let Some(start) = page.find("https://") else {
            return "";
        };
        let rest = page.get(start..).unwrap_or_default();
        let end = rest.find(|character: char| character.is_whitespace() || character == '>').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }
}

/// What a connection that is not made shows.
pub(crate) const NO_CONNECTION: &[&str] = &["NET001", "NET002", "NET003", "NET004", "NET005"];

/// What a name shows that leads to another address than it should: the address does not answer, or refuses.
pub(crate) const WRONG_ADDRESS: &[&str] =
    &["NET001", "NET002", "NET003", "NET004", "NET005", "NET006", "TLS006", "TLS007", "HTP001", "HTP003"];

/// What an agent shows that cannot deliver.
pub(crate) const NOT_DELIVERED: &[&str] = &["AGT008", "AGT009"];

/// How many codes several lists hold.
pub(crate) const fn count(lists: &[&[&str]]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < lists.len() {
        count += lists[at].len();
        at += 1;
    }
    count
}

/// Several lists of codes as one.
pub(crate) const fn joined<const COUNT: usize>(lists: &[&[&'static str]]) -> [&'static str; COUNT] {
    let mut codes = [""; COUNT];
    let (mut list, mut filled) = (0, 0);
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            codes[filled] = lists[list][at];
            filled += 1;
            at += 1;
        }
        list += 1;
    }
    codes
}

/// Declares a rule. Its doc comment is at once documentation, `explain` page and the page that is shipped. No field has a
/// default: the author of a rule decides each.
macro_rules! rule {
    (
        $(#[doc = $page:literal])*
        $code:ident = $name:literal {
            layer: $layer:ident,
            severity: $severity:ident,
            owner: $owner:ident,
            hops: [$($hop:ident),*],
            claim: $claim:ident,
            all_names: $all_names:literal,
            no_answer: $no_answer:literal,
            explains: [$($explains:expr),* $(,)?],
        }
    ) => {
        $(#[doc = $page])*
        pub(super) const $code: $crate::diagnose::rule::Rule = $crate::diagnose::rule::Rule {
            code: stringify!($code),
            name: $name,
            layer: $crate::diagnose::rule::Layer::$layer,
            severity: $crate::diagnose::finding::Severity::$severity,
            owner: $crate::diagnose::finding::Owner::$owner,
            hops: &[$($crate::diagnose::rule::Hop::$hop),*],
            claim: $crate::diagnose::rule::Claim::$claim,
            all_names: $all_names,
            no_answer: $no_answer,
            explains: {
                const LISTS: &[&[&str]] = &[$($explains),*];
                const CODES: [&str; $crate::diagnose::rule::count(LISTS)] = $crate::diagnose::rule::joined(LISTS);
                &CODES
            },
            check,
            file: file!(),
        };
    };
}
pub(crate) use rule;
