//! What each language gets, and what each type refuses.

use std::net::IpAddr;

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
fn a_placeholder_is_wanted_or_given_as_a_whole_word() {
    let wanted = command!(Any, "nc ADDRESS_AND_PORT");
    assert_eq!((wanted.asks(), wanted.gives()), (["ADDRESS_AND_PORT"].into(), [].into()));
    let given = command!(Any, "az network x show --query \"{ZONE_GROUP:name}\"");
    assert_eq!((given.asks(), given.gives()), ([].into(), ["ZONE_GROUP"].into()));
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
fn what_one_language_reads_as_more_is_quoted_or_refused() {
    let path = || FilePath::new("/etc//x");
    assert_eq!(path(), None, "the second part is empty");
    let path = || FilePath::new("/etc/x");
    assert_eq!(command!(Bind, "file {};", path()).as_str(), "file \"/etc/x\";");
    assert_eq!(command!(Dnsmasq, "server=/{}/::1", path()).as_str(), "server=/FILE_PATH/::1");
    assert_eq!(command!(Dnsmasq, "server=/{}/::1", Zone::new("a.b")).as_str(), "server=/a.b/::1");
}

#[test]
fn a_path_is_one_that_a_person_can_read() {
    let homes =
        ["/home/jürgen/x", "C:\\Users\\Jürgen\\x", "/home/иван/x", "/home/太郎/x", "/home/O’Brien/x", "/a b/%p.json"];
    for text in homes {
        assert!(FilePath::new(text).is_some(), "{text:?}");
    }
    let unseen = [
        '\u{202e}', '\u{200b}', '\u{2066}', '\u{ad}', '\u{3164}', '\u{115f}', '\u{2800}', '\u{fe0f}', '\u{a0}',
        '\u{2003}',
    ];
    for character in unseen {
        assert_eq!(FilePath::new(&format!("/etc/a{character}b")), None, "{character:?}");
    }
    for text in ["/еtc/hosts", "/etc/hοsts", "/ｅtc/x", "/etc/ｈｏｓｔｓ", "/etc∕x", "/etc⁄x", "/𝐞tc/x"]
    {
        assert_eq!(FilePath::new(text), None, "{text:?}");
    }
}

#[test]
fn a_path_names_a_file_on_this_machine() {
    for text in [
        "/\\host\\share\\x",
        "//host/share/x",
        "C:\\\\host\\x",
        "/dev/tcp/host/80",
        "/./dev/zero",
        "/proc/self/mem",
        "/sys/x",
        "/",
    ] {
        assert_eq!(FilePath::new(text), None, "{text:?}");
    }
    for text in ["C:\\x:stream", "C:\\CON", "C:\\x\\nul.json", "C:\\com1", "CC:\\x", "1:\\x", "HKLM:\\x"] {
        assert_eq!(FilePath::new(text), None, "{text:?}");
    }
    let hosts = r"D:\WINDOWS\System32\drivers\etc\hosts";
    assert!(HostsFile::new("/etc/hosts").is_some() && HostsFile::new(hosts).is_some());
    for text in
        ["/etc/shadow", "/etc/hosts -e 1e\\ zq", r"\\host\Windows\System32\drivers\etc\hosts", "/etc/../etc/hosts"]
    {
        assert_eq!(HostsFile::new(text), None, "{text:?}");
    }
}

#[test]
fn no_type_leads_to_a_file_of_arguments_or_out_of_its_place() {
    for text in ["@/etc/passwd", "@x"] {
        assert_eq!((Host::new(text), ArmName::new(text), NoProxy::new(text)), (None, None, None), "{text:?}");
    }
    for text in ["/subscriptions/..", "/subscriptions/a/../../x", "/subscriptions/./x"] {
        assert_eq!((ResourceId::new(text), VmResourceId::new(text)), (None, None), "{text:?}");
    }
    for text in ["//host/x", "/../x", "/a/./b", "/-x"] {
        assert_eq!(UrlPath::new(text), None, "{text:?}");
    }
    assert!(UrlPath::new("/").is_some() && UrlPath::new("/a/b.c").is_some());
    assert_eq!((Peer::new("a.b:+1"), ProxyUrl::new("http://a:+1"), ArmName::new("..")), (None, None, None));
    let id = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";
    assert!(Guid::new(id).is_some());
    for text in [format!("{{{id}}}"), format!("urn:uuid:{id}"), id.replace('-', "")] {
        assert_eq!(Guid::new(&text), None, "{text:?}");
    }
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

#[test]
fn a_command_of_any_machine_has_placeholders_for_all_words() {
    let command = command!(Any, "nslookup {} {}", Host::new("a.azure.com"), IpAddr::from([10, 0, 0, 4]));
    assert_eq!(command.as_str(), "nslookup a.azure.com 10.0.0.4");
    assert_eq!(command.of_any_machine(), "nslookup HOST_NAME ADDRESS");
    assert_eq!(command!(Any, "hostname").of_any_machine(), "hostname");
}

#[test]
fn what_is_known_stands_where_a_command_asks_for_it() {
    let list = command!(
        Any,
        "az x list --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} --query \"[].{LINK_NAME:name}\"",
        Zone::new("privatelink.monitor.azure.com")
    );
    let known = |name: &'static str| match name {
        "DNS_RESOURCE_GROUP" => ArmName::new("rg-dns").map(Word::from),
        "LINK_NAME" => ArmName::new("hub").map(Word::from),
        _ => None,
    };
    let filled = list.filled(&known);
    assert_eq!(
        filled.as_str(),
        "az x list --subscription DNS_SUBSCRIPTION -g rg-dns -z privatelink.monitor.azure.com --query \"[].{LINK_NAME:name}\""
    );
    assert_eq!((list.value("ZONE_NAME"), list.value("RECORD_NAME")), (Some("privatelink.monitor.azure.com"), None));
    assert_eq!(filled.of_any_machine(), list.of_any_machine(), "the page of the code is the same");
}

#[test]
fn a_word_that_was_not_known_is_filled_in_and_one_that_was_stays() {
    let show = command!(Any, "az vm show --ids {} --zone {}", VmResourceId::new("not an id"), Zone::new("a.example"));
    let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm";
    let filled = show.filled(&|name| match name {
        "VM_RESOURCE_ID" => VmResourceId::new(id).map(Word::from),
        _ => Zone::new("b.example").map(Word::from),
    });
    assert_eq!(filled.as_str(), format!("az vm show --ids {id} --zone a.example"));
}

#[test]
fn a_word_that_needs_quotes_leaves_the_placeholder_of_the_text() {
    let add = command!(Any, "az x --zone /a/DNS_RESOURCE_GROUP/b");
    let known = |_: &'static str| ResourceId::new("/subscriptions/s/resourceGroups/g(1)").map(Word::from);
    assert_eq!(add.filled(&known).as_str(), add.as_str());
}
