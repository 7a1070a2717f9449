//! What a merged change became on its target, by the folders of both commits: where the commit has the files of the change as they were
//! signed off, and everything else as it was before, it is that change and nothing besides. Hosts call a change merged also when
//! somebody pushes a merge of it that they made themselves.

use super::{
    client::Failed,
    last::object,
    shown::{Patch, read_patch},
};
use domain::{
    landing::{Claim, Kind, Landed},
    names::CommitSha,
    patch::{FileName, FilePatch, FileStatus, Mode, split},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Arc,
};
use store::{Db, hosts};

/// A change in more folders than this is asked about for too long.
const MOST_FOLDERS: usize = 60;

/// What is in a folder, by name.
pub type Folder = BTreeMap<String, Entry>;

/// A file, or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As git writes it, without zeros before it.
    pub mode: String,
    pub id: String,
}

impl Entry {
    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.mode == FOLDER
    }
}

/// A host that lists folders.
pub trait Folders {
    /// The parents of a commit.
    fn parents(
        &self,
        commit: &CommitSha,
    ) -> impl Future<Output = Result<Vec<CommitSha>, Failed>> + Send;

    /// What is in a folder of a commit, `""` for the first; none where the host cannot list it as it is.
    fn folder(
        &self,
        commit: &CommitSha,
        path: &str,
    ) -> impl Future<Output = Result<Option<Folder>, Failed>> + Send;
}

/// What was signed off, or could have been.
struct Signed {
    merge_base: CommitSha,
    head: CommitSha,
    patch: Arc<Vec<u8>>,
}

/// What a revision became, if the host names a commit, gave all of the patch, and that commit is it and nothing else.
///
/// # Errors
/// The host or the database could not be asked.
pub async fn became(
    host: &impl Folders,
    db: &Db,
    change: &hosts::Change,
    last: Option<CommitSha>,
    revision: &hosts::At<'_>,
    patch: &Patch,
) -> Result<Option<Claim>, Failed> {
    let Some(last) = last else { return Ok(None) };
    let Some(patch) = read_patch(db, change, revision, patch).await? else {
        return Ok(None);
    };
    let signed = Signed {
        merge_base: revision.merge_base.clone(),
        head: revision.head.clone(),
        patch,
    };
    landed(host, &last, &signed).await
}

async fn landed(
    host: &impl Folders,
    last: &CommitSha,
    signed: &Signed,
) -> Result<Option<Claim>, Failed> {
    if *last == signed.head {
        return Ok(None);
    }
    let parents = host.parents(last).await?;
    let kind = match &parents[..] {
        [_, other] if *other == signed.head => Kind::Merge,
        [_] => Kind::Squash,
        _ => return Ok(None),
    };
    let onto = parents[0].clone();
    let Some(root) = host.folder(last, "").await? else {
        return Ok(None);
    };
    if !is_the_same(host, &onto, last, signed).await? {
        return Ok(None);
    }
    let Some(tree) = tree(&root, last.as_str().len()) else {
        return Ok(None);
    };
    let landed = Landed {
        sha: last.clone(),
        tree: tree.clone(),
        parents,
    };
    let commits = vec![landed];
    let claim = Claim {
        kind,
        commits,
        onto,
        tree,
    };
    Ok(claim.check(&signed.head).is_ok().then_some(claim))
}

/// Whether a commit is what it was put on, and the change.
async fn is_the_same(
    host: &impl Folders,
    onto: &CommitSha,
    last: &CommitSha,
    signed: &Signed,
) -> Result<bool, Failed> {
    // The target is where it was: then it is the head's files or it is not.
    if *onto == signed.merge_base {
        let folders = (
            host.folder(last, "").await?,
            host.folder(&signed.head, "").await?,
        );
        return Ok(matches!(folders, (Some(last), Some(head)) if last == head));
    }
    let Some(changed) = Changed::of(&signed.patch) else {
        return Ok(false);
    };
    let mut left = vec![String::new()];
    for asked in 0.. {
        let Some(path) = left.pop() else { break };
        if asked == MOST_FOLDERS {
            return Ok(false);
        }
        let (Some(old), Some(new)) = (
            listed(host, onto, &path).await?,
            listed(host, last, &path).await?,
        ) else {
            return Ok(false);
        };
        let Some(below) = changed.explains(&path, &old, &new) else {
            return Ok(false);
        };
        left.extend(below);
    }
    Ok(true)
}

/// What is in a folder, which may not be there.
async fn listed(
    host: &impl Folders,
    commit: &CommitSha,
    path: &str,
) -> Result<Option<Folder>, Failed> {
    match host.folder(commit, path).await {
        Err(Failed::NotThere) if !path.is_empty() => Ok(Some(Folder::new())),
        listed => listed,
    }
}

