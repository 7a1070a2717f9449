//! What admins say of a repository: its policy, whether gates enforce it, and who may see it. Who says so is the session's word.

use domain::names::RepositoryName;
use leptos::prelude::*;

use super::Refusal;

/// Keeps a draft of the caller's, whatever is in it: the page then says what is wrong where, or what it would change.
#[server(prefix = "/fn", endpoint = "draft-policy")]
pub async fn draft_policy(repository: RepositoryName, text: String) -> Result<(), Refusal> {
    write::draft(&repository, &text).await?;
    leptos_axum::redirect(&format!("/repositories/{repository}?draft=1#draft"));
    Ok(())
}

/// Puts the caller's draft in force in place of the version that they were shown (`base`), or proposes it to another admin.
/// `digest` is of the draft that they were shown.
#[server(prefix = "/fn", endpoint = "set-policy")]
pub async fn set_policy(
    repository: RepositoryName,
    base: String,
    digest: String,
    #[server(default)] note: String,
) -> Result<(), Refusal> {
    write::set(&repository, &base, Some(&digest), &note).await?;
    leptos_axum::redirect(&format!("/repositories/{repository}"));
    Ok(())
}

/// Goes back to the default in place of the version that the caller was shown.
#[server(prefix = "/fn", endpoint = "unset-policy")]
pub async fn unset_policy(
    repository: RepositoryName,
    base: String,
    #[server(default)] note: String,
) -> Result<(), Refusal> {
    write::set(&repository, &base, None, &note).await?;
    leptos_axum::redirect(&format!("/repositories/{repository}"));
    Ok(())
}

/// Confirms or refuses a proposed version.
#[server(prefix = "/fn", endpoint = "rule-policy")]
pub async fn rule_policy(
    repository: RepositoryName,
    version: i32,
    confirmed: bool,
) -> Result<(), Refusal> {
    write::rule(&repository, version, confirmed).await?;
    leptos_axum::redirect(&format!("/repositories/{repository}"));
    Ok(())
}

/// Lets gates only observe a repository for so many days, or, with none, enforce its policy again from now on.
#[server(prefix = "/fn", endpoint = "set-mode")]
pub async fn set_mode(
    repository: RepositoryName,
    #[server(default)] days: i64,
    observe: bool,
    reason: String,
) -> Result<(), Refusal> {
    write::mode(&repository, observe.then_some(days), &reason).await?;
    leptos_axum::redirect(&format!("/repositories/{repository}"));
    Ok(())
}

/// Lets only people of these teams see a repository, or everybody who is signed in.
#[server(prefix = "/fn", endpoint = "set-readers")]
pub async fn set_readers(
    repository: RepositoryName,
    everybody: bool,
    #[server(default)] teams: String,
    reason: String,
) -> Result<(), Refusal> {
    write::readers(&repository, (!everybody).then_some(&*teams), &reason).await?;
    leptos_axum::redirect(&format!("/repositories/{repository}"));
    Ok(())
}

/// Load, ask the rule, record, in one transaction under the locks of the repository and of whoever writes.
#[cfg(feature = "ssr")]
mod write {
    use domain::{
        names::RepositoryName,
        policy::{Admin, Document, MAX_BYTES, may_administer, observation},
        problem::Problem,
        readers::Readers,
        text::one_line,
    };
    use store::{
        Tx, modes, people,
        policies::{self, Author, Locked, New, State, drafts},
        readers,
    };

    use crate::caller::{Site, caller, failed, site};

    /// The longest note, in characters.
    const NOTE: usize = 400;

    /// What every one of these begins with: an admin, and the terms that nobody else changes meanwhile.
    struct Writing {
        site: Site,
        tx: Tx,
        locked: Locked,
        admin: Admin,
    }

    async fn begin(repository: &RepositoryName) -> Result<Writing, Problem> {
        let (caller, site) = (caller()?, site()?);
        let mut tx = site.db.begin().await.map_err(failed)?;
        // Nobody else waits for a lock, or they would learn that there is something to be locked.
        let person = people::load(tx.conn(), caller).await.map_err(failed)?;
        let person = person.ok_or(Problem::SignInNeeded)?;
        may_administer(&person, tx.now(), site.claims_max_age)?;
        let locked = policies::lock(&mut tx, repository).await.map_err(failed)?;
        let person = people::locked(&mut tx, caller)
            .await
            .map_err(failed)?
            .ok_or(Problem::SignInNeeded)?;
        let admin = may_administer(&person, tx.now(), site.claims_max_age)?;
        Ok(Writing {
            site,
            tx,
            locked: locked.ok_or(Problem::NotFound)?,
            admin,
        })
    }

