//! Decisions at the door that people use: the form of a change's page, pressed once, fifty times at once, too late, and by those who may not.

mod rare;

use crate::{
    auth::site::Site,
    support::{
        TestServer,
        browsers::{Answer, Form},
        changes::{Change, change, sha},
        people::Human,
    },
};
use domain::{
    contributor::Role,
    decision::{Kind, REASON_MAX},
    names::RepositoryName,
    people::Level,
    problem::Problem,
    readers::Reader,
};
use futures::future::join_all;
use reqwest::header::{ORIGIN, REFERER};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::HashSet;
use store::decisions::Filter;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A change of Ana's, submitted, and Ben, who may decide about it.
pub async fn ready(pool: PgPool) -> (TestServer, Change, Human) {
    let t = TestServer::new(pool).await;
    let (change, ben) = (change(), t.senior("ben").await);
    t.ci().await.submit(&change).await;
    (t, change, ben)
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_decision_is_a_row_an_event_a_leaf_of_the_log_and_a_standing(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben
        .reads(&change)
        .await
        .press(Kind::Reject)
        .because(" no test\r\n");
    let answer = ben.sends(&form).await;
    assert_eq!(
        answer.leads_to(),
        format!("/changes/{}", form.value("change"))
    );
    assert_eq!(answer.outcome(), Ok(()));

    let row: Value = sqlx::query_scalar(
        "select to_jsonb(d) || jsonb_build_object('digest', encode(digest, 'hex')) from decision d",
    )
    .fetch_one(&t.owner)
    .await
    .unwrap();
    let expected = json!({
        "kind": "reject", "reason": "no test", "seq": 1, "incident": null, "level": "senior", "teams": ["payments"],
        "policy": "default", "policy_version": 1, "person_id": ben.id, "form_key": form.value("form_key"),
        "change_id": form.value("change"), "digest": form.value("digest"), "at": "2026-11-20T12:00:00+00:00",
    });
    for (column, value) in expected.as_object().unwrap() {
        assert_eq!(&row[column], value, "{column}");
    }
    let beside = sqlx::query_scalar(
        "select count(*) from decision d
         join event e on e.xid = d.xid and e.subject = d.id and e.kind = 'decision.recorded' and e.repository_id = d.repository_id
         join log_leaf l on l.xid = d.xid and l.decision_id = d.id and l.repository_id = d.repository_id
         join standing s on s.revision_id = d.revision_id and s.facts->'voices'->0->>'kind' = 'reject'",
    );
    let beside: i64 = beside.fetch_one(&t.owner).await.unwrap();
    assert_eq!(beside, 1, "all in one transaction");
    assert_eq!(t.ci().await.gate(&change.head).await.answer().1, "rejected");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_decision_of_which_one_part_fails_leaves_no_part(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    let rights = "insert, update on standing";
    t.run(&format!("revoke {rights} from countersign_it")).await;
    assert_eq!(
        ben.calls(&form).await.said(),
        (500, Some(Problem::Internal))
    );
    assert_eq!(t.recorded().await, 0);
    t.run(&format!("grant {rights} to countersign_it")).await;
    assert_eq!(ben.calls(&form).await.said(), (200, None));
    assert_eq!(t.recorded().await, 1);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn fifty_requests_with_one_form_key_at_once_are_one_decision_and_fifty_equal_answers(
    pool: PgPool,
) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    let answers = t.at_once(&vec![(&ben, form.clone()); 50]).await;
    let (said, written): (HashSet<_>, HashSet<_>) = answers
        .iter()
        .map(|answer| ((answer.status, answer.leads_to()), &answer.text))
        .unzip();
    assert_eq!((said.len(), written.len()), (1, 1), "{said:?}");
    assert_eq!(answers[0].outcome(), Ok(()));
    assert_eq!(t.recorded().await, 1);
    assert_eq!(t.ci().await.gate(&change.head).await.answer().1, "approved");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn of_fifty_forms_of_one_person_at_once_all_are_recorded_and_the_last_counts(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await;
    let kinds = [Kind::Approve, Kind::Reject].into_iter().cycle().take(50);
    let forms = kinds.map(|kind| (&ben, form.anew().press(kind).because("so")));
    let answers = t.at_once(&forms.collect::<Vec<_>>()).await;
    for answer in answers {
        assert_eq!(answer.outcome(), Ok(()));
    }
    let rows: Vec<(i32, String)> = sqlx::query_as("select seq, kind from decision order by seq")
        .fetch_all(&t.owner)
        .await
        .unwrap();
    let places: Vec<i32> = rows.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(places, (1..=50).collect::<Vec<_>>());
    let approvals = rows.iter().filter(|(_, kind)| kind == "approve").count();
    assert_eq!(approvals, 25, "what each pressed is what is recorded");
    assert_eq!(t.recorded().await, 50);

    let ci = t.ci().await;
    let gate = ci.gate(&change.head).await;
    let verdict = match rows[49].1.as_str() {
        "approve" => "approved",
        _ => "rejected",
    };
    assert_eq!(gate.answer().1, verdict, "the others are history");
    let path = format!("/api/v1/changes/{}/decisions", form.value("change"));
    let history = ci.get(&path).await.json;
    assert_eq!(history["decisions"].as_array().map(Vec::len), Some(50));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn of_two_seniors_at_once_both_are_recorded_and_the_veto_stands(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let li = t.senior("li").await;
    let yes = ben.reads(&change).await.press(Kind::Approve);
    let no = li
        .reads(&change)
        .await
        .press(Kind::Reject)
        .because("no test");
    for answer in t.at_once(&[(&ben, yes), (&li, no)]).await {
        assert_eq!(answer.outcome(), Ok(()));
    }
    assert_eq!(t.recorded().await, 2);
    let gate = t.ci().await.gate(&change.head).await;
    assert_eq!(gate.answer().1, "rejected", "whoever was first");
    li.withdraw(&change).await;
    let gate = t.ci().await.gate(&change.head).await;
    assert_eq!(gate.answer().1, "approved", "Ben's approval was there");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_form_sent_again_after_its_answer_was_lost_is_the_decision_already_taken(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    let mut through = t.clone();
    through.address = cuts_answers(t.address).await;
    let lost = Answer::try_to(ben.browser.posting(&through, &form)).await;
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(t.recorded().await, 1, "it was recorded all the same");
    assert_eq!(ben.sends(&form).await.outcome(), Ok(()));
    assert_eq!(t.recorded().await, 1);
    // The same also if the world went on in between.
    ben.withdraw(&change).await;
    assert_eq!(ben.sends(&form).await.outcome(), Ok(()));
    assert_eq!(
        t.recorded().await,
        2,
        "a resent approval does not undo what came after it"
    );
    assert_eq!(t.ci().await.gate(&change.head).await.answer().1, "waiting");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_browser_that_goes_away_while_it_waits_leaves_one_decision_or_none(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    let held = t.holding("select from change for update").await;
    let waits = tokio::spawn(Answer::try_to(ben.browser.posting(&t, &form)));
    t.locked_out(1).await;
    waits.abort();
    assert!(waits.await.is_err());
    held.rollback().await.unwrap();
    assert_eq!(ben.sends(&form).await.outcome(), Ok(()));
    assert_eq!(t.recorded().await, 1);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_form_that_was_used_is_refused_with_another_button_or_for_another_change(pool: PgPool) {
    let (t, first, ben) = ready(pool).await;
    let second = change().key("143").pushed("c2");
    t.ci().await.submit(&second).await;
    let form = ben.reads(&first).await.press(Kind::Approve);
    assert_eq!(ben.sends(&form).await.outcome(), Ok(()));

    let other_button = form.press(Kind::Reject).because("no test");
    assert_eq!(
        ben.calls(&other_button).await.said(),
        (422, Some(Problem::NotUnderstood))
    );
    let other_change = ben.reads(&second).await.press(Kind::Approve);
    let other_change = other_change.with("form_key", form.value("form_key"));
    assert_eq!(
        ben.sends(&other_change).await.outcome(),
        Err(Problem::NotUnderstood)
    );
    assert_eq!(t.recorded().await, 1);

    let li = t.senior("li").await;
    assert_eq!(
        li.sends(&form).await.outcome(),
        Ok(()),
        "keys are each person's own"
    );
    assert_eq!(t.recorded().await, 2);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn one_form_key_for_two_changes_at_once_is_one_decision_and_one_refusal(pool: PgPool) {
    let (t, first, ben) = ready(pool).await;
    let second = change().key("143").pushed("c2");
    t.ci().await.submit(&second).await;
    let form = ben.reads(&first).await.press(Kind::Approve);
    let other = ben.reads(&second).await.press(Kind::Approve);
    let other = other.with("form_key", form.value("form_key"));
    let answers = t.at_once(&[(&ben, form), (&ben, other)]).await;
    let mut outcomes: Vec<_> = answers.iter().map(Answer::outcome).collect();
    outcomes.sort_by_key(Result::is_err);
    assert_eq!(outcomes, [Ok(()), Err(Problem::NotUnderstood)]);
    assert_eq!(t.recorded().await, 1);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nothing_is_recorded_about_a_change_that_moved(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    t.ci().await.submit(&change.clone().pushed("c2")).await;
    let answer = ben.sends(&form).await;
    assert_eq!(answer.outcome(), Err(Problem::ChangedSinceYouLooked));
    let page = ben.browser.page(&t, answer.leads_to()).await;
    assert!(
        page.contains("the change moved while you were reading"),
        "{page}"
    );
    assert_eq!(
        ben.calls(&form).await.said(),
        (409, Some(Problem::ChangedSinceYouLooked))
    );
    assert_eq!(t.recorded().await, 0);
    for head in ["c1", "c2"] {
        assert_eq!(t.ci().await.gate(&sha(head)).await.answer().1, "waiting");
    }
    ben.approve(&change).await;
    assert_eq!(t.ci().await.gate(&sha("c2")).await.answer().1, "approved");
}

/// A submission and a decision at once: whichever is first, an approval is about what was shown.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_change_that_moves_while_a_decision_waits_has_moved(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let (ci, moved) = (t.ci().await, change.clone().pushed("c2"));
    let form = ben.reads(&change).await.press(Kind::Approve);
    let held = t.holding("select from change for update").await;
    let submitted = tokio::spawn(async move { ci.submit(&moved).await });
    t.locked_out(1).await;
    let decided = tokio::spawn({
        let (ben, form) = (ben.clone(), form.clone());
        async move { ben.calls(&form).await }
    });
    t.locked_out(2).await;
    held.rollback().await.unwrap();
    submitted.await.unwrap();
    let said = decided.await.unwrap().said();
    assert_eq!(said, (409, Some(Problem::ChangedSinceYouLooked)));
    assert_eq!(t.recorded().await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn those_who_may_not_decide_are_refused_whatever_they_press(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let (ana, mika) = (
        t.junior("ana").await,
        t.human("mika", Some(Level::Mid)).await,
    );
    let (grace, author) = (t.human("grace", None).await, t.senior("cleo").await);
    t.ci()
        .await
        .submit(&change.clone().by("cleo").pushed("c2"))
        .await;
    let low = |known| Problem::LevelTooLow {
        known,
        needed: Level::Senior,
    };
    for (who, problem) in [
        (&ana, low(Some(Level::Junior))),
        (&mika, low(Some(Level::Mid))),
        (&grace, low(None)),
        (&author, Problem::Contributor(Role::ChangeAuthor)),
    ] {
        for kind in [Kind::Approve, Kind::Reject] {
            let form = who.reads(&change).await.press(kind).because("so");
            assert_eq!(who.sends(&form).await.outcome(), Err(problem));
            assert_eq!(who.calls(&form).await.said(), (403, Some(problem)));
        }
    }
    let nothing = ben.presses(Kind::Withdraw, &change, "").await;
    assert_eq!(nothing, Err(Problem::NothingToWithdraw));
    assert_eq!(t.recorded().await, 0);
    ben.approve(&change).await;
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_level_that_was_confirmed_too_long_ago_decides_nothing_until_the_next_sign_in(
    pool: PgPool,
) {
    let (t, change, ben) = ready(pool).await;
    // Used within eight hours, so the session is open, while the claims are over twelve.
    for _ in 0..2 {
        t.pass(time::Duration::hours(7));
        ben.reads(&change).await;
    }
    let form = ben.reads(&change).await.press(Kind::Approve);
    assert_eq!(ben.sends(&form).await.outcome(), Err(Problem::LevelStale));
    assert_eq!(
        ben.calls(&form).await.said(),
        (403, Some(Problem::LevelStale))
    );
    assert_eq!(t.recorded().await, 0);
    t.senior("ben").await;
    assert_eq!(ben.sends(&form).await.outcome(), Ok(()));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn somebody_deactivated_while_their_session_is_open_decides_nothing_more(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    ben.deactivated().await;
    assert_eq!(
        ben.calls(&form).await.said(),
        (401, Some(Problem::SignInNeeded))
    );
    let to_sign_in = ben.sends(&form).await;
    assert!(
        to_sign_in.leads_to().starts_with("/sign-in?"),
        "{to_sign_in:?}"
    );
    t.run("update session set revoked_at = null").await;
    assert_eq!(
        ben.calls(&form).await.said().0,
        403,
        "also if the session were open still"
    );
    assert_eq!(t.recorded().await, 0);
}

/// The session let them in; the deactivation that commits before the decision would is seen by the decision.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_deactivation_that_commits_first_bars_a_decision_on_its_way(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    let mut deactivation = t.db.begin().await.unwrap();
    store::people::deactivate(&mut deactivation, ben.id)
        .await
        .unwrap();
    let decided = tokio::spawn({
        let (ben, form) = (ben.clone(), form.clone());
        async move { ben.calls(&form).await }
    });
    t.locked_out(1).await;
    deactivation.commit().await.unwrap();
    assert_eq!(
        decided.await.unwrap().said(),
        (403, Some(Problem::Inactive))
    );
    assert_eq!(t.recorded().await, 0);
}

/// The other way round: what a decision has read of somebody holds until it is recorded.
#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_deactivation_waits_for_a_decision_that_has_begun(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    // Everything up to the insert may go on.
    let held = t.holding("lock table decision in share mode").await;
    let decided = tokio::spawn({
        let (ben, form) = (ben.clone(), form.clone());
        async move { ben.calls(&form).await }
    });
    t.locked_out(1).await;
    let deactivated = tokio::spawn({
        let ben = ben.clone();
        async move { ben.deactivated().await }
    });
    t.locked_out(2).await;
    held.rollback().await.unwrap();
    assert_eq!(decided.await.unwrap().said(), (200, None));
    deactivated.await.unwrap();
    assert_eq!(t.recorded().await, 1);
    assert_eq!(ben.calls(&form.anew()).await.said().0, 401);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn without_a_session_nobody_decides(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    for session in ["", "AAAAAAAAAAAAAAAAAAAAAA", "not an id"] {
        let stranger = t.before_a_browser(ben.id, session);
        let called = stranger.calls(&form).await;
        assert_eq!(called.said(), (401, Some(Problem::SignInNeeded)));
        let sent = stranger.sends(&form).await;
        let back = format!("/sign-in?next=%2Fchanges%2F{}", form.value("change"));
        assert_eq!(
            (sent.status.as_u16(), sent.leads_to()),
            (303, back.as_str())
        );
    }
    assert_eq!(t.recorded().await, 0);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn no_other_site_makes_a_browser_decide(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    let evil = [
        (ORIGIN, "https://evil.example"),
        (REFERER, "https://evil.example/"),
    ];
    let mut requests = vec![
        ben.browser
            .posting(&t, &form)
            .header("sec-fetch-site", "cross-site"),
    ];
    requests.push(
        ben.browser
            .posting(&t, &form)
            .header("sec-fetch-site", "same-site"),
    );
    requests.push(
        ben.browser
            .posting(&t, &form)
            .headers(evil.into_iter().map(said).collect()),
    );
    requests.push(
        ben.browser
            .posting(&t, &form)
            .headers([said((ORIGIN, "null"))].into_iter().collect()),
    );
    for request in requests {
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.text.contains("another site"), "{answer:?}");
    }
    let silent = ben.browser.silently(&t, &form).await;
    assert_eq!(
        silent.said(),
        (403, Some(Problem::CrossSite)),
        "no browser is silent about it"
    );
    let link = ben.browser.following(&t, &form).await;
    assert_eq!(link.status, 405, "nor does a link decide: {link:?}");
    assert_eq!(t.recorded().await, 0);
    let ours = ben
        .browser
        .posting(&t, &form)
        .header("sec-fetch-site", "same-origin");
    assert_eq!(Answer::to(ours).await.outcome(), Ok(()));
}

fn said(
    (name, value): (reqwest::header::HeaderName, &str),
) -> (reqwest::header::HeaderName, reqwest::header::HeaderValue) {
    (name, value.parse().unwrap())
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_is_no_decision_is_told_so(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await.press(Kind::Approve);
    let nobodys = store::ids::new().to_string();
    for (bent, problem) in [
        (form.without("digest"), Problem::NotUnderstood),
        (form.without("form_key"), Problem::NotUnderstood),
        (form.without("kind"), Problem::NotUnderstood),
        (form.with("digest", "c0ffee"), Problem::NotUnderstood),
        (form.with("form_key", "1"), Problem::NotUnderstood),
        (form.with("change", "142"), Problem::NotUnderstood),
        (form.with("kind", "merge"), Problem::NotUnderstood),
        (form.with("change", &nobodys), Problem::NotFound),
        (
            form.press(Kind::Reject).because(" \n"),
            Problem::ReasonNeeded,
        ),
        (
            form.because(&"ä".repeat(REASON_MAX + 1)),
            Problem::ReasonTooLong,
        ),
        (
            form.press(Kind::Override).because("fire"),
            Problem::IncidentNeeded,
        ),
    ] {
        let expected = (problem.status(), Some(problem));
        assert_eq!(ben.calls(&bent).await.said(), expected, "{bent:?}");
    }
    let large = form.because(&"a".repeat(64 * 1024));
    assert_eq!(ben.calls(&large).await.status, 413);
    assert_eq!(ben.sends(&large).await.status, 413);
    assert_eq!(t.recorded().await, 0);
    let longest = form.because(&"ä".repeat(REASON_MAX));
    assert_eq!(ben.calls(&longest).await.said(), (200, None));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_closed_change_is_not_decided_and_a_merged_one_can_still_be_stopped(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let form = ben
        .reads(&change)
        .await
        .press(Kind::Reject)
        .because("pays twice");
    let closed = change.clone().with(json!({ "state": "closed" }));
    t.ci().await.submit(&closed).await;
    assert_eq!(ben.calls(&form).await.said(), (409, Some(Problem::NotOpen)));
    assert_eq!(t.recorded().await, 0);
    let merged = change.clone().with(json!({ "state": "merged" }));
    t.ci().await.submit(&merged).await;
    assert_eq!(ben.calls(&form).await.said(), (200, None));
    assert_eq!(t.ci().await.gate(&change.head).await.answer().1, "rejected");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_came_in_by_the_companys_sign_in_decides(pool: PgPool) {
    let site = Site::new(pool.clone()).await;
    let (t, change, _) = ready(pool).await;
    let browser = site.signed_in("li").await;
    let li = sqlx::query_scalar("select id from person where subject = 'li'");
    let li = domain::ids::PersonId(li.fetch_one(&t.owner).await.unwrap());
    let session = browser.session().unwrap();
    // The other server over the same database: a session is not one server's.
    t.before_a_browser(li, &session).approve(&change).await;
    assert_eq!(t.recorded().await, 1);
    browser.post("/sign-out").await;
    let form = t
        .senior("ben")
        .await
        .reads(&change)
        .await
        .press(Kind::Approve);
    let after = t.before_a_browser(li, &session).calls(&form).await;
    assert_eq!(after.said(), (401, Some(Problem::SignInNeeded)));
}

impl TestServer {
    /// How many decisions there are, each with its event and its leaf.
    async fn recorded(&self) -> i64 {
        let decisions = self.count("decision").await;
        let beside = (
            self.count("log_leaf").await,
            self.count("event where kind = 'decision.recorded'").await,
        );
        assert_eq!(beside, (decisions, decisions));
        decisions
    }

    /// Runs a statement as the owner.
    async fn run(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        sqlx::query(sql).execute(&self.owner).await.unwrap();
    }

    /// Sends all of these at once: each has its transaction open and waits for the change before the first may go on.
    async fn at_once(&self, forms: &[(&Human, Form)]) -> Vec<Answer> {
        let wide = self.with_connections(60).await;
        let held = self.holding("select from change for update").await;
        let all = join_all(forms.iter().map(|(human, form)| {
            let human = human.at(&wide);
            async move { human.sends(form).await }
        }));
        let (answers, ()) = tokio::join!(all, async {
            self.locked_out(i64::try_from(forms.len()).unwrap()).await;
            held.rollback().await.unwrap();
        });
        answers
    }
}

/// An address that hands on to the server what it gets, and goes away instead of handing back the answer.
async fn cuts_answers(to: std::net::SocketAddr) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut browser, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(to).await.unwrap();
            let (mut asked, mut answered) = ([0; 16 * 1024], [0; 1]);
            loop {
                tokio::select! {
                    read = browser.read(&mut asked) => {
                        let read = read.unwrap();
                        server.write_all(&asked[..read]).await.unwrap();
                    }
                    _ = server.read(&mut answered) => break,
                }
            }
        }
    });
    address
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_refusal_is_said_also_where_a_browser_keeps_to_itself_where_its_form_stands(
    pool: PgPool,
) {
    let (t, change, ben) = ready(pool).await;
    let form = ben.reads(&change).await;
    let sent = async |form: &Form| Answer::to(ben.browser.posting_from_nowhere(&t, form)).await;
    let unknown = form.press(Kind::Approve).with("form_key", "none");
    for (bent, problem) in [
        (form.press(Kind::Reject), Problem::ReasonNeeded),
        (unknown, Problem::NotUnderstood),
    ] {
        let answer = sent(&bent).await;
        assert_eq!(answer.status.as_u16(), problem.status(), "{answer:?}");
        assert!(answer.text.contains(&problem.sentence()), "{answer:?}");
        let back = format!("href=\"/changes/{}\"", form.value("change"));
        assert!(answer.text.contains(&back), "{answer:?}");
    }
    assert_eq!(t.recorded().await, 0);
    let recorded = sent(&form.press(Kind::Approve)).await;
    assert_eq!(recorded.outcome(), Ok(()));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn approving_and_then_overriding_from_one_page_are_two_decisions(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    let path = format!("/changes/{}", t.id_of(&change).await);
    let page = ben.browser.page(&t, &path).await;
    let approve = Form::on(&page).press(Kind::Approve);
    let mut others = Form::all(&page, "/fn/decide");
    others.retain(|form| *form != Form::on(&page));
    let breaking = others
        .pop()
        .expect("a form of its own, with a key of its own");
    let breaking = breaking
        .press(Kind::Override)
        .because("fire")
        .with("incident", "INC-1");
    assert_eq!(ben.sends(&approve).await.outcome(), Ok(()));
    assert_eq!(ben.sends(&breaking).await.outcome(), Ok(()));
    assert_eq!(ben.sends(&breaking).await.outcome(), Ok(()), "resent");
    let another = breaking.with("incident", "INC-2");
    assert_eq!(
        ben.sends(&another).await.outcome(),
        Err(Problem::NotUnderstood)
    );
    assert_eq!(t.recorded().await, 2);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn a_page_of_decisions_reads_what_it_shows_and_not_the_record(pool: PgPool) {
    let (t, change, ben) = ready(pool).await;
    ben.approve(&change).await;
    t.run(
        "insert into decision (repository_id, id, change_id, revision_id, digest, seq, person_id, form_key, kind, reason, level, teams,
                               policy, policy_version, at)
         select repository_id, gen_random_uuid(), change_id, revision_id, digest, seq + n, person_id, gen_random_uuid(), kind, reason,
                level, teams, policy, policy_version, at - n * interval '1 minute'
         from decision, generate_series(1, 5000) n",
    )
    .await;
    t.run("analyze decision").await;
    let deep = t.db.now() - time::Duration::minutes(4000);
    let payments = RepositoryName::parse("acme/payments").unwrap();
    for filter in [
        Filter::default(),
        Filter {
            before: Some((deep, uuid::Uuid::nil())),
            ..Filter::default()
        },
        Filter {
            repository: Some(payments),
            ..Filter::default()
        },
        Filter {
            person: Some(ben.id),
            ..Filter::default()
        },
    ] {
        let mut tx = t.db.read().await.unwrap();
        let reader = Reader::person(&["payments".to_owned()], &[]);
        let listed = store::decisions::latest(tx.conn(), &reader, &filter, 51)
            .await
            .unwrap();
        assert_eq!(listed.len(), 51, "{filter:?}");
        let (scans, rows): (i64, i64) = sqlx::query_as(
            "select seq_scan, idx_tup_fetch from pg_stat_xact_user_tables where relname = 'decision'",
        )
        .fetch_one(tx.conn())
        .await
        .unwrap();
        assert!(
            scans == 0 && rows <= 200,
            "{filter:?}: {scans} scans, {rows} rows"
        );
    }
}
