//! What a rule is, and the macro that turns a rule's doc comment into its page.

use super::draft::Draft;
use super::facts::Facts;

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

/// One diagnosis.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The code, e.g. `DNS003`; never reused.
    pub code: &'static str,
    /// The fault, e.g. `zone-not-linked`.
    pub name: &'static str,
    /// Where the fault lies.
    pub layer: Layer,
    /// Codes of symptoms that this fault explains on the endpoints it concerns.
    pub explains: &'static [&'static str],
    /// The doc comment: Markdown with the headings of [`HEADINGS`]; every line begins with the comment's space.
    pub page: &'static str,
    /// Finds the fault. Total: no panic, no input or output, the same answer for the same facts.
    pub check: fn(&Facts<'_>) -> Vec<Draft>,
    /// The source file.
    pub file: &'static str,
}

/// The headings of every page, in order.
pub const HEADINGS: [&str; 5] = ["What it means", "Why it matters", "How to fix", "How to confirm", "References"];

impl Rule {
    /// The page as Markdown, with its title.
    pub fn page_markdown(&self) -> String {
        let mut page = format!("# {} {}\n\n", self.code, self.name);
        for line in self.page.lines() {
            page.push_str(line.strip_prefix(' ').unwrap_or(line).trim_end());
            page.push('\n');
        }
        if !self.explains.is_empty() {
            page.push_str("\nWhere it is found, it explains: ");
            page.push_str(&self.explains.join(", "));
            page.push_str(".\n");
        }
        page
    }

    /// The first reference of the page.
    pub fn link(&self) -> &'static str {
        let Some(start) = self.page.find("https://") else {
            return "";
        };
        let rest = self.page.get(start..).unwrap_or_default();
        let end = rest.find(|character: char| character.is_whitespace() || character == '>').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }
}

/// Declares a rule. Its doc comment is at once documentation, `explain` page and the page that is shipped.
macro_rules! rule {
    (
        $(#[doc = $page:literal])*
        $code:ident = $name:literal, $layer:ident, explains $explains:expr;
    ) => {
        $(#[doc = $page])*
        pub(super) const $code: $crate::diagnose::rule::Rule = $crate::diagnose::rule::Rule {
            code: stringify!($code),
            name: $name,
            layer: $crate::diagnose::rule::Layer::$layer,
            explains: &$explains,
            page: concat!($($page, "\n"),*),
            check,
            file: file!(),
        };
    };
}
pub(crate) use rule;
