//! What a patch has become since somebody approved it, so that nobody reads the same lines twice.
//!
//! Whatever is not shown as changed, new or gone is byte for byte what was approved. Takes time in proportion to both patches
//! (and the logarithm of their hunks): two of 20 MB, with 200,000 hunks each of which every other one changed, took
//! less than 2 s on a busy machine.

mod within;

pub use within::{LineSince, lines_since};

use super::{FileName, Hunk, LineKind, Part, PatchError, hunks};
use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet, VecDeque},
    ops::Range,
};

/// The difference between an approved patch and a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since<'a> {
    /// Every file of the new patch in its order, then those that are gone in the order of the approved one.
    pub files: Vec<FileSince<'a>>,
}

/// What has become of one file's part of the patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSince<'a> {
    /// Every byte is what was approved. Where the patch does not name the blobs ([`super::FilePatch::names_blobs`]) and the base
    /// moved, the file may still hold something else than it did.
    Unchanged {
        part: &'a Part<'a>,
        was: &'a Part<'a>,
    },
    /// All hunks are what was approved, made to another version of the file: at other lines, maybe.
    Moved {
        part: &'a Part<'a>,
        was: &'a Part<'a>,
    },
    /// Something is not what was approved. When each hunk is, or there is none, then it is in the header (where the blobs stand,
    /// too) or in the bytes of a binary file.
    Changed {
        part: &'a Part<'a>,
        was: &'a Part<'a>,
        hunks: Vec<HunkSince<'a>>,
    },
    /// Nothing of it was in the approved patch.
    New { part: &'a Part<'a> },
    /// It was in the approved patch, and is no more.
    Gone { was: &'a Part<'a> },
}

/// What has become of one hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HunkSince<'a> {
    /// The same lines under the same heading; at the same place, too, where the file was the same before.
    Kept {
        hunk: Hunk<'a>,
        was: Hunk<'a>,
    },
    /// The approved hunk that has most in common with it is beside it.
    Changed {
        hunk: Hunk<'a>,
        was: Hunk<'a>,
    },
    New {
        hunk: Hunk<'a>,
    },
    Gone {
        was: Hunk<'a>,
    },
}

