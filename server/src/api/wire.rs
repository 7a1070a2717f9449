//! What travels over REST: a public contract, apart from the domain's types so that those may change.
//! Snake case, RFC 3339 UTC, plural nouns. The CLI speaks the same types.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A change or its new revision, as the part `change` of `PUT /api/v1/changes`; the part `patch` goes with it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// `owner/name`.
    #[schema(example = "acme/payments")]
    pub repository: String,
    /// What the repository calls the change.
    #[schema(example = "142")]
    pub key: String,
    pub title: String,
    /// Where people find it; http or https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// The branch it goes to, without `refs/heads/`.
    #[schema(example = "main")]
    pub target: String,
    /// The merge base of target and head: full commit id.
    pub base: String,
    /// Full commit id.
    pub head: String,
    /// Every commit that head adds to base, oldest first.
    pub commits: Vec<Commit>,
    #[serde(default)]
    pub draft: bool,
    #[serde(default)]
    pub state: State,
    /// Says that a machine took part. Nothing here can say that none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ai: Option<Ai>,
    /// The change's own branch, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Added to those that were told before: a rule that asks for one applies for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What its author wrote about it: its footers and ticked boxes are marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What git-ai noted beside these commits (`refs/notes/ai`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Records of Agent Trace about these commits, each as JSON text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<String>,
    /// Make a head that is already known the current one again, as after a force-push back.
    #[serde(default)]
    pub current: bool,
    /// What it became on its target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_as: Option<MergedAs>,
}

/// The commit that a change became, with the trees that show it to be exactly the head, merged onto the target.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergedAs {
    pub kind: Merged,
    /// The commits that it added to the target's first parents, the last one first: one for a merge and a squash.
    pub commits: Vec<MergedCommit>,
    /// The target's commit just before them.
    pub onto: String,
    /// The tree that `git merge-tree` writes for `onto` and the head.
    pub tree: String,
}

/// How a change became a commit of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Merged {
    Merge,
    Squash,
    Rebase,
}

/// A commit of the target, as git recorded it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergedCommit {
    pub sha: String,
    pub tree: String,
    pub parents: Vec<String>,
}

/// A note of git-ai.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Full id of the commit.
    pub commit: String,
    pub text: String,
}

/// A delivery of a code host that was taken.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Stored {
    /// What the host calls it.
    pub delivery: String,
    /// False if it was taken before.
    pub new: bool,
}

/// Where a change is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[default]
    Open,
    Merged,
    /// Closed without merging: the gate denies it until it is open again.
    Closed,
}

/// Who opened a change, as the code host knows them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Author {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A declaration that a machine took part.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ai {
    /// Such as `claude-code`, `copilot`, `cursor`, `codex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
}

/// One commit, as git recorded it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    pub sha: String,
    /// Where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    pub parents: Vec<String>,
    pub author: Signature,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub authored_at: Option<OffsetDateTime>,
    pub committer: Signature,
    /// The raw message.
    pub message: Text,
}

/// A name and an address, as a commit carries them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    pub name: Text,
    pub email: Text,
}

/// Text, or its bytes in base64 where they are not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Text {
    Utf8(String),
    Bytes { base64: String },
}

/// What became of a submission.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Submitted {
    pub change: Uuid,
    pub revision: Uuid,
    /// 1 for the first of its change.
    pub number: i32,
    /// The digest that the server computed over what it stored.
    pub digest: String,
    /// False if this very revision was known already.
    pub new: bool,
    /// Whether it is the change's current revision.
    pub current: bool,
    /// Where a person reads it.
    pub url: String,
}

/// What a gate answers about one commit. A pipeline treats everything but `allow: true` as no.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    pub repository: String,
    pub commit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Where it would be deployed, if that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    pub allow: bool,
    /// False where the repository is in `observe`: then `allow` is true whatever the verdict.
    pub enforced: bool,
    pub verdict: Verdict,
    pub reasons: Vec<Reason>,
    pub needs: Vec<Need>,
    pub changes: Vec<GateChange>,
    /// How this commit came from those changes; null when it is the head of each.
    pub via: Option<Via>,
    pub policy: Option<Policy>,
    #[serde(with = "time::serde::rfc3339")]
    pub as_of: OffsetDateTime,
    /// With which `GET /api/v1/gate/past` gives this answer again, whatever has changed since: time and database snapshot. Take
    /// it for one word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(example = "2026-11-22T12:00:00.123456Z/741:745:742")]
    pub snapshot: String,
    /// Whole seconds since a code host last confirmed the change of which that is longest ago; null if none ever confirmed one of them.
    pub source_age: Option<i64>,
}

/// What a gate answered at a moment that is past: no permission now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Past {
    /// Never true: who takes this for an answer about now lets nothing pass.
    #[schema(example = false)]
    pub allow: bool,
    /// The answer as it was.
    pub then: Answer,
}

