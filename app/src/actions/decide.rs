//! Approve, reject, take back, and what is rarer: one decision by whoever is signed in about the digest that they were shown.

use domain::{
    decision::Kind,
    digest::Digest,
    ids::{ChangeId, FormKey},
};
use leptos::prelude::*;

use super::Refusal;

/// Records a decision. Who decides is the session's word and never an argument; what they saw is the form's. `about` is the number of a
/// rejection or of a mark.
#[server(prefix = "/fn", endpoint = "decide")]
pub async fn decide(
    change: ChangeId,
    digest: Digest,
    form_key: FormKey,
    kind: Kind,
    #[server(default)] reason: String,
    #[server(default)] incident: String,
    #[server(default)] none_of_these_is_me: bool,
    #[server(default)] about: Option<i32>,
    #[server(default)] stands_in_for: String,
    #[server(default)] since: Option<i32>,
) -> Result<(), Refusal> {
    use domain::{
        decision::{Proposed, Reason},
        problem::Problem,
    };

    let (caller, site) = (crate::caller::caller()?, crate::caller::site()?);
    let proposed = Proposed {
        kind,
        seen: digest,
        reason: Reason::parse(&reason)?,
        incident: (kind == Kind::Override).then_some(incident),
        none_of_these_is_me,
        about: about.filter(|_| kind == Kind::SetAside),
        mark: about.filter(|_| kind.is_about_a_mark()),
        stands_in_for: principal(kind, &stands_in_for)?,
        since: since.filter(|_| kind == Kind::Approve),
        form_key,
    };
    let recorded = record(&site, caller, change, proposed).await;
    match recorded {
        Ok(()) => leptos_axum::redirect(&format!("/changes/{change}")),
        // The page says what had been read and what it is now, with and without a script.
        Err(Problem::ChangedSinceYouLooked) => {
            leptos_axum::redirect(&format!("/changes/{change}?moved={digest}"));
        }
        Err(_) => {}
    }
    Ok(recorded?)
}

/// In whose place, of a form whose other buttons say nothing of it; its own place is an empty value.
#[cfg(feature = "ssr")]
fn principal(
    kind: Kind,
    said: &str,
) -> Result<Option<domain::ids::PersonId>, domain::problem::Problem> {
    if kind != Kind::Approve || said.is_empty() {
        return Ok(None);
    }
    let person = said
        .parse()
        .map_err(|_| domain::problem::Problem::NotUnderstood)?;
    Ok(Some(person))
}

/// Load, decide, record, in one transaction under the locks of the change and of whoever decides.
#[cfg(feature = "ssr")]
async fn record(
    site: &crate::caller::Site,
    caller: domain::ids::PersonId,
    change: ChangeId,
    proposed: domain::decision::Proposed,
) -> Result<(), domain::problem::Problem> {
    use crate::caller::failed;
    use domain::problem::Problem;
    use store::decisions;

    let mut tx = site.db.begin().await.map_err(failed)?;
    let decisions::Locked { case, seq, person } =
        decisions::locked_case(&mut tx, change, caller, site.claims_max_age)
            .await
            .map_err(failed)?
            .ok_or(Problem::NotFound)?;
    let before = decisions::by_form(tx.conn(), caller, proposed.form_key)
        .await
        .map_err(failed)?;
    if let Some(before) = before {
        // A resent form is the decision already taken. The same form with another button pressed or another reason is not a resent one.
        let same = before.decision.change == change
            && before.decision.kind == proposed.kind
            && before.decision.digest == proposed.seen
            && before.decision.about == proposed.about
            && before.decision.mark == proposed.mark
            && before.decision.stands_in_for == proposed.stands_in_for
            && before.decision.incident.as_deref() == proposed.incident.as_deref().map(str::trim)
            && before.decision.since == proposed.since
            && before.decision.reason == proposed.reason;
        return if same {
            Ok(())
        } else {
            Err(Problem::NotUnderstood)
        };
    }
    let decision = case.decide(&person, proposed, seq, tx.now())?;
    decisions::record(&mut tx, &decision, site.claims_max_age)
        .await
        .map_err(failed)?;
    tx.commit().await.map_err(failed)
}
