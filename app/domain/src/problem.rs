//! The one vocabulary of refusal: closed, without free text, so that nobody can put words on our pages.

use crate::{contributor::Role, people::Level};
use serde::{Deserialize, Serialize};

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[error("{}", self.sentence())]
pub enum Problem {
    /// Nobody is signed in.
    SignInNeeded,
    /// The person was deactivated.
    Inactive,
    /// Another level is all that they lack.
    LevelTooLow {
        known: Option<Level>,
        needed: Level,
    },
    /// The rules ask for people of a team, with a role or by name, and they are none of these.
    NotAsked,
    /// What is known of them would allow it, but was last confirmed too long ago.
    LevelStale,
    /// They had a hand in the change.
    Contributor(Role),
    /// They may not do that.
    NotAllowed,
    /// There is no such thing, or not for them to see.
    NotFound,
    /// The current revision is not the one that was shown.
    ChangedSinceYouLooked,
    /// The change is closed or merged.
    NotOpen,
    /// The patch is disputed or wrong, so nobody knows what would be approved.
    PatchInDoubt,
    /// Nobody disputes the patch, or it was settled already.
    NotDisputed,
    /// They have nothing standing on this change.
    NothingToWithdraw,
    /// No rejection by somebody else stands on this change, or not this one.
    NothingToSetAside,
    /// There is no such mark, or it is disputed already.
    NoMarkToDispute,
    /// Nobody else disputes a mark of this revision, or not this one.
    NoMarkToDecide,
    /// Who says that they read only what changed since a revision has no approval of that one standing.
    NothingApprovedBefore,
    /// Whoever rejected still has time to answer.
    TooSoon,
    /// The policy refuses an override while another one's review is overdue.
    ReviewOverdue,
    /// A rejection, an override, or whoever sets a rejection aside says why.
    ReasonNeeded,
    ReasonTooLong,
    /// An override names an incident, of at most 100 characters.
    IncidentNeeded,
    /// Some contributors are nobody we know, and who approves has not said that they are none of them.
    SayNoneIsYou,
    /// Nobody, or more than one, goes by that name.
    UnknownPerson,
    /// What was named is neither an e-mail address nor a login.
    NotAnAccount,
    /// Nobody says with proof which accounts are their own.
    OwnAccount,
    /// Whoever wrote a policy that lowers what is needed is not the admin who confirms it.
    OwnProposal,
    /// A proposed policy was confirmed or refused already, or lapsed.
    ProposalOver,
    /// Another policy is in force than the one that was shown.
    PolicyMoved,
    /// The policy cannot be read: the page says where.
    PolicyUnreadable,
    PolicyTooLong,
    /// A repository is observed for some days, and they are limited.
    ObservationTooLong,
    /// They do not stand in for that person here, or not any more.
    NoStandIn,
    /// Whoever they stand in for had a hand in the change.
    PrincipalContributed,
    /// Nobody makes themselves a stand-in.
    OwnStandIn,
    /// One of the two stands in, or is stood in for, already.
    StandInChain,
    /// The last day is over, or too far away.
    StandInTooLong,
    /// Repositories were to be named, and none is, or too many.
    NotRepositories,
    /// Teams were to be named, and none is, or too many.
    NotTeams,
    /// The form or the address was not understood.
    NotUnderstood,
    /// The request came from another site.
    CrossSite,
    /// Too many requests.
    TooMany,
    /// The database cannot be asked.
    Unavailable,
    /// Something else went wrong; the request id leads to the log.
    Internal,
}

