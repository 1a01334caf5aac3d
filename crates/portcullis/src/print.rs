//! How commands answer: in place of the macros of the standard library, which panic where nobody reads any more.

use std::fmt::Arguments;
use std::io::{self, Write as _};

/// Answers on standard output.
macro_rules! print {
    ($($text:tt)*) => {
        $crate::print::answer(format_args!($($text)*))
    };
}

/// Answers with a line on standard output.
macro_rules! println {
    () => {
        $crate::print::answer(format_args!("\n"))
    };
    ($format:literal $($rest:tt)*) => {
        $crate::print::answer(format_args!("{}\n", format_args!($format $($rest)*)))
    };
}

/// Writes a piece of an answer; a command whose answer cannot be kept ends there.
pub(crate) fn answer(text: Arguments<'_>) {
    if let Err(error) = written(io::stdout().write_fmt(text)) {
        eprintln!("error: standard output cannot be written: {error}");
        std::process::exit(1);
    }
}

/// A reader who has seen enough, such as `head`, is no failure.
pub(crate) fn written(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}
