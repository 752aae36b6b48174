//! Completions and manual pages, as shells and `man` take them.

use super::super::needs;
use super::*;

const COMMANDS: [&str; 12] = [
    "check",
    "plan",
    "judge",
    "redact",
    "compare",
    "fleet",
    "what-if",
    "explain",
    "demo",
    "schema",
    "completions",
    "man",
];

/// What bash offers for the last of these words.
#[cfg(unix)]
fn offered(script: &str, words: &[&str]) -> String {
    let last = words.len() - 1;
    let line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let (word, before) = (words[last], words[last - 1]);
    let commands = format!(
        "source '{script}'; COMP_WORDS=({line}); COMP_CWORD={last}; \
         _ampls__doctor ampls-doctor '{word}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let output = Command::new("bash").args(["--norc", "-c", &commands]).output().expect("bash runs");
    // `compopt` has no say outside of a completion.
    text(&output.stdout)
}

#[cfg(unix)]
#[test]
fn bash_completes_the_options_of_every_command_and_their_values() {
    if !needs::programs(&["bash"]) {
        return;
    }
    let folder = Folder::new("bash");
    let script = folder.path("completion");
    fs::write(&script, ran(&["completions", "bash"]).stdout).expect("written");
    let has = |words: &[&str], wanted: &str| {
        let offered = offered(&script, words);
        assert!(offered.lines().any(|line| line == wanted), "{words:?} offers {offered:?}, not {wanted}");
    };
    for command in COMMANDS {
        has(&["ampls-doctor", ""], command);
        has(&["ampls-doctor", command, "--"], "--help");
        has(&["ampls-doctor", command, "--"], "--color");
    }
    has(&["ampls-doctor", "--"], "--workspace");
    has(&["ampls-doctor", "judge", "--"], "--fail-on");
    has(&["ampls-doctor", "judge", "report.json", "--"], "--redact");
    has(&["ampls-doctor", "plan", "--"], "--expect");
    has(&["ampls-doctor", "judge", "--format", "j"], "junit");
    has(&["ampls-doctor", "plan", "--format", ""], "firewall");
    has(&["ampls-doctor", "completions", ""], "fish");
    has(&["ampls-doctor", "explain", "DNS"], "DNS003");
    has(&["ampls-doctor", "explain", "am"], "ampls");
    has(&["ampls-doctor", "demo", "zone"], "zone-not-linked-ods");
    has(&["ampls-doctor", "judge", "--rule", "DNS003"], "DNS003=off");
    has(&["ampls-doctor", "check", "--region", "west"], "westeurope");
    has(&["ampls-doctor", "plan", "--cloud", "us"], "usgov");
    has(&["ampls-doctor", "plan", "--cloud", "Azure"], "AzureUSGovernment");
    has(&["ampls-doctor", "man", ""], "judge");
    has(&["ampls-doctor", "fleet", "reports", "--by", "s"], "subnet");
    has(&["ampls-doctor", "what-if", "--allow"], "--allow-unknown");
}

#[test]
fn every_command_has_a_manual_page() {
    let main = text(&ran(&["man"]).stdout);
    assert!(main.contains(".TH ampls-doctor 1"), "{main}");
    for command in COMMANDS {
        let output = ran(&["man", command]);
        assert_eq!(status(&output), Some(0), "{}", text(&output.stderr));
        let page = text(&output.stdout);
        assert!(page.contains(&format!("\n.TH ampls-doctor-{command} 1 \"\" \"ampls-doctor ")), "{page}");
        assert!(page.is_ascii(), "some readers of manual pages know nothing else");
        let named = format!("ampls\\-doctor\\-{}(1)", command.replace('-', "\\-"));
        assert!(main.contains(&named), "{main}");
    }
    let line = refused_in_one_line(&ran(&["man", "tail"]), 2);
    assert!(line.contains("`tail`") && line.contains("judge"), "{line}");
}
