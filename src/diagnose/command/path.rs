//! Which paths may stand in a command: those that a person can read and that name a file.

/// An absolute path of a file, on Linux or Windows.
pub(super) fn is_path(text: &str) -> bool {
    text.len() <= 1_024
        && (is_of_linux(text) || is_of_windows(text))
        && text.split(['/', '\\']).skip(1).all(|part| !part.is_empty() && part.chars().any(|c| c != '.'))
        && text.split(['/', '\\']).all(|part| part.chars().all(is_legible) && is_of_one_script(part))
}

/// A key of the machine or of an account, as Windows' own programs write it.
pub(super) fn is_registry_key(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(r"HKLM\").or_else(|| text.strip_prefix(r"HKU\S-")) else { return false };
    let plain = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._- {}".contains(c))
            && part.trim() == part
    };
    text.len() <= 1_024 && rest.split('\\').all(plain)
}

/// The hosts file, wherever Windows is installed.
pub(super) fn is_hosts_file(text: &str) -> bool {
    let below = text.split_once(":\\").filter(|_| is_of_windows(text)).map(|(_, rest)| rest);
    text == "/etc/hosts" || below.is_some_and(|path| path.eq_ignore_ascii_case(r"Windows\System32\drivers\etc\hosts"))
}

/// Windows takes `//` and `/\` for the beginning of another machine's name, which is asked at once, with the user's password.
fn is_of_linux(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else { return false };
    let folder = rest.split('/').next().unwrap_or_default();
    !rest.starts_with(['/', '\\']) && !matches!(folder, "" | "dev" | "proc" | "sys")
}

/// A drive, and no second colon: it would name a stream within the file.
fn is_of_windows(text: &str) -> bool {
    let Some((drive, rest)) = text.split_once(":\\") else { return false };
    let is_drive = drive.len() == 1 && drive.starts_with(|c: char| c.is_ascii_alphabetic());
    is_drive && !rest.contains(':') && !rest.split(['/', '\\']).any(is_device)
}

/// Source: <https://learn.microsoft.com/windows/win32/fileio/naming-a-file#naming-conventions>
fn is_device(part: &str) -> bool {
    let name = part.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |kind| name.strip_prefix(kind).is_some_and(|rest: &str| rest.chars().count() == 1);
    matches!(name.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered("COM") || numbered("LPT")
}

/// Neither unseen nor an imitation of another character.
fn is_legible(character: char) -> bool {
    character == ' '
        || character.is_ascii_graphic()
        || "‘’‚‛“”„–—".contains(character)
        || (!character.is_ascii() && character.is_alphanumeric() && !is_imitation(character))
}

/// Letters that are empty, wide, or mathematical.
fn is_imitation(character: char) -> bool {
    matches!(character,
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{2100}'..='\u{214f}' | '\u{2460}'..='\u{24ff}'
            | '\u{ff00}'..='\u{ffef}' | '\u{1d400}'..='\u{1d7ff}')
}

/// No Cyrillic or Greek letter among those that look like it.
fn is_of_one_script(part: &str) -> bool {
    let is_latin = |c: &char| matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}');
    let mut foreign = part.chars().filter(|c| !c.is_ascii() && c.is_alphabetic() && !is_latin(c)).peekable();
    foreign.peek().is_none() || !part.chars().any(|c| c.is_ascii_alphabetic() || is_latin(&c))
}
