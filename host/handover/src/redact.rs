//! `Debug` that says how long something is instead of what it is.

use std::fmt;

/// Shows a length only: for content and for whatever identifies a target.
pub(crate) struct Redacted(pub(crate) usize);

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} octets>", self.0)
    }
}

/// Shows the first four characters only: enough to tell two records apart in a log, too little to identify.
pub(crate) struct Prefix<'a>(pub(crate) &'a str);

impl fmt::Debug for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // At most half of it is shown, so that a short one does not stand there in full.
        let shown_characters = (self.0.chars().count() / 2).min(4);
        let shown: String = self.0.chars().take(shown_characters).collect();
        write!(f, "{shown}…")
    }
}
