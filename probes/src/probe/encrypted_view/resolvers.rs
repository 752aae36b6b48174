//! Which resolvers are asked encrypted, by whom, and where they are: what settings say, and no I/O.

use std::net::{IpAddr, SocketAddr};

use url::Url;

use crate::catalogue::BrowserCatalogue;
use crate::observation::{
    Asks, BrowserSetting, Browsers, EncryptedAnswer, EncryptedDns, EncryptedFailure, EncryptedProtocol,
    EncryptedResolver, EncryptedView, Outcome, Resolver, ServerRole, Timing,
};
use crate::probe::browser;

/// The port of DNS over TLS (RFC 7858, section 3.1).
const DNS_OVER_TLS: u16 = 853;
/// Resolvers that are asked.
const RESOLVERS: usize = 16;
/// Templates of one browser that are asked: a browser goes on to the next where one fails.
const TEMPLATES: usize = 2;

/// A resolver, and who asks it for which names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    url: String,
    pub(super) place: Option<Place>,
    browsers: Vec<String>,
    services: Vec<String>,
    /// It is asked for names below these only; for all where there are none.
    only: Vec<String>,
    /// It is not asked for names below these.
    except: Vec<String>,
}

/// Where a resolver is, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) protocol: EncryptedProtocol,
    /// The name that its certificate must hold.
    pub(super) host: String,
    pub(super) port: u16,
    /// Path and query.
    pub(super) path: String,
    /// Where it is connected to; `None` where its name has to be looked up.
    pub(super) address: Option<IpAddr>,
}

impl Place {
    /// Host and, where it is not the usual one, port.
    pub(super) fn authority(&self) -> String {
        if self.port == 443 { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl Target {
    fn new(url: &str, place: Option<Place>) -> Self {
        let (browsers, services) = (Vec::new(), Vec::new());
        Self { url: url.to_owned(), place, browsers, services, only: Vec::new(), except: Vec::new() }
    }

    /// The names that its users ask it for.
    pub(super) fn names(&self, names: &[String]) -> Vec<String> {
        let among = |zones: &[String], name: &str| zones.iter().any(|zone| is_below(name, zone));
        let asked = names.iter().filter(|name| self.only.is_empty() || among(&self.only, name));
        asked.filter(|name| !among(&self.except, name)).cloned().collect()
    }

    pub(super) fn view(
        &self,
        address: Option<SocketAddr>,
        timing: Timing,
        outcome: Outcome<Vec<EncryptedAnswer>, EncryptedFailure>,
    ) -> EncryptedView {
        EncryptedView {
            url: self.url.clone(),
            browsers: self.browsers.clone(),
            services: self.services.clone(),
            protocol: self.place.as_ref().map(|place| place.protocol),
            address,
            timing,
            outcome,
        }
    }

    fn asks_alike(&self, other: &Self) -> bool {
        (&self.url, &self.place, &self.only, &self.except) == (&other.url, &other.place, &other.only, &other.except)
    }
}

/// Every resolver once, those of browsers first.
pub(super) fn resolvers(
    browsers: Option<&Browsers>,
    system: Option<&EncryptedDns>,
    resolver: Option<&Resolver>,
) -> Vec<Target> {
    let mut all: Vec<Target> = Vec::new();
    let settings = browsers.and_then(|browsers| browsers.outcome.seen()).map(|seen| seen.settings.as_slice());
    let of_browsers = settings.into_iter().flatten().flat_map(|setting| of_browser(setting, resolver));
    let services =
        system.and_then(|system| system.outcome.seen()).into_iter().flatten().filter(|service| service.in_use);
    for target in of_browsers.chain(services.flat_map(|service| of_service(service, resolver))) {
        if let Some(known) = all.iter_mut().find(|known| known.asks_alike(&target)) {
            unite(&mut known.browsers, target.browsers);
            unite(&mut known.services, target.services);
        } else if all.len() < RESOLVERS {
            all.push(target);
        }
    }
    all
}

fn unite(known: &mut Vec<String>, more: Vec<String>) {
    for name in more {
        if !known.contains(&name) {
            known.push(name);
        }
    }
}

fn of_browser(setting: &BrowserSetting, resolver: Option<&Resolver>) -> Vec<Target> {
    if setting.asks == Asks::System {
        return Vec::new();
    }
    let upgrade = || {
        let catalogue = BrowserCatalogue::builtin().ok()?;
        let template = browser::configured(resolver).into_iter().find_map(|server| catalogue.template(server))?;
        Some(template.to_owned())
    };
    let templates: Vec<String> = match (&setting.template, &setting.upgraded_to) {
        (Some(templates), _) => templates.split_whitespace().take(TEMPLATES).map(str::to_owned).collect(),
        // What this version does not know the address of is said to be unknown, by the provider's name.
        (None, Some(provider)) => vec![upgrade().unwrap_or_else(|| provider.clone())],
        (None, None) => Vec::new(),
    };
    let target = |template: String| Target {
        browsers: vec![setting.id.clone()],
        except: setting.excluded_domains.clone(),
        ..Target::new(&template, over_https(&template, setting.bootstrap))
    };
    templates.into_iter().map(target).collect()
}

fn of_service(service: &EncryptedResolver, resolver: Option<&Resolver>) -> Vec<Target> {
    let of = |target: Target| Target { services: vec![service.service.clone()], only: service.zones.clone(), ..target };
    if !service.templates.is_empty() {
        let templates = service.templates.iter();
        let target = |known: &crate::observation::ServerTemplate| {
            Target::new(&known.template, over_https(&known.template, Some(known.server)))
        };
        return templates.map(|known| of(target(known))).collect();
    }
    let mut servers = service.servers.clone();
    if servers.is_empty() {
        // Without servers of its own it asks those that the network gave it.
        let upstream = resolver.map(|resolver| resolver.servers.as_slice()).unwrap_or_default().iter();
        let upstream = upstream.filter(|server| server.roles.contains(&ServerRole::Upstream));
        servers.extend(upstream.map(|server| server.address.ip().to_string()));
    }
    servers
        .iter()
        .map(|server| of(Target::new(server, over_https(server, None).or_else(|| over_tls(server)))))
        .collect()
}

/// A URI template (RFC 8484, section 4.1), of which the variable is left out: the question is sent as the body.
fn over_https(template: &str, address: Option<IpAddr>) -> Option<Place> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, more)) = rest.split_once('{') {
        text.push_str(before);
        rest = more.split_once('}')?.1;
    }
    text.push_str(rest);
    let url = Url::parse(&text).ok().filter(|url| url.scheme() == "https" && url.username().is_empty())?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let address = address.or_else(|| host.parse().ok());
    Some(Place { protocol: EncryptedProtocol::Https, host, port: url.port_or_known_default()?, path, address })
}

