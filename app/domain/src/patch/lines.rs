//! Walks a patch line by line and knows where it is.

use super::PatchError;

/// A place in a patch. Copying it is looking ahead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    /// Where the next line begins.
    pub(super) at: usize,
    /// The next line's number, from 1.
    pub(super) line: u64,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The next line without its newline, or none at the end. A last line without a newline is an end, too: git
    /// closes each line, so that patch was cut.
    pub(super) fn peek(&self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let end = rest.iter().position(|&b| b == b'\n')?;
        rest.get(..end)
    }

    /// Steps over the line that [`Self::peek`] showed.
    pub(super) fn step(&mut self, line: &[u8]) {
        self.at += line.len() + 1;
        self.line += 1;
    }

    /// The next line, if it begins with `prefix`, without that prefix.
    pub(super) fn take(&mut self, prefix: &[u8]) -> Option<&'a [u8]> {
        let line = self.peek()?;
        let rest = line.strip_prefix(prefix)?;
        self.step(line);
        Some(rest)
    }

    /// As [`Self::take`], where nothing else may stand.
    pub(super) fn need(
        &mut self,
        prefix: &[u8],
        expected: &'static str,
    ) -> Result<&'a [u8], PatchError> {
        self.take(prefix).ok_or_else(|| self.error(expected))
    }

    /// Something else was expected at the next line.
    pub(super) fn error(&self, expected: &'static str) -> PatchError {
        PatchError::Unexpected {
            line: self.line,
            expected,
        }
    }

    /// Something else was expected at the line just taken.
    pub(super) fn error_before(&self, expected: &'static str) -> PatchError {
        PatchError::Unexpected {
            line: self.line - 1,
            expected,
        }
    }

    /// The bytes from `start` to here.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }
}
