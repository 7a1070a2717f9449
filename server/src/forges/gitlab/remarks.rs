//! Notes on a merge request, and who approved it there.

use super::at;
use crate::forges::{bearer::Bearer, client::Failed};
use domain::{
    Timestamp,
    remark::{Kind, Remark, Remarks},
};
use serde::Deserialize;
use store::hosts::Change;

const A_PAGE: usize = 100;
/// As many notes as are kept, and as many that it wrote itself.
const MOST_PAGES: usize = 4;

/// What people said of a merge request. What only members of the project may read is left out.
///
/// # Errors
/// The host could not be asked.
pub async fn remarks(client: &Bearer, change: &Change) -> Result<Remarks, Failed> {
    let at = at(change)?;
    let mut all = vec![];
    let mut more = true;
    for page in 1..=MOST_PAGES {
        let asked =
            format!("{at}/notes?order_by=created_at&sort=desc&per_page={A_PAGE}&page={page}");
        let notes: Vec<Note> = client.get(&asked).await?;
        more = notes.len() == A_PAGE;
        all.extend(notes.into_iter().filter_map(Note::remark));
        if !more {
            break;
        }
    }
    let approvals: Approvals = match client.get(&format!("{at}/approvals")).await {
        // Not every GitLab has them.
        Err(Failed::NotThere) => Approvals::default(),
        answered => answered?,
    };
    all.extend(approvals.approved_by.into_iter().map(Approval::remark));
    Ok(Remarks::newest(all, more))
}

#[derive(Deserialize)]
struct Note {
    author: Option<User>,
    #[serde(default)]
    body: String,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_at: Option<Timestamp>,
    /// Written by GitLab itself.
    #[serde(default)]
    system: bool,
    /// Not for everybody who may see the merge request.
    #[serde(default)]
    internal: bool,
    /// What older ones call that.
    #[serde(default)]
    confidential: Option<bool>,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize, Default)]
struct Approvals {
    #[serde(default)]
    approved_by: Vec<Approval>,
}

#[derive(Deserialize)]
struct Approval {
    user: User,
    #[serde(default, with = "time::serde::rfc3339::option")]
    approved_at: Option<Timestamp>,
}

impl Note {
    fn remark(self) -> Option<Remark> {
        let text = self.body.trim();
        let is_hidden = self.internal || self.confidential == Some(true);
        if self.system || is_hidden || text.is_empty() {
            return None;
        }
        let by = self.author.as_ref().map(|author| &*author.username);
        Some(Remark {
            at: self.created_at,
            ..Remark::new(by, Kind::Commented, text)
        })
    }
}

impl Approval {
    fn remark(self) -> Remark {
        Remark {
            at: self.approved_at,
            ..Remark::new(Some(&self.user.username), Kind::Approved, "")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn remark(note: Value) -> Option<Remark> {
        serde_json::from_value::<Note>(note).unwrap().remark()
    }

    #[test]
    fn a_note_of_somebody_is_shown_and_what_is_not_for_everybody_is_not() {
        let note = |over: Value| {
            let mut note = json!({ "author": { "username": "ben" }, "body": "Why?", "created_at": "2026-11-22T12:00:00.000Z", "system": false, "internal": false, "confidential": false });
            note.as_object_mut()
                .unwrap()
                .extend(over.as_object().unwrap().clone());
            note
        };
        let shown = remark(note(json!({}))).unwrap();
        assert_eq!(
            (shown.by.as_deref(), shown.text.as_str()),
            (Some("ben"), "Why?")
        );
        assert!(shown.at.is_some());
        for hidden in [
            json!({ "system": true }),
            json!({ "internal": true, "confidential": true }),
            json!({ "body": "\n" }),
        ] {
            assert_eq!(remark(note(hidden)), None);
        }
        let old = json!({ "author": null, "body": "Secret", "confidential": true });
        assert_eq!(remark(old), None);
    }
}
