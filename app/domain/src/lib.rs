//! The rules of Countersign: what a change needs before a gate may open.
//!
//! Pure: no I/O, no async, no clock, no framework. Time comes in as [`Timestamp`], chance as ids that the caller made.
//! One word per thing, the same in Rust, SQL, URLs, pages and logs:
//!
//! | word | meaning |
//! |---|---|
//! | change | one proposal in one repository, such as a pull request; has a key such as `142` |
//! | revision | one exact state of a change: target branch, merge base, head commit and the patch between the last two; immutable |
//! | [`digest`] | SHA-256 over all that a revision is; what a decision is about |
//! | [`mark`](provenance::Mark) | one piece of evidence that a tool took part |
//! | [`provenance`] | what the marks add up to: `assisted`, `human`, `unknown` |
//! | [`person`](people::Person) | one human, whatever number of logins and addresses |
//! | [`contributor`](contributor::Contributor) | a person who had a hand in a revision |
//! | [`policy`] | what a repository demands, as a versioned document |
//! | [`need`](verdict::Need) | one thing still missing for a verdict, and who could give it |
//! | [`readers`] | who may see a repository |
//! | [`decision`] | one fact by one person about one digest; never edited, never deleted |
//! | [`verdict`] | what policy makes of a change and its decisions now |
//! | [`carry`] | an approval counts for a new revision too, because that is provably the same change |
//! | [`deployment`] | what was shipped, and whether it had been allowed |
//! | [`landing`] | what a change became on its target: the commit that ships |
//! | [`stand_in`] | somebody who may approve in the place of somebody else, the principal |
//! | [`standing`] | all that `verdict` reads except the time, one row a revision |
//! | [`host`](host::Host) | where code and changes are kept: GitHub, GitLab, Gitea |
//! | [`gate`] | the question "may this commit pass?" and its answer |

pub mod arrival;
pub mod carry;
pub mod case;
pub mod change;
pub mod commit;
pub mod contributor;
pub mod decision;
pub mod deployment;
pub mod digest;
pub mod gate;
pub mod host;
pub mod ids;
pub mod landing;
pub mod names;
pub mod next;
pub mod patch;
pub mod people;
pub mod policy;
pub mod problem;
pub mod provenance;
pub mod readers;
pub mod remark;
pub mod stand_in;
pub mod standing;
pub mod text;
pub mod token;
pub mod verdict;

#[cfg(test)]
mod testing;

/// A moment in UTC. Rules never read a clock; whoever asks them says what time it is.
pub type Timestamp = time::OffsetDateTime;