/// The files that a change is about: what each was, and what it is then.
struct Changed {
    before: BTreeMap<String, Entry>,
    after: BTreeMap<String, Entry>,
}

impl Changed {
    /// None where the patch does not say which content each of them has.
    fn of(patch: &[u8]) -> Option<Self> {
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        for file in split(patch).ok()? {
            let [old, new] = sides(&file)?;
            if let FileStatus::Copied { .. } = file.status {
                return None;
            }
            before.extend(old);
            after.extend(new);
        }
        (!before.is_empty() || !after.is_empty()).then_some(Self { before, after })
    }

    /// The folders below that one in which the change has files, if all else there is the same before and after.
    fn explains(&self, path: &str, old: &Folder, new: &Folder) -> Option<BTreeSet<String>> {
        let mut below = BTreeSet::new();
        let names = self.before.keys().chain(self.after.keys());
        let here = names.filter_map(|name| inside(path, name));
        let mut files = BTreeSet::new();
        for name in here {
            match name.split_once('/') {
                Some((folder, _)) => drop(below.insert(folder)),
                None => drop(files.insert(name)),
            }
        }
        let is_folder = |side: &Folder, name: &str| side.get(name).is_none_or(Entry::is_folder);
        let is_so = |name: &str| {
            let whole = joined(path, name);
            if files.contains(name) {
                !below.contains(name)
                    && old.get(name) == self.before.get(&whole)
                    && new.get(name) == self.after.get(&whole)
            } else if below.contains(name) {
                is_folder(old, name) && is_folder(new, name)
            } else {
                old.get(name) == new.get(name)
            }
        };
        let all = old.keys().chain(new.keys()).map(String::as_str);
        let all = all
            .chain(files.iter().copied())
            .chain(below.iter().copied());
        all.collect::<BTreeSet<_>>()
            .into_iter()
            .all(is_so)
            .then(|| below.iter().map(|name| joined(path, name)).collect())
    }
}

const FOLDER: &str = "40000";

type Named = Option<(String, Entry)>;

/// A file before and after, none where there is none; the outer none where something is not said.
fn sides(file: &FilePatch) -> Option<[Named; 2]> {
    let side = |name: Option<&FileName>, mode: Option<Mode>, id: Option<&String>| {
        let Some(name) = name else { return Some(None) };
        let name = std::str::from_utf8(name.as_bytes()).ok()?.to_owned();
        let (mode, id) = (mode?.as_str().to_owned(), id?.clone());
        Some(Some((name, Entry { mode, id })))
    };
    Some([
        side(file.old.as_ref(), file.old_mode, file.old_blob.as_ref())?,
        side(file.new.as_ref(), file.new_mode, file.new_blob.as_ref())?,
    ])
}

/// A name, as it is called in that folder.
fn inside<'n>(path: &str, name: &'n str) -> Option<&'n str> {
    if path.is_empty() {
        return Some(name);
    }
    name.strip_prefix(path)?.strip_prefix('/')
}

fn joined(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}/{name}"),
    }
}

/// The id that git gives to a folder with just this in it.
fn tree(folder: &Folder, digits: usize) -> Option<CommitSha> {
    let mut entries: Vec<_> = folder.iter().collect();
    // Git sorts folders as if their names ended in a slash.
    entries.sort_by_key(|(name, entry)| {
        let slash = if entry.is_folder() { "/" } else { "" };
        format!("{name}{slash}").into_bytes()
    });
    let mut bytes = vec![];
    for (name, entry) in entries {
        bytes.extend_from_slice(format!("{} {name}\0", entry.mode).as_bytes());
        bytes.extend(raw(&entry.id, digits)?);
    }
    CommitSha::parse(object("tree", &bytes, digits)).ok()
}

