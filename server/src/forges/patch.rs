//! Makes of the patch that a code host gives the one that git writes, with every id in full and every binary file whole, and checks that
//! it says of every file that differs between two trees how it differs. What is cut short anywhere is so found.

use super::{github::wire, last::object};
use domain::patch::{FilePatch, Mode, split};
use flate2::{Compression, write::ZlibEncoder};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::Write as _,
};

/// How many bytes of binary files are asked for, all together.
pub const MOST_BINARY: usize = 10_000_000;

/// Why there is no patch that a person could rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    #[error("Its target has all of it already, so what it added cannot be told.")]
    AddsNothing,
    #[error("The host shows what it adds to something else than its target as it is now.")]
    FromElsewhere,
    #[error("The patch is larger than the host gives out.")]
    TooLarge,
    #[error("It has more commits than a person reads.")]
    TooManyCommits,
    #[error("The repository has more files than the host lists.")]
    TreeTooLarge,
    #[error("Its binary files are larger than is taken from a host.")]
    BinaryTooLarge,
    #[error("The patch that the host gives does not say all that differs between the two commits.")]
    NotAll,
}

/// The files of a commit.
pub struct Tree {
    files: BTreeMap<Vec<u8>, File>,
    /// All ids, sorted, each once.
    ids: Vec<String>,
}

#[derive(Clone, PartialEq, Eq)]
struct File {
    mode: Mode,
    id: String,
    size: u64,
}

impl Tree {
    /// None where an entry is none that git has.
    pub fn of(listed: wire::Tree) -> Option<Self> {
        let mut files = BTreeMap::new();
        for entry in listed.tree {
            // A folder is what its files are.
            if matches!(entry.mode.as_str(), "040000" | "40000") {
                continue;
            }
            let mode = Mode::parse(&entry.mode)?;
            let file = File {
                mode,
                id: is_id(&entry.sha).then_some(entry.sha)?,
                size: entry.size,
            };
            files.insert(entry.path.into_bytes(), file);
        }
        let ids: BTreeSet<&String> = files.values().map(|file| &file.id).collect();
        let ids = ids.into_iter().cloned().collect();
        Some(Self { files, ids })
    }
}

/// Where an id that a patch names is looked up.
pub trait Ids {
    /// The one that begins so.
    fn whole<'i>(&'i self, short: &'i str) -> Option<&'i str>;
    /// How many bytes that file has, if it is known.
    fn size(&self, id: &str) -> u64;
}

impl Ids for Tree {
    fn whole<'i>(&'i self, short: &'i str) -> Option<&'i str> {
        let at = self.ids.partition_point(|id| id.as_str() < short);
        let mut found = self.ids[at..].iter().take_while(|id| id.starts_with(short));
        let one = found.next()?;
        found.next().is_none().then_some(one)
    }

    fn size(&self, id: &str) -> u64 {
        let mut found = self.files.values().filter(|file| file.id == id);
        found.next().map_or(0, |file| file.size)
    }
}

/// Where the host names every id in full.
pub struct InFull;

impl Ids for InFull {
    fn whole<'i>(&'i self, short: &'i str) -> Option<&'i str> {
        is_id(short).then_some(short)
    }

    fn size(&self, _: &str) -> u64 {
        0
    }
}

fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(is_digit)
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// The ids of the binary files of a patch, before and after: what the host shows nothing of.
pub fn binaries<I: Ids>(
    diff: &[u8],
    before: &I,
    after: &I,
) -> Result<BTreeSet<String>, Incomplete> {
    let mut wanted = BTreeMap::new();
    walk(diff, before, after, |piece| {
        if let Piece::Binary { old, new } = piece {
            for (id, ids) in [(old, before), (new, after)] {
                if let Some(id) = id {
                    wanted.insert(id.to_owned(), ids.size(id));
                }
            }
        }
    })?;
    if wanted.values().sum::<u64>() > MOST_BINARY as u64 {
        return Err(Incomplete::BinaryTooLarge);
    }
    Ok(wanted.into_keys().collect())
}

/// The patch as git writes it with `--binary --full-index`.
pub fn whole(
    diff: &[u8],
    before: &Tree,
    after: &Tree,
    blobs: &HashMap<String, Vec<u8>>,
) -> Result<Vec<u8>, Incomplete> {
    let (patch, files) = written(diff, before, after, blobs)?;
    if says_all(&files, before, after) {
        Ok(patch)
    } else {
        Err(Incomplete::NotAll)
    }
}

