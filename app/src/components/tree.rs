//! The files of a change, by folder: what happened to each, and how much.

use domain::patch::{FilePatch, FileStatus};
use leptos::prelude::*;

use super::text::Theirs;

/// A file, and where it stands in its patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counted from 0, over the whole patch.
    pub ordinal: usize,
    /// What the patch says of it.
    pub file: FilePatch,
}

/// Folders in the order of the patch, each with its files. A drawer where there is no room.
#[component]
pub fn Tree(files: Vec<Entry>) -> AnyView {
    let count = files.len();
    view! {
        <nav class="tree side drawer" id="files" popover aria-label="Files of this change">
            <header>
                <h2>"Files"</h2>
                <small>{count}</small>
            </header>
            {folders(&files).into_iter().map(folder).collect_view()}
        </nav>
    }
    .into_any()
}

fn folder((name, files): (String, Vec<Entry>)) -> impl IntoView {
    let name = if name.is_empty() {
        "top folder".to_owned()
    } else {
        name
    };
    view! {
        <p class="dir"><Theirs text=name/></p>
        <ul>{files.into_iter().map(|entry| view! { <li><Leaf entry/></li> }).collect_view()}</ul>
    }
}

#[component]
fn Leaf(entry: Entry) -> impl IntoView {
    let (letter, word) = state(&entry.file);
    let (_, base) = split(&shown_name(&entry.file));
    let counts = if entry.file.binary {
        "binary".to_owned()
    } else {
        format!("+{} −{}", entry.file.added, entry.file.removed)
    };
    view! {
        <a href=format!("#f{}", entry.ordinal)>
            <span class=format!("st {letter}") title=word aria-label=word role="img">{letter}</span>
            <span class="cut"><Theirs text=base/></span>
            <span class="n">{counts}</span>
            <span></span>
        </a>
    }
}

/// The letter that git gives it, and the word.
fn state(file: &FilePatch) -> (&'static str, &'static str) {
    match file.status {
        FileStatus::Added => ("A", "added"),
        FileStatus::Deleted => ("D", "deleted"),
        FileStatus::Modified => ("M", "changed"),
        FileStatus::Renamed { .. } => ("R", "renamed"),
        FileStatus::Copied { .. } => ("C", "copied"),
    }
}

/// The name to call it by.
pub fn shown_name(file: &FilePatch) -> String {
    file.name()
        .map(|name| name.display().into_owned())
        .unwrap_or_default()
}

/// Folder and file.
pub fn split(name: &str) -> (String, String) {
    match name.rsplit_once('/') {
        Some((folder, base)) => (folder.to_owned(), base.to_owned()),
        None => (String::new(), name.to_owned()),
    }
}

fn folders(files: &[Entry]) -> Vec<(String, Vec<Entry>)> {
    let mut folders: Vec<(String, Vec<Entry>)> = Vec::new();
    for entry in files {
        let (folder, _) = split(&shown_name(&entry.file));
        match folders.last_mut() {
            Some((last, entries)) if *last == folder => entries.push(entry.clone()),
            _ => folders.push((folder, vec![entry.clone()])),
        }
    }
    folders
}
