//! The words that reports print and Azure's documentation presupposes, each explained in a few sentences.

/// A word and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The word, then its other spellings, in lower case.
    pub names: &'static [&'static str],
    /// What it means.
    pub means: &'static str,
    /// What to give to `explain` next.
    pub more: &'static [&'static str],
}

const fn term(names: &'static [&'static str], means: &'static str, more: &'static [&'static str]) -> Term {
    Term { names, means, more }
}

/// Every word: Azure's things, then verdicts, then what DNS and connections answer, then the words of findings.
pub const TERMS: &[Term] = &[
    term(
        &["ampls", "scope", "private link scope", "azure monitor private link scope"],
        "Azure Monitor Private Link Scope: the Azure resource that lists which workspaces and data collection endpoints may be \
         reached through its private endpoints. One network can use one scope only: its five DNS zones serve every workspace.",
        &["private endpoint", "privatelink", "access modes", "DNS004"],
    ),
    term(
        &["private endpoint", "endpoint address"],
        "A network interface with a private address in a virtual network. Traffic to that address reaches the Azure service \
         without the internet. It works only when names resolve to it, its connection is approved and the firewall allows TCP 443.",
        &["ampls", "privatelink", "DNS005"],
    ),
    term(
        &["privatelink", "zone", "private dns zone", "zones"],
        "Azure Monitor's private names live in five zones: privatelink.monitor.azure.com, privatelink.ods.opinsights.azure.com, \
         privatelink.oms.opinsights.azure.com, privatelink.agentsvc.azure-automation.net and privatelink.blob.core.windows.net. \
         Each must be linked to the virtual network where the DNS server resolves. Programs use the public name; public DNS \
         points it to the privatelink name, and a linked zone answers that with a private address.",
        &["link", "soa", "ods", "DNS003"],
    ),
    term(
        &["link", "linked", "virtual network link", "vnet link"],
        "Connects a private DNS zone to a virtual network. Azure's DNS (168.63.129.16) shows a zone only to networks that it is \
         linked to. A network can be linked to one zone of a name only.",
        &["privatelink", "168.63.129.16", "DNS003"],
    ),
    term(
        &["zone group", "dns zone group"],
        "The part of a private endpoint that writes the endpoint's addresses into private DNS zones and keeps them there.",
        &["private endpoint", "DNS004"],
    ),
    term(
        &["ods", "log upload"],
        "Where agents upload logs: WORKSPACE_ID.ods.opinsights.azure.com. Required for the Azure Monitor agent and the Log \
         Analytics agents. Its zone is privatelink.ods.opinsights.azure.com.",
        &["oms", "privatelink", "privatelink.ods.opinsights.azure.com"],
    ),
    term(
        &["oms", "registration"],
        "Where Log Analytics agents register, and some programs query: WORKSPACE_ID.oms.opinsights.azure.com. Its zone is \
         privatelink.oms.opinsights.azure.com.",
        &["ods", "mma", "privatelink.oms.opinsights.azure.com"],
    ),
    term(
        &["agentsvc"],
        "The service of Azure Automation that the retired Log Analytics agents and hybrid workers use: \
         WORKSPACE_ID.agentsvc.azure-automation.net. The Azure Monitor agent does not need it.",
        &["mma", "privatelink.agentsvc.azure-automation.net"],
    ),
    term(
        &["blob"],
        "The storage account from which agents fetch solution packs: scadvisorcontent.blob.core.windows.net. Beware: a linked \
         zone privatelink.blob.core.windows.net also answers for every other storage account that has a private endpoint.",
        &["privatelink", "privatelink.blob.core.windows.net"],
    ),
    term(
        &["monitor", "configuration", "handler"],
        "The zone privatelink.monitor.azure.com: where agents fetch their configuration (…handler.control.monitor.azure.com), \
         and where data collection endpoints, Application Insights and queries live.",
        &["dce", "global.handler.control.monitor.azure.com", "privatelink.monitor.azure.com"],
    ),
    term(
        &["dce", "data collection endpoint"],
        "An Azure resource with host names of its own, for configuration, log and metrics ingestion. With a private link the \
         Azure Monitor agent needs one, in the machine's region and in the scope.",
        &["dcr", "ampls", "AGT004"],
    ),
    term(
        &["dcr", "data collection rule", "rules"],
        "Says which data an agent collects and where it sends them. An agent that is associated with none sends nothing.",
        &["dce", "ama"],
    ),
    term(
        &["ama", "azure monitor agent"],
        "The current agent for logs and metrics, on Linux and Windows. It fetches its configuration from a handler name and \
         uploads to ods names or a data collection endpoint.",
        &["dce", "ods", "delivery"],
    ),
    term(
        &["mma", "log analytics agent", "microsoft monitoring agent"],
        "The retired Log Analytics agents for Windows (MMA) and Linux (OMS agent). They use ods, oms and agentsvc names.",
        &["oms", "agentsvc", "AGT001"],
    ),
    term(
        &["arc", "azure arc", "connected machine"],
        "Lets machines outside Azure be managed like virtual machines. Its agent has names and a proxy setting of its own.",
        &["PRX004", "ama"],
    ),
    term(
        &["workspace", "log analytics workspace", "workspace id"],
        "Where logs are stored. Its id (a GUID, on the Overview page) is part of its host names; its resource id and its name \
         are not. A private scope answers for a workspace only when the workspace is in it.",
        &["ods", "ampls", "DNS004"],
    ),
    term(
        &["access modes", "access mode", "private only", "open"],
        "A setting of the scope for each network: with PrivateOnly Azure Monitor refuses, from that network, whatever is not in \
         the scope. A machine cannot see it.",
        &["ampls", "HTP001"],
    ),
    term(
        &["imds", "metadata service", "metadata"],
        "169.254.169.254: the service that tells a virtual machine its region, ids and tokens. Never reached through a proxy.",
        &["169.254.169.254", "AZR001"],
    ),
    term(
        &["wire server", "wireserver", "azure dns", "platform"],
        "168.63.129.16, the same in every region: Azure's DNS server for this virtual network, and the service from which the \
         VM agent gets its orders.",
        &["168.63.129.16", "DNS002"],
    ),
    term(
        &["verdict"],
        "One word for the route and one for the health. The route (PRIVATE, PUBLIC, MIXED, UNRESOLVED) says where the required \
         names that could be private lead from this machine. The health is the highest severity among the findings.",
        &["private", "public", "mixed", "healthy"],
    ),
    term(
        &["private"],
        "The name resolves to a private address, or to an address that its privatelink name owns. As a verdict: all required \
         names that could be private are. Private alone is not healthy: the address must answer, too.",
        &["public", "mixed", "private endpoint"],
    ),
    term(
        &["public"],
        "The name resolves to an address of the internet. As a verdict: all required names that could be private are public. \
         That is right where no private link is meant; where one is, data leave publicly or are refused.",
        &["private", "mixed", "DNS001"],
    ),
    term(
        &["mixed"],
        "Some required names are private and others public, or one name is both. The usual cause is a DNS zone that is not \
         linked, or a record that is missing. Half a private link fails in odd ways: an agent may fetch its configuration and \
         then fail to upload.",
        &["private", "public", "DNS003", "DNS004"],
    ),
    term(
        &["unresolved", "none"],
        "No address is known: the name did not resolve, or resolved to an address that goes nowhere.",
        &["silent", "sinkholed", "DNS008"],
    ),
    term(
        &["healthy", "ok", "with warnings", "broken"],
        "Healthy: no warning and no error. With warnings: it works, and something is wrong or will be. Broken: something \
         required does not work. JSON and the VERDICT line say ok, warning and error.",
        &["verdict", "delivery"],
    ),
    term(
        &["delivery", "not proven", "delivers"],
        "Whether data arrive in Azure. The network can be healthy while nothing is sent: delivery is proven only by what the \
         agent's own files say of recent uploads. Without an agent it is not proven.",
        &["ama", "AGT002", "AGT008"],
    ),
    term(
        &["required", "optional", "need"],
        "Required: agents on this machine, or your arguments, need the name. Optional: only some features do, so that its \
         failure counts less.",
        &["verdict"],
    ),
    term(
        &["soa", "public zone", "private zone"],
        "The record that names who runs a DNS zone. For a zone that is linked, a server shows azureprivatedns.net; otherwise \
         it shows the servers of public DNS. That is how a missing link differs from a missing record.",
        &["privatelink", "link", "DNS003", "DNS004"],
    ),
    term(
        &["forwarder", "conditional forwarder", "bypass"],
        "A rule of a DNS server to ask another server for some names. For a private link it must cover the public names (like \
         ods.opinsights.azure.com) and end at 168.63.129.16 in a linked network.",
        &["168.63.129.16", "DNS002", "DNS020"],
    ),
    term(
        &["fallback", "fallback to internet"],
        "A setting of a zone's link: names without a record in the private zone are asked in public DNS. Be aware: missing \
         records then use the public path, and nothing tells you.",
        &["link", "DNS004"],
    ),
    term(
        &["configured", "upstream", "extra"],
        "DNS servers. Configured: the system uses it. Upstream: a local resolver sends its questions there. Extra: only this \
         program asks it, for comparison or because of --resolver.",
        &["forwarder", "168.63.129.16"],
    ),
    term(
        &["silent", "timeout", "timed out", "no answer"],
        "Nothing came back in time: dropped by a firewall, or the host is down. A refusal would have come at once.",
        &["refused", "DNS008", "NET001"],
    ),
    term(
        &["nxdomain", "nodata", "no such name", "no address", "denied", "denies"],
        "A DNS server says that the name does not exist (nxdomain), or has no address (nodata). A linked private zone without \
         the record denies the name, and no other server is asked.",
        &["soa", "DNS004"],
    ),
    term(
        &["servfail", "formerr", "malformed", "truncated", "refused"],
        "A DNS server could not answer (servfail), did not understand the question (formerr), does not want to answer \
         (refused), or its answer could not be read. Of a port, refused means that the host is there and nothing listens.",
        &["silent", "DNS008", "NET002"],
    ),
    term(
        &["unreachable", "not asked", "not finished", "not tested", "not tried"],
        "Unreachable: there is no route. Not asked and not tested: something needed for the step was missing, such as an \
         address. Not finished: the run ended first. None of these means that all is well.",
        &["silent", "RUN001"],
    ),
    term(
        &["sinkholed", "sinkhole"],
        "The answer is an address that can be no destination, like 0.0.0.0 or 127.0.0.1: somebody blocks the name on purpose.",
        &["DNS012"],
    ),
    term(
        &["http 403", "http 404", "http 400", "http 401", "403", "404", "400", "401"],
        "A bare answer of the service itself. The program sends no credentials, so a refusal is normal: it proves that the \
         service answers. A refusal because of the network has a text of its own and is reported as a finding.",
        &["HTP001", "access modes"],
    ),
    term(
        &["intercepted", "tls inspection", "tls not verified"],
        "The certificate was not issued by a public authority: a device on the way opens the connection. Agents refuse it.",
        &["TLS001"],
    ),
    term(
        &["root", "root cause", "cause", "consequence", "consequences"],
        "A root is a finding that no other finding explains. Fix the roots; their consequences go away with them.",
        &["verdict"],
    ),
    term(
        &["proven", "likely", "certainty"],
        "Proven: what was seen leaves no other explanation. Likely: another one is possible, and the finding says how to tell.",
        &["root"],
    ),
    term(
        &["redacted", "pseudonym", "pseudonyms"],
        "Names and addresses are replaced by others that mean nothing; equal ones stay equal. Public addresses become ones of \
         ranges that nobody owns (192.0.2.0/24 and the like, 2001:db8::/32). The report can still be judged.",
        &["verdict"],
    ),
    term(
        &["digest"],
        "The short form of a report for Azure Run Command, which shows 4,000 bytes. It holds codes and arguments, not what was \
         observed, so it can be repeated and not judged again.",
        &["verdict"],
    ),
];

