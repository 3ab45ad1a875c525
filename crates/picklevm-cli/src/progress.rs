//! Progress of a command that takes longer than a second: a line on standard error, if that is a terminal.
//!
//! There is one line, which every command has. It says what is being read until something is written or counted, and goes away
//! before anything else is printed on the terminal.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes no longer shows nothing.
const DELAY: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(100);

static LINE: OnceLock<Line> = OnceLock::new();

struct Line {
    bar: ProgressBar,
    stage: AtomicU8,
}

/// What the line says.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Stage {
    Reading,
    Counting,
    Writing,
    WritingOf,
}

impl Stage {
    fn template(self) -> &'static str {
        match self {
            Stage::Reading => "{spinner} {msg}, {elapsed}",
            Stage::Counting => "{bar:30} {pos}/{len} {msg}, {elapsed}",
            Stage::Writing => "{spinner} {bytes} written, {elapsed}",
            Stage::WritingOf => "{bar:30} {bytes} of {total_bytes} written, {elapsed}",
        }
    }
}

impl Line {
    fn new() -> Line {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let line = Line { bar, stage: AtomicU8::new(Stage::Counting as u8) };
        line.enter(Stage::Reading);
        line
    }

    /// Shows the line from now on, unless the command has ended.
    fn show(&self, target: ProgressDrawTarget) {
        if !self.bar.is_finished() {
            self.bar.set_draw_target(target);
            self.bar.enable_steady_tick(TICK);
        }
    }

    fn enter(&self, stage: Stage) {
        if self.stage.swap(stage as u8, Ordering::Relaxed) != stage as u8
            && let Ok(style) = ProgressStyle::with_template(stage.template())
        {
            self.bar.set_position(0);
            self.bar.set_style(style);
        }
    }

    fn wrote(&self, bytes: u64) {
        if self.stage.load(Ordering::Relaxed) != Stage::WritingOf as u8 {
            self.enter(Stage::Writing);
        }
        self.bar.inc(bytes);
    }
}

/// Shows the line a second from now, if standard error is a terminal.
pub(crate) fn begin() {
    if io::stderr().is_terminal() {
        let line = LINE.get_or_init(Line::new);
        thread::spawn(|| {
            thread::sleep(DELAY);
            line.show(ProgressDrawTarget::stderr());
        });
    }
}

/// Removes the line for good: the command has ended, or prints on the terminal.
pub(crate) fn end() {
    if let Some(line) = LINE.get() {
        line.bar.finish_and_clear();
    }
}

/// Prints something on standard error beside the line.
pub(crate) fn beside(print: impl FnOnce()) {
    match LINE.get() {
        Some(line) => line.bar.suspend(print),
        None => print(),
    }
}

/// This file is read from now on.
pub(crate) fn reading(name: &str) {
    if let Some(line) = LINE.get() {
        line.enter(Stage::Reading);
        line.bar.set_message(format!("reading {name}"));
    }
}

/// One of so many things is done: `files`, `members`.
pub(crate) fn count(noun: &'static str, total: u64) {
    if let Some(line) = LINE.get() {
        line.enter(Stage::Counting);
        line.bar.set_message(noun);
        line.bar.set_length(total);
        line.bar.inc(1);
    }
}

/// So many bytes are going to be written.
pub(crate) fn expect_bytes(total: u64) {
    if let Some(line) = LINE.get() {
        line.enter(Stage::WritingOf);
        line.bar.set_length(total);
    }
}

/// So many bytes more were written to a file.
pub(crate) fn wrote(bytes: usize) {
    if let Some(line) = LINE.get() {
        line.wrote(bytes as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// What was written to a terminal.
    #[derive(Debug, Clone, Default)]
    struct Recorder(Arc<Mutex<String>>);

    impl indicatif::TermLike for Recorder {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(line: &Line) -> String {
        let terminal = Recorder::default();
        line.show(ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 255));
        // Another thread draws it.
        for _ in 0..100 {
            if line.bar.is_finished() || !terminal.0.lock().unwrap().trim().is_empty() {
                break;
            }
            thread::sleep(TICK / 2);
        }
        // A number and its unit are not parted at the end of a line.
        terminal.0.lock().unwrap().replace('\u{a0}', " ")
    }

    #[test]
    fn the_line_says_what_was_done_last() {
        let line = Line::new();
        line.wrote(2048);
        line.wrote(1024);
        let text = shown(&line);
        assert!(text.contains("3.00 KiB written"), "{text}");
    }

    #[test]
    fn bytes_that_are_expected_make_a_bar() {
        let line = Line::new();
        line.enter(Stage::WritingOf);
        line.bar.set_length(4096);
        line.wrote(1024);
        let text = shown(&line);
        assert!(text.contains("1.00 KiB of 4.00 KiB written"), "{text}");
    }

    #[test]
    fn a_command_that_has_ended_shows_nothing() {
        let line = Line::new();
        line.bar.finish_and_clear();
        assert_eq!(shown(&line).trim(), "");
    }
}