/// The same of a patch that names every id in full, checked against the names of all files that differ.
pub fn whole_of(
    diff: &[u8],
    names: &BTreeSet<Vec<u8>>,
    blobs: &HashMap<String, Vec<u8>>,
) -> Result<Vec<u8>, Incomplete> {
    let (patch, files) = written(diff, &InFull, &InFull, blobs)?;
    let named = files.iter().flat_map(|file| [&file.old, &file.new]);
    let named: BTreeSet<Vec<u8>> = named
        .flatten()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    if named == *names {
        Ok(patch)
    } else {
        Err(Incomplete::NotAll)
    }
}

fn written<I: Ids>(
    diff: &[u8],
    before: &I,
    after: &I,
    blobs: &HashMap<String, Vec<u8>>,
) -> Result<(Vec<u8>, Vec<FilePatch>), Incomplete> {
    let (mut patch, mut is_theirs) = (Vec::with_capacity(diff.len()), true);
    walk(diff, before, after, |piece| match piece {
        Piece::Line(line) => patch.extend_from_slice(line),
        Piece::Index { old, new, rest } => {
            let zeros = |id: Option<&str>, other: Option<&str>| match id {
                Some(id) => id.to_owned(),
                None => "0".repeat(other.map_or(40, str::len)),
            };
            let (before, after) = (zeros(old, new), zeros(new, old));
            patch.extend_from_slice(format!("index {before}..{after}").as_bytes());
            patch.extend_from_slice(rest);
        }
        Piece::Binary { old, new } => {
            patch.extend_from_slice(b"GIT binary patch\n");
            for id in [new, old] {
                let blob = id.and_then(|id| blobs.get(id));
                let blob = blob.map_or(&[][..], Vec::as_slice);
                // A host that leaves out what is large to it says nothing of that.
                is_theirs &= id.is_none_or(|id| object("blob", blob, id.len()) == id);
                literal(blob, &mut patch);
            }
        }
    })?;
    if !is_theirs {
        return Err(Incomplete::BinaryTooLarge);
    }
    let files = split(&patch).map_err(|_| Incomplete::NotAll)?;
    Ok((patch, files))
}

/// Whether the patch says of each file what the trees say, and names every file that is another in the two.
fn says_all(files: &[FilePatch], before: &Tree, after: &Tree) -> bool {
    let mut named = BTreeSet::new();
    for file in files {
        let sides = [
            (&file.old, file.old_mode, &file.old_blob, before),
            (&file.new, file.new_mode, &file.new_blob, after),
        ];
        for (name, mode, blob, tree) in sides {
            let Some(name) = name else { continue };
            let Some(there) = tree.files.get(name.as_bytes()) else {
                return false;
            };
            let is_it = mode.is_none_or(|mode| mode == there.mode)
                && blob.as_ref().is_none_or(|blob| *blob == there.id);
            if !is_it {
                return false;
            }
            named.insert(name.as_bytes().to_vec());
        }
        // What names no content has to have kept it.
        if let (None, None, Some(old), Some(new)) =
            (&file.old_blob, &file.new_blob, &file.old, &file.new)
        {
            let content =
                |tree: &Tree, name: &[u8]| tree.files.get(name).map(|file| file.id.clone());
            if content(before, old.as_bytes()) != content(after, new.as_bytes()) {
                return false;
            }
        }
    }
    let names: BTreeSet<&Vec<u8>> = before.files.keys().chain(after.files.keys()).collect();
    let is_same = |name: &Vec<u8>| {
        let of = |tree: &Tree| {
            tree.files
                .get(name)
                .map(|file| (file.mode, file.id.clone()))
        };
        of(before) == of(after)
    };
    names
        .into_iter()
        .all(|name| named.contains(name) || is_same(name))
}

/// A piece of what the host gives.
enum Piece<'a> {
    Line(&'a [u8]),
    /// An index line with its ids in full, none where there is no file, and what follows them.
    Index {
        old: Option<&'a str>,
        new: Option<&'a str>,
        rest: &'a [u8],
    },
    /// Instead of a binary file.
    Binary {
        old: Option<&'a str>,
        new: Option<&'a str>,
    },
}

