//! One file of a patch: its header, and a walk over what follows.

use super::{
    FileName, FilePatch, FileStatus, Mode, PatchError,
    hunk::{self, Hunk, Progress},
    lines::Cursor,
    name,
};

/// What a file's header says before its content.
struct Header<'a> {
    /// What follows `diff --git `, and the line it stands on.
    names: &'a [u8],
    status: FileStatus,
    old_mode: Option<Mode>,
    new_mode: Option<Mode>,
    /// The names of a rename or a copy.
    moved: Option<(FileName, FileName)>,
    /// Whether there is an index line; then at least one of the ids is there.
    indexed: bool,
    old_blob: Option<String>,
    new_blob: Option<String>,
}

/// Reads one file and hands on each of its hunks.
pub(super) fn read<'a>(
    cursor: &mut Cursor<'a>,
    mut each: impl FnMut(Hunk<'a>),
) -> Result<FilePatch, PatchError> {
    let start = *cursor;
    let header = header(cursor)?;
    let mut progress = Progress::default();
    let mut binary = false;
    let mut labels = None;
    if header.indexed {
        if cursor
            .take(b"GIT binary patch")
            .is_some_and(<[u8]>::is_empty)
        {
            binary = true;
            skip_binary(cursor)?;
        } else if let Some(old) = cursor.take(b"--- ") {
            let new = cursor.need(b"+++ ", "'+++ ' and the new name after '--- '")?;
            labels = Some((old, new));
            while let Some(hunk) = hunk::read(cursor, &mut progress)? {
                each(hunk);
            }
        }
    }
    check_content(cursor, &header, &progress, binary)?;
    let (old, new) = names(&start, &header, labels)?;
    Ok(FilePatch {
        body: start.at..cursor.at,
        old: (header.status != FileStatus::Added).then_some(old),
        new: (header.status != FileStatus::Deleted).then_some(new),
        status: header.status,
        old_mode: header.old_mode,
        new_mode: header.new_mode,
        old_blob: header.old_blob,
        new_blob: header.new_blob,
        binary,
        added: progress.added,
        removed: progress.removed,
    })
}

fn header<'a>(cursor: &mut Cursor<'a>) -> Result<Header<'a>, PatchError> {
    let names = cursor.need(b"diff --git ", "'diff --git a/… b/…'")?;
    let mut header = Header {
        names,
        status: FileStatus::Modified,
        old_mode: None,
        new_mode: None,
        moved: None,
        indexed: false,
        old_blob: None,
        new_blob: None,
    };
    modes(cursor, &mut header)?;
    similarity(cursor, &mut header)?;
    index(cursor, &mut header)?;
    Ok(header)
}

fn modes(cursor: &mut Cursor<'_>, header: &mut Header<'_>) -> Result<(), PatchError> {
    if let Some(digits) = cursor.take(b"old mode ") {
        header.old_mode = Some(mode(cursor, digits)?);
        let digits = cursor.need(b"new mode ", "'new mode' after 'old mode'")?;
        header.new_mode = Some(mode(cursor, digits)?);
    } else if let Some(digits) = cursor.take(b"new file mode ") {
        header.status = FileStatus::Added;
        header.new_mode = Some(mode(cursor, digits)?);
    } else if let Some(digits) = cursor.take(b"deleted file mode ") {
        header.status = FileStatus::Deleted;
        header.old_mode = Some(mode(cursor, digits)?);
    }
    Ok(())
}

fn mode(cursor: &Cursor<'_>, digits: &[u8]) -> Result<Mode, PatchError> {
    std::str::from_utf8(digits)
        .ok()
        .and_then(Mode::parse)
        .ok_or_else(|| cursor.error_before("a mode: 100644, 100755, 120000 or 160000"))
}

fn similarity(cursor: &mut Cursor<'_>, header: &mut Header<'_>) -> Result<(), PatchError> {
    let Some(percent) = cursor.take(b"similarity index ") else {
        return Ok(());
    };
    let similarity = percent
        .strip_suffix(b"%")
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .filter(|percent| *percent <= 100)
        .ok_or_else(|| cursor.error_before("a similarity from 0% to 100%"))?;
    if header.status != FileStatus::Modified {
        return Err(cursor.error_before("no similarity for a new or deleted file"));
    }
    let old = if let Some(from) = cursor.take(b"rename from ") {
        let old = moved_name(cursor, from)?;
        header.status = FileStatus::Renamed { similarity };
        (old, &b"rename to "[..])
    } else {
        let from = cursor.need(b"copy from ", "'rename from' or 'copy from'")?;
        header.status = FileStatus::Copied { similarity };
        (moved_name(cursor, from)?, &b"copy to "[..])
    };
    let (old, to) = old;
    let new = cursor.need(to, "'rename to' or 'copy to'")?;
    header.moved = Some((old, moved_name(cursor, new)?));
    Ok(())
}

