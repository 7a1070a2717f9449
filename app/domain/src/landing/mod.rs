//! The commit that ships: what a change became on its target, and how that is known to be what was signed off.

use crate::{
    Timestamp,
    deployment::Within,
    digest::Digest,
    gate::{Answer, Found, Judged, answer},
    names::CommitSha,
    policy::Policy,
    verdict::{Reason, Word},
};
use std::collections::HashMap;

/// How a change becomes a commit of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A commit with two parents: the target as it was, and the head.
    Merge,
    /// One commit in the place of all.
    Squash,
    /// A commit for each, made anew on the target.
    Rebase,
    /// What a merge queue would make of the target: this change, and those before it in the queue.
    MergeGroup,
}

/// How it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The trees were compared: merging the head onto the target as it was gives exactly the tree of the commit.
    Tree,
    /// A code host says so.
    Host,
}

/// A commit of the target, as far as it says what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    pub sha: CommitSha,
    pub tree: CommitSha,
    pub parents: Vec<CommitSha>,
}

/// What somebody says a change became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub kind: Kind,
    /// The commits that it added to the target's first parents, the last one first.
    pub commits: Vec<Landed>,
    /// The target's commit just before them.
    pub onto: CommitSha,
    /// What git makes of the head merged onto that.
    pub tree: CommitSha,
}

/// Why a claim does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotThat {
    #[error("has no commits")]
    Nothing,
    #[error("names a merge that is not of exactly the target and this head")]
    NoMergeOfIt,
    #[error("names commits that do not follow each other onto the target, each with one parent")]
    NoLine,
    #[error(
        "is not exactly this head merged onto the target: something was added to it or left out"
    )]
    AnotherTree,
    #[error("is this head itself")]
    TheHead,
}

impl Claim {
    /// Checks all of it that can be checked without the repository: what is left is whether the trees are those that git has.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check(&self, head: &CommitSha) -> Result<(), NotThat> {
        let last = self.commits.first().ok_or(NotThat::Nothing)?;
        if self.commits.iter().any(|one| one.sha == *head) {
            return Err(NotThat::TheHead);
        }
        match self.kind {
            Kind::Merge => self.is_merge_of(head)?,
            Kind::Squash if self.commits.len() > 1 => return Err(NotThat::NoLine),
            // It is not one change that became it: the host is asked, and nobody claims it.
            Kind::MergeGroup => return Err(NotThat::NoMergeOfIt),
            Kind::Squash | Kind::Rebase => self.is_line()?,
        }
        if last.tree == self.tree {
            Ok(())
        } else {
            Err(NotThat::AnotherTree)
        }
    }

    fn is_merge_of(&self, head: &CommitSha) -> Result<(), NotThat> {
        let parents = [&self.onto, head];
        match self.commits.as_slice() {
            [merge] if merge.parents.iter().eq(parents) => Ok(()),
            _ => Err(NotThat::NoMergeOfIt),
        }
    }

    /// Each commit has the next one as its only parent, and the last of them what was there before.
    fn is_line(&self) -> Result<(), NotThat> {
        let below = self.commits.iter().skip(1).map(|one| &one.sha);
        let below = below.chain([&self.onto]);
        let follows =
            |(one, below): (&Landed, &CommitSha)| one.parents.as_slice() == [below.clone()];
        if self.commits.iter().zip(below).all(follows) {
            Ok(())
        } else {
            Err(NotThat::NoLine)
        }
    }
}

/// A revision that became a commit of its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub kind: Kind,
    pub evidence: Evidence,
    /// The target's commit just before, where that is known.
    pub onto: Option<CommitSha>,
    pub found: Found,
}

/// How a commit came from what an answer is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    pub origin: Origin,
    /// What the answer rests on.
    pub digests: Vec<Digest>,
    /// What the commit was added to, of which the answer says nothing: each once.
    pub onto: Vec<CommitSha>,
}

/// What a commit is that is no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Landed(Kind, Evidence),
    /// It stands below a commit that was asked about with it.
    Part,
}

impl Evidence {
    /// Whether it is at least as strong as what is asked for.
    #[must_use]
    pub fn is_enough_for(self, asked: Self) -> bool {
        self == Self::Tree || asked == Self::Host
    }
}