/// Lowest first: `unheard` < `undecidable` < `rejected` < `waiting` < `overridden` < `approved` = `not_required`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Unheard,
    Undecidable,
    Rejected,
    Waiting,
    Overridden,
    Approved,
    NotRequired,
}

/// Why, for machines and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    #[schema(example = "senior_needed")]
    pub code: String,
    pub sentence: String,
}

/// One thing still missing, and who could give it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Need {
    pub rule: String,
    /// In a sentence; where nobody could give it, with why.
    pub missing: String,
    /// How many approvals.
    #[serde(default)]
    pub count: u32,
    /// Of whom: all that is said must hold.
    #[serde(default)]
    pub who: Who,
    /// How many people could give it.
    pub eligible: u32,
    /// Up to five of them, whoever decided least in the last seven days first.
    pub people: Vec<String>,
}

/// A kind of people. What is not said is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Who {
    /// Of this level or a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// One of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Uuid>,
}

/// A change that has the asked commit as the head of a revision.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GateChange {
    pub id: Uuid,
    pub repository: String,
    pub key: String,
    pub target: String,
    pub state: State,
    pub revision: i32,
    pub head: String,
    pub digest: String,
    /// False where a newer revision exists.
    pub current: bool,
    pub verdict: Verdict,
    /// Whole seconds since a code host last confirmed that it is as is said here; null if none ever did.
    #[serde(default)]
    pub source_age: Option<i64>,
    pub decisions: Vec<GateDecision>,
}

/// A decision that the verdict read.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GateDecision {
    pub seq: i32,
    pub kind: String,
    pub by: String,
    /// In whose place an approval was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_in_for: Option<Principal>,
    pub revision: i32,
    /// Whether it counts towards this verdict.
    pub counts: bool,
    /// The `seq` of the rejection that this sets aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<i32>,
    /// How an approval of another revision came to count for this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<Carried>,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// An approval of an earlier revision that is provably the same change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Carried {
    /// The number of the revision that was approved.
    pub from_revision: i32,
    /// `blobs`, `tree` or `patch`.
    #[schema(example = "blobs")]
    pub proof: String,
}

/// How a shipped commit came from changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Via {
    /// `merge`, `squash`, `rebase`; `merge_group`: a merge queue made it of one or several; or `part`: it stands below a commit that was asked about with it, and passes with that.
    #[schema(example = "squash")]
    pub kind: String,
    /// The digests of the revisions that the answer rests on.
    #[serde(default)]
    pub digests: Vec<String>,
    /// `tree`: the trees were compared where it was submitted. `host`: a code host says so. Null for a part.
    #[serde(default)]
    #[schema(example = "tree")]
    pub evidence: Option<String>,
    /// The commit that it was added to, of which the answer says nothing: ask about that, too.
    #[serde(default)]
    pub onto: Vec<String>,
}

/// The policy that judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    pub id: String,
    pub version: i32,
}

/// What is in force for a repository.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicyInForce {
    pub repository: String,
    /// `default`, or the repository's own.
    pub policy: Policy,
    /// False where this server cannot read it: then every verdict is `undecidable`.
    pub whole: bool,
    /// TOML.
    pub text: Option<String>,
    #[serde(flatten)]
    pub mode: Mode,
}

/// Whether gates enforce what the policy asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mode {
    /// `enforce`, or `observe`: gates answer yes, and say what they would have answered.
    pub mode: String,
    /// When `observe` ends, by itself.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub until: Option<OffsetDateTime>,
}

/// What became of a policy that was sent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicySet {
    pub repository: String,
    pub state: PolicyState,
    /// The number that the text was given; null where it was in force already.
    pub version: Option<i32>,
    /// What is in force now.
    pub policy: Policy,
    /// How many revisions of the last 30 days were judged by it.
    pub looked_at: usize,
    /// Why it takes another admin.
    pub lowers: Vec<String>,
    /// Where an admin confirms or refuses it.
    pub page: String,
}

/// What became of it in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyState {
    InForce,
    /// It waits for another admin.
    Proposed,
    Unchanged,
}

