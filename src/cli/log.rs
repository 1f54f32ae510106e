//! Log lines: one line each, whatever stands in them.
//!
//! A topic, a file name or a server's answer may hold anything. Control
//! characters are escaped here, in the one place that every line passes: nobody
//! can forge a line, move the cursor or hide text.

use std::{borrow::Cow, fmt::Write as _, io::Write as _};

use log::Level;
use rustix::fs::fstat;

/// Writes log lines to standard error; standard output belongs to results. No
/// timestamps: a service manager adds its own, and on a terminal nobody wants
/// them.
pub(super) fn start(ordinary: &str, verbose: u8) {
    let filter = match verbose {
        0 => ordinary,
        1 => "info,zoetrope=debug",
        _ => "debug",
    };
    let is_journal = is_journal();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(filter))
        .format(move |out, record| {
            let said = record.args().to_string();
            writeln!(
                out,
                "{}",
                line(is_journal, record.level(), record.target(), &said)
            )
        })
        .init();
}

/// Whether standard error is the journal: systemd says to which file it has
/// connected it (systemd.exec(5), `JOURNAL_STREAM`).
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    fstat(std::io::stderr()).is_ok_and(|file| stream == format!("{}:{}", file.st_dev, file.st_ino))
}

fn line(is_journal: bool, level: Level, target: &str, said: &str) -> String {
    let said = escaped(said);
    if is_journal {
        // Priorities of syslog(3), as sd-daemon(3) reads them.
        let priority = match level {
            Level::Error => 3,
            Level::Warn => 4,
            Level::Info => 6,
            Level::Debug | Level::Trace => 7,
        };
        format!("<{priority}>{said}")
    } else {
        format!("[{level:<5} {target}] {said}")
    }
}

/// The text with everything escaped that is no text: control characters, line
/// and paragraph separators, and what turns the direction of writing.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            // A string takes everything.
            let _ = write!(safe, "{}", c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        let forged = "topic a\n<0>forged\r\u{1b}[2J\u{202e}gnp.\u{2028}\0 é";
        let said = line(true, Level::Warn, "zoetrope::daemon", forged);
        assert_eq!(
            said,
            "<4>topic a\\n<0>forged\\r\\u{1b}[2J\\u{202e}gnp.\\u{2028}\\u{0} é"
        );
        assert!(matches!(escaped("Ünïcode, as it is"), Cow::Borrowed(_)));
    }

    #[test]
    fn elsewhere_the_level_and_the_module_are_named() {
        let said = line(false, Level::Info, "zoetrope::daemon", "job a is rendered");
        assert_eq!(said, "[INFO  zoetrope::daemon] job a is rendered");
    }
}