impl Problem {
    /// The HTTP status. 401: who are you; 403: not you; 404: not for you to see; 409: the world moved; 422: we can't read that.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Problem::SignInNeeded => 401,
            Problem::Inactive
            | Problem::LevelTooLow { .. }
            | Problem::NotAsked
            | Problem::LevelStale
            | Problem::Contributor(_)
            | Problem::NotAllowed
            | Problem::OwnAccount
            | Problem::OwnProposal
            | Problem::NoStandIn
            | Problem::PrincipalContributed
            | Problem::OwnStandIn
            | Problem::CrossSite => 403,
            Problem::NotFound => 404,
            Problem::ChangedSinceYouLooked
            | Problem::NotOpen
            | Problem::PatchInDoubt
            | Problem::NotDisputed
            | Problem::ProposalOver
            | Problem::PolicyMoved
            | Problem::NothingToWithdraw
            | Problem::NothingToSetAside
            | Problem::NoMarkToDispute
            | Problem::NoMarkToDecide
            | Problem::NothingApprovedBefore
            | Problem::TooSoon
            | Problem::StandInChain
            | Problem::ReviewOverdue => 409,
            Problem::ReasonNeeded
            | Problem::ReasonTooLong
            | Problem::IncidentNeeded
            | Problem::SayNoneIsYou
            | Problem::UnknownPerson
            | Problem::NotAnAccount
            | Problem::PolicyUnreadable
            | Problem::PolicyTooLong
            | Problem::ObservationTooLong
            | Problem::StandInTooLong
            | Problem::NotRepositories
            | Problem::NotTeams
            | Problem::NotUnderstood => 422,
            Problem::TooMany => 429,
            Problem::Internal => 500,
            Problem::Unavailable => 503,
        }
    }

    /// The stable name: in problem types, URLs and logs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Problem::SignInNeeded => "sign-in-needed",
            Problem::Inactive => "inactive",
            Problem::LevelTooLow { .. } => "level-too-low",
            Problem::NotAsked => "not-asked",
            Problem::LevelStale => "level-stale",
            Problem::Contributor(_) => "contributor",
            Problem::NotAllowed => "not-allowed",
            Problem::NotFound => "not-found",
            Problem::ChangedSinceYouLooked => "changed-since-you-looked",
            Problem::NotOpen => "not-open",
            Problem::PatchInDoubt => "patch-in-doubt",
            Problem::NotDisputed => "not-disputed",
            Problem::NothingToWithdraw => "nothing-to-withdraw",
            Problem::NothingToSetAside => "nothing-to-set-aside",
            Problem::NoMarkToDispute => "no-mark-to-dispute",
            Problem::NoMarkToDecide => "no-mark-to-decide",
            Problem::NothingApprovedBefore => "nothing-approved-before",
            Problem::TooSoon => "too-soon",
            Problem::ReviewOverdue => "review-overdue",
            Problem::ReasonNeeded => "reason-needed",
            Problem::ReasonTooLong => "reason-too-long",
            Problem::IncidentNeeded => "incident-needed",
            Problem::SayNoneIsYou => "say-none-is-you",
            Problem::UnknownPerson => "unknown-person",
            Problem::NotAnAccount => "not-an-account",
            Problem::OwnAccount => "own-account",
            Problem::OwnProposal => "own-proposal",
            Problem::ProposalOver => "proposal-over",
            Problem::PolicyMoved => "policy-moved",
            Problem::PolicyUnreadable => "policy",
            Problem::PolicyTooLong => "policy-too-long",
            Problem::ObservationTooLong => "observation-too-long",
            Problem::NoStandIn => "no-stand-in",
            Problem::PrincipalContributed => "principal-contributed",
            Problem::OwnStandIn => "own-stand-in",
            Problem::StandInChain => "stand-in-chain",
            Problem::StandInTooLong => "stand-in-too-long",
            Problem::NotRepositories => "not-repositories",
            Problem::NotTeams => "not-teams",
            Problem::NotUnderstood => "not-understood",
            Problem::CrossSite => "cross-site",
            Problem::TooMany => "too-many",
            Problem::Unavailable => "unavailable",
            Problem::Internal => "internal",
        }
    }

    /// What is, why, and who can change it.
    #[must_use]
    pub fn sentence(self) -> String {
        match self {
            Problem::SignInNeeded => "Sign in first.".into(),
            Problem::Inactive => "Your account here is not active. An operator can activate it.".into(),
            Problem::LevelTooLow { known, needed } => too_low(known, needed),
            Problem::NotAsked => {
                "The rules that apply ask for other people: of a team, with a role, or by name. What is still missing says which.".into()
            }
            Problem::LevelStale => "What is known of you was last confirmed too long ago to count. Sign in again.".into(),
            Problem::Contributor(role) => {
                format!("You had a hand in this change ({}), so somebody else has to decide.", role.words())
            }
            Problem::NotAllowed => "That is not yours to do.".into(),
            Problem::NotFound => "There is no such page, or it is not for you to see.".into(),
            Problem::ChangedSinceYouLooked => {
                "Nothing was recorded: the change moved while you were reading. A decision is about one exact revision.".into()
            }
            Problem::NotOpen => "This change is not open any more, so nothing can be decided about it.".into(),
            Problem::PatchInDoubt => {
                "Two different patches were submitted for this revision, or the code host did not give all of it. An admin has to say which is true, or a new commit has to come.".into()
            }
            Problem::NotDisputed => "Nobody disputes this patch any more.".into(),
            Problem::NothingToWithdraw => "You have nothing standing on this change that could be withdrawn.".into(),
            Problem::NothingToSetAside => "No rejection by somebody else stands on this change that could be set aside.".into(),
            Problem::NoMarkToDispute => "This mark is disputed already, or the revision has none of that number.".into(),
            Problem::NoMarkToDecide => "No mark of this revision waits for a decision that somebody else disputes.".into(),
            Problem::NothingApprovedBefore => {
                "No approval by you of that earlier revision stands, so there is nothing to compare with. Read the whole change.".into()
            }
            Problem::TooSoon => "Whoever rejected still has time to answer. The page says from when it can be set aside.".into(),
            Problem::ReviewOverdue => {
                "An earlier override in this repository still waits for its review, which is overdue. That comes first.".into()
            }
            Problem::ReasonNeeded => "Say why: the author and the record need a reason.".into(),
            Problem::ReasonTooLong => "The reason is longer than 4,000 characters.".into(),
            Problem::IncidentNeeded => "An override names the incident that it is for, in at most 100 characters.".into(),
            Problem::SayNoneIsYou => {
                "Nobody knows who some of the contributors are. Say that none of them is you.".into()
            }
            Problem::UnknownPerson => "Nobody here goes by that, or more than one does. Name them by an address or by their id.".into(),
            Problem::NotAnAccount => "That is neither an e-mail address nor a login.".into(),
            Problem::OwnAccount => "Whether an account is yours is for another admin to say.".into(),
            Problem::OwnProposal => "You wrote this policy, and it lowers what is needed, so another admin has to confirm it.".into(),
            Problem::ProposalOver => {
                "Nothing was recorded: this proposal was confirmed or refused already, or another policy came into force meanwhile.".into()
            }
            Problem::PolicyMoved => {
                "Nothing was recorded: another policy came into force, or your draft changed, while you were reading.".into()
            }
            Problem::PolicyUnreadable => "The policy cannot be read. The page says what is wrong where.".into(),
            Problem::PolicyTooLong => "The policy is longer than 64 kB.".into(),
            Problem::ObservationTooLong => "A repository is observed for 1 to 90 days at a time.".into(),
            Problem::NoStandIn => "You do not stand in for that person here, or not any more.".into(),
            Problem::PrincipalContributed => {
                "Whoever you stand in for had a hand in this change, so somebody else has to decide.".into()
            }
            Problem::OwnStandIn => "Nobody makes themselves a stand-in: it takes whoever is away, or another admin.".into(),
            Problem::StandInChain => {
                "Nobody stands in for somebody who stands in: one of the two already does, or is stood in for. End that first.".into()
            }
            Problem::StandInTooLong => "Somebody stands in from today on, for 30 days at most.".into(),
            Problem::NotRepositories => {
                "Name the repositories, 1 to 50, as owner/name or owner/*, with commas between them.".into()
            }
            Problem::NotTeams => "Name the teams that may see it, 1 to 50, with commas between them.".into(),
            Problem::NotUnderstood => "That request was not understood. Reload the page and try again.".into(),
            Problem::CrossSite => "That request came from another site and was refused.".into(),
            Problem::TooMany => "Too many requests. Wait a moment and try again.".into(),
            Problem::Unavailable => "The database cannot be reached. Nothing was recorded; try again in a moment.".into(),
            Problem::Internal => "Something went wrong. Nothing was recorded.".into(),
        }
    }
}

fn too_low(known: Option<Level>, needed: Level) -> String {
    let asked = match needed {
        Level::Senior => "a senior".to_owned(),
        Level::Junior | Level::Mid => format!("somebody of level {} or higher", needed.as_str()),
    };
    match known {
        Some(level) => format!(
            "This asks for {asked}, and you are known as {}.",
            level.as_str()
        ),
        None => format!(
            "This asks for {asked}, and no level of yours is known. Your provider's groups or an operator can say one."
        ),
    }
}