    fn line(text: &str) -> String {
        one_line(&text.replace('\0', ""), NOTE).into_owned()
    }

    fn why(reason: &str) -> Result<String, Problem> {
        let reason = line(reason);
        if reason.is_empty() {
            return Err(Problem::ReasonNeeded);
        }
        Ok(reason)
    }

    pub async fn draft(repository: &RepositoryName, text: &str) -> Result<(), Problem> {
        // Postgres cannot store NUL; browsers send line ends of their own.
        let text = text.replace("\r\n", "\n").replace('\0', "");
        if text.len() > MAX_BYTES {
            return Err(Problem::PolicyTooLong);
        }
        let mut to = begin(repository).await?;
        drafts::keep(&mut to.tx, to.locked.id, to.admin.person(), &text)
            .await
            .map_err(failed)?;
        to.tx.commit().await.map_err(failed)
    }

    pub async fn set(
        repository: &RepositoryName,
        base: &str,
        digest: Option<&str>,
        note: &str,
    ) -> Result<(), Problem> {
        let mut to = begin(repository).await?;
        if to.locked.terms.policy.label() != base {
            return Err(Problem::PolicyMoved);
        }
        let text = match digest {
            Some(digest) => Some(drafted(&mut to, digest).await?),
            None => None,
        };
        let document = text.as_deref().map(Document::parse).transpose();
        let document = document.map_err(|_| Problem::PolicyUnreadable)?;
        let new = New {
            text: text.as_deref(),
            author: Author::Person(to.admin.person()),
            note: &line(note),
        };
        let max_age = to.site.claims_max_age;
        policies::set(&mut to.tx, &to.locked, &new, document, max_age)
            .await
            .map_err(failed)?;
        drafts::drop(&mut to.tx, to.locked.id, to.admin.person())
            .await
            .map_err(failed)?;
        to.tx.commit().await.map_err(failed)
    }

    /// The caller's draft, which must be the one that they were shown.
    async fn drafted(to: &mut Writing, digest: &str) -> Result<String, Problem> {
        let draft = drafts::of(to.tx.conn(), to.locked.id, to.admin.person())
            .await
            .map_err(failed)?;
        draft
            .filter(|draft| draft.hash == digest)
            .map(|draft| draft.text)
            .ok_or(Problem::PolicyMoved)
    }

    pub async fn rule(
        repository: &RepositoryName,
        version: i32,
        confirmed: bool,
    ) -> Result<(), Problem> {
        let mut to = begin(repository).await?;
        let proposal = policies::version(to.tx.conn(), &repository.folded(), version)
            .await
            .map_err(failed)?
            .ok_or(Problem::NotFound)?;
        if proposal.state != State::Proposed {
            return Err(Problem::ProposalOver);
        }
        let admin = to.admin.person();
        let recorded = if confirmed {
            to.admin.may_confirm(proposal.author.person())?;
            policies::confirm(&mut to.tx, &to.locked, &proposal, admin).await
        } else {
            policies::refuse(&mut to.tx, &to.locked, &proposal, admin).await
        };
        recorded.map_err(failed)?;
        to.tx.commit().await.map_err(failed)
    }

    pub async fn mode(
        repository: &RepositoryName,
        days: Option<i64>,
        reason: &str,
    ) -> Result<(), Problem> {
        let mut to = begin(repository).await?;
        let until = days
            .map(|days| observation(days, to.tx.now()))
            .transpose()?;
        let reason = why(reason)?;
        modes::set(&mut to.tx, &to.locked, until, to.admin.person(), &reason)
            .await
            .map_err(failed)?;
        to.tx.commit().await.map_err(failed)
    }

    pub async fn readers(
        repository: &RepositoryName,
        teams: Option<&str>,
        reason: &str,
    ) -> Result<(), Problem> {
        let mut to = begin(repository).await?;
        let only = match teams {
            Some(teams) => Readers::parse(teams)?,
            None => Readers::Everybody,
        };
        let (by, reason) = (Author::Person(to.admin.person()), why(reason)?);
        readers::set(&mut to.tx, &to.locked, &only, by, &reason)
            .await
            .map_err(failed)?;
        to.tx.commit().await.map_err(failed)
    }
}