/// What a policy would have made of the last days, with every decision as it is, and of one change.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicyTried {
    pub repository: String,
    pub days: i64,
    /// How many revisions arrived in these days and were judged.
    pub looked_at: usize,
    /// Whether these are all.
    pub whole: bool,
    /// How many of them wait now, and how many would.
    pub wait_now: usize,
    pub would_wait: usize,
    /// How many of those that would wait nobody could clear.
    pub nobody: usize,
    /// Those that would be judged otherwise, up to 200.
    pub differ: Vec<Differs>,
    /// How many approvals these revisions ask for, given or not.
    pub reviews: Vec<Reviews>,
    /// For whom they would wait, those who are waited for most first.
    pub waits: Vec<Waits>,
    /// How many seconds one approval takes here; null where too little is known. The time of one approval is the median, over the
    /// approvals and rejections of the last 90 days here, of the time between the decision and the latest moment before which that person
    /// cannot have begun (the revision arrived, or they decided something else); more than an hour is left out, and with fewer than 10
    /// such decisions it is not known.
    pub seconds_each: Option<i64>,
    /// Why it would take another admin; empty where it would not.
    pub lowers: Vec<String>,
    /// The change that was asked about.
    pub change: Option<PolicyWhy>,
}

/// A revision that would be judged otherwise.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Differs {
    pub change: Uuid,
    pub key: String,
    pub revision: i32,
    pub now: Verdict,
    pub then: Verdict,
}

/// How many approvals by people of one kind are asked for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Reviews {
    #[schema(example = "seniors of team payments")]
    pub whom: String,
    pub now: usize,
    pub then: usize,
}

/// Revisions that would wait for one kind of people.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Waits {
    #[schema(example = "seniors of team payments")]
    pub whom: String,
    pub revisions: usize,
    /// Up to five who could have cleared some of them, whoever has least to do first.
    pub people: Vec<String>,
    /// How many more could have cleared one of them, at least.
    pub others: usize,
}

/// Why a policy judges one change as it does.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicyWhy {
    pub key: String,
    pub revision: i32,
    pub verdict: Verdict,
    pub reasons: Vec<Reason>,
    pub needs: Vec<Need>,
    pub rules: Vec<RuleWhy>,
}

/// What one rule makes of the change.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RuleWhy {
    pub rule: String,
    pub applies: bool,
    /// The parts of its `when` that keep it from this change.
    pub unmet: Vec<String>,
    pub asks: Vec<AskWhy>,
}

/// What one need of a rule asks, and what is there.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AskWhy {
    pub whom: String,
    pub approvals: usize,
    /// Those who approved and are such people.
    pub given: Vec<String>,
}

/// Who may see a repository. Admins see every one.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Readers {
    pub repository: String,
    /// Null: everybody who is signed in.
    pub teams: Option<Vec<String>>,
}

/// `PUT …/readers`: who may see a repository from now on, and why.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetReaders {
    /// 1 to 50 teams; `null`, which has to be said, is everybody who is signed in.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    pub teams: Option<Vec<String>>,
    /// At most 400 characters are kept.
    pub reason: String,
}

/// What is wrong with a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// From 1; likewise the column, in characters.
    pub line: usize,
    pub column: usize,
    pub said: String,
    pub expected: String,
    /// The right word that is nearest to what stands there.
    pub nearest: Option<String>,
}

/// `POST /api/v1/gate`: a whole release at once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    pub repository: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Where they would be deployed: what was allowed when it was deployed there before may go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// 1 to 500 full commit ids.
    pub commits: Vec<String>,
}

/// Allowed only if all are.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Answers {
    pub allow: bool,
    pub answers: Vec<Answer>,
}

/// What was shipped where, told by whoever shipped it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentReport {
    /// `owner/name`.
    #[schema(example = "acme/payments")]
    pub repository: String,
    /// Up to 100 characters; compared without regard to case.
    #[schema(example = "production")]
    pub environment: String,
    /// 1 to 900 full commit ids: what runs there now first, then everything else that came with it.
    pub commits: Vec<String>,
    /// When it happened. Shown, and never a reason to allow anything: what counts is when the report arrives.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub when: Option<OffsetDateTime>,
    /// Names the report, unless `Idempotency-Key` does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "run-20417")]
    pub key: Option<String>,
}

/// A deployment as it was recorded.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Deployment {
    pub id: Uuid,
    pub repository: String,
    pub environment: String,
    pub key: String,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub when: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub recorded_at: OffsetDateTime,
    /// False where the repository was only observed: gates had let all of it pass.
    pub enforced: bool,
    /// The policy that judged.
    pub policy: Policy,
    /// How many of the commits had not been allowed.
    pub unsanctioned: usize,
    /// In the order in which they were told.
    pub commits: Vec<DeployedCommit>,
}

/// One commit of a deployment, and what was made of it when it was recorded.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeployedCommit {
    pub commit: String,
    pub sanction: Sanction,
    /// What a gate made of it, leaving aside that it may have been deployed before.
    pub verdict: Verdict,
    /// When the review is due that is owed for what was not allowed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub review_by: Option<OffsetDateTime>,
    /// The changes that it belongs to.
    pub changes: Vec<DeployedChange>,
}

/// Whether a commit might be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sanction {
    Allowed,
    /// Only because it had been allowed and deployed there before.
    Redeployed,
    /// A commit of a revision whose head is one of these two, and was deployed with it.
    Part,
    Unsanctioned,
}