/// Hands on the patch piece by piece. A line within a hunk is never taken for a header.
fn walk<'a, I: Ids>(
    diff: &'a [u8],
    before: &'a I,
    after: &'a I,
    mut each: impl FnMut(Piece<'a>),
) -> Result<(), Incomplete> {
    let (mut old_left, mut new_left) = (0_u64, 0_u64);
    let (mut old, mut new) = (None, None);
    for line in diff.split_inclusive(|byte| *byte == b'\n') {
        if old_left > 0 || new_left > 0 {
            match line.first() {
                Some(b'+') => new_left = new_left.saturating_sub(1),
                Some(b'-') => old_left = old_left.saturating_sub(1),
                Some(b'\\') => {}
                _ => {
                    (old_left, new_left) = (old_left.saturating_sub(1), new_left.saturating_sub(1))
                }
            }
            each(Piece::Line(line));
        } else if let Some(rest) = line.strip_prefix(b"@@ ") {
            (old_left, new_left) = counts(rest).ok_or(Incomplete::NotAll)?;
            each(Piece::Line(line));
        } else if let Some(ids) = line.strip_prefix(b"index ") {
            let end = ids.iter().position(|byte| matches!(byte, b' ' | b'\n'));
            let (ids, rest) = ids.split_at(end.unwrap_or(ids.len()));
            let ids = std::str::from_utf8(ids)
                .ok()
                .and_then(|ids| ids.split_once(".."));
            let (left, right) = ids.ok_or(Incomplete::NotAll)?;
            old = in_full(left, before)?;
            new = in_full(right, after)?;
            each(Piece::Index { old, new, rest });
        } else if line.starts_with(b"Binary files ") {
            each(Piece::Binary { old, new });
        } else {
            each(Piece::Line(line));
        }
    }
    Ok(())
}

/// The id that is meant, none for the one of no file.
fn in_full<'i>(short: &'i str, ids: &'i impl Ids) -> Result<Option<&'i str>, Incomplete> {
    if short.bytes().all(|digit| digit == b'0') {
        return Ok(None);
    }
    ids.whole(short).map(Some).ok_or(Incomplete::NotAll)
}

/// How many lines a hunk has before and after: `-1,3 +1,4 @@`.
fn counts(rest: &[u8]) -> Option<(u64, u64)> {
    let text = std::str::from_utf8(rest.get(..rest.len().min(80))?);
    let text = match text {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).ok()?,
    };
    let mut parts = text.split(' ');
    let mut count = |sign| {
        let range = parts.next()?.strip_prefix(sign)?;
        let count = range.split_once(',').map_or("1", |(_, count)| count);
        count.parse().ok()
    };
    Some((count('-')?, count('+')?))
}

/// One side of a binary file, as git writes it whole.
fn literal(bytes: &[u8], patch: &mut Vec<u8>) {
    patch.extend_from_slice(format!("literal {}\n", bytes.len()).as_bytes());
    let mut packing = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail.
    let _ = packing.write_all(bytes);
    for line in packing.finish().unwrap_or_default().chunks(52) {
        let length = u8::try_from(line.len()).unwrap_or(0);
        patch.push(if length <= 26 {
            b'A' + length - 1
        } else {
            b'a' + length - 27
        });
        for four in line.chunks(4) {
            let mut word = [0; 4];
            word[..four.len()].copy_from_slice(four);
            patch.extend(digits(u32::from_be_bytes(word)));
        }
        patch.push(b'\n');
    }
    patch.push(b'\n');
}