fn moved_name(cursor: &Cursor<'_>, text: &[u8]) -> Result<FileName, PatchError> {
    whole_name(text)
        .and_then(FileName::from_bytes)
        .ok_or_else(|| cursor.error_before("a file name, quoted as git does"))
}

fn index(cursor: &mut Cursor<'_>, header: &mut Header<'_>) -> Result<(), PatchError> {
    const WHAT: &str = "'index' with two full object ids (--full-index), and the mode if it stays";
    let Some(text) = cursor.take(b"index ") else {
        return Ok(());
    };
    let text = std::str::from_utf8(text).map_err(|_| cursor.error_before(WHAT))?;
    let (ids, digits) = match text.split_once(' ') {
        Some((ids, digits)) => (ids, Some(digits)),
        None => (text, None),
    };
    let (old, new) = ids
        .split_once("..")
        .filter(|(old, new)| is_id(old) && is_id(new) && old.len() == new.len())
        .ok_or_else(|| cursor.error_before(WHAT))?;
    header.indexed = true;
    header.old_blob = (!is_zero(old)).then(|| old.to_owned());
    header.new_blob = (!is_zero(new)).then(|| new.to_owned());
    if let Some(digits) = digits {
        let mode = mode(cursor, digits.as_bytes())?;
        if header.old_mode.is_some() || header.new_mode.is_some() {
            return Err(cursor.error_before("the mode once, not in two places"));
        }
        header.old_mode = Some(mode);
        header.new_mode = Some(mode);
    }
    let (had, has) = (header.old_blob.is_some(), header.new_blob.is_some());
    let wanted = match header.status {
        FileStatus::Added => (false, true),
        FileStatus::Deleted => (true, false),
        _ => (true, true),
    };
    if (had, has) == wanted {
        Ok(())
    } else {
        Err(cursor.error_before("the zero id exactly where there is no file"))
    }
}

fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|b| b == b'0')
}

/// The ids of the empty file, in SHA-1 and SHA-256 repositories.
const EMPTY: [&str; 2] = [
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
];

/// What a header says must be shown, and nothing else: a patch that names another content without showing it would
/// have people approve what they cannot see.
fn check_content(
    cursor: &Cursor<'_>,
    header: &Header<'_>,
    progress: &Progress,
    binary: bool,
) -> Result<(), PatchError> {
    let shown = binary || progress.hunks > 0;
    let one_sided = match header.status {
        FileStatus::Added => progress.removed == 0 && progress.context == 0,
        FileStatus::Deleted => progress.added == 0 && progress.context == 0,
        _ => true,
    };
    if !one_sided {
        return Err(
            cursor.error("only added lines in a new file, only removed ones in a deleted one")
        );
    }
    let content = match header.status {
        FileStatus::Added | FileStatus::Deleted => header
            .new_blob
            .as_deref()
            .or(header.old_blob.as_deref())
            .is_some_and(|id| !EMPTY.contains(&id)),
        _ => header.old_blob != header.new_blob,
    };
    let whole_file = matches!(header.status, FileStatus::Added | FileStatus::Deleted);
    if whole_file && !header.indexed {
        return Err(cursor.error("'index' with two full object ids"));
    }
    if shown != content {
        return Err(cursor.error(
            "the content that the index line announces: hunks, or 'GIT binary patch' (--binary)",
        ));
    }
    let says_something =
        content || whole_file || header.moved.is_some() || header.new_mode.is_some();
    if says_something {
        Ok(())
    } else {
        Err(cursor.error("'index', modes, or the two names of a rename"))
    }
}

