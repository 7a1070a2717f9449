//! Whose word makes a revision `human`. It lowers what is asked, so only proof counts here.

use super::Case;
use crate::{contributor::Role, ids::PersonId, policy::Held, provenance::Provenance};

impl Case {
    /// Whether this word that no machine took part changes anything: that of whom the policy believes and who had no hand in
    /// it; and, where the policy says so, the author's own. Nobody's does while a mark speaks against it, whichever came first. It
    /// was said at that version of people: who was linked to the change since then is not believed again when the link is withdrawn.
    #[must_use]
    pub fn believes(&self, held: &Held<'_>, version: i64) -> bool {
        if self.marked() == Provenance::Assisted {
            return false;
        }
        let belief = &self.policy.document.human;
        let is_of_them = belief.by.iter().any(|who| who.admits(held));
        let is_free = self.role_since(held.person, version).is_none();
        (is_of_them && is_free) || (belief.author && self.is_author_of_all(held.person))
    }

    /// Whether it was said that the change is theirs, and a proved link leads to them from the author of every commit too.
    fn is_author_of_all(&self, person: PersonId) -> bool {
        let is_author = |role| matches!(role, Role::ChangeAuthor | Role::Author);
        let mut authors = self
            .contributors
            .iter()
            .filter(|known| is_author(known.contributor.role));
        !self.is_unclaimed()
            && authors.all(|known| {
                let is_theirs =
                    |tie: &super::Tie| tie.person == person && tie.proved && tie.holds();
                known.ties.iter().any(is_theirs)
            })
    }
}