/// Five of git's base-85 digits.
fn digits(mut word: u32) -> [u8; 5] {
    const DIGITS: &[u8; 85] =
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
    let mut five = [0; 5];
    for digit in five.iter_mut().rev() {
        *digit = DIGITS[(word % 85) as usize];
        word /= 85;
    }
    five
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    fn tree(files: &[(&str, char)]) -> Tree {
        let entry = |(path, digit): &(&str, char)| wire::Entry {
            path: (*path).to_owned(),
            mode: "100644".to_owned(),
            sha: id(*digit),
            size: 9,
        };
        let listed = wire::Tree {
            tree: files.iter().map(entry).collect(),
            truncated: false,
        };
        Tree::of(listed).unwrap()
    }

    fn edit(name: &str, old: char, new: char) -> String {
        let short = |digit: char| digit.to_string().repeat(7);
        format!(
            "diff --git a/{name} b/{name}\nindex {}..{} 100644\n--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-{old}\n+{new}\n",
            short(old),
            short(new)
        )
    }

    fn made(diff: &str, before: &Tree, after: &Tree) -> Result<String, Incomplete> {
        let patch = whole(diff.as_bytes(), before, after, &HashMap::new())?;
        Ok(String::from_utf8(patch).unwrap())
    }

    #[test]
    fn ids_are_written_in_full_and_lines_of_hunks_are_left_alone() {
        let (before, after) = (
            tree(&[("a", '1'), ("b", '3')]),
            tree(&[("a", '2'), ("b", '3')]),
        );
        let hunk = "@@ -1,2 +1,2 @@\n-index 1111111..2222222\n+Binary files a and b differ\n diff --git a/x b/x\n";
        let diff = edit("a", '1', '2').replace("@@ -1 +1 @@\n-1\n+2\n", hunk);
        let index = format!("index {}..{} 100644", id('1'), id('2'));
        let expected = diff.replacen("index 1111111..2222222 100644", &index, 1);
        assert_eq!(made(&diff, &before, &after), Ok(expected));
    }

    #[test]
    fn what_says_less_or_other_than_the_trees_is_not_all() {
        let before = tree(&[("a", '1'), ("b", '3'), ("c", '5')]);
        let after = tree(&[("a", '2'), ("b", '4'), ("c", '5')]);
        let (a, b) = (edit("a", '1', '2'), edit("b", '3', '4'));
        assert!(made(&format!("{a}{b}"), &before, &after).is_ok());
        let hunkless = b.split("--- a/b").next().unwrap().to_owned();
        let renamed = "diff --git a/a b/b\nsimilarity index 100%\nrename from a\nrename to b\n";
        for wrong in [
            a.clone(),
            String::new(),
            format!("{a}{}", &b[..b.len() - 3]),
            format!("{a}{hunkless}"),
            format!("{a}{}", edit("c", '3', '4')),
            format!("{a}{}", edit("b", '3', '2')),
            format!("{a}{}", edit("b", '4', '3')),
            format!("{a}{}", edit("b", '3', '7')),
            format!("{a}{b}{}", edit("c", '5', '6')),
            format!("{a}{}", b.replace("index 3333333", "index ")),
            format!("{a}{b}").replace("@@ -1 +1 @@", "@@ -1,99999999999999999999 +1 @@"),
            renamed.to_owned(),
        ] {
            assert_eq!(
                made(&wrong, &before, &after),
                Err(Incomplete::NotAll),
                "{wrong}"
            );
        }
    }

    /// Seven digits may be those of two files.
    #[test]
    fn an_id_that_could_be_two_is_none() {
        let mut before = tree(&[("a", '1'), ("b", '3')]);
        before.ids.push(format!("{}2", "1".repeat(39)));
        before.ids.sort();
        let after = tree(&[("a", '2'), ("b", '3')]);
        let diff = edit("a", '1', '2');
        assert_eq!(made(&diff, &before, &after), Err(Incomplete::NotAll));
    }

    #[test]
    fn no_more_of_binary_files_is_asked_for_than_is_taken() {
        let (before, mut after) = (tree(&[("a", '1')]), tree(&[("a", '2')]));
        let diff =
            "diff --git a/a b/a\nindex 1111111..2222222 100644\nBinary files a/a and b/a differ\n";
        let wanted = binaries(diff.as_bytes(), &before, &after).unwrap();
        assert_eq!(wanted, BTreeSet::from([id('1'), id('2')]));
        for file in after.files.values_mut() {
            file.size = MOST_BINARY as u64;
        }
        let too_large = Err(Incomplete::BinaryTooLarge);
        assert_eq!(binaries(diff.as_bytes(), &before, &after), too_large);
    }

    /// Some hosts give nothing of what is large to them, and do not say so.
    #[test]
    fn a_binary_file_is_what_its_id_says_or_there_is_no_patch() {
        let [old, new] = [b"\0old", b"\0new"].map(|bytes| object("blob", bytes, 40));
        let of = |id: &str| {
            let entry = wire::Entry {
                path: "a".to_owned(),
                mode: "100644".to_owned(),
                sha: id.to_owned(),
                size: 4,
            };
            let (tree, truncated) = (vec![entry], false);
            Tree::of(wire::Tree { tree, truncated }).unwrap()
        };
        let diff = format!(
            "diff --git a/a b/a\nindex {}..{} 100644\nBinary files a/a and b/a differ\n",
            &old[..7],
            &new[..7]
        );
        let made = |given: &[u8]| {
            let blobs = [
                (old.clone(), b"\0old".to_vec()),
                (new.clone(), given.to_vec()),
            ];
            whole(diff.as_bytes(), &of(&old), &of(&new), &blobs.into())
        };
        assert!(made(b"\0new").is_ok());
        assert_eq!(made(b""), Err(Incomplete::BinaryTooLarge));
        assert_eq!(made(b"\0ne"), Err(Incomplete::BinaryTooLarge));
    }
}