fn raw(id: &str, digits: usize) -> Option<Vec<u8>> {
    if id.len() != digits || !id.is_ascii() {
        return None;
    }
    let pairs = (0..id.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&id[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const FILE: &str = "100644";

    fn id(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    fn edit(name: &str, old: char, new: char) -> String {
        let (old, new, digit) = (id(old), id(new), [old, new]);
        format!(
            "diff --git a/{name} b/{name}\nindex {old}..{new} 100644\n--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-{}\n+{}\n",
            digit[0], digit[1]
        )
    }

    fn added(name: &str, new: char) -> String {
        let (none, new) = (id('0'), id(new));
        format!(
            "diff --git a/{name} b/{name}\nnew file mode 100644\nindex {none}..{new}\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+1\n"
        )
    }

    fn folder(entries: &[(&str, &str, char)]) -> Folder {
        let entry = |(name, mode, digit): &(&str, &str, char)| {
            let (mode, id) = ((*mode).to_owned(), id(*digit));
            ((*name).to_owned(), Entry { mode, id })
        };
        entries.iter().map(entry).collect()
    }

    /// Commits, each with its parents and its folders.
    #[derive(Default)]
    struct Host {
        parents: HashMap<CommitSha, Vec<CommitSha>>,
        folders: HashMap<(CommitSha, String), Folder>,
    }

    impl Folders for Host {
        async fn parents(&self, commit: &CommitSha) -> Result<Vec<CommitSha>, Failed> {
            Ok(self.parents[commit].clone())
        }

        async fn folder(&self, commit: &CommitSha, path: &str) -> Result<Option<Folder>, Failed> {
            let at = (commit.clone(), path.to_owned());
            self.folders
                .get(&at)
                .cloned()
                .ok_or(Failed::NotThere)
                .map(Some)
        }
    }

    fn sha(digit: char) -> CommitSha {
        CommitSha::parse(id(digit)).unwrap()
    }

    /// A change to `src/a` over commit 1, with the head 2, that became 9 over 8, where the target had moved on.
    fn host(last: &[(&str, &str, char)], deep: &[(&str, &str, char)]) -> Host {
        let mut host = Host::default();
        host.parents.insert(sha('9'), vec![sha('8'), sha('2')]);
        let mut add = |commit, path: &str, entries: &[(&str, &str, char)]| {
            host.folders
                .insert((sha(commit), path.to_owned()), folder(entries));
        };
        add('8', "", &[("README", FILE, 'd'), ("src", FOLDER, 'a')]);
        add('8', "src", &[("a", FILE, '3'), ("b", FILE, '5')]);
        add('9', "", last);
        add('9', "src", deep);
        host
    }

    async fn became(host: Host, patch: &str) -> Option<Kind> {
        let signed = Signed {
            merge_base: sha('1'),
            head: sha('2'),
            patch: Arc::new(patch.as_bytes().to_vec()),
        };
        let claim = landed(&host, &sha('9'), &signed).await.unwrap()?;
        assert_eq!(claim.onto, sha('8'));
        Some(claim.kind)
    }

    #[tokio::test]
    async fn it_is_that_change_if_all_else_is_as_it_was() {
        let last = [("README", FILE, 'd'), ("src", FOLDER, 'b')];
        let deep = [("a", FILE, '4'), ("b", FILE, '5')];
        let patch = edit("src/a", '3', '4');
        assert_eq!(became(host(&last, &deep), &patch).await, Some(Kind::Merge));
        let with_new = [("a", FILE, '4'), ("b", FILE, '5'), ("c", FILE, '6')];
        let two = format!("{patch}{}", added("src/c", '6'));
        assert_eq!(
            became(host(&last, &with_new), &two).await,
            Some(Kind::Merge)
        );

        let evil_readme = [("README", FILE, 'e'), ("src", FOLDER, 'b')];
        let evil_folder = [
            ("README", FILE, 'd'),
            ("src", FOLDER, 'b'),
            ("x", FOLDER, 'e'),
        ];
        let no_readme = [("src", FOLDER, 'b')];
        let a_file = [("README", FILE, 'd'), ("src", FILE, 'b')];
        for wrong in [&evil_readme[..], &evil_folder, &no_readme, &a_file] {
            assert_eq!(became(host(wrong, &deep), &patch).await, None, "{wrong:?}");
        }
        let evil = [("a", FILE, 'e'), ("b", FILE, '5')];
        let runs = [("a", "100755", '4'), ("b", FILE, '5')];
        let beside = [("a", FILE, '4'), ("b", FILE, 'e')];
        let less = [("a", FILE, '3'), ("b", FILE, '5')];
        for wrong in [&evil[..], &runs, &beside, &less, &with_new, &deep[..1]] {
            assert_eq!(became(host(&last, wrong), &patch).await, None, "{wrong:?}");
        }
        // The target had another file there, or one where there was to be none.
        assert_eq!(
            became(host(&last, &deep), &edit("src/a", '7', '4')).await,
            None
        );
        assert_eq!(became(host(&last, &deep), &added("src/a", '4')).await, None);
        assert_eq!(became(host(&last, &deep), "").await, None);
    }

    #[test]
    fn folders_have_the_ids_that_git_gives_them() {
        let empty = tree(&Folder::new(), 40).unwrap();
        assert_eq!(empty.as_str(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        // By `git mktree`; a folder stands where `a/` would.
        let folder = folder(&[("a", FOLDER, '1'), ("a.b", FILE, '2'), ("a0", FILE, '3')]);
        assert_eq!(tree(&folder, 40).unwrap().as_str(), MKTREE);
        assert_eq!(tree(&folder, 64), None);
    }

    const MKTREE: &str = "9d0b524dcdea6f0a36d0c91cd5d6e5f64fc6bf12";
}
