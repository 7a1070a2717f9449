//! Who had a hand in a revision, and the keys by which anything ties a person to it.
//!
//! Weak evidence may bar: an address in another case, with a plus tag or in a host's no-reply form is enough to keep
//! somebody from approving. It never gives anybody anything.

use crate::{
    commit::{Commit, Signature},
    provenance::{self, lines, trailers},
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
    /// Who sent it here.
    Uploader,
}

impl Role {
    /// All of them, the closest to the change first.
    pub const ALL: [Self; 5] = [
        Self::ChangeAuthor,
        Self::Author,
        Self::Committer,
        Self::CoAuthor,
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
            Self::Uploader => "uploader",
        }
    }
}

/// An address or a login in the form in which two are compared: `email:ana@halden.example`, `login:ana`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);

/// Somebody who had a hand in a revision.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Contributor {
    pub role: Role,
    pub who: Signature,
    /// The login that a no-reply address names, or that the code host told.
    pub login: Option<String>,
    pub keys: Vec<Key>,
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
}

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

/// The humans of a commit: author, committer and co-authors, each once in each role.
///
/// Tools are left out, for an agent counts as the human behind it. Where a commit names none, the agent itself is
/// answered, without a key: that leads to nobody, which is what such a commit counts as. Infrastructure that commits
/// for people is left out too, and as the author of a merge; as the author of a commit of its own it stays, or its
/// name would be a way to hide.
#[must_use]
pub fn of_commit(commit: &Commit) -> Vec<Contributor> {
    let is_merge = commit.parents.len() > 1;
    let author = (!(is_merge && is_infrastructure(&commit.author)))
        .then(|| (Role::Author, commit.author.clone()));
    let committer = (!is_infrastructure(&commit.committer))
        .then(|| (Role::Committer, commit.committer.clone()));
    let message = commit.text();
    let co_authors = co_authors(&message).filter(|who| !is_infrastructure(who));
    let mut seen = HashSet::new();
    let humans: Vec<Contributor> = author
        .into_iter()
        .chain(committer)
        .chain(co_authors.map(|who| (Role::CoAuthor, who)))
        .filter(|(_, who)| !provenance::is_tool(who))
        .map(|(role, who)| Contributor::new(role, who, None))
        .filter(|found| seen.insert((found.role, found.who.name.clone(), found.keys.clone())))
        .collect();
    if humans.is_empty() && provenance::is_tool(&commit.author) {
        return vec![agent_alone(&commit.author)];
    }
    humans
}

fn agent_alone(agent: &Signature) -> Contributor {
    Contributor {
        role: Role::Author,
        who: agent.clone(),
        login: None,
        keys: Vec::new(),
    }
}

fn co_authors(message: &str) -> impl Iterator<Item = Signature> + '_ {
    lines::lines(message).flat_map(|line| {
        let visible = text::visible(line.text);
        let line = lines::Line {
            number: line.number,
            text: &visible,
        };
        lines::trailer(line)
            .filter(|found| matches!(found.key.as_str(), "coauthoredby" | "codevelopedby"))
            .map(|found| trailers::people(found.value))
            .unwrap_or_default()
    })
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
mod tests {
    use super::*;
    use crate::names::CommitSha;
    use proptest::prelude::*;

    fn shown(email: &str, login: Option<&str>) -> Vec<String> {
        keys(email, login).into_iter().map(|key| key.0).collect()
    }

    fn who(text: &str) -> Signature {
        let (name, email) = text.split_once(" <").unwrap();
        Signature {
            name: name.to_owned(),
            email: email.trim_end_matches('>').to_owned(),
        }
    }

    fn commit(author: &str, committer: &str, message: &str) -> Commit {
        let sha = CommitSha::parse("a".repeat(40)).unwrap();
        Commit {
            tree: sha.clone(),
            parents: vec![sha.clone()],
            sha,
            author: who(author),
            authored_at: None,
            committer: who(committer),
            message: message.as_bytes().to_vec(),
        }
    }

    fn people(commit: &Commit) -> Vec<String> {
        let one = |c: Contributor| {
            let key = c.keys.first().map_or("nobody", |key| key.0.as_str());
            format!("{} {} {key}", c.role.words(), c.who.name)
        };
        of_commit(commit).into_iter().map(one).collect()
    }

    const ANA: &str = "Ana <ana@halden.example>";
    const WEB: &str = "GitHub <noreply@github.com>";