/// What a reader of `approved` has not read yet of `new`.
///
/// A file is known again by its name after the change (a deleted one by its name before), and only by that: under another name it is
/// one that is gone and one that is new.
///
/// # Errors
/// A body is not what [`super::parts`] cuts.
pub fn since<'a>(approved: &'a [Part<'a>], new: &'a [Part<'a>]) -> Result<Since<'a>, PatchError> {
    let mut left: HashMap<_, &Part<'_>> = approved.iter().map(|was| (key(was), was)).collect();
    let mut files = Vec::with_capacity(new.len());
    for part in new {
        files.push(match left.remove(&key(part)) {
            Some(was) => file_since(part, was)?,
            None => FileSince::New { part },
        });
    }
    let gone = approved.iter().filter(|was| left.contains_key(&key(was)));
    files.extend(gone.map(|was| FileSince::Gone { was }));
    Ok(Since { files })
}

/// What [`super::split`] accepts once in a patch.
fn key<'a>(part: &'a Part<'_>) -> (bool, Option<&'a FileName>) {
    (part.file.new.is_some(), part.file.name())
}

fn file_since<'a>(part: &'a Part<'a>, was: &'a Part<'a>) -> Result<FileSince<'a>, PatchError> {
    if part.body == was.body {
        return Ok(FileSince::Unchanged { part, was });
    }
    // On the same content, another line is another place.
    let same_content = part.file.old_blob == was.file.old_blob;
    let hunks = hunks_since(&hunks(part.body)?, &hunks(was.body)?, same_content);
    let kept = |hunk: &HunkSince<'_>| matches!(hunk, HunkSince::Kept { .. });
    Ok(if part.is_on_another_base(was) && hunks.iter().all(kept) {
        FileSince::Moved { part, was }
    } else {
        FileSince::Changed { part, was, hunks }
    })
}

/// Puts each hunk beside what it was, in the order of both.
fn hunks_since<'a>(
    new: &[Hunk<'a>],
    approved: &[Hunk<'a>],
    same_content: bool,
) -> Vec<HunkSince<'a>> {
    let same = in_order(&equals(new, approved, same_content));
    let pairs = in_order(&resembling(new, approved, &same));
    let mut gone = approved.iter().copied().enumerate().peekable();
    let mut out = Vec::with_capacity(new.len());
    for (&hunk, pair) in new.iter().zip(pairs) {
        let Some(pair) = pair else {
            out.push(HunkSince::New { hunk });
            continue;
        };
        while let Some((at, was)) = gone.next_if(|(at, _)| *at <= pair) {
            out.push(if at < pair {
                HunkSince::Gone { was }
            } else if is_same(&hunk, &was, same_content) {
                HunkSince::Kept { hunk, was }
            } else {
                HunkSince::Changed { hunk, was }
            });
        }
    }
    out.extend(gone.map(|(_, was)| HunkSince::Gone { was }));
    out
}

fn is_same(hunk: &Hunk<'_>, was: &Hunk<'_>, same_content: bool) -> bool {
    hunk.says_the_same(was) && (!same_content || hunk.old_start == was.old_start)
}

/// For each new hunk the approved one that is the same; the second of two equal ones is paired with the second.
fn equals(new: &[Hunk<'_>], approved: &[Hunk<'_>], same_content: bool) -> Vec<Option<usize>> {
    let place = |hunk: &Hunk<'_>| same_content.then_some(hunk.old_start);
    let mut known: HashMap<_, VecDeque<usize>> = HashMap::new();
    for (at, was) in approved.iter().enumerate() {
        let said = (was.section, was.lines.as_bytes(), place(was));
        known.entry(said).or_default().push_back(at);
    }
    new.iter()
        .map(|hunk| {
            let said = (hunk.section, hunk.lines.as_bytes(), place(hunk));
            known.get_mut(&said)?.pop_front()
        })
        .collect()
}

/// Adds to `same`, for each hunk that has no pair, the approved one with which it shares most of the lines that only
/// one hunk has, if that lies between the pairs around it.
fn resembling(
    new: &[Hunk<'_>],
    approved: &[Hunk<'_>],
    same: &[Option<usize>],
) -> Vec<Option<usize>> {
    let homes = homes(approved, same);
    let mut low = 0;
    let mut highs = ceilings(same, approved.len()).into_iter();
    let mut pair = |hunk: &Hunk<'_>, same: Option<usize>| {
        let high = highs.next().unwrap_or(0);
        if let Some(at) = same {
            low = at + 1;
        }
        same.or_else(|| best(hunk, &homes, low..high))
    };
    new.iter()
        .zip(same)
        .map(|(hunk, same)| pair(hunk, *same))
        .collect()
}

/// Each line that stands in just one of the approved hunks without a pair, and in which.
fn homes<'a>(
    approved: &[Hunk<'a>],
    same: &[Option<usize>],
) -> HashMap<(LineKind, &'a [u8]), Option<usize>> {
    let paired: HashSet<usize> = same.iter().flatten().copied().collect();
    let mut homes = HashMap::new();
    for (at, was) in approved.iter().enumerate() {
        if paired.contains(&at) {
            continue;
        }
        for line in was.lines {
            let home = homes.entry((line.kind, line.text)).or_insert(Some(at));
            if *home != Some(at) {
                *home = None;
            }
        }
    }
    homes
}

/// Of the approved hunks in `range`, the one where most of these lines are at home; the first of equals.
fn best(
    hunk: &Hunk<'_>,
    homes: &HashMap<(LineKind, &[u8]), Option<usize>>,
    range: Range<usize>,
) -> Option<usize> {
    let mut votes: HashMap<usize, usize> = HashMap::new();
    for line in hunk.lines {
        let home = homes.get(&(line.kind, line.text)).copied().flatten();
        if let Some(at) = home.filter(|at| range.contains(at)) {
            *votes.entry(at).or_default() += 1;
        }
    }
    let most = votes
        .into_iter()
        .max_by_key(|(at, votes)| (*votes, Reverse(*at)))?;
    Some(most.0)
}

/// For each place the next pair behind it, or `end`.
fn ceilings(same: &[Option<usize>], end: usize) -> Vec<usize> {
    let mut high = end;
    let mut highs: Vec<usize> = same
        .iter()
        .rev()
        .map(|pair| {
            high = pair.unwrap_or(high);
            high
        })
        .collect();
    highs.reverse();
    highs
}

/// Keeps as many pairs as can be kept in the order of both sides (the longest rising run), and drops the others.
fn in_order(pairs: &[Option<usize>]) -> Vec<Option<usize>> {
    // `ends[n]` is the last place and pair of the run of n + 1 pairs that ends lowest; `before` leads back along each run.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; pairs.len()];
    for (place, pair) in pairs.iter().enumerate() {
        let Some(pair) = *pair else { continue };
        let length = ends.partition_point(|(_, end)| *end < pair);
        before[place] = length.checked_sub(1).map(|shorter| ends[shorter].0);
        match ends.get_mut(length) {
            Some(end) => *end = (place, pair),
            None => ends.push((place, pair)),
        }
    }
    let mut kept = vec![None; pairs.len()];
    let mut next = ends.last().map(|(place, _)| *place);
    while let Some(place) = next {
        kept[place] = pairs[place];
        next = before[place];
    }
    kept
}

#[cfg(test)]
mod tests;
