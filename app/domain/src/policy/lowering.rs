//! Whether one policy asks for less than another: then the change takes a second admin.
//!
//! What cannot be told to ask for as much counts as asking for less.

use super::{Approvals, Ask, Back, Belief, Document, Glass, Landing, Rule, Source, VetoTerms, Who};
use crate::{Timestamp, case::Case, landing::Evidence};
use time::Duration;

/// How many days of the past a new version is measured against.
pub const DAYS: i64 = 30;

/// What the new document allows more easily whatever is proposed: each as a sentence. Empty: nothing.
#[must_use]
pub fn weaker_terms(old: &Document, new: &Document) -> Vec<String> {
    [
        weaker_approvals(&old.approvals, &new.approvals),
        weaker_veto(&old.veto, &new.veto),
        weaker_glass(&old.glass, &new.glass),
        weaker_back(&old.back, &new.back),
        weaker_landing(old.landing, new.landing),
        weaker_source(old.source, new.source),
        weaker_belief(&old.human, &new.human),
    ]
    .into_iter()
    .flatten()
    .map(str::to_owned)
    .collect()
}

/// Why a revision would pass more easily under the new policy than under the one that holds, if it would: the same case,
/// once under each.
#[must_use]
pub fn lowered(case: &Case, judged: &Case, now: Timestamp) -> Option<String> {
    let (old, anew) = (case.verdict(now), judged.verdict(now));
    let which = format!("{}, revision {}", case.change.key, case.revision.number);
    if anew.word().rank() > old.word().rank() {
        return Some(format!(
            "{which}: would be {} and not {}.",
            anew.word().as_str(),
            old.word().as_str()
        ));
    }
    if !case.policy.whole {
        return None;
    }
    let asked: Vec<&Rule> = judged.applying().map(|(_, rule)| rule).collect();
    let covered = |old: &&Rule| asked.iter().any(|new| rule_covers(new, old));
    let lost = case
        .applying()
        .map(|(_, rule)| rule)
        .find(|rule| !covered(rule))?;
    Some(format!(
        "{which}: not all that the rule “{}” asks for would be asked for.",
        lost.name
    ))
}

/// Whether whatever satisfies the new rule satisfies the old one.
fn rule_covers(new: &Rule, old: &Rule) -> bool {
    if new.same_person && !old.same_person && old.needs.len() > 1 {
        return false;
    }
    let mut free: Vec<&Ask> = new.needs.iter().collect();
    old.needs.iter().all(|ask| {
        let found = free
            .iter()
            .position(|new| new.approvals >= ask.approvals && covers(&new.who, &ask.who));
        found.map(|found| free.remove(found)).is_some()
    })
}

/// Whether everybody who is `new` is `old` too.
fn covers(new: &Who, old: &Who) -> bool {
    let people = old.people.is_empty()
        || (!new.people.is_empty() && new.people.iter().all(|person| old.people.contains(person)));
    people
        && new.level >= old.level
        && (old.team.is_none() || new.team == old.team)
        && (old.role.is_none() || new.role == old.role)
}

/// Whether everybody who is one of `new` is one of `old` too.
fn all_covered(new: &[Who], old: &[Who]) -> bool {
    new.iter().all(|new| old.iter().any(|old| covers(new, old)))
}

fn weaker_approvals(old: &Approvals, new: &Approvals) -> Option<&'static str> {
    let weaker = is_longer(old.expire_after, new.expire_after)
        || (old.expire_on_draft && !new.expire_on_draft)
        || (old.expire_on_new_base && !new.expire_on_new_base)
        || new.carry.iter().any(|proof| !old.carry.contains(proof));
    weaker.then_some("Approvals would count for longer, or carry over on weaker proof.")
}

fn weaker_veto(old: &VetoTerms, new: &VetoTerms) -> Option<&'static str> {
    let weaker = !covers(&new.set_aside_by, &old.set_aside_by)
        || new.after_working_days < old.after_working_days;
    weaker.then_some("Rejections could be set aside by others, or sooner.")
}

fn weaker_glass(old: &Glass, new: &Glass) -> Option<&'static str> {
    let weaker = !all_covered(&new.by, &old.by)
        || new.lasts > old.lasts
        || new.review_within > old.review_within
        || (old.refused_while_overdue && !new.refused_while_overdue);
    weaker.then_some(
        "Overrides would be open to others, last longer, or leave more time for the review.",
    )
}

fn weaker_back(old: &Back, new: &Back) -> Option<&'static str> {
    let weaker = new.redeploy_for > old.redeploy_for || (new.revert && !old.revert);
    weaker.then_some("More could be deployed again or reverted without an approval.")
}

