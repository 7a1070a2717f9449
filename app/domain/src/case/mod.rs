//! All the facts about one change, and what somebody may do with them.

mod asked;
mod believed;
mod disputed;
mod eligible;
mod set_aside;

pub use disputed::{DisputedMark, OpenMark};
pub use eligible::MayDecide;
pub use set_aside::Open;

use crate::{
    Timestamp,
    carry::{Carry, Proof, Undone},
    change::{Change, Disputed, Patch, Revision},
    contributor::{Contributor, Role, Stranger},
    decision::{Decision, Kind, Proposed, Recorded},
    host::Bot,
    ids::PersonId,
    people::{self, Level, Person},
    policy::{Held, Policy},
    problem::Problem,
    provenance::{self, Provenance, Tool},
    readers::Readers,
    stand_in::StandIn,
    standing::{Standing, Turn, Voice},
    verdict::{Verdict, verdict},
};
use std::collections::HashSet;
use time::Duration;

/// One change with its current revision, or another one that a gate asks about, and everything that bears on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub change: Change,
    /// The revision that is judged.
    pub revision: Revision,
    /// What its marks add up to but for those that were disputed; [`Case::marked`] counts these, too, as far as they stand.
    pub provenance: Provenance,
    /// All that left such a mark which proves something.
    pub tools: Vec<Tool>,
    /// How many marks the revision has.
    pub marks: i32,
    /// The marks that somebody disputed, whatever became of that.
    pub disputed: Vec<DisputedMark>,
    /// The old and the new names of all files, byte for byte; empty where no rule of the policy reads them.
    pub paths: Vec<Vec<u8>>,
    /// All that it was ever labelled with, by whoever told of it.
    pub labels: Vec<String>,
    /// The bot that made the change and every commit of this revision, as the code host itself said.
    pub bot: Option<Bot>,
    /// Everybody who ever had a hand in the change, over all its revisions and submissions.
    pub contributors: Vec<Known>,
    /// In the order of `seq`.
    pub decisions: Vec<Recorded>,
    /// All active people as they are now, whatever the age of their claims: signing in renews them. Also those who may not
    /// see the change.
    pub reviewers: Vec<Reviewer>,
    /// Who may see the change: nobody else can be asked.
    pub readers: Readers,
    /// Those who may approve here in the place of somebody else, whether that is over by now or not.
    pub stand_ins: Vec<StandIn>,
    /// The revisions that are provably the one that is judged, by each proof that was found.
    pub carries: Vec<Carry>,
    /// The allowed change that the revision that is judged only undoes.
    pub undoes: Option<Undone>,
    pub policy: Policy,
    /// When the change last went back to draft, and when its merge base last moved; none where the policy minds neither.
    pub drafted: Option<Turn>,
    pub rebased: Option<Turn>,
    /// When the oldest override in this repository was taken whose review is still owed; none where the policy does not mind.
    pub oldest_debt: Option<Timestamp>,
    /// What all facts about people add up to now.
    pub people_version: i64,
    /// How old the claims of a sign-in may be to grant something.
    pub claims_max_age: Duration,
}

/// Somebody who may be asked, were they no contributor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewer {
    pub id: PersonId,
    pub name: String,
    pub level: Option<Level>,
    pub teams: Vec<String>,
    pub roles: Vec<people::Role>,
    /// How many decisions they took in the last seven days: whoever took fewest is asked first. It only orders names.
    pub load: u32,
}

/// A contributor, and the people whom an address or login of theirs leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub contributor: Contributor,
    pub ties: Vec<Tie>,
}

/// One person whom an address or login leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    pub person: PersonId,
    pub name: String,
    /// Whether the link was proved when the revision arrived. Only a proved link grants.
    pub proved: bool,
    /// Their level when the revision arrived, if the link was proved then.
    pub level: Option<Level>,
    /// Whether nobody but themselves says so: that bars them, and tells nobody whose it is.
    pub own_word: bool,
    /// The version of people at which the link was withdrawn; none while it holds. Only while it holds it bars from
    /// deciding, and it has ended for good what its person decided before that.
    pub until: Option<i64>,
}

impl Tie {
    /// Whether the link holds now.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.until.is_none()
    }
}

