//! What each language gets, and what each type refuses.

use super::*;

#[test]
fn each_language_quotes_in_its_own_way() {
    let file = || FilePath::new("/etc/a 'b'\u{2019}.json");
    assert_eq!(command!(Sh, "cat {}", file()).as_str(), "cat '/etc/a '\\''b'\\''\u{2019}.json'");
    assert_eq!(command!(PowerShell, "cat {}", file()).as_str(), "cat '/etc/a ''b''\u{2019}\u{2019}.json'");
    for refused in
        [command!(Any, "cat {}", file()), command!(Cmd, "cat {}", file()), command!(Dnsmasq, "cat {}", file())]
    {
        assert_eq!(refused.as_str(), "cat FILE_PATH");
    }
    assert_eq!(command!(Any, "cat {}", FilePath::new("/etc/a b")).as_str(), "cat \"/etc/a b\"");
    assert_eq!(command!(Bind, "file {};", FilePath::new("/etc/a b")).as_str(), "file \"/etc/a b\";");
}

#[test]
fn between_quotes_only_what_cannot_leave_them_is_written() {
    let list = || NoProxy::new("*.a.example,10.0.0.0/8");
    assert_eq!(command!(Sh, "export NO_PROXY='{}'", list()).as_str(), "export NO_PROXY='*.a.example,10.0.0.0/8'");
    assert_eq!(command!(Sh, "export NO_PROXY={}", list()).as_str(), "export NO_PROXY='*.a.example,10.0.0.0/8'");
    assert_eq!(command!(Sh, "cat '{}'", FilePath::new("/etc/a'b")).as_str(), "cat 'FILE_PATH'");
    assert_eq!(command!(Any, "x \"[?a=='{}']\"", Host::new("a.b")).as_str(), "x \"[?a=='a.b']\"");
}

#[test]
fn no_type_takes_an_option_or_another_kind_of_thing() {
    for text in ["", "-x", "a b", "a;b", "$(a)", "`a`", "a\nb", "a\u{202e}", "a..b", "a/b", "{a,b}", "a'b", "a|b", "ä"]
    {
        assert_eq!((Host::new(text), Zone::new(text)), (None, None), "{text:?}");
    }
    for text in ["etc/x", "/etc/../x", "-/etc", "//x/y", "\\\\x\\y", "/etc/\u{1b}x", "/etc/a\nb"] {
        assert_eq!(FilePath::new(text), None, "{text:?}");
    }
    for text in ["http://-x:1", "http://a b", "file:///etc/passwd", "http://a:1;b", "http://a:99999", "a:1"] {
        assert_eq!(ProxyUrl::new(text), None, "{text:?}");
    }
    for text in ["/x", "/subscriptions/$(id)", "/subscriptions/x y", "/subscriptions//x", "/subscriptions/-x"] {
        assert_eq!(VmResourceId::new(text), None, "{text:?}");
    }
    assert!(ProxyUrl::new("http://[fd00::1]:3128").is_some() && ProxyUrl::new("http://proxy:3128/").is_some());
    assert!(Peer::new("[fd00::1]:443").is_some() && Peer::new("a.b:443").is_some() && Peer::new("-a:443").is_none());
    assert!(Port::new("+1").is_none() && Address::new("fe80::1%eth0").is_none() && Guid::new("x").is_none());
}

#[test]
fn a_zone_is_believed_over_its_own_names_only() {
    let over = |zone| Zone::over(zone, "x.ods.opinsights.azure.com").is_some();
    assert!(over("ods.opinsights.azure.com") && over("azure.com.") && over("X.ods.opinsights.azure.com"));
    assert!(!over("corp") && !over("s.opinsights.azure.com") && !over("y.x.ods.opinsights.azure.com") && !over(""));
}

#[test]
fn placeholders_are_known_once_and_in_order() {
    let names: Vec<&str> = PLACEHOLDERS.iter().map(|(name, _)| *name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
}
