//! Whose word makes a revision `human`. It lowers what is asked, so only proof counts here.

use super::Case;
use crate::{contributor::Role, ids::PersonId, policy::Held, provenance::Provenance};

impl Case {
    /// Whether this word that no machine took part changes anything: that of whom the policy believes and who had no hand in
    /// it, also against marks; and, where the policy says so, the author's own about what bears no mark.
    #[must_use]
    pub fn believes(&self, held: &Held<'_>) -> bool {
        let belief = &self.policy.document.human;
        let is_of_them = belief.by.iter().any(|who| who.admits(held));
        let is_free = self.role_of(held.person).is_none();
        let is_author = belief.author && self.provenance == Provenance::Unknown;
        (is_of_them && is_free) || (is_author && self.is_author_of_all(held.person))
    }

    /// Whether a proved link leads to them from the change's author and from that of every commit.
    fn is_author_of_all(&self, person: PersonId) -> bool {
        let is_author = |role| matches!(role, Role::ChangeAuthor | Role::Author);
        let mut authors = self
            .contributors
            .iter()
            .filter(|known| is_author(known.contributor.role))
            .peekable();
        authors.peek().is_some()
            && authors.all(|known| {
                let is_theirs = |tie: &super::Tie| tie.person == person && tie.proved && tie.now;
                known.ties.iter().any(is_theirs)
            })
    }
}
