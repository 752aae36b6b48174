//! What is being waited for, on standard error, and only if a person looks at it.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use ampls_probes::run::{Progress, Stage, Waiting};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::speaks_utf8;
use crate::render::page::inert;

/// Columns of a terminal that gives no width.
const COLUMNS: u16 = 80;
/// Characters kept of a label where the name does not fit.
const KEPT: usize = 4;

/// A line that shows how far a run has come, and is gone when the run is over.
#[derive(Debug)]
pub(super) struct ProgressLine {
    bar: ProgressBar,
    cut: char,
    deadline: Duration,
}

impl ProgressLine {
    /// A line on a terminal, of a run that ends by the deadline; nothing at all elsewhere or when `quiet`.
    pub(super) fn new(quiet: bool, deadline: Duration) -> Self {
        let bar = ProgressBar::no_length();
        bar.set_draw_target(if quiet || !stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        });
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        Self { bar, cut: if speaks_utf8() { '…' } else { '~' }, deadline }
    }

    /// Shows how long it is to the first look.
    pub(super) fn show_wait(&self, left: Duration) {
        self.bar.set_message(before(left));
    }

    /// Shows how far it is.
    pub(super) fn show(&self, progress: &Progress) {
        if self.bar.is_hidden() {
            return;
        }
        let columns = terminal_size::terminal_size_of(stderr()).map_or(COLUMNS, |(columns, _)| columns.0);
        self.bar.set_message(line(progress, self.deadline, usize::from(columns), self.cut));
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The line of a run that has not begun.
fn before(left: Duration) -> String {
    format!("first look in {} s (--splay)", left.as_secs_f64().ceil())
}

/// The line, in as many columns: what does not fit is named shorter, then counted. Checks are counted from when it is known how
/// many there are: what the machine and Azure say of themselves decides that.
fn line(progress: &Progress, deadline: Duration, columns: usize, cut: char) -> String {
    let time = format!("{} s of {} s", progress.elapsed.as_secs(), deadline.as_secs_f64().ceil());
    let planning = |waiting: &Waiting| matches!(waiting, Waiting::Configuration | Waiting::Metadata);
    let head = if progress.total == 0 || progress.waiting_for.iter().any(planning) {
        time
    } else {
        format!("{} of {} checks, {time}", progress.done, progress.total)
    };
    let ways = [(2, Names::Whole), (2, Names::Short), (2, Names::Shorter), (1, Names::Short), (1, Names::Shorter)];
    let mut tails = ways.iter().map(|(most, names)| tail(&progress.waiting_for, *most, *names, cut));
    // The last column stays free: some terminals begin a new line there.
    let fits = |tail: &String| head.chars().count() + tail.chars().count() < columns;
    let tail = tails.find(fits).or_else(|| Some(count(&progress.waiting_for)).filter(fits)).unwrap_or_default();
    head + &tail
}

/// How much of a name is shown.
#[derive(Clone, Copy)]
enum Names {
    Whole,
    /// Without most of the first label, which is a workspace's id where it is long.
    Short,
    /// The same, and only two labels.
    Shorter,
}

fn tail(waiting: &[Waiting], most: usize, names: Names, cut: char) -> String {
    let mut items: Vec<String> = waiting.iter().take(most).map(|waiting| named(waiting, names, cut)).collect();
    let more = waiting.len() - items.len();
    let last = if more > 0 { Some(format!("{more} more")) } else { items.pop() };
    match (items.join(", "), last) {
        (_, None) => String::new(),
        (first, Some(last)) if first.is_empty() => format!("; waiting for {last}"),
        (first, Some(last)) => format!("; waiting for {first} and {last}"),
    }
}

fn count(waiting: &[Waiting]) -> String {
    match waiting.len() {
        0 => String::new(),
        1 => "; waiting for one".to_owned(),
        more => format!("; waiting for {more}"),
    }
}

fn named(waiting: &Waiting, names: Names, cut: char) -> String {
    let (stage, name) = match waiting {
        Waiting::Configuration => return "this machine's configuration".to_owned(),
        Waiting::Metadata => return "the metadata service".to_owned(),
        Waiting::Control => return "Azure's control service".to_owned(),
        Waiting::WireServer => return "the wire server".to_owned(),
        Waiting::Dns(server) => return format!("DNS {server}"),
        Waiting::Browsers => return "the browsers' settings".to_owned(),
        Waiting::Encrypted => return "encrypted DNS".to_owned(),
        Waiting::Endpoint { stage, name } => (stage, name),
    };
    let stage = match stage {
        Stage::Lookup => "the lookup",
        Stage::Proxy => "the proxy",
        Stage::Tcp => "TCP",
        Stage::Tls => "TLS",
        Stage::Http => "HTTP",
        Stage::Segments => "packet sizes",
    };
    format!("{stage} of {}", inert(&shown(name, names, cut)))
}

fn shown(name: &str, names: Names, cut: char) -> String {
    let (label, rest) = match (names, name.split_once('.')) {
        (Names::Whole, _) | (_, None) => return name.to_owned(),
        (_, Some(parts)) => parts,
    };
    let label = match label.char_indices().nth(2 * KEPT) {
        Some(_) => label.chars().take(KEPT).chain([cut]).collect(),
        None => label.to_owned(),
    };
    match (names, rest.split_once('.')) {
        (Names::Shorter, Some((second, _))) => format!("{label}.{second}{cut}"),
        _ => format!("{label}.{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(15);
    const ODS: &str = "6b1c1111-2222-3333-4444-555555555555.ods.opinsights.azure.com";

    fn progress(waiting_for: Vec<Waiting>) -> Progress {
        Progress { done: 15, total: 71, elapsed: Duration::from_millis(4_900), waiting_for }
    }

    fn endpoint(stage: Stage, name: &str) -> Waiting {
        Waiting::Endpoint { stage, name: name.to_owned() }
    }

    #[test]
    fn the_step_and_the_name_that_are_waited_for_are_shown() {
        let server = Waiting::Dns([168, 63, 129, 16].into());
        let mut waiting = vec![server.clone(), endpoint(Stage::Tls, ODS)];
        waiting.extend((0..12).map(|number| endpoint(Stage::Tcp, &format!("n{number}.net"))));
        let all = progress(waiting);
        assert_eq!(
            line(&all, DEADLINE, 200, '…'),
            format!("15 of 71 checks, 4 s of 15 s; waiting for DNS 168.63.129.16, TLS of {ODS} and 12 more")
        );
        assert_eq!(
            line(&all, DEADLINE, 120, '…'),
            "15 of 71 checks, 4 s of 15 s; waiting for DNS 168.63.129.16, TLS of 6b1c….ods.opinsights.azure.com and 12 more"
        );
        assert_eq!(
            line(&all, DEADLINE, 80, '~'),
            "15 of 71 checks, 4 s of 15 s; waiting for DNS 168.63.129.16 and 13 more"
        );
        assert_eq!(line(&all, DEADLINE, 60, '~'), "15 of 71 checks, 4 s of 15 s; waiting for 14");
        assert_eq!(line(&all, DEADLINE, 40, '~'), "15 of 71 checks, 4 s of 15 s");
        let two = progress(vec![Waiting::Metadata, server]);
        assert_eq!(
            line(&two, DEADLINE, 80, '~'),
            "4 s of 15 s; waiting for the metadata service and DNS 168.63.129.16"
        );
    }

    #[test]
    fn nothing_to_wait_for_leaves_no_empty_end() {
        assert_eq!(line(&progress(Vec::new()), DEADLINE, 80, '~'), "15 of 71 checks, 4 s of 15 s");
        let one = progress(vec![endpoint(Stage::Lookup, "a.net")]);
        assert_eq!(line(&one, DEADLINE, 80, '~'), "15 of 71 checks, 4 s of 15 s; waiting for the lookup of a.net");
        let one = progress(vec![endpoint(Stage::Http, ODS)]);
        assert_eq!(line(&one, DEADLINE, 64, '~'), "15 of 71 checks, 4 s of 15 s; waiting for HTTP of 6b1c~.ods~");
        let reading = Progress { done: 0, total: 0, ..progress(vec![Waiting::Configuration]) };
        assert_eq!(line(&reading, DEADLINE, 80, '~'), "4 s of 15 s; waiting for this machine's configuration");
    }

    #[test]
    fn a_wait_before_the_first_look_counts_down_to_it() {
        assert_eq!(before(Duration::from_millis(33_100)), "first look in 34 s (--splay)");
        assert_eq!(before(Duration::from_millis(20)), "first look in 1 s (--splay)");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_or_acts_on_it() {
        for columns in 0..160 {
            let evil = progress(vec![endpoint(Stage::Http, "\u{1b}[2J\n.example.net"), endpoint(Stage::Http, ODS)]);
            let line = line(&evil, DEADLINE, columns, '…');
            assert!(line.chars().count() < columns.max(30), "{columns}: {line}");
            assert!(!line.contains(char::is_control), "{line:?}");
        }
    }
}