fn weaker_landing(old: Landing, new: Landing) -> Option<&'static str> {
    let weaker = (old.evidence, new.evidence) == (Evidence::Tree, Evidence::Host);
    weaker.then_some("A code host's word would be enough for what changes became on their target.")
}

fn weaker_source(old: Source, new: Source) -> Option<&'static str> {
    let weaker = is_longer(old.max_age, new.max_age);
    weaker.then_some("Open changes would pass although no code host confirmed them as lately.")
}

/// None is the longest.
fn is_longer(old: Option<Duration>, new: Option<Duration>) -> bool {
    old.is_some_and(|old| new.is_none_or(|new| new > old))
}

fn weaker_belief(old: &Belief, new: &Belief) -> Option<&'static str> {
    let weaker = (new.author && !old.author) || !all_covered(&new.by, &old.by);
    weaker.then_some("More people would be believed that no machine took part.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        people::Level,
        policy::{Policy, Proof},
        testing::{NOW, case},
    };

    fn lowers(case: &Case, new: &Policy) -> Option<String> {
        let judged = Case {
            policy: new.clone(),
            ..case.clone()
        };
        lowered(case, &judged, NOW)
    }

    fn policy(change: impl FnOnce(&mut Document)) -> Policy {
        let mut policy = Policy::built_in();
        policy.version = 2;
        change(&mut policy.document);
        policy
    }

    #[test]
    fn whoever_asks_for_less_is_told_where() {
        let of = |change: fn(&mut Document)| lowers(&case(), &policy(change));
        assert_eq!(
            of(|new| new.rules.clear()).unwrap(),
            "142, revision 1: would be not_required and not waiting."
        );
        let lower = of(|new| new.rules[0].needs[0].who = Who::of_level(Level::Mid));
        assert_eq!(
            lower.unwrap(),
            "142, revision 1: not all that the rule “assisted-below-senior” asks for would be asked for."
        );
        assert_eq!(of(|_| {}), None);
        assert_eq!(of(|new| new.rules[0].needs[0].approvals = 2), None);
        assert_eq!(
            of(|new| new.rules[0].needs[0].who.team = Some("security".into())),
            None
        );
        assert_eq!(of(|new| new.rules.push(new.rules[0].clone())), None);
    }

    #[test]
    fn an_approved_change_tells_as_well_what_is_no_longer_asked() {
        let approved = case().approved_by("ben");
        let none = policy(|new| new.rules.clear());
        assert_eq!(approved.verdict(NOW).word().rank(), 5);
        assert!(lowers(&approved, &none).is_some());
    }

    #[test]
    fn two_needs_that_one_person_may_fill_are_less_than_two() {
        let two = policy(|new| {
            let mut other = new.rules[0].needs[0].clone();
            other.who.team = Some("security".into());
            new.rules[0].needs.push(other);
        });
        let mut one = two.clone();
        one.document.rules[0].same_person = true;
        let case = |policy: &Policy| Case {
            policy: policy.clone(),
            ..case()
        };
        assert!(lowers(&case(&two), &one).is_some());
        assert_eq!(lowers(&case(&one), &two), None);
    }

    #[test]
    fn every_term_that_lets_more_through_is_weaker_and_its_opposite_is_not() {
        let changes: [fn(&mut Document); 14] = [
            |new| new.approvals.expire_after = Some(Duration::DAY),
            |new| new.approvals.expire_on_draft = true,
            |new| new.approvals.expire_on_new_base = true,
            |new| new.approvals.carry = vec![Proof::Blobs],
            |new| new.veto.after_working_days = 2,
            |new| new.veto.set_aside_by.team = Some("platform".into()),
            |new| new.glass.by[0].team = Some("platform".into()),
            |new| new.glass.lasts = Duration::HOUR,
            |new| new.glass.review_within = Duration::DAY,
            |new| new.glass.refused_while_overdue = true,
            |new| new.back.revert = false,
            |new| new.landing.evidence = Evidence::Tree,
            |new| new.source.max_age = Some(Duration::HOUR),
            |new| new.human.by[0].team = Some("platform".into()),
        ];
        let before = Document::default();
        for (n, change) in changes.into_iter().enumerate() {
            let mut after = before.clone();
            change(&mut after);
            assert_eq!(weaker_terms(&before, &after), Vec::<String>::new(), "{n}");
            assert_eq!(weaker_terms(&after, &before).len(), 1, "{n}");
        }
    }
}
