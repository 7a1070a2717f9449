//! The page of what code hosts told: for admins, as it was sent, and to be worked on again.

use crate::support::{TestServer, browsers::Answer, hosts::Delivery, people::Human};
use domain::problem::Problem;
use leptos::server_fn::error::ServerFnUrlError;
use sqlx::PgPool;
use uuid::Uuid;

const PAGE: &str = "/deliveries";
const OPENED: &str =
    r#"{"pull_request": {"number": 7}, "repository": {"full_name": "Hosted/Payments"}}"#;

impl Human {
    async fn has_it_worked_on(&self, delivery: Uuid) -> Answer {
        let id = delivery.to_string();
        let fields = [("delivery", id.as_str())];
        let browser = &self.browser;
        browser
            .submits(&self.t, PAGE, "/fn/work-again", &fields)
            .await
    }
}

fn refusal(answer: &Answer) -> Option<Problem> {
    let url = url::Url::parse("http://countersign.example")
        .unwrap()
        .join(answer.leads_to())
        .unwrap();
    let mut pairs = url.query_pairs();
    let (_, word) = pairs.find(|(name, _)| name == "__err")?;
    Some(ServerFnUrlError::<app::actions::Refusal>::decode_err(&word).0)
}

async fn id_of(t: &TestServer, sender_id: &str) -> Uuid {
    sqlx::query_scalar("select id from delivery where sender_id = $1")
        .bind(sender_id)
        .fetch_one(&t.owner)
        .await
        .unwrap()
}

async fn state_of(t: &TestServer, id: Uuid) -> String {
    sqlx::query_scalar("select state from delivery where id = $1")
        .bind(id)
        .fetch_one(&t.owner)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn admins_see_what_was_told_and_have_it_worked_on_again(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (grace, ben) = (t.admin("grace").await, t.senior("ben").await);
    let nothing = grace.browser.page(&t, PAGE).await;
    assert!(nothing.contains("No code host has told of anything yet."));
    let strange = "{\"repository\": \"<b>\u{202e}\"}";
    for (id, body) in [("good", OPENED), ("bad", strange)] {
        let told = Delivery::github(id, "pull_request", body);
        assert_eq!(t.delivers(&told).await.status, 202);
    }
    let (good, bad) = (id_of(&t, "good").await, id_of(&t, "bad").await);
    let fresh = grace.browser.page(&t, PAGE).await;
    assert_eq!(fresh.matches("disabled").count(), 2, "{fresh}");
    t.works_on_deliveries().await;
    let page = grace.browser.page(&t, PAGE).await;
    assert!(page.contains("dead") && page.contains("done"), "{page}");
    assert_eq!(page.matches("disabled").count(), 0);

    let shown = grace.browser.page(&t, &format!("{PAGE}?show={bad}")).await;
    assert!(
        shown.contains("&lt;b&gt;") && !shown.contains('\u{202e}'),
        "{shown}"
    );
    assert!(shown.contains("202E"), "{shown}");

    assert_eq!(refusal(&grace.has_it_worked_on(bad).await), None);
    assert_eq!(state_of(&t, bad).await, "received");
    // Pressed once more it is what it is.
    assert_eq!(refusal(&grace.has_it_worked_on(bad).await), None);
    let nobodys = Uuid::parse_str(crate::surface::NOBODYS).unwrap();
    let gone = grace.has_it_worked_on(nobodys).await;
    assert_eq!(refusal(&gone), Some(Problem::NotFound));
    assert_eq!(refusal(&grace.has_it_worked_on(good).await), None);
    t.works_on_deliveries().await;
    let asks: i64 = sqlx::query_scalar("select asks from host_change")
        .fetch_one(&t.owner)
        .await
        .unwrap();
    assert_eq!(asks, 2);

    let refused = ben.has_it_worked_on(good).await;
    assert_eq!(refusal(&refused), Some(Problem::NotAllowed));
    assert_eq!(state_of(&t, good).await, "done");
    let answer = ben.browser.opens(&t.at(PAGE)).await;
    assert_eq!(answer.status, 403);
    assert!(!answer.text.contains("Hosted/Payments"));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn they_see_what_could_not_be_looked_at_and_what_was_not_taken(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let grace = t.admin("grace").await;
    t.delivers(&Delivery::github("d1", "pull_request", OPENED))
        .await;
    t.works_on_deliveries().await;
    let sure = grace.browser.page(&t, PAGE).await;
    assert!(!sure.contains("could not be looked at"));
    sqlx::query("update host_change set error = 'GitHub answered 500', due_at = null")
        .execute(&t.owner)
        .await
        .unwrap();
    let unsigned = Delivery::github("d2", "pull_request", OPENED).without("x-hub-signature-256");
    assert_eq!(t.delivers(&unsigned).await.status, 401);
    server::jobs::deliveries::count_refused(&t.server)
        .await
        .unwrap();
    let page = grace.browser.page(&t, PAGE).await;
    for said in [
        "Hosted/Payments#7",
        "GitHub answered 500",
        "given up until there is another reason",
        "Not taken in the last seven days",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn older_ones_are_a_page_further(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let grace = t.admin("grace").await;
    for n in 0..51 {
        let told = Delivery::github(&format!("d{n}"), "pull_request", OPENED);
        assert_eq!(t.delivers(&told).await.status, 202);
        t.pass(time::Duration::seconds(1));
    }
    let page = grace.browser.page(&t, PAGE).await;
    let (_, rest) = page.split_once("/deliveries?before=").expect("a link");
    let (before, _) = rest.split_once('"').unwrap();
    let older = format!("{PAGE}?before={}", before.replace("&amp;", "&"));
    let older = grace.browser.page(&t, &older).await;
    assert!(older.contains(">d0<") && !older.contains(">d1<"), "{older}");
    assert!(!page.contains(">d0<") && page.contains(">d1<"));
}