/// The term of this name, in any case of letters.
pub fn find(name: &str) -> Option<&'static Term> {
    let name = name.trim().to_lowercase();
    TERMS.iter().find(|term| term.names.contains(&name.as_str()))
}

/// Every name of one word, as shells complete it.
pub fn names() -> impl Iterator<Item = &'static str> {
    TERMS.iter().flat_map(|term| term.names).copied().filter(|name| !name.contains(' '))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ampls_probes::Catalogue;

    use super::super::{RulePage, find as topic};
    use super::*;
    use crate::diagnose::facts::{Route, Status};
    use crate::diagnose::rules::RULES;
    use crate::render::words;

    #[test]
    fn every_name_is_of_one_term_and_in_lower_case() {
        let mut seen = BTreeSet::new();
        for name in TERMS.iter().flat_map(|term| term.names) {
            assert!(seen.insert(name) && *name == name.to_lowercase() && !name.contains('.'), "{name}");
        }
    }

    #[test]
    fn what_a_term_points_to_is_known() {
        let catalogue = Catalogue::builtin().unwrap();
        let rules: Vec<RulePage> = RULES.iter().map(|rule| RulePage::from(*rule)).collect();
        for next in TERMS.iter().flat_map(|term| term.more) {
            assert!(topic(next, &catalogue, &rules).is_ok(), "{next}");
        }
    }

    #[test]
    fn every_word_that_a_report_prints_of_an_answer_or_a_route_is_explained() {
        let statuses = [
            Status::Ok,
            Status::NxDomain,
            Status::NoData,
            Status::ServFail,
            Status::Refused,
            Status::FormErr,
            Status::Truncated,
            Status::Malformed,
            Status::Timeout,
            Status::Unreachable,
            Status::Failed,
            Status::Cancelled,
            Status::Skipped,
        ];
        let routes = [Route::Private, Route::Public, Route::Mixed, Route::None];
        let words =
            statuses.into_iter().map(words::status).chain(routes.into_iter().flat_map(|it| [it.label(), it.as_str()]));
        for word in words {
            assert!(find(word).is_some(), "{word}");
        }
    }

    #[test]
    fn sentences_are_short_enough_to_be_read_tired() {
        for term in TERMS {
            for sentence in term.means.split_inclusive(['.', ':', ';']).filter(|it| it.ends_with(['.', ';'])) {
                assert!(sentence.split_whitespace().count() <= 32, "{:?}: {sentence}", term.names);
            }
        }
    }
}
