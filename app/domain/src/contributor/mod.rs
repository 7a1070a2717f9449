//! Who had a hand in a revision, and the keys by which anything ties a person to it.
//!
//! Weak evidence may bar: an address in another case, with a plus tag or in a host's no-reply form is enough to keep
//! somebody from approving. It never gives anybody anything.

mod requester;

use crate::{
    commit::{Commit, Signature},
    names::CommitSha,
    problem::Problem,
    provenance::{
        self, Beside, Hand, lines,
        trailers::{self, Named},
    },
    text,
};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// In what way somebody had a hand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whose change it is at the code host.
    ChangeAuthor,
    /// Of a commit.
    Author,
    /// Of a commit.
    Committer,
    /// Named so in a commit's message.
    CoAuthor,
    /// Who set an agent to work, as a commit's message names them.
    Requester,
    /// Who sent it here, where that is a person whom we know. Nothing makes one yet: a token is nobody, so it takes a
    /// submission by somebody who is signed in, or a code host that tells who pushed.
    Uploader,
}

impl Role {
    /// All of them, the closest to the change first.
    pub const ALL: [Self; 6] = [
        Self::ChangeAuthor,
        Self::Author,
        Self::Committer,
        Self::CoAuthor,
        Self::Requester,
        Self::Uploader,
    ];

    /// The word used in SQL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChangeAuthor => "change_author",
            Self::Author => "author",
            Self::Committer => "committer",
            Self::CoAuthor => "co_author",
            Self::Requester => "requester",
            Self::Uploader => "uploader",
        }
    }

    /// The role of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// In words, as in "you had a hand in this change (co-author)".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::ChangeAuthor => "author of the change",
            Self::Author => "author",
            Self::Committer => "committer",
            Self::CoAuthor => "co-author",
            Self::Requester => "who set the agent to work",
            Self::Uploader => "uploader",
        }
    }

    /// Whether only a line of text says so, which anybody can write: it may bar and may lower a level, and never gives one.
    #[must_use]
    pub fn is_hearsay(self) -> bool {
        match self {
            Self::CoAuthor | Self::Requester => true,
            Self::ChangeAuthor | Self::Author | Self::Committer | Self::Uploader => false,
        }
    }
}

/// An address or a login in the form in which two are compared: `email:ana@halden.example`, `login:ana`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);

impl Key {
    /// The address, or the login with `@` before it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.0.split_once(':') {
            Some(("login", login)) => format!("@{login}"),
            Some((_, address)) => address.to_owned(),
            None => self.0.clone(),
        }
    }
}

/// Somebody who had a hand in a revision.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Contributor {
    pub role: Role,
    pub who: Signature,
    /// The login that a no-reply address names, or that the code host told.
    pub login: Option<String>,
    pub keys: Vec<Key>,
}

/// A contributor to whom nobody leads, as forms show them: whoever approves says that it is not them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stranger {
    #[serde(flatten)]
    pub who: Signature,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
}

impl From<&Contributor> for Stranger {
    fn from(contributor: &Contributor) -> Self {
        Self {
            who: contributor.who.clone(),
            login: contributor.login.clone(),
        }
    }
}

/// The longest name or login that is kept of a contributor, in characters; keys are made of all of it.
const MOST_NAME: usize = 150;
/// The longest address that is kept.
const MOST_EMAIL: usize = 254;

impl Contributor {
    /// Somebody in this role, with all keys that the address and the login give.
    #[must_use]
    pub fn new(role: Role, who: Signature, login: Option<&str>) -> Self {
        let login = login
            .map(|login| folded(login).trim_start_matches('@').to_owned())
            .filter(|login| !login.is_empty())
            .or_else(|| logins_of(&folded(&who.email)).into_iter().next());
        let keys = keys(&who.email, login.as_deref());
        let cut = |text: &str, most| crate::text::one_line(text, most).into_owned();
        Self {
            role,
            keys,
            who: Signature {
                name: cut(&who.name, MOST_NAME),
                email: cut(&who.email, MOST_EMAIL),
            },
            login: login.map(|login| cut(&login, MOST_NAME)),
        }
    }

