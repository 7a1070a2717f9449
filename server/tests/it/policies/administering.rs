//! Admins in the browser: drafts, what takes two of them, and whether gates enforce anything.

use super::{NOTHING, asking, state};
use crate::support::{
    TestServer,
    browsers::Answer,
    changes::{change, sha},
    people::Human,
};
use domain::{people::Level, problem::Problem};
use leptos::server_fn::error::ServerFnUrlError;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;

const PAGE: &str = "/repositories/acme/payments";

impl Human {
    async fn posts(&self, action: &str, fields: &[(&str, &str)]) -> Result<(), Problem> {
        let fields = [&[("repository", "acme/payments")], fields].concat();
        let answer = self.browser.submits(&self.t, PAGE, action, &fields).await;
        outcome(&answer)
    }

    /// Writes a draft and reads what the page says of it.
    async fn drafts(&self, text: &str) -> String {
        self.posts("/fn/draft-policy", &[("text", text)])
            .await
            .unwrap();
        self.browser.page(&self.t, &format!("{PAGE}?draft=1")).await
    }

    /// Writes a draft and presses the button below it.
    async fn sets(&self, text: &str) -> Result<(), Problem> {
        let page = self.drafts(text).await;
        self.posts(
            "/fn/set-policy",
            &[
                ("base", hidden(&page, "base")),
                ("digest", hidden(&page, "digest")),
                ("note", "because"),
            ],
        )
        .await
    }

    pub(super) async fn rules(&self, version: i32, confirmed: bool) -> Result<(), Problem> {
        let (version, confirmed) = (version.to_string(), confirmed.to_string());
        self.posts(
            "/fn/rule-policy",
            &[("version", &version), ("confirmed", &confirmed)],
        )
        .await
    }

    pub async fn observes(&self, days: &str) -> Result<(), Problem> {
        self.posts(
            "/fn/set-mode",
            &[("days", days), ("observe", "true"), ("reason", "pilot")],
        )
        .await
    }
}

fn outcome(answer: &Answer) -> Result<(), Problem> {
    let to = answer.leads_to();
    let url = url::Url::parse("http://countersign.example")
        .unwrap()
        .join(to)
        .unwrap();
    assert_eq!(url.path(), PAGE, "{answer:?}");
    let mut pairs = url.query_pairs();
    match pairs.find(|(name, _)| name == "__err") {
        Some((_, word)) => Err(ServerFnUrlError::<app::actions::Refusal>::decode_err(&word).0),
        None => Ok(()),
    }
}

fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let field = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
    let (value, _) = field
        .unwrap_or_else(|| panic!("no {name} in {page}"))
        .split_once('"')
        .unwrap();
    value
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_lowers_the_needs_takes_two_admins(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let (grace, hugo) = (t.admin("grace").await, t.admin("hugo").await);
    ci.submit(&change()).await;

    grace.sets(&asking(2, "senior")).await.unwrap();
    let policy = || async { ci.gate(&sha("c1")).await.json["policy"].clone() };
    assert_eq!(
        policy().await,
        json!({ "id": "acme/payments", "version": 1 })
    );

    grace.sets(NOTHING).await.unwrap();
    assert_eq!(policy().await["version"], 1, "only proposed");
    assert_eq!(grace.rules(2, true).await, Err(Problem::OwnProposal));
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "waiting");
    hugo.rules(2, true).await.unwrap();
    assert_eq!(policy().await["version"], 2);
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "not_required");
    assert_eq!(hugo.rules(2, true).await, Err(Problem::ProposalOver));
    assert_eq!(hugo.rules(1, true).await, Err(Problem::ProposalOver));
    assert_eq!(hugo.rules(7, true).await, Err(Problem::NotFound));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_proposal_is_about_one_version_and_lapses_with_it(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, policies) = (t.ci().await, t.policies().await);
    let (grace, hugo) = (t.admin("grace").await, t.admin("hugo").await);
    ci.submit(&change()).await;
    assert_eq!(state(&policies.push(NOTHING).await).1, "proposed");
    grace.sets(&asking(2, "senior")).await.unwrap();
    assert_eq!(hugo.rules(1, true).await, Err(Problem::ProposalOver));

    assert_eq!(state(&policies.push(NOTHING).await).1, "proposed");
    hugo.rules(3, false).await.unwrap();
    assert_eq!(grace.rules(3, true).await, Err(Problem::ProposalOver));
    let page = grace.browser.page(&t, PAGE).await;
    for said in ["refused by", "lapsed", "holds"] {
        assert!(page.contains(said), "{said}");
    }
    assert_eq!(ci.gate(&sha("c1")).await.json["policy"]["version"], 2);

    assert_eq!(state(&policies.push(NOTHING).await).1, "proposed");
    grace
        .rules(4, true)
        .await
        .expect("a pipeline is nobody's own");
    assert_eq!(ci.gate(&sha("c1")).await.answer().1, "not_required");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_draft_that_cannot_be_read_is_kept_and_told_by_line_and_column(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let grace = t.admin("grace").await;
    ci.submit(&change()).await;
    let text = format!(
        "{}# </textarea><script>alert(1)</script>\r\n",
        NOTHING.replace("when", "whn")
    );
    let page = grace.drafts(&text).await;
    assert!(page.contains("line 5, column 1"), "{page}");
    assert!(
        page.contains("whn = { target"),
        "the text is there to be mended"
    );
    assert!(!page.contains("<script>alert"), "and stays text");
    assert!(
        !page.contains("/fn/set-policy"),
        "there is nothing to put in force"
    );

    let whole = grace.drafts(&asking(2, "senior")).await;
    assert!(whole.contains("Put in force"), "{whole}");
    let (base, digest) = (
        hidden(&whole, "base").to_owned(),
        hidden(&whole, "digest").to_owned(),
    );
    grace.drafts(NOTHING).await;
    let stale = grace
        .posts("/fn/set-policy", &[("base", &base), ("digest", &digest)])
        .await;
    assert_eq!(
        stale,
        Err(Problem::PolicyMoved),
        "the draft is another by now"
    );
    grace.drafts(&asking(2, "senior")).await;
    let other = grace
        .posts(
            "/fn/set-policy",
            &[("base", "default:0"), ("digest", &digest)],
        )
        .await;
    assert_eq!(other, Err(Problem::PolicyMoved));
    grace
        .posts("/fn/set-policy", &[("base", &base), ("digest", &digest)])
        .await
        .unwrap();
    assert_eq!(t.count("policy_draft").await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn b08_nobody_but_an_admin_says_what_is_demanded(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ci, policies) = (t.ci().await, t.policies().await);
    ci.submit(&change()).await;
    policies.push(NOTHING).await;
    let (grace, ben) = (t.admin("grace").await, t.senior("ben").await);
    let calls: [(&str, &[(&str, &str)]); 5] = [
        ("/fn/draft-policy", &[("text", NOTHING)]),
        ("/fn/set-policy", &[("base", "default:1"), ("digest", "")]),
        ("/fn/unset-policy", &[("base", "default:1")]),
        (
            "/fn/rule-policy",
            &[("version", "1"), ("confirmed", "true")],
        ),
        (
            "/fn/set-mode",
            &[("days", "3"), ("observe", "true"), ("reason", "x")],
        ),
    ];
    let before = t.count("event").await;
    for (action, fields) in calls {
        assert_eq!(
            ben.posts(action, fields).await,
            Err(Problem::NotAllowed),
            "{action}"
        );
        let elsewhere = [&[("repository", "acme/nobody")], fields].concat();
        let refused = grace.browser.submits(&t, PAGE, action, &elsewhere).await;
        assert_eq!(outcome(&refused), Err(Problem::NotFound), "{action}");
    }
    assert_eq!(t.count("event").await, before);
    assert_eq!(t.count("policy_draft").await, 0);
    let page = ben.browser.page(&t, PAGE).await;
    for (action, _) in calls {
        assert!(!page.contains(action), "{action}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_observed_repository_lets_pass_says_so_and_ends_by_itself(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let there = ci.at(&t.another().await);
    let grace = t.admin("grace").await;
    ci.submit(&change()).await;
    for wrong in ["0", "91", "-1"] {
        assert_eq!(
            grace.observes(wrong).await,
            Err(Problem::ObservationTooLong)
        );
    }
    grace.observes("14").await.unwrap();
    let answered = |reply: &crate::support::machines::Reply| {
        (
            reply.json["enforced"].as_bool().unwrap(),
            reply.json["allow"].as_bool().unwrap(),
        )
    };
    for commit in [sha("c1"), sha("unheard")] {
        let reply = there.gate(&commit).await;
        assert_eq!(answered(&reply), (false, true), "{reply:?}");
        assert_ne!(reply.answer().1, "approved");
    }
    let held = ci.get(super::PAYMENTS).await;
    assert_eq!(held.json["mode"], "observe");
    let id = t.id_of(&change()).await;
    for path in ["/", "/repositories", PAGE, &format!("/changes/{id}")] {
        let page = grace.browser.page(&t, path).await;
        assert!(
            page.contains("observed only, until 4 December 2026"),
            "{path}"
        );
    }
    let listed = ci.get("/api/v1/changes").await;
    assert_eq!(listed.json["changes"][0]["enforced"], false);
    let strip = "acme/payments is only observed until 2026-12-04";
    for path in [PAGE, &format!("/changes/{id}")] {
        let page = grace.browser.page(&t, path).await;
        assert!(page.contains(strip), "{path}");
    }
    let ben = t.senior("ben").await;
    ben.reject(&change(), "no test").await;
    let page = grace.browser.page(&t, "/decisions").await;
    assert!(
        page.contains("observed only, until 4 December 2026"),
        "{page}"
    );
    let stream = ci.streamed(1).await[0].clone();
    assert_eq!(stream["gates"]["mode"], "observe", "{stream}");
    assert!(
        stream["gates"]["until"]
            .as_str()
            .unwrap()
            .starts_with("2026-12-04")
    );
    assert_eq!(stream["repository"], "acme/payments");

    t.pass(Duration::days(14));
    assert_eq!(
        answered(&ci.gate(&sha("c1")).await),
        (true, false),
        "without a job"
    );
    let again = t.admin("grace").await;
    again.observes("90").await.unwrap();
    assert_eq!(answered(&ci.gate(&sha("c1")).await), (false, true));
    again
        .posts(
            "/fn/set-mode",
            &[("observe", "false"), ("reason", "enough seen")],
        )
        .await
        .unwrap();
    assert_eq!(answered(&ci.gate(&sha("c1")).await), (true, false));
    let kinds: Vec<String> = sqlx::query_scalar(
        "select data ->> 'mode' from event where kind = 'mode.set' order by xid, id",
    )
    .fetch_all(&t.owner)
    .await
    .unwrap();
    assert_eq!(kinds, ["observe", "observe", "enforce"]);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_waiting_gate_hears_that_its_repository_is_only_observed_now(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let grace = t.admin("grace").await;
    ci.submit(&change()).await;
    let asking = tokio::spawn({
        let (ci, commit) = (ci.clone(), sha("c1"));
        async move {
            let path = format!("/api/v1/gate?repository=acme/payments&commit={commit}&wait=30");
            ci.get(&path).await
        }
    });
    t.somebody_waits().await;
    grace.observes("1").await.unwrap();
    assert_eq!(asking.await.unwrap().json["enforced"], false);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_draft_is_tried_on_the_past_and_on_one_change(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let (grace, ben) = (t.admin("grace").await, t.senior("ben").await);
    ci.submit(&change()).await;
    ci.submit(&change().key("143").pushed("c2")).await;
    ben.approve(&change()).await;

    let page = grace.drafts(&asking(2, "senior")).await;
    assert!(
        page.contains("2 revisions of the last 30 days were looked at"),
        "{page}"
    );
    assert!(
        page.contains("1 wait now, and 2 would. 1 would be judged otherwise."),
        "{page}"
    );
    let why = grace
        .browser
        .page(&t, &format!("{PAGE}?draft=1&change=142"))
        .await;
    assert!(why.contains("asks for 2 seniors (ben)"), "{why}");
    let none = ben.browser.page(&t, &format!("{PAGE}?change=999")).await;
    assert!(none.contains("There is no change"), "{none}");
    assert!(page.contains("2 would wait for "), "{page}");
    assert!(page.contains("not known"), "{page}");
    for (asked, days) in [("7", 7), ("90", 90), ("8", 30), ("-1", 30), ("x", 30)] {
        let path = format!("{PAGE}?draft=1&days={asked}");
        let page = grace.browser.page(&t, &path).await;
        let looked = format!("2 revisions of the last {days} days were looked at");
        assert!(page.contains(&looked), "{asked}: {page}");
    }

    let policies = t.policies().await;
    let path = format!("{}/try?days=7&change=142", super::PAYMENTS);
    let request = policies.http.post(t.at(&path)).body(asking(2, "senior"));
    let tried = policies
        .send(request.header("content-type", "application/toml"))
        .await;
    let json = &tried.json;
    assert_eq!(
        (&json["looked_at"], &json["wait_now"], &json["would_wait"]),
        (&json!(2), &json!(1), &json!(2)),
        "{tried:?}"
    );
    assert_eq!(json["differ"][0]["key"], "142");
    assert_eq!(
        json["reviews"],
        json!([{ "whom": "seniors", "now": 2, "then": 4 }])
    );
    assert_eq!(
        json["waits"],
        json!([{ "whom": "seniors", "revisions": 2, "people": ["ben"], "others": 0 }])
    );
    assert_eq!(json["seconds_each"], json!(null), "of one approval");
    assert_eq!(
        json["change"]["rules"][0]["asks"][0]["given"],
        json!(["ben"])
    );
    assert_eq!(json["lowers"], json!([]));
    let away = policies
        .http
        .post(t.at(&path.replace("142", "999")))
        .body(NOTHING);
    let away = policies
        .send(away.header("content-type", "text/plain"))
        .await;
    assert_eq!(away.problem(), (404, "not-found"));
    assert_eq!(
        t.count("policy_version").await,
        1,
        "nothing is kept of a trial"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_rollout_says_what_enforcing_would_have_asked(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let grace = t.admin("grace").await;
    t.human("mika", Some(Level::Mid)).await;
    ci.submit(&change().by("nobody-known")).await;
    let page = grace.browser.page(&t, &format!("{PAGE}?rollout=1")).await;
    assert!(
        page.contains("Of 1 revisions of the last 30 days, 1 ask for an approval"),
        "{page}"
    );
    assert!(page.contains("nobody-known@halden.example"), "{page}");
    assert!(
        page.contains("Whom the policy asks for and nobody is: 1"),
        "{page}"
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn how_long_reviewers_take_is_said_once_enough_was_decided(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ci = t.ci().await;
    let (grace, ben) = (t.admin("grace").await, t.senior("ben").await);
    let nth = |n: i32| change().key(&n.to_string()).pushed(&format!("n{n}"));
    for n in 0..10 {
        ci.submit(&nth(n)).await;
        t.pass(Duration::minutes(if n == 4 { 61 } else { 6 }));
        ben.approve(&nth(n)).await;
    }
    let page = grace.drafts(&asking(2, "senior")).await;
    assert!(
        page.contains(">not known<"),
        "nine were within an hour: {page}"
    );
    ci.submit(&nth(10)).await;
    t.pass(Duration::minutes(6));
    ben.approve(&nth(10)).await;
    let page = grace.drafts(&asking(2, "senior")).await;
    assert!(page.contains("about 2.2 h (now 1.1 h)"), "{page}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_trial_of_a_week_asks_another_admin_about_the_last_30_days_nevertheless(pool: PgPool) {
    let t = TestServer::new(pool).await;
    t.ci().await.submit(&change()).await;
    t.pass(Duration::days(10));
    let grace = t.admin("grace").await;
    grace.drafts(super::NOTHING).await;
    let week = format!("{PAGE}?draft=1&days=7");
    let page = grace.browser.page(&t, &week).await;
    assert!(page.contains("0 revisions of the last 7 days"), "{page}");
    assert!(page.contains("Propose to another admin"), "{page}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_author_is_linked_from_the_rollout_and_the_page_comes_back_to_it(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (grace, _) = (t.admin("grace").await, t.senior("ben").await);
    t.ci().await.submit(&change().by("bens-other")).await;
    let rollout = format!("{PAGE}?rollout=1");
    let account = "bens-other@halden.example";
    let link = async |who, to| {
        let fields = [("who", who), ("account", account), ("rollout", to)];
        let answer = grace
            .browser
            .submits(&t, &rollout, "/fn/link-account", &fields);
        answer.await.leads_to().to_owned()
    };
    let page = grace.browser.page(&t, &rollout).await;
    assert!(page.contains(account), "{page}");
    let refused = link("nobody", "acme/payments").await;
    assert!(
        refused.contains("rollout=1") && refused.contains("__err"),
        "{refused}"
    );
    let (_, query) = refused.split_once('?').unwrap();
    let page = grace.browser.page(&t, &format!("{PAGE}?{query}")).await;
    assert!(page.contains(&Problem::UnknownPerson.sentence()), "{page}");
    for elsewhere in [
        "",
        "//evil.example",
        "https://evil.example/x",
        "a/b\r\nx: y",
    ] {
        assert_eq!(link("ben", elsewhere).await, "/people", "{elsewhere}");
    }
    let back = link("ben", "acme/payments").await;
    assert_eq!(back, "/repositories/acme/payments?rollout=1#rollout");
    let page = grace.browser.page(&t, &rollout).await;
    assert!(
        page.contains("Every author and address leads to somebody."),
        "{page}"
    );
}
