//! What a repository demands: who says so, when it holds, and that nothing about it opens a gate by itself.

mod administering;
mod commanding;
mod holding;
mod lasting;
mod pushing;

use crate::support::{
    TestServer,
    machines::{Machine, Reply},
};
use domain::token::Scope;

/// The default, word for word, but for this many approvals and this level.
pub fn asking(approvals: usize, level: &str) -> String {
    format!(
        r#"version = 1

[[rule]]
name = "for {approvals}"
when = {{ provenance = ["assisted", "unknown"], level = ["nobody", "junior", "mid"] }}
require = [{{ approvals = {approvals}, level = "{level}" }}]
"#
    )
}

/// A policy whose only rule never applies.
pub const NOTHING: &str = r#"version = 1

[[rule]]
name = "elsewhere"
when = { target = ["nowhere"] }
require = [{ approvals = 1, level = "senior" }]
"#;

const PAYMENTS: &str = "/api/v1/repositories/acme/payments/policy";

impl TestServer {
    /// A client with a token that may set the policies of `acme/*`, and nothing else.
    pub async fn policies(&self) -> Machine {
        self.machine(&[Scope::Policy], "acme/*").await
    }
}

impl Machine {
    /// Sends a policy for `acme/payments`.
    pub async fn push(&self, text: &str) -> Reply {
        self.try_to_push(text, "application/toml", None).await
    }

    async fn try_to_push(&self, text: &str, kind: &str, if_match: Option<&str>) -> Reply {
        let request = self.http.put(self.t.at(PAYMENTS)).body(text.to_owned());
        let request = request.header("content-type", kind);
        let request = match if_match {
            Some(tag) => request.header("if-match", tag),
            None => request,
        };
        self.send(request).await
    }

    /// Takes the policy of `acme/payments` back.
    async fn unset(&self) -> Reply {
        self.send(self.http.delete(self.t.at(PAYMENTS))).await
    }
}

/// What became of a policy: the state, its number, and what is in force now.
fn state(reply: &Reply) -> (u16, &str, Option<i64>, String) {
    let json = &reply.json;
    let policy = &json["policy"];
    (
        reply.status.as_u16(),
        json["state"]
            .as_str()
            .unwrap_or_else(|| panic!("{reply:?}")),
        json["version"].as_i64(),
        format!("{}:{}", policy["id"].as_str().unwrap(), policy["version"]),
    )
}