    #[test]
    fn spellings_of_one_address_share_a_key() {
        for email in [
            "ana@halden.example",
            "Ana@Halden.Example",
            "ana+ci@halden.example",
            " <ana@halden.example> ",
            "ana@halden.example.",
            "a\u{200b}na@halden.example",
        ] {
            assert_eq!(shown(email, None), ["email:ana@halden.example"], "{email}");
        }
        assert_eq!(shown("", Some("@Ana")), ["login:ana"]);
        assert_eq!(shown("", None), [""; 0]);
        assert_eq!(shown("+@x.example", None), ["email:+@x.example"]);
        assert_eq!(shown("no address", None), ["email:no address"]);
    }

    #[test]
    fn no_reply_addresses_name_logins() {
        for (email, logins) in [
            ("123+Ana@users.noreply.github.com", vec!["login:ana"]),
            ("ana@users.noreply.github.com", vec!["login:ana"]),
            ("2-ana@users.noreply.github.com", vec!["login:2-ana"]),
            (
                "123+ana@users.noreply.git.halden.example",
                vec!["login:ana"],
            ),
            (
                "123-ana@users.noreply.gitlab.com",
                vec!["login:ana", "login:123-ana"],
            ),
            ("ana@noreply.codeberg.org", vec!["login:ana"]),
            ("7+ana@noreply.git.halden.example", vec!["login:ana"]),
            ("ana@halden.example", vec![]),
            ("noreply@github.com", vec![]),
        ] {
            let mut expected = vec![format!("email:{}", email.to_lowercase())];
            expected.extend(logins.into_iter().map(str::to_owned));
            assert_eq!(shown(email, None), expected, "{email}");
        }
    }

    #[test]
    fn author_committer_and_co_authors_are_contributors() {
        let message = "Fix (#1)\n\n* one\n\nCo-authored-by: Li <li@halden.example>\n\n* two\n\nco-authored-by: Li <li@halden.example>\nSigned-off-by: Mika <mika@halden.example>\n";
        let commit = commit(ANA, "Ben <ben@halden.example>", message);
        assert_eq!(
            people(&commit),
            [
                "author Ana email:ana@halden.example",
                "committer Ben email:ben@halden.example",
                "co-author Li email:li@halden.example",
            ]
        );
    }

    #[test]
    fn an_agents_commit_has_the_human_who_asked() {
        let copilot = "copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>";
        let asked = commit(
            copilot,
            WEB,
            "Fix\n\nCo-authored-by: Ana <1+ana@users.noreply.github.com>\n",
        );
        assert_eq!(
            people(&asked),
            ["co-author Ana email:1+ana@users.noreply.github.com"]
        );
        assert_eq!(of_commit(&asked)[0].login.as_deref(), Some("ana"));
    }

    #[test]
    fn an_agents_commit_without_a_human_leads_to_nobody() {
        let claude = "Claude <noreply@anthropic.com>";
        let nobody = ["author Claude nobody"];
        assert_eq!(people(&commit(claude, WEB, "Fix\n")), nobody);
        assert_eq!(people(&commit(claude, claude, "Fix\n")), nobody);
        let pushed = commit(claude, ANA, "Fix\n");
        assert_eq!(people(&pushed), ["committer Ana email:ana@halden.example"]);
    }

    #[test]
    fn a_tool_beside_a_human_is_not_one() {
        let message = "Fix\n\nCo-authored-by: Claude <noreply@anthropic.com>\nCo-authored-by: Claude <claude@dupont.example>\n";
        assert_eq!(
            people(&commit(ANA, WEB, message)),
            [
                "author Ana email:ana@halden.example",
                "co-author Claude email:claude@dupont.example",
            ]
        );
    }

    #[test]
    fn a_tools_name_on_another_account_stays_somebody() {
        let spoofed = "claude[bot] <41898282+claude[bot]@users.noreply.github.com>";
        assert_eq!(people(&commit(spoofed, WEB, "Fix\n")).len(), 1);
    }

    #[test]
    fn infrastructure_counts_for_nothing_unless_it_writes_commits() {
        let mut merge = commit(WEB, WEB, "Merge\n");
        assert_eq!(people(&merge), ["author GitHub email:noreply@github.com"]);
        merge.parents.push(merge.sha.clone());
        assert_eq!(people(&merge), [""; 0]);
    }

    proptest! {
        #[test]
        fn keys_of_keys_change_no_more(email in "[a-zA-Z+.<> ]{0,8}@[a-zA-Z.]{0,8}") {
            let once = shown(&email, None);
            if let Some(address) = once.first().and_then(|key| key.strip_prefix("email:")) {
                let twice = shown(address, None);
                prop_assert_eq!(twice.first(), once.first());
            }
        }

        #[test]
        fn anybody_at_all_is_read(name in any::<String>(), email in any::<String>(), message in any::<String>()) {
            let mut commit = commit(ANA, ANA, &format!("x\n\nCo-authored-by: {message}"));
            commit.author = Signature { name, email };
            let _ = of_commit(&commit);
        }
    }
}
