//! What is typed wrongly is refused with what would be right, or understood.

use super::*;

/// The line of a refusal.
fn refused(arguments: &[&str]) -> String {
    refused_in_one_line(&ran(arguments), 2)
}

/// The `az` lines that refusals print.
pub(crate) fn az_lines() -> Vec<String> {
    const ID: &str = "/subscriptions/s/resourceGroups/rg/providers";
    let values = [
        ("--workspace", format!("{ID}/Microsoft.OperationalInsights/workspaces/law")),
        ("--workspace", "law".to_owned()),
        ("--dce", format!("{ID}/Microsoft.Insights/dataCollectionEndpoints/mydce")),
        ("--dce", "mydce".to_owned()),
        ("--app-insights", format!("{ID}/Microsoft.Insights/components/app")),
    ];
    let line = |(option, value): &(&str, String)| {
        let refusal = refused(&["plan", option, value]);
        let (_, line) = refusal.split_once(" az ").expect("a command");
        format!("az {}", line.trim_end())
    };
    values.iter().map(line).collect()
}

#[test]
fn a_value_in_another_form_is_taken_or_refused_with_the_command_that_gives_it() {
    const LAW: &str = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/law";
    const DCE: &str = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Insights/dataCollectionEndpoints/mydce";
    let of_law = format!("az monitor log-analytics workspace show --ids \"{LAW}\" --query customerId -o tsv\n");
    let of_dce = format!("az resource show --ids \"{DCE}\" --query properties.logsIngestion.endpoint -o tsv\n");
    for (option, value, wanted) in [
        ("--workspace", LAW, of_law.as_str()),
        ("--workspace", "law", "workspace list --query \"[?name=='law'].customerId\" -o tsv\n"),
        ("--dce", DCE, &of_dce),
        ("--dce", "mydce", "-n mydce --resource-type Microsoft.Insights/dataCollectionEndpoints"),
        ("--cloud", "gov", "did you mean `usgov`?"),
        ("--cloud", "azure", "did you mean `public`?"),
        ("--expect", "privat", "did you mean `private`?"),
    ] {
        let line = refused(&["plan", option, value]);
        assert!(line.contains(wanted) && line.contains(option), "{value}: {line}");
    }
    let id = "6b1c0f5e-2d4a-4c8e-9f31-7a5d0c2b9e64";
    for (option, value, wanted) in [
        ("--workspace", format!("{{{id}}}"), id),
        ("--workspace", id.replace('-', ""), id),
        ("--workspace", format!("{id}.ods.opinsights.azure.com"), id),
        ("--endpoint", "https://example.com/path".to_owned(), "example.com"),
        ("--endpoint", "https://example.com:8443/path=private".to_owned(), "example.com"),
        ("--cloud", "AzureUSGovernment".to_owned(), "azure.us"),
        ("--cloud", "azurechinacloud".to_owned(), "azure.cn"),
    ] {
        let plan = ran(&["plan", option, &value, "--skip", "imds", "--format", "JSON"]);
        assert_eq!(status(&plan), Some(0), "{}", text(&plan.stderr));
        assert!(text(&plan.stdout).contains(wanted), "{option} {value}");
    }
}

#[test]
fn a_word_of_another_program_is_refused_with_ours() {
    for (arguments, wanted) in [
        (&["--json"][..], "unexpected argument `--json`; did you mean `--format json`?\n"),
        (&["judge", "x", "--no-color"], "did you mean `--color never`?"),
        (&["judge", "x", "--format", "prometheus"], "did you mean `metrics`? give one of table, "),
        (&["judge", "x", "--format", "csv"], "did you mean `ndjson`?"),
        (&["judge", "x", "-o", "json"], "-o names a file; for the format use --format json "),
        (&["judge", "x", "-o", "Yaml"], "-o names a file; for the format use --format json "),
        (&["judge", "x", "-o", "html"], "use --format html "),
        (&["plan", "-o", "table"], "use --format table "),
        (&["judge", "x", "-o", "x.yaml"], "there is no format yaml here"),
        (&["plan", "-o", "x.html"], "there is no format html here"),
        (&["plan", "--for", "10"], "unexpected argument `--for`; it belongs to `check` or `demo` with `--wait`\n"),
        (&["judge", "x", "--deadline", "3"], "unexpected argument `--deadline`; it belongs to `check` or `plan`\n"),
        (&["chek"], "unrecognized subcommand `chek`; did you mean `check`"),
        (&["-v", "dmeo"], "unrecognized subcommand `dmeo`; did you mean `demo`"),
        (&["judge", "x", "--rule", "DNS03=off"], "did you mean `DNS003`"),
        (&["demo", "zone"], "unknown world `zone`; did you mean `zone-not-linked-monitor`, `zone-not-linked-ods` or "),
        (&["demo", "healthy"], "did you mean `healthy-private`, `healthy-public` or `healthy-unaliased`?"),
        (&["demo", "--list", "atlantis"], "no world is called like `atlantis`"),
        (&["explain", "amplls"], "did you mean `ampls`?"),
    ] {
        let line = refused(arguments);
        assert!(line.contains(wanted), "{arguments:?}: {line}");
    }
}

