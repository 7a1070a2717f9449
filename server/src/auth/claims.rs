//! What a provider says of somebody, read by our settings: identity, addresses, and what the groups grant.

use crate::settings::GroupNames;
use domain::people::{Groups, Level, Role};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use store::people::Claims;

/// Claims that OpenID does not name, as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Others(pub HashMap<String, Value>);

impl openidconnect::AdditionalClaims for Others {}

/// What the ID token and the user info endpoint say of one person.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub subject: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub login: Option<String>,
    pub others: Others,
}

/// Longer ones are cut: a name is only shown.
const LONGEST_NAME: usize = 200;

impl Said {
    /// Whether there is nothing left to ask for.
    #[must_use]
    pub fn is_whole(&self, settings: &GroupNames) -> bool {
        let groups = self.others.0.contains_key(&settings.claim)
            || is_truncated(&self.others, &settings.claim);
        self.name.is_some() && self.email.is_some() && groups
    }

    /// Adds what another answer about the same person says. What is known already stays.
    pub fn add(&mut self, more: Self) {
        self.name = self.name.take().or(more.name);
        self.email = self.email.take().or(more.email);
        self.login = self.login.take().or(more.login);
        for (claim, value) in more.others.0 {
            self.others.0.entry(claim).or_insert(value);
        }
    }

    /// What all that means here.
    #[must_use]
    pub fn read(self, issuer: &str, settings: &GroupNames) -> Claims {
        let (groups, names) = groups(&self.others, &settings.claim);
        Claims {
            issuer: issuer.to_owned(),
            name: self.shown_name(),
            levels: granted(&settings.levels, &names)
                .collect::<BTreeSet<Level>>()
                .into_iter()
                .collect(),
            teams: granted(&settings.teams, &names)
                .collect::<BTreeSet<String>>()
                .into_iter()
                .collect(),
            roles: granted(&settings.roles, &names)
                .collect::<BTreeSet<Role>>()
                .into_iter()
                .collect(),
            groups,
            subject: self.subject,
            email: self.email,
            login: self.login,
        }
    }

    fn shown_name(&self) -> String {
        let spoken = [&self.name, &self.login, &self.email].into_iter().flatten();
        let name = spoken.map(|name| name.trim()).find(|name| !name.is_empty());
        name.unwrap_or(&self.subject)
            .chars()
            .take(LONGEST_NAME)
            .collect()
    }
}

/// The groups, and whether they are all. A claim that is not a list of names says nothing that we could trust.
fn groups(others: &Others, claim: &str) -> (Groups, BTreeSet<String>) {
    if is_truncated(others, claim) {
        return (Groups::Truncated, BTreeSet::new());
    }
    let names = match others.0.get(claim) {
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect(),
        // Some providers write a list of one as that one.
        Some(Value::String(name)) => Some(BTreeSet::from([name.clone()])),
        _ => None,
    };
    match names {
        Some(names) => (Groups::Read, names),
        None => (Groups::Missing, BTreeSet::new()),
    }
}

/// Whether the provider left groups out because there were too many: it then says where to ask for them
/// (`_claim_names`, OpenID Connect Core 5.6.2) or only that there are some (`hasgroups`).
fn is_truncated(others: &Others, claim: &str) -> bool {
    let elsewhere = others
        .0
        .get("_claim_names")
        .is_some_and(|names| names.get(claim).is_some());
    let has_some = match others.0.get("hasgroups") {
        Some(Value::Bool(has)) => *has,
        Some(Value::String(has)) => has.eq_ignore_ascii_case("true"),
        _ => false,
    };
    elsewhere || has_some
}

fn granted<'a, T: Clone>(
    settings: &'a [(T, String)],
    names: &'a BTreeSet<String>,
) -> impl Iterator<Item = T> + 'a {
    let held = settings.iter().filter(|(_, group)| names.contains(group));
    held.map(|(value, _)| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::Duration;

    fn settings() -> GroupNames {
        let group = |name: &str| name.to_owned();
        GroupNames {
            claim: "groups".into(),
            levels: vec![
                (Level::Junior, group("eng-junior")),
                (Level::Senior, group("eng-senior")),
            ],
            teams: vec![("payments".into(), group("team-payments"))],
            roles: vec![(Role::Admin, group("countersign-admins"))],
            max_age: Duration::hours(12),
        }
    }

    fn read(claims: Value) -> Claims {
        let others = serde_json::from_value(claims).expect("an object");
        let said = Said {
            subject: "ben".into(),
            others,
            ..Said::default()
        };
        said.read("https://sso.halden.example", &settings())
    }

    #[test]
    fn groups_grant_what_the_settings_say_and_nothing_else() {
        let claims =
            read(json!({ "groups": ["eng-senior", "team-payments", "Eng-Junior", "everybody"] }));
        assert_eq!(claims.groups, Groups::Read);
        assert_eq!(claims.levels, [Level::Senior]);
        assert_eq!(claims.teams, ["payments"]);
        assert!(claims.roles.is_empty());
        assert_eq!(
            read(json!({ "groups": "countersign-admins" })).roles,
            [Role::Admin]
        );
    }

    #[test]
    fn a_claim_that_is_missing_or_no_list_of_names_grants_nothing() {
        for claims in [
            json!({}),
            json!({ "groups": null }),
            json!({ "groups": 7 }),
            json!({ "groups": ["eng-senior", 7] }),
        ] {
            let read = read(claims.clone());
            assert_eq!(read.groups, Groups::Missing, "{claims}");
            assert!(read.levels.is_empty(), "{claims}");
        }
        let none = read(json!({ "groups": [] }));
        assert_eq!((none.groups, none.levels), (Groups::Read, vec![]));
    }

    #[test]
    fn a_claim_that_was_cut_grants_nothing_whatever_is_left_of_it() {
        for mark in [
            json!({ "_claim_names": { "groups": "src1" } }),
            json!({ "hasgroups": true }),
            json!({ "hasgroups": "true" }),
        ] {
            let mut claims = mark.clone();
            claims["groups"] = json!(["eng-senior"]);
            let read = read(claims);
            assert_eq!(read.groups, Groups::Truncated, "{mark}");
            assert!(read.levels.is_empty(), "{mark}");
        }
        assert_eq!(
            read(json!({ "_claim_names": { "address": "src1" }, "groups": [] })).groups,
            Groups::Read
        );
    }

    #[test]
    fn somebody_is_shown_by_the_best_name_there_is() {
        let said = |name: &str, login: &str| Said {
            subject: "248289761001".into(),
            name: Some(name.into()),
            login: Some(login.into()),
            ..Said::default()
        };
        let shown = |said: Said| said.read("", &settings()).name;
        assert_eq!(shown(said("Ben Okonkwo", "ben")), "Ben Okonkwo");
        assert_eq!(shown(said("  ", "ben")), "ben");
        assert_eq!(shown(said("", "")), "248289761001");
        assert_eq!(
            shown(said(&"é".repeat(300), "")).chars().count(),
            LONGEST_NAME
        );
    }
}
