//! What became of the lines of a hunk of which something changed.

use crate::patch::{Hunk, Line};
use std::ops::Range;

/// One line of a hunk beside what was approved of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineSince<'a> {
    /// It was approved with this sign and these words, if maybe at another number: the numbers are the new ones.
    Kept(Line<'a>),
    New(Line<'a>),
    /// It was in what was approved, and is no more.
    Gone(Line<'a>),
}

/// More pairs of lines than this are not compared: all that was is gone then, and all that is is new.
const MOST_PAIRS: usize = 1_000_000;

/// The lines of both hunks in one order; as many as can be are kept.
#[must_use]
pub fn lines_since<'a>(hunk: &Hunk<'a>, was: &Hunk<'a>) -> Vec<LineSince<'a>> {
    let (new, old): (Vec<_>, Vec<_>) = (hunk.lines.collect(), was.lines.collect());
    let start = common(new.iter().zip(&old));
    let (new_rest, old_rest) = (&new[start..], &old[start..]);
    let end = common(new_rest.iter().rev().zip(old_rest.iter().rev()));
    let between = |lines: &[Line<'a>]| start..lines.len() - end;
    let mut out: Vec<_> = new[..start]
        .iter()
        .map(|line| LineSince::Kept(*line))
        .collect();
    between_ends(&new[between(&new)], &old[between(&old)], &mut out);
    let tail: Range<usize> = new.len() - end..new.len();
    out.extend(new[tail].iter().map(|line| LineSince::Kept(*line)));
    out
}

fn common<'a, 'b: 'a>(pairs: impl Iterator<Item = (&'a Line<'b>, &'a Line<'b>)>) -> usize {
    pairs.take_while(|(a, b)| says_the_same(a, b)).count()
}

/// Sign and words; the number is another wherever a line came or went above.
fn says_the_same(a: &Line<'_>, b: &Line<'_>) -> bool {
    (a.kind, a.text, a.no_newline) == (b.kind, b.text, b.no_newline)
}

/// As many as can be are kept; between two of those, what is gone stands before what is new.
fn between_ends<'a>(new: &[Line<'a>], old: &[Line<'a>], out: &mut Vec<LineSince<'a>>) {
    let most = most_kept(new, old);
    let most_from = |o: usize, n: usize| most.get(o * (new.len() + 1) + n).copied().unwrap_or(0);
    let (mut o, mut n) = (0, 0);
    loop {
        let line = match (old.get(o), new.get(n)) {
            (None, None) => return,
            (Some(was), Some(line)) if most_from(o, n) > 0 && says_the_same(was, line) => {
                (o, n) = (o + 1, n + 1);
                LineSince::Kept(*line)
            }
            (Some(was), Some(_)) if most_from(o + 1, n) >= most_from(o, n + 1) => {
                o += 1;
                LineSince::Gone(*was)
            }
            (_, Some(line)) => {
                n += 1;
                LineSince::New(*line)
            }
            (Some(was), None) => {
                o += 1;
                LineSince::Gone(*was)
            }
        };
        out.push(line);
    }
}

/// For each pair of places how many lines behind them can be kept, row by row of the old ones; nothing where that is too much work.
fn most_kept(new: &[Line<'_>], old: &[Line<'_>]) -> Vec<u32> {
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return Vec::new();
    }
    let width = new.len() + 1;
    let mut most = vec![0; width * (old.len() + 1)];
    for (o, was) in old.iter().enumerate().rev() {
        for (n, line) in new.iter().enumerate().rev() {
            most[o * width + n] = if says_the_same(was, line) {
                most[(o + 1) * width + n + 1] + 1
            } else {
                most[(o + 1) * width + n].max(most[o * width + n + 1])
            };
        }
    }
    most
}