#[test]
fn help_and_version_are_commands_and_options_stand_anywhere() {
    let help = |arguments: &[&str]| text(&ran(arguments).stdout);
    assert_eq!(help(&["help"]), help(&["--help"]));
    assert_eq!(help(&["help", "check"]), help(&["check", "--help"]));
    assert_eq!(help(&["version"]), help(&["--version"]));
    assert!(help(&["version"]).starts_with("ampls-doctor "));
    let json = text(&ran(&["--format", "json", "-q", "demo", "healthy-private"]).stdout);
    assert_eq!(super::json(&json)["verdict"]["health"], "ok");
    assert!(refused(&["help", "tail"]).contains("`tail`"));
    assert!(refused(&["--deadline", "3", "judge", "x"]).contains("it belongs to `check` or `plan`"));
}

#[test]
fn what_is_probably_not_meant_is_said_and_done() {
    let plan = |arguments: &[&str]| {
        let output = ran(&[&["plan", "--skip", "imds"], arguments].concat());
        assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let region = plan(&["--region", "westeuroop"]);
    assert!(region.contains("`westeuroop`") && region.ends_with("did you mean `westeurope`?\n"), "{region}");
    assert_eq!(region.lines().count(), 1);
    let deadline = plan(&["--cloud", "public", "--deadline", "2", "--timeout", "5"]);
    assert!(deadline.contains("--timeout 5 is longer than --deadline 2"), "{deadline}");
    for fine in
        [&["--region", "West Europe"][..], &["--region", "usgovvirginia"], &["--cloud", "public", "--deadline", "2"]]
    {
        assert_eq!(plan(fine), "", "{fine:?}");
    }
    assert_eq!(plan(&["--region", "westeuroop", "-q"]), "");
}

#[test]
fn worlds_are_listed_by_what_is_wrong_in_them() {
    let all = text(&ran(&["demo", "--list"]).stdout);
    let (healthy, rest) = all.split_once("\n\n").expect("groups");
    assert!(healthy.contains("  healthy-private ") && !healthy.contains("  zone-not-linked"), "{healthy}");
    assert!(rest.starts_with("Names: "), "{rest}");
    let worlds: Vec<&str> = all.lines().filter(|line| line.starts_with("  ")).collect();
    assert!(worlds.iter().all(|line| line.split_whitespace().count() > 1) && worlds.len() > 150, "{all}");
    let some = text(&ran(&["demo", "--list", "zone-not"]).stdout);
    assert!(some.contains("zone-not-linked-ods") && !some.contains("healthy-private"), "{some}");
    assert_eq!(status(&ran(&["demo", "zone", "--list"])), Some(0));
}

#[test]
fn what_is_no_report_is_called_what_it_is() {
    let folder = Folder::new("kinds");
    let whole = report(&folder, "zone-not-linked-ods", 1);
    let made = |name: &str, format: &str| {
        let file = folder.path(name);
        let output = ran(&["judge", &whole, "--format", format, "-o", &file]);
        assert_eq!(status(&output), Some(1), "{}", text(&output.stderr));
        file
    };
    let wrote = |name: &str, content: &[u8]| {
        let file = folder.path(name);
        fs::write(&file, content).expect("a file");
        file
    };
    let cut = fs::read(&whole).expect("the report");
    for (file, wanted) in [
        (made("a.ndjson", "ndjson"), "is NDJSON, which holds no observations"),
        (made("a.xml", "junit"), "is XML"),
        (made("a.prom", "metrics"), "is a file of metrics"),
        (wrote("cut.json", &cut[..5_000]), "is cut off after 5,000 bytes"),
        (wrote("a.yaml", b"schema: 2\nrun:\n  id: x\n"), "is YAML"),
        (wrote("a.log", b"2026-11-28T19:45:55Z started\n2026-11-28T19:45:56Z ended\n"), "is a log"),
        (wrote("a.html", b"<!doctype html>\n<html><body>Sign in</body></html>\n"), "is an HTML page"),
        (wrote("a.gz", b"\x1f\x8b\x08\x00\x00"), "is packed with gzip"),
        (wrote("schema.json", &ran(&["schema"]).stdout), "is a JSON Schema"),
    ] {
        let line = refused(&["judge", &file]);
        assert!(line.contains(wanted), "{line}");
    }
    let compared = folder.path("compared.json");
    assert_eq!(status(&ran(&["compare", &whole, &whole, "-o", &compared])), Some(0));
    assert!(refused(&["judge", &compared]).contains("is what `compare` writes"));
    let plan = folder.path("plan.json");
    assert_eq!(status(&ran(&["plan", "--skip", "imds", "--cloud", "public", "-o", &plan])), Some(0));
    assert!(refused(&["judge", &plan]).contains("is a plan"));
}

#[test]
fn the_files_name_chooses_the_format_and_the_terminal_says_what_went_there() {
    let folder = Folder::new("extension");
    for (name, starts) in [
        ("a.json", "{"),
        ("a.ndjson", "{"),
        ("a.html", "<!"),
        ("a.xml", "<?xml"),
        ("a.prom", "# HELP"),
        ("a.txt", "MIXED"),
        ("json-of-mine", "MIXED"),
    ] {
        let file = folder.path(name);
        let output = ran(&["demo", "zone-not-linked-ods", "-o", &file]);
        assert_eq!(status(&output), Some(1), "{}", text(&output.stderr));
        let written = fs::read_to_string(&file).expect("the file");
        assert!(written.to_lowercase().starts_with(&starts.to_lowercase()), "{name}: {written:.80}");
        let said = text(&output.stderr);
        assert!(said.starts_with("ampls-doctor: MIXED, ") && said.contains(&format!("Report: `{file}`")), "{said}");
        assert!(said.contains("--redact") && said.lines().count() == 1, "{said}");
    }
    let quiet = ran(&["demo", "healthy-private", "-q", "-o", &folder.path("q.json")]);
    assert!(quiet.stderr.is_empty(), "{}", text(&quiet.stderr));
    let redacted = text(&ran(&["demo", "healthy-private", "--redact", "-o", &folder.path("r.json")]).stderr);
    assert!(redacted.contains("(replaced: ") && redacted.contains(" addresses, "), "{redacted}");
    let report = folder.path("a.json");
    for (what, arguments) in [("Plan of ", &["plan"][..]), ("Comparison: ", &["compare", &report, &report])] {
        let file = folder.path("other.txt");
        let said = text(&ran(&[arguments, &["-o", &file]].concat()).stderr);
        assert!(said.contains(what) && said.ends_with(&format!("`{file}`\n")), "{said}");
        let quiet = ran(&[arguments, &["-q", "-o", &file]].concat());
        assert!(quiet.stderr.is_empty(), "{}", text(&quiet.stderr));
    }
}

#[test]
fn several_reports_are_redacted_with_one_key_and_compared_like_the_originals() {
    let folder = Folder::new("together");
    let (good, bad) = (report(&folder, "healthy-private", 0), report(&folder, "zone-not-linked-ods", 1));
    let to = folder.path("out");
    let output = ran(&["redact", &good, &bad, "-o", &to]);
    assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr).matches("replaced: ").count(), 2, "{}", text(&output.stderr));
    let (one, two) = (format!("{to}/report-1.json"), format!("{to}/report-2.json"));
    let compared = |a: &str, b: &str| json(&text(&ran(&["compare", a, b, "--format", "json"]).stdout));
    let (plain, together) = (compared(&good, &bad), compared(&one, &two));
    assert_eq!(together["by_class"], false);
    let count = |document: &Value, part: &str| document[part].as_array().map_or(0, Vec::len);
    for part in ["verdict", "findings", "endpoints", "servers"] {
        assert_eq!(count(&together, part), count(&plain, part), "{part}");
    }
    let apart = folder.path("apart.json");
    let output = ran(&["redact", &bad, "-o", &apart]);
    assert!(text(&output.stderr).contains("`: replaced: "), "{}", text(&output.stderr));
    for (a, b) in [(&one, &apart), (&good, &apart)] {
        let apart = compared(a, b);
        assert_eq!(apart["by_class"], true);
        assert_eq!(apart["findings"][0]["code"], "DNS003");
        assert!(count(&apart, "endpoints") <= count(&plain, "endpoints"), "{apart:#}");
        let shown = text(&ran(&["compare", a, b]).stdout);
        let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.lines().count() < 40 && flat.contains("compared by their class"), "{shown}");
    }
    assert!(refused(&["redact", &good, &bad]).contains("need a folder"));
}

#[test]
fn a_rule_that_is_off_leaves_a_trace_in_every_format() {
    for format in ["table", "json", "ndjson", "compact", "html", "junit", "metrics"] {
        let output = ran(&["demo", "zone-not-linked-ods", "--rule", "DNS003=off", "--format", format]);
        let shown = text(&output.stdout);
        let trace =
            if format == "metrics" { "ampls_doctor_rule_off{code=\"DNS003\"} 1" } else { "1 rule is off: DNS003" };
        assert!(shown.split_whitespace().collect::<Vec<_>>().join(" ").contains(trace), "{format}: {shown}");
    }
    let two = text(&ran(&["demo", "healthy-private", "-q", "--rule", "DNS003=off,DNS004=OFF"]).stdout);
    assert!(two.contains("(2 rules are off: DNS003, DNS004)"), "{two}");
}