/// A change that a deployed commit belongs to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeployedChange {
    pub id: Uuid,
    pub key: String,
    pub revision: i32,
}

/// A change, as a list or its own address shows it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Change {
    pub id: Uuid,
    pub repository: String,
    pub key: String,
    pub title: String,
    pub url: Option<String>,
    pub author: String,
    pub state: State,
    pub draft: bool,
    pub verdict: Verdict,
    /// False where the repository is only observed, and gates let it pass whatever the verdict.
    pub enforced: bool,
    pub reasons: Vec<Reason>,
    pub needs: Vec<Need>,
    pub provenance: String,
    /// The level of the current revision: `junior`, `mid`, `senior`, or `nobody`.
    pub level: String,
    /// The current one.
    pub revision: Revision,
    /// Whole seconds since a code host last confirmed that it is as is said here; null if none ever did.
    #[serde(default)]
    pub source_age: Option<i64>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Where a person reads it.
    pub page: String,
}

/// One revision of a change.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Revision {
    pub id: Uuid,
    pub number: i32,
    pub target: String,
    pub base: String,
    pub head: String,
    pub digest: String,
    pub patch: Patch,
    pub files: i32,
    pub added: i32,
    pub removed: i32,
    #[serde(with = "time::serde::rfc3339")]
    pub arrived_at: OffsetDateTime,
}

/// Whether the stored patch is beyond doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Patch {
    Whole,
    /// Another patch was submitted for the same target, base and head; an admin has to say which is true.
    Disputed,
    /// An admin said that the stored one is wrong. The revision stays undecidable.
    Wrong,
    /// The code host did not give all of it. The revision stays undecidable.
    Incomplete,
}

/// One page of changes; follow `Link: rel="next"` for the next.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Changes {
    pub changes: Vec<Change>,
}

/// All revisions of a change, the first first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Revisions {
    pub revisions: Vec<Revision>,
}

/// One piece of evidence that a tool took part.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Mark {
    pub tool: String,
    pub model: Option<String>,
    /// `hinted`, `marked` or `declared`.
    pub strength: String,
    /// `author`, `committer`, `trailer`, `message`, `submission`, `branch`, `label`, `description`, `note` or `trace`.
    pub place: String,
    pub commit: Option<String>,
    pub line: Option<i32>,
    pub text: String,
}

/// The marks found in a change's current revision.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Marks {
    pub marks: Vec<Mark>,
    /// What notes and traces say of single lines, by file and session. A file without any is unknown, not human.
    pub lines: Vec<Lines>,
}

/// Added lines of a file that came out of one session with a tool, as a note or a trace says.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Lines {
    /// The file's new name; what is not UTF-8 in it is replaced.
    pub path: String,
    /// `note`, `trace`, or `carried`: found again by content from what was said of the revision before.
    pub source: String,
    pub session: String,
    pub tool: String,
    pub model: Option<String>,
    /// Whose prompt it was.
    pub prompter: Option<String>,
    /// First and last line of each range, in the new file.
    pub ranges: Vec<[u32; 2]>,
}

/// One decision, as it was recorded.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    pub id: Uuid,
    pub change: Uuid,
    pub revision: i32,
    pub digest: String,
    pub seq: i32,
    /// `approve`, `reject`, `withdraw`, `override`, `set_aside`, `human`, `dispute_mark`, `mark_wrong` or `mark_stands`.
    pub kind: String,
    pub reason: String,
    pub incident: Option<String>,
    /// The `seq` of the rejection that this sets aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<i32>,
    /// The number of the mark that is disputed, or about which it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<i32>,
    /// Of an approval by somebody who was shown only what changed since a revision that they had approved: its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i32>,
    pub person: Uuid,
    pub name: String,
    /// In whose place an approval was given. Then `level` is the lower of both, and `teams` are that person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_in_for: Option<Principal>,
    /// As it was then; likewise the teams and the roles.
    pub level: Option<String>,
    pub teams: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    pub policy: Policy,
    /// How an approval came to count for the current revision, too. Only where the decisions of one change are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<Carried>,
    /// Of which repository the change is. Only in the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Whether gates enforce the policy of that repository at the moment of this answer, whatever held when it was decided. Only in the
    /// stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gates: Option<Mode>,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// In whose place somebody decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Principal {
    pub person: Uuid,
    pub name: String,
}

/// Decisions, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Decisions {
    pub decisions: Vec<Decision>,
    /// Give this as `after` to read on; the same as was given where nothing is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// RFC 9457. `type` is stable; match on it and not on the words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    #[schema(example = "/problems/not-a-commit")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What was wrong and what to do about it.
    pub detail: String,
    pub request_id: String,
    /// Of a policy that cannot be read: what is wrong where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}