impl Reviewer {
    /// What counts of them now.
    #[must_use]
    pub fn held(&self) -> Held<'_> {
        Held {
            person: self.id,
            level: self.level,
            teams: &self.teams,
            roles: &self.roles,
        }
    }
}

impl Case {
    /// What policy makes of it now.
    #[must_use]
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        verdict(&self.standing(), &self.policy, now)
    }

    /// All that the verdict reads except the time.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let mut standing = self.believed();
        standing.asked = self.asked(standing.provenance, &standing.voices);
        standing
    }

    /// The standing, but for what the rules ask: which of them apply depends on whom the policy believes.
    fn believed(&self) -> Standing {
        let strangers: Vec<Stranger> = self
            .unidentified()
            .into_iter()
            .map(Stranger::from)
            .collect();
        let voices = self.decisions.iter();
        let mut standing = Standing {
            key: self.change.key.clone(),
            number: self.revision.number,
            digest: self.revision.digest,
            patch: self.revision.patch,
            provenance: self.marked(),
            believed: None,
            level: self.level(),
            unclaimed: self.is_unclaimed(),
            undoes: self.undoes.clone(),
            voices: voices
                .map(|recorded| self.voice(recorded, &strangers))
                .collect(),
            policy: self.policy.id.clone(),
            policy_version: self.policy.version,
            asked: vec![],
            drafted: self.drafted,
            rebased: self.rebased,
        };
        standing.believed = standing.believed_word().map(|voice| voice.name.clone());
        if standing.believed.is_some() {
            standing.provenance = Provenance::Human;
        }
        standing
    }

    /// The level of the revision: the lowest among its contributors, each as it was when the revision arrived.
    /// None is `nobody`: a contributor whom no proved link leads to, or a change of which nobody said whose it is. Anybody can write
    /// any address into a commit: it may lower a level, and never give one.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        if self.is_unclaimed() {
            return None;
        }
        self.contributors.iter().map(Known::level).min().flatten()
    }

    /// The id of the bot that made it, where nobody else is known to have had a hand in the change: as soon as anybody is, it is
    /// theirs. What the host says of commits is not all that is known of a change.
    #[must_use]
    pub fn automation(&self) -> Option<&str> {
        let bot = self.bot.as_ref()?;
        let is_the_bot = |known: &Known| known.contributor.login.as_ref() == Some(&bot.login);
        self.contributors
            .iter()
            .all(is_the_bot)
            .then_some(bot.id.as_str())
    }

    /// Whether nobody said whose change it is. Only whoever submitted it can: its commits are written by their author.
    #[must_use]
    pub fn is_unclaimed(&self) -> bool {
        let said = |known: &Known| known.contributor.role == Role::ChangeAuthor;
        !self.contributors.iter().any(said)
    }

    /// Whether somebody may see the change.
    fn shows_itself_to(&self, reviewer: &Reviewer) -> bool {
        self.readers.admit(&reviewer.teams, &reviewer.roles)
    }

    /// In what way somebody had a hand in the change, if anything that holds now ties them to it.
    #[must_use]
    pub fn role_of(&self, person: PersonId) -> Option<Role> {
        self.role_since(person, self.people_version)
    }

    /// The same, if anything ties them to it now or tied them since that version of people.
    #[must_use]
    pub fn role_since(&self, person: PersonId, version: i64) -> Option<Role> {
        let since = |tie: &Tie| tie.until.is_none_or(|until| until > version);
        let tied = |known: &&Known| {
            let mut ties = known.ties.iter();
            ties.any(|tie| tie.person == person && since(tie))
        };
        self.contributors
            .iter()
            .filter(tied)
            .map(|known| known.contributor.role)
            .min()
    }

    /// In what way whoever took a decision, or the one in whose place they took it, had a hand in the change, as
    /// far as it was known at any time since.
    #[must_use]
    pub fn bars(&self, decision: &Decision) -> Option<Role> {
        let role = |person| self.role_since(person, decision.people_version);
        role(decision.person).or_else(|| role(decision.stands_in_for?))
    }

    /// The humans who had a hand in the change and to whom nobody leads now, each once: any reader could be one of them. That
    /// somebody calls an address theirs does not take it off this list, or a colleague could do the author that favour.
    #[must_use]
    pub fn unidentified(&self) -> Vec<&Contributor> {
        let mut listed = HashSet::new();
        let strangers = self.contributors.iter().filter(|known| {
            let one = &known.contributor;
            !known.is_identified()
                && !provenance::is_tool(&one.who)
                && listed.insert((&one.who, &one.login))
        });
        strangers.map(|known| &known.contributor).collect()
    }

    /// What `person` approved of the change before, of other revisions than this one, the latest first; nothing of it once they
    /// took it back or rejected the change. Who reads only what changed since one of these has read the whole.
    #[must_use]
    pub fn approved_before(&self, person: PersonId) -> Vec<&Recorded> {
        let stands = |one: &&Recorded| !matches!(one.decision.kind, Kind::Withdraw | Kind::Reject);
        let theirs = self.decisions.iter().rev();
        theirs
            .filter(|one| one.decision.person == person)
            .take_while(stands)
            .filter(|one| one.decision.kind == Kind::Approve)
            .filter(|one| one.decision.revision != self.revision.id)
            .collect()
    }

    /// The revision since which somebody says that they read what changed: it must be one that they approved.
    fn basis(&self, proposed: &Proposed, person: PersonId) -> Result<Option<i32>, Problem> {
        let Some(since) = proposed.since.filter(|_| proposed.kind == Kind::Approve) else {
            return Ok(None);
        };
        let before = self.approved_before(person);
        let is_theirs = before.iter().any(|one| one.revision_number == since);
        is_theirs
            .then_some(Some(since))
            .ok_or(Problem::NothingApprovedBefore)
    }

    /// Whether `person` may say which of two patches of a revision is true: an admin who had no hand in the change. The
    /// revision need not be the current one: a gate can be asked about each.
    ///
    /// # Errors
    /// The [`Problem`] says why not.
    pub fn may_settle(
        &self,
        person: &Person,
        revision: &Revision,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if !person.is(people::Role::Admin, now, self.claims_max_age) {
            return Err(Problem::NotAllowed);
        }
        match (self.role_of(person.id), revision.patch) {
            (Some(role), _) => Err(Problem::Contributor(role)),
            (None, Patch::Disputed) => Ok(()),
            (None, Patch::Whole | Patch::Wrong | Patch::Incomplete) => Err(Problem::NotDisputed),
        }
    }

    /// Whether `person` may settle the disputes that they have `seen`: no other may be open by now, or they would rule on
    /// what nobody showed them.
    ///
    /// # Errors
    /// The [`Problem`] says why not.
    pub fn settle(
        &self,
        person: &Person,
        revision: &Revision,
        open: &Disputed,
        seen: &Disputed,
        now: Timestamp,
    ) -> Result<(), Problem> {
        self.may_settle(person, revision, now)?;
        if seen == open {
            Ok(())
        } else {
            Err(Problem::ChangedSinceYouLooked)
        }
    }

    /// Turns what a form proposes into a decision, or says why not. `seq` is the next of the change, given under its lock.
    ///
    /// # Errors
    /// The [`Problem`] says why not; nothing may be recorded then.
    pub fn decide(
        &self,
        person: &Person,
        proposed: Proposed,
        seq: i32,
        now: Timestamp,
    ) -> Result<Decision, Problem> {
        let may = match proposed.stands_in_for {
            Some(principal) if proposed.kind == Kind::Approve => {
                self.may_stand_in(person, principal, now)?
            }
            Some(_) | None => self.may_decide(person, proposed.kind, now)?,
        };
        if proposed.seen != self.revision.digest || self.revision.id != self.change.head {
            return Err(Problem::ChangedSinceYouLooked);
        }
        let incident = incident(&proposed)?;
        let about = self.set_aside(person, &proposed, now)?;
        let mark = self.mark(person.id, &proposed)?;
        let since = self.basis(&proposed, person.id)?;
        let says_why = matches!(
            proposed.kind,
            Kind::Reject
                | Kind::Override
                | Kind::SetAside
                | Kind::DisputeMark
                | Kind::MarkWrong
                | Kind::MarkStands
        );
        if says_why && proposed.reason.is_empty() {
            return Err(Problem::ReasonNeeded);
        }
        // Break-glass is for contributors too, and a rejection bars nobody else.
        let must_be_none = matches!(
            proposed.kind,
            Kind::Approve | Kind::Human | Kind::SetAside | Kind::MarkWrong
        );
        let mut strangers: Vec<Stranger> = self
            .unidentified()
            .into_iter()
            .map(Stranger::from)
            .collect();
        strangers.retain(|_| must_be_none);
        if !strangers.is_empty() && !proposed.none_of_these_is_me {
            return Err(Problem::SayNoneIsYou);
        }
        Ok(Decision {
            repository: self.change.repository,
            change: self.change.id,
            revision: self.revision.id,
            digest: self.revision.digest,
            seq,
            person: may.person,
            form_key: proposed.form_key,
            kind: proposed.kind,
            reason: proposed.reason,
            incident,
            none_of_these_is_me: !strangers.is_empty(),
            strangers,
            about,
            mark,
            stands_in_for: may.stands_in_for,
            since,
            level: may.level,
            teams: may.teams,
            roles: may.roles,
            policy: self.policy.id.clone(),
            policy_version: self.policy.version,
            people_version: self.people_version,
            at: now,
        })
    }

    fn voice(&self, recorded: &Recorded, strangers: &[Stranger]) -> Voice {
        let decision = &recorded.decision;
        let about_this = decision.digest == self.revision.digest;
        let is_new = |one: &Stranger| !decision.strangers.contains(one);
        let mut voice = Voice {
            seq: decision.seq,
            kind: decision.kind,
            person: decision.person,
            name: recorded.name.clone(),
            stands_in_for: recorded.stands_in_for(),
            level: decision.level,
            teams: decision.teams.clone(),
            roles: decision.roles.clone(),
            revision: recorded.revision_number,
            about_this,
            carried: self.carried(decision),
            contributor: self.bars(decision).is_some(),
            unasked: !about_this && strangers.iter().any(is_new),
            trusted: true,
            about: decision.about,
            at: decision.at,
            incident: decision.incident.clone(),
        };
        voice.trusted = match voice.kind {
            Kind::SetAside => self.policy.document.veto.set_aside_by.admits(&voice.held()),
            Kind::Human => self.believes(&voice.held(), decision.people_version),
            Kind::MarkWrong | Kind::MarkStands => self.rules_on_marks(decision),
            Kind::Approve | Kind::Reject | Kind::Withdraw | Kind::Override | Kind::DisputeMark => {
                true
            }
        };
        voice
    }

    /// The strongest proof that the policy accepts by which an approval carries over. Nothing else does.
    fn carried(&self, decision: &Decision) -> Option<Proof> {
        let accepted = &self.policy.document.approvals.carry;
        let of_it =
            |carry: &&Carry| decision.kind == Kind::Approve && carry.from == decision.digest;
        let proofs = self.carries.iter().filter(of_it).map(|carry| carry.proof);
        proofs.filter(|proof| accepted.contains(proof)).min()
    }
}

impl Known {
    /// Whether anybody but themselves says who they are.
    #[must_use]
    pub fn is_identified(&self) -> bool {
        self.ties.iter().any(|tie| tie.holds() && !tie.own_word)
    }

    /// Their level when the revision arrived: the lowest of those whom a proved link leads to; none for a stranger.
    fn level(&self) -> Option<Level> {
        self.ties
            .iter()
            .filter(|tie| tie.proved)
            .map(|tie| tie.level)
            .min()
            .flatten()
    }
}

fn incident(proposed: &Proposed) -> Result<Option<String>, Problem> {
    match (proposed.kind, proposed.incident.as_deref().map(str::trim)) {
        (Kind::Override, Some(name))
            if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) =>
        {
            Ok(Some(name.to_owned()))
        }
        (Kind::Override, _) => Err(Problem::IncidentNeeded),
        (
            Kind::Approve
            | Kind::Reject
            | Kind::Withdraw
            | Kind::SetAside
            | Kind::Human
            | Kind::DisputeMark
            | Kind::MarkWrong
            | Kind::MarkStands,
            _,
        ) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