/// Both names, from wherever git says them without doubt; everything else must agree with that.
fn names(
    start: &Cursor<'_>,
    header: &Header<'_>,
    labels: Option<(&[u8], &[u8])>,
) -> Result<(FileName, FileName), PatchError> {
    let wrong = || start.error("the same names in 'diff --git' as in the lines below it");
    let (old, new) = match &header.moved {
        Some((old, new)) => (old.clone(), new.clone()),
        None => {
            let name = labels
                .and_then(|(old, new)| match header.status {
                    FileStatus::Deleted => label(old, b"a/"),
                    _ => label(new, b"b/"),
                })
                .or_else(|| equal_halves(header.names))
                .and_then(FileName::from_bytes)
                .ok_or_else(wrong)?;
            (name.clone(), name)
        }
    };
    let labelled = labels.is_none_or(|(before, after)| {
        let nothing = Some(&b"/dev/null"[..]);
        let (old_is, new_is) = (label(before, b"a/"), label(after, b"b/"));
        match header.status {
            FileStatus::Added => {
                Some(before) == nothing && new_is.as_deref() == Some(new.as_bytes())
            }
            FileStatus::Deleted => {
                Some(after) == nothing && old_is.as_deref() == Some(old.as_bytes())
            }
            _ => {
                old_is.as_deref() == Some(old.as_bytes())
                    && new_is.as_deref() == Some(new.as_bytes())
            }
        }
    });
    if labelled && says(header.names, old.as_bytes(), new.as_bytes()) {
        Ok((old, new))
    } else {
        Err(wrong())
    }
}

/// A name that fills the line, quoted or not.
fn whole_name(text: &[u8]) -> Option<Vec<u8>> {
    if text.first() == Some(&b'"') {
        let (name, rest) = name::unquote(text)?;
        rest.is_empty().then_some(name)
    } else {
        name::is_bare(text).then(|| text.to_vec())
    }
}

/// The name after `--- ` or `+++ `. Git puts a tab behind one that has a space.
fn label(text: &[u8], prefix: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"\t").unwrap_or(text);
    whole_name(text)?.strip_prefix(prefix).map(<[u8]>::to_vec)
}

/// The name in `a/name b/name`, where no other line says it: only there are both halves equal.
fn equal_halves(text: &[u8]) -> Option<Vec<u8>> {
    if text.first() == Some(&b'"') {
        let (name, _) = name::unquote(text)?;
        return name.strip_prefix(b"a/").map(<[u8]>::to_vec);
    }
    // One of the two bytes that are not half is the space between them.
    let (first, _) = text.split_at_checked(text.len() / 2)?;
    first.strip_prefix(b"a/").map(<[u8]>::to_vec)
}

/// Whether `diff --git` names exactly these two.
fn says(text: &[u8], old: &[u8], new: &[u8]) -> bool {
    half(text, b"a/", old)
        .and_then(|rest| half(rest.strip_prefix(b" ")?, b"b/", new))
        .is_some_and(<[u8]>::is_empty)
}

/// What follows `name` at the beginning of `text`.
fn half<'a>(text: &'a [u8], prefix: &[u8], name: &[u8]) -> Option<&'a [u8]> {
    if text.first() == Some(&b'"') {
        let (quoted, rest) = name::unquote(text)?;
        return (quoted.strip_prefix(prefix)? == name).then_some(rest);
    }
    if !name::is_bare(name) {
        return None;
    }
    text.strip_prefix(prefix)?.strip_prefix(name)
}

/// Steps over the two blocks of a binary patch: there and back.
fn skip_binary(cursor: &mut Cursor<'_>) -> Result<(), PatchError> {
    block(cursor)?;
    block(cursor)
}

fn block(cursor: &mut Cursor<'_>) -> Result<(), PatchError> {
    const HEAD: &str = "'literal' or 'delta' and a size, twice in a binary patch";
    let size = match cursor.take(b"literal ") {
        Some(size) => size,
        None => cursor.need(b"delta ", HEAD)?,
    };
    let digits = !size.is_empty() && size.len() <= 20 && size.iter().all(u8::is_ascii_digit);
    if !digits {
        return Err(cursor.error_before(HEAD));
    }
    let mut lines = 0_u32;
    loop {
        const DATA: &str = "a line of a binary patch's data, or the empty line after it";
        let line = cursor.peek().ok_or_else(|| cursor.error(DATA))?;
        if !line.is_empty() && !is_data(line) {
            return Err(cursor.error(DATA));
        }
        if line.is_empty() && lines == 0 {
            return Err(cursor.error(DATA));
        }
        cursor.step(line);
        if line.is_empty() {
            return Ok(());
        }
        lines = lines.saturating_add(1);
    }
}

/// A letter for the number of bytes (1 to 52), then five of git's base-85 digits for each four of them.
fn is_data(line: &[u8]) -> bool {
    let Some((&letter, digits)) = line.split_first() else {
        return false;
    };
    let bytes = match letter {
        b'A'..=b'Z' => usize::from(letter - b'A') + 1,
        b'a'..=b'z' => usize::from(letter - b'a') + 27,
        _ => return false,
    };
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&()*+-;<=>?@^_`{|}~".contains(b);
    digits.len() == bytes.div_ceil(4) * 5 && digits.iter().all(is_digit)
}
