//! What stands around every page of somebody who is signed in: where they are, who they are, what their level is worth now.

use domain::{
    people::{Groups, LevelNow, Person, Role},
    policy::Held,
    readers::Reader,
    text::visible,
};
use leptos::prelude::*;

use super::{
    sprite::{Icon, Sprite},
    text::Theirs,
};
use crate::{actions::Theme, islands::ThemeSwitch};

/// Who is looking, with what counts for them now.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The person behind the session.
    pub person: Person,
    /// Their level now.
    pub level: LevelNow,
    /// Their teams now.
    pub teams: Vec<String>,
    /// Their roles now.
    pub roles: Vec<Role>,
    /// The colours that their browser asked for.
    pub theme: Theme,
}

impl Viewer {
    /// What they may see now.
    pub fn reader(&self) -> Reader {
        Reader::person(&self.teams, &self.roles)
    }

    /// What counts of them now, for the rules that ask.
    pub fn held(&self) -> Held<'_> {
        Held {
            person: self.person.id,
            level: self.level.granted(),
            teams: &self.teams,
            roles: &self.roles,
        }
    }
}

/// Which part of the site a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The queue, and the changes that it leads to.
    Queue,
    /// The record.
    Decisions,
    /// Who is known.
    People,
    /// What is demanded.
    Repositories,
    /// None of them.
    Elsewhere,
}

/// The bar, a sentence if their level is worth nothing, one if gates do not enforce what the page is about, and the page.
#[component]
pub fn Frame(
    viewer: Viewer,
    at: Place,
    /// What only observes, and until when: [`super::mode::strip`].
    #[prop(optional_no_strip)]
    observed: Option<String>,
    children: Children,
) -> AnyView {
    let notice = notice(&viewer);
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <Sprite/>
        <header class="bar">
            <a class="brand" href="/">
                <Icon name="logo"/>
                <span>"Countersign"</span>
            </a>
            <nav aria-label="Main">
                <a href="/" aria-current=(at == Place::Queue).then_some("page")>"Queue"</a>
                <a href="/decisions" aria-current=(at == Place::Decisions).then_some("page")>"Decisions"</a>
                <a href="/repositories" aria-current=(at == Place::Repositories).then_some("page")>"Repositories"</a>
                <a href="/people" aria-current=(at == Place::People).then_some("page")>"People"</a>
            </nav>
            <Me viewer/>
        </header>
        {notice.map(|sentence| view! { <p class="strip" role="status">{sentence}</p> })}
        {observed.map(|sentence| view! { <p class="strip" role="note">{sentence}</p> })}
        {children()}
    }
    .into_any()
}

/// Name and level; behind it the colours and the way out. A popover needs no script.
#[component]
fn Me(viewer: Viewer) -> AnyView {
    let name = viewer.person.name.clone();
    view! {
        <button class="me" type="button" popovertarget="me">
            <span class="mono-id" aria-hidden="true">{initials(&name)}</span>
            <span><Theirs text=name.clone()/></span>
            <small>{rank(&viewer)} <span class="vh">": account and appearance"</span></small>
        </button>
        <section class="me-card" id="me" popover aria-label="Account">
            <p><b><Theirs text=name/></b> <small>{rank(&viewer)}</small></p>
            <ThemeSwitch chosen=viewer.theme/>
            <p><a href="/docs">"API"</a></p>
            <form action="/sign-out" method="post"><button class="btn">"Sign out"</button></form>
        </section>
    }
    .into_any()
}

/// `senior, payments`
pub fn rank(viewer: &Viewer) -> String {
    let level = match viewer.level {
        LevelNow::Known(level) => level.as_str(),
        LevelNow::Stale(_) => "level out of date",
        LevelNow::None => "no level",
    };
    let words: Vec<&str> = std::iter::once(level)
        .chain(viewer.teams.iter().map(String::as_str))
        .collect();
    words.join(", ")
}

/// Why somebody's level is worth nothing, and who can change it.
fn notice(viewer: &Viewer) -> Option<&'static str> {
    if !viewer.person.active {
        return Some(
            "Your account here is not active, so you can read but not decide. An operator can activate it.",
        );
    }
    let groups = viewer.person.signed_in.map(|sign_in| sign_in.groups);
    let teams_are_stale = viewer.teams.is_empty() && !viewer.person.teams.is_empty();
    match (viewer.level, groups) {
        (LevelNow::Stale(_), _) => Some(
            "Your level was last confirmed too long ago to count. Sign in again to decide, and to see what only your teams may.",
        ),
        (LevelNow::Known(_) | LevelNow::None, _) if teams_are_stale => Some(
            "Your teams were last confirmed too long ago to count. Sign in again to see what only they may.",
        ),
        (LevelNow::Known(_), _) => None,
        (LevelNow::None, Some(Groups::Missing)) => Some(
            "Your sign-in told us of no groups, so you have no level here. Whoever runs the sign-in can add them.",
        ),
        (LevelNow::None, Some(Groups::Truncated)) => Some(
            "Your sign-in left groups out because there were too many, so you have no level here. An operator can set one.",
        ),
        (LevelNow::None, _) => None,
    }
}

/// The first letters of the first and the last word that can be seen.
pub fn initials(name: &str) -> String {
    let name = visible(name);
    let first = |word: &str| word.chars().find(|c| c.is_alphanumeric());
    let mut words = name.split_whitespace();
    let ends = [words.next(), words.next_back()];
    ends.into_iter()
        .flatten()
        .filter_map(first)
        .flat_map(char::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Ana Sofía Echeverría-Montalbán"), "AE");
        assert_eq!(initials("李娜"), "李");
        assert_eq!(initials("\u{202e} ben"), "B");
        assert_eq!(initials(""), "");
    }
}
