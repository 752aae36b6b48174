//! Settings below headings in brackets, as systemd and `NetworkManager` write them.

/// The settings below a heading, in order; lines of comment left out.
pub fn settings<'a>(text: &'a str, heading: &str) -> Vec<(&'a str, &'a str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = heading_of(line) {
            inside = name == heading;
        } else if let Some((key, value)) = line.split_once('=').filter(|_| inside) {
            found.push((key.trim(), value.trim()));
        }
    }
    found
}

/// The headings, in order.
pub fn headings(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| heading_of(line.trim()))
}

fn heading_of(line: &str) -> Option<&str> {
    line.strip_prefix('[')?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_those_below_their_heading() {
        let text = "a=0\n[One]\n a = 1 \n#a=2\n;a=3\n[Two]\na=4\nnonsense\n[One]\nb=x=y\n";
        assert_eq!(settings(text, "One"), [("a", "1"), ("b", "x=y")]);
        assert_eq!(settings(text, "Two"), [("a", "4")]);
        assert_eq!(headings(text).collect::<Vec<_>>(), ["One", "Two", "One"]);
    }
}