/// A server of DNS over TLS, as systemd (`ADDRESS[:PORT][%INTERFACE][#NAME]`) and unbound (`ADDRESS[@PORT][#NAME]`) write it.
/// Without a name its certificate has to hold the address.
/// Sources: <https://www.freedesktop.org/software/systemd/man/latest/resolved.conf.html>,
/// <https://nlnetlabs.nl/documentation/unbound/unbound.conf/>
fn over_tls(text: &str) -> Option<Place> {
    let (place, name) = text.split_once('#').map_or((text, None), |(place, name)| (place, Some(name)));
    let place = place.split('%').next().unwrap_or_default();
    let (address, port) = match (place.split_once('@'), place.parse::<SocketAddr>()) {
        (Some((address, port)), _) => (address.parse().ok()?, port.parse().ok()?),
        (None, Ok(socket)) => (socket.ip(), socket.port()),
        (None, Err(_)) => (place.trim_matches(['[', ']']).parse::<IpAddr>().ok()?, DNS_OVER_TLS),
    };
    let host = name.filter(|name| !name.is_empty()).map_or_else(|| address.to_string(), str::to_owned);
    let path = String::new();
    Some(Place { protocol: EncryptedProtocol::Tls, host, port, path, address: Some(address) })
}

/// The name is a zone, or below it.
fn is_below(name: &str, zone: &str) -> bool {
    let zone = zone.trim_start_matches('.');
    name == zone || name.strip_suffix(zone).is_some_and(|before| before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::browser;

    fn system(services: Vec<EncryptedResolver>) -> EncryptedDns {
        EncryptedDns { timing: Timing::default(), outcome: Outcome::Seen(services), unread: Vec::new() }
    }

    fn browsers(settings: Vec<BrowserSetting>) -> Browsers {
        let seen = crate::observation::BrowsersSeen { settings, ..Default::default() };
        Browsers { timing: Timing::default(), outcome: Outcome::Seen(seen) }
    }

    fn service(servers: &[&str], in_use: bool) -> EncryptedResolver {
        EncryptedResolver {
            service: "systemd-resolved".to_owned(),
            source: String::new(),
            setting: String::new(),
            strict: true,
            servers: servers.iter().map(|server| (*server).to_owned()).collect(),
            in_use,
            zones: Vec::new(),
            templates: Vec::new(),
        }
    }

    #[test]
    fn templates_are_places_without_their_variable() {
        let path =
            |template: &str| over_https(template, None).map(|place| (place.host.clone(), place.port, place.path));
        let place = |host: &str, port, path: &str| Some((host.to_owned(), port, path.to_owned()));
        assert_eq!(path("https://dns.google/dns-query{?dns}"), place("dns.google", 443, "/dns-query"));
        assert_eq!(
            path("https://doh.dns.sb/dns-query?no_ecs=true{&dns}"),
            place("doh.dns.sb", 443, "/dns-query?no_ecs=true")
        );
        assert_eq!(path("https://[2606:4700::1]:8443/q"), place("2606:4700::1", 8443, "/q"));
        for other in ["http://dns.google/", "https://user@dns.google/", "dns.google", "https://a/{", "", "https://"] {
            assert_eq!(path(other), None, "{other}");
        }
    }

    #[test]
    fn servers_of_dns_over_tls_are_read_as_systemd_and_unbound_write_them() {
        let of = |text: &str| over_tls(text).map(|place| (place.host, place.address.unwrap().to_string(), place.port));
        let table = [
            ("1.1.1.1", "1.1.1.1", "1.1.1.1", 853),
            ("1.1.1.1#one.example", "one.example", "1.1.1.1", 853),
            ("1.1.1.1:8853%eth0#one.example", "one.example", "1.1.1.1", 8853),
            ("1.1.1.1@8853#one.example", "one.example", "1.1.1.1", 8853),
            ("2606:4700::1111#one.example", "one.example", "2606:4700::1111", 853),
            ("[2606:4700::1111]:8853#one.example", "one.example", "2606:4700::1111", 8853),
        ];
        for (text, host, address, port) in table {
            assert_eq!(of(text), Some((host.to_owned(), address.to_owned(), port)), "{text}");
        }
        for text in ["cloudflare", "1.1.1.1@x", "#one.example", "", "1.1.1.1@99999"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn resolver_of_several_users_is_asked_once_and_one_that_nobody_uses_not_at_all() {
        let settings = vec![
            browser("chrome", Asks::EncryptedOnly),
            browser("edge", Asks::EncryptedFirst),
            browser("firefox", Asks::System),
        ];
        let found = resolvers(Some(&browsers(settings)), Some(&system(vec![service(&["9.9.9.10"], false)])), None);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((only.browsers.as_slice(), only.services.len()), (&["chrome".to_owned(), "edge".to_owned()][..], 0));
        let found = resolvers(None, Some(&system(vec![service(&["9.9.9.10", "dnscrypt-name"], true)])), None);
        let places: Vec<bool> = found.iter().map(|target| target.place.is_some()).collect();
        assert_eq!(places, [true, false]);
    }

    #[test]
    fn names_that_are_left_out_or_outside_the_zones_are_not_asked_for() {
        let names = ["api.monitor.azure.com", "global.handler.control.monitor.azure.com", "monitor.azure.com.example"];
        let names: Vec<String> = names.map(str::to_owned).to_vec();
        let target = Target::new("x", None);
        assert_eq!(target.names(&names).len(), 3);
        let except = Target { except: vec![".control.monitor.azure.com".to_owned()], ..target.clone() };
        assert_eq!(except.names(&names), [names[0].clone(), names[2].clone()]);
        let only = Target { only: vec!["monitor.azure.com".to_owned()], ..target };
        assert_eq!(only.names(&names), names[..2]);
    }
}