/// The answer to who asks about a commit, from the revisions that have it as their head and those that became it: what all of
/// their heads together would get. So nobody who proposes what was shipped somewhere else hides what it came from. A source
/// on weaker evidence than the policy asks for can say no, and cannot let the commit pass.
#[must_use]
pub fn landed(found: Vec<Found>, sources: Vec<Source>, policy: &Policy, now: Timestamp) -> Answer {
    let sources = each_once(sources);
    let asked = policy.document.landing.evidence;
    let with = |counts: &dyn Fn(&Source) -> bool| {
        let became = sources.iter().filter(|one| counts(one));
        let all = found.iter().chain(became.map(|one| &one.found));
        answer(all.cloned().collect(), policy, now)
    };
    let is_proved = |one: &Source| one.evidence.is_enough_for(asked);
    let whole = with(&|_| true);
    let is_proved = sources.iter().all(is_proved) || with(&is_proved).allow;
    let answer = Answer {
        via: via(&sources),
        ..whole
    };
    if answer.allow && !is_proved {
        unproved(answer)
    } else {
        answer
    }
}

/// Each revision with the strongest evidence that there is for it.
fn each_once(mut sources: Vec<Source>) -> Vec<Source> {
    let is_weak = |one: &Source| one.evidence == Evidence::Host;
    sources.sort_by_key(|one| (one.found.change, one.found.revision, is_weak(one)));
    sources.dedup_by_key(|one| (one.found.change, one.found.revision));
    sources
}

fn unproved(answer: Answer) -> Answer {
    Answer {
        allow: false,
        verdict: Word::Unheard,
        reasons: vec![Reason {
            code: "landing_unproved",
            sentence: "Only the code host says what this commit came from, and the policy asks for proof by the trees: \
                       `countersign submit --merged-as` gives it, in a checkout."
                .into(),
        }],
        needs: vec![],
        ..answer
    }
}

fn via(sources: &[Source]) -> Option<Via> {
    let mut onto: Vec<CommitSha> = sources.iter().filter_map(|one| one.onto.clone()).collect();
    onto.sort();
    onto.dedup();
    sources.first().map(|first| Via {
        origin: Origin::Landed(first.kind, weakest(sources)),
        digests: sources
            .iter()
            .map(|one| one.found.standing.digest)
            .collect(),
        onto,
    })
}

fn weakest(sources: &[Source]) -> Evidence {
    if sources.iter().any(|one| one.evidence == Evidence::Host) {
        Evidence::Host
    } else {
        Evidence::Tree
    }
}

/// A whole release: a commit passes with the head that it stands below, where the revision that has both lets that head pass. By
/// itself it is not what anybody signed off.
#[must_use]
pub fn together(
    asked: Vec<(CommitSha, Answer)>,
    below: &HashMap<CommitSha, Vec<Within>>,
) -> Vec<Answer> {
    let passing: HashMap<CommitSha, Answer> = asked
        .iter()
        .filter(|(_, answer)| answer.allow)
        .map(|(commit, answer)| (commit.clone(), answer.clone()))
        .collect();
    let with_its_own = |(commit, answer): (CommitSha, Answer)| {
        let above = below.get(&commit).into_iter().flatten();
        let mut above = above.filter_map(|one| Some((one, passing.get(&one.head)?)));
        match above.find(|(one, whole)| is_part(&answer, one, whole)) {
            Some((one, whole)) if !answer.allow => part_of(&one.head, whole),
            _ => answer,
        }
    };
    asked.into_iter().map(with_its_own).collect()
}

/// Whether a commit that by itself gets `answer` passes with `whole`, the answer about the head of a revision that has it: that
/// very revision lets the head pass, and no other change says no to the commit. What earlier revisions of the same change get
/// does not matter, since whoever signs off the later one read all that it adds up to.
pub(crate) fn is_part(answer: &Answer, one: &Within, whole: &Answer) -> bool {
    let brings = |judged: &Judged| judged.found.revision == one.revision && judged.lets_pass();
    let minds = |judged: &Judged| judged.found.change != one.change && judged.says_no();
    whole.allow && whole.changes.iter().any(brings) && !answer.changes.iter().any(minds)
}

fn part_of(head: &CommitSha, whole: &Answer) -> Answer {
    let changes = whole.changes.iter();
    Answer {
        via: Some(Via {
            origin: Origin::Part,
            digests: changes.map(|one| one.found.standing.digest).collect(),
            onto: vec![],
        }),
        reasons: vec![Reason {
            code: "part",
            sentence: format!(
                "It is one of the commits that {head} is made of, which passes with it."
            ),
        }],
        ..whole.clone()
    }
}

macro_rules! words {
    ($of:ident: $($variant:ident = $word:literal),* $(,)?) => {
        impl $of {
            /// The word used in SQL and over REST.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What that word means.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                [$(Self::$variant),*].into_iter().find(|known| known.as_str() == word)
            }
        }
    };
}

words!(
    Kind: Merge = "merge", Squash = "squash", Rebase = "rebase", MergeGroup = "merge_group"
);
words!(Evidence: Tree = "tree", Host = "host");

#[cfg(test)]
mod tests;
