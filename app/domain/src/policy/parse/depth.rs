//! Keeps texts from the TOML parser that would make it call itself until the stack ends.
//!
//! It has a bound of its own on brackets inside brackets, but it counts wrongly where it recovers from errors (seen in
//! toml_parser 1.1.5): after `{[][][]` it takes three levels off, and a thousand such lift the bound by a thousand.

use std::ops::Range;
use toml_parser::{
    Source,
    lexer::TokenKind::{
        LeftCurlyBracket, LeftSquareBracket, RightCurlyBracket, RightSquareBracket,
    },
};

/// The most brackets inside one another. A policy needs six.
pub(super) const MOST: usize = 16;

/// Where brackets stand too deep inside one another, if they do.
///
/// A closing bracket counts only where it closes the innermost one. The parser never leaves a level for less, so that it is
/// never deeper than what is counted here.
pub(super) fn too_deep(text: &str) -> Option<Range<usize>> {
    let mut open = Vec::new();
    for token in Source::new(text).lex() {
        match token.kind() {
            LeftSquareBracket => open.push(RightSquareBracket),
            LeftCurlyBracket => open.push(RightCurlyBracket),
            closing if open.last() == Some(&closing) => {
                open.pop();
            }
            _ => {}
        }
        if open.len() > MOST {
            return Some(token.span().start()..token.span().end());
        }
    }
    None
}