    /// Somebody whom a line of text names.
    fn named(role: Role, named: Named) -> Self {
        Self::new(role, named.who, named.login.as_deref())
    }
}

/// Keys (their letters and digits) of trailers that name who wrote it too.
const CO_AUTHOR: [&str; 7] = [
    "coauthoredby",
    "coauthoredwith",
    "coauthored",
    "coauthor",
    "coauthors",
    "codevelopedby",
    "pairedwith",
];

/// All keys that an address and a login give.
#[must_use]
pub fn keys(email: &str, login: Option<&str>) -> Vec<Key> {
    let address = folded(email);
    let mut logins = logins_of(&address);
    logins.extend(login.map(|login| folded(login).trim_start_matches('@').to_owned()));
    let mut keys: Vec<Key> = Vec::new();
    let emails = (!address.is_empty()).then(|| format!("email:{}", without_tag(&address)));
    let logins = logins
        .into_iter()
        .filter(|login| !login.is_empty())
        .map(|login| format!("login:{login}"));
    for key in emails.into_iter().chain(logins).map(Key) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// The keys of what somebody wrote into a form: an e-mail address, or a login with or without `@` before it.
///
/// # Errors
/// [`Problem::NotAnAccount`].
pub fn account(text: &str) -> Result<Vec<Key>, Problem> {
    let text = folded(text);
    let login = text.trim_start_matches('@');
    let keys = match login.split_once('@') {
        Some((name, domain)) if !name.is_empty() && !domain.is_empty() => keys(login, None),
        Some(_) => Vec::new(),
        None => keys("", Some(login)),
    };
    let fits = login.chars().count() <= MOST_EMAIL && !login.contains(char::is_whitespace);
    if fits && !keys.is_empty() {
        Ok(keys)
    } else {
        Err(Problem::NotAnAccount)
    }
}

/// The humans of a commit: author, committer, co-authors and whoever set an agent to work, each once in each role.
///
/// Tools are left out, for an agent counts as the human behind it. Where only the message names one, the agent itself is
/// answered beside them, without a key: that leads to nobody, which is what such a commit counts as, or a line of text
/// would make an agent's commit a senior's. Infrastructure that commits for people is left out too, and as the author of
/// a merge; as the author of a commit of its own it stays, or its name would be a way to hide.
#[must_use]
pub fn of_commit(commit: &Commit) -> Vec<Contributor> {
    let is_merge = commit.parents.len() > 1;
    let author = (!(is_merge && is_infrastructure(&commit.author)))
        .then(|| (Role::Author, commit.author.clone()));
    let committer = (!is_infrastructure(&commit.committer))
        .then(|| (Role::Committer, commit.committer.clone()));
    let message = commit.text();
    let seen = lines::seen(&message);
    let lines = lines::of_seen(&seen);
    let trailers = lines::trailers(&lines);
    let co_authors = co_authors(&trailers)
        .filter(|named| !named.is_tool() && !is_infrastructure(&named.who))
        .map(|named| Contributor::named(Role::CoAuthor, named));
    let mut known = HashSet::new();
    let mut humans: Vec<Contributor> = author
        .into_iter()
        .chain(committer)
        .filter(|(_, who)| !provenance::is_tool(who))
        .map(|(role, who)| Contributor::new(role, who, None))
        .chain(co_authors)
        .chain(requester::requesters(commit, &lines, &trailers))
        .filter(|found| known.insert((found.role, found.who.name.clone(), found.keys.clone())))
        .collect();
    if provenance::is_tool(&commit.author) && humans.iter().all(|found| found.role.is_hearsay()) {
        humans.push(agent_alone(&commit.author));
    }
    humans
}

/// The humans that a submission names beside the commits: who prompted the sessions of its notes, who typed lines of them,
/// and, where a tool took part, whom the description names as having set it to work. A name alone that is a commit's own
/// is that person; any other name alone leads to nobody.
#[must_use]
pub fn beside(
    told: &Beside,
    commits: &[Commit],
    assisted: bool,
) -> Vec<(Option<CommitSha>, Contributor)> {
    let own: HashSet<String> = commits
        .iter()
        .flat_map(|commit| [&commit.author, &commit.committer])
        .map(|who| folded(&who.name))
        .collect();
    let mut all = Vec::new();
    for (sha, note) in &told.notes {
        let of_note = note.people.iter().flat_map(|(hand, text)| {
            let role = match hand {
                Hand::Prompted => Role::Requester,
                Hand::Typed => Role::CoAuthor,
            };
            trailers::people(text)
                .into_iter()
                .map(move |named| (role, named))
        });
        let humans =
            of_note.filter(|(_, named)| requester::is_human(named) && !is_own(named, &own));
        all.extend(
            humans.map(|(role, named)| (Some(sha.clone()), Contributor::named(role, named))),
        );
    }
    if assisted {
        let seen = lines::seen(&told.description);
        let lines = lines::of_seen(&seen);
        let asked = requester::named(&lines, &lines::trailers(&lines));
        all.extend(asked.into_iter().map(|who| (None, who)));
    }
    all
}

/// Whether this is only a name, and one of an author or a committer.
fn is_own(named: &Named, own: &HashSet<String>) -> bool {
    let only_name = named.who.email.is_empty() && named.login.is_none();
    only_name && own.contains(&folded(&named.who.name))
}

fn agent_alone(agent: &Signature) -> Contributor {
    Contributor {
        role: Role::Author,
        who: agent.clone(),
        login: None,
        keys: Vec::new(),
    }
}

fn co_authors(trailers: &[lines::Trailer<'_>]) -> impl Iterator<Item = Named> {
    trailers
        .iter()
        .filter(|found| CO_AUTHOR.contains(&found.key.as_str()))
        .flat_map(|found| trailers::people(&found.value))
}

/// Lower case, without what nobody sees or what only stands around an address.
fn folded(text: &str) -> String {
    let trimmed = text::visible(text).to_lowercase();
    let around = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'');
    trimmed
        .trim_matches(around)
        .trim_end_matches('.')
        .to_owned()
}

/// `ana+ci@halden.example` is read by the same Ana. A no-reply address is no mailbox, and its plus is no tag.
fn without_tag(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return address.to_owned();
    };
    let is_no_reply = domain.starts_with("users.noreply.") || domain.starts_with("noreply.");
    match local.split_once('+') {
        Some((name, _)) if !name.is_empty() && !is_no_reply => format!("{name}@{domain}"),
        _ => address.to_owned(),
    }
}

/// The logins that a code host's no-reply address may name.
///
/// GitHub: `login@users.noreply.github.com`, `123+login@…`, on one's own host `users.noreply.<host>`.
/// GitLab: `123-login@users.noreply.<host>`. Gitea and Forgejo: `login@noreply.<host>`, `123+login@…`.
fn logins_of(address: &str) -> Vec<String> {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return Vec::new();
    };
    if !(domain.starts_with("users.noreply.") || domain.starts_with("noreply.")) {
        return Vec::new();
    }
    let after_number = |separator| {
        let (number, login) = local.split_once(separator)?;
        let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        (is_number && !login.is_empty()).then(|| login.to_owned())
    };
    if let Some(login) = after_number('+') {
        return vec![login];
    }
    // On GitHub a login may itself look like `123-login`; elsewhere too, so there both bar.
    let dashed = (domain != "users.noreply.github.com")
        .then(|| after_number('-'))
        .flatten();
    dashed.into_iter().chain([local.to_owned()]).collect()
}

/// Accounts that commit and merge on behalf of people.
fn is_infrastructure(who: &Signature) -> bool {
    const ADDRESSES: &[&str] = &[
        // GitHub's web editor and merge button.
        "noreply@github.com",
        // Merge queues.
        "118344674+github-merge-queue[bot]@users.noreply.github.com",
        "github-merge-queue@users.noreply.github.com",
        "37929162+mergify[bot]@users.noreply.github.com",
        "26634292+bors[bot]@users.noreply.github.com",
        "bors@rust-lang.org",
    ];
    ADDRESSES.contains(&folded(&who.email).as_str())
}

#[cfg(test)]
mod tests;
