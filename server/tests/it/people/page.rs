//! The page of people: everybody sees what is known of themselves; admins see everybody, and say whose an account is.

use crate::support::{TestServer, changes::change, people::Human};
use domain::{contributor::Role, decision::Kind, problem::Problem};
use sqlx::PgPool;

impl Human {
    async fn people(&self, query: &str) -> String {
        self.browser.page(&self.t, &format!("/people{query}")).await
    }

    /// Sends a form of that page.
    async fn says(&self, call: &str, fields: &[(&str, &str)]) -> Result<(), Problem> {
        let call = format!("/fn/{call}");
        let answer = self.browser.submits(&self.t, "/people", &call, fields);
        answer.await.outcome_at("/people")
    }
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn who_is_no_admin_sees_themselves_and_links_nobody(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ana, ben) = (t.junior("ana").await, t.senior("ben").await);
    let page = ana.people("").await;
    assert!(page.contains("ana@halden.example"), "{page}");
    assert!(!page.contains("ben@halden.example"), "{page}");
    let (person, held) = (ben.id.to_string(), t.count("account").await);
    for (call, fields) in [
        (
            "link-account",
            [("who", "ana"), ("account", "b@halden.example")],
        ),
        (
            "unlink-account",
            [("person", &person), ("account", "email:ben@halden.example")],
        ),
    ] {
        assert_eq!(ana.says(call, &fields).await, Err(Problem::NotAllowed));
    }
    assert_eq!(t.count("account where until_version is null").await, held);
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_admin_links_an_author_nobody_was_found_for_and_an_approval_ends(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (grace, ben) = (t.admin("grace").await, t.senior("ben").await);
    let private = change().by("bens-private-address");
    t.ci().await.submit(&private).await;
    ben.approve(&private).await;
    assert_eq!(t.verdict(&private).await, "approved");
    let page = grace.people("").await;
    assert!(page.contains("1 change<"), "{page}");
    let account = "bens-private-address@halden.example";
    let link = async |who| {
        let fields = [("who", who), ("account", account)];
        grace.says("link-account", &fields).await
    };
    assert_eq!(link("nobody").await, Err(Problem::UnknownPerson));
    assert_eq!(link("ben").await, Ok(()));
    assert_eq!(t.verdict(&private).await, "waiting");
    let id = t.id_of(&private).await;
    let page = ben.browser.page(&t, &format!("/changes/{id}")).await;
    assert!(
        page.contains("as is known now, they had a hand in the change (author of the change)"),
        "{page}"
    );
    let page = grace.people("?q=BENS-priv").await;
    assert!(
        page.contains("proved") && page.contains("by hand"),
        "{page}"
    );
    assert!(
        page.contains("Everybody who had a hand in a change"),
        "{page}"
    );
    let by = "event where kind = 'person.linked' and data ->> 'by' is not null";
    assert_eq!(t.count(by).await, 1, "the event says which admin");
    let key = format!("email:{account}");
    let fields = [("person", &*ben.id.to_string()), ("account", &key)];
    for _ in 0..2 {
        assert_eq!(grace.says("unlink-account", &fields).await, Ok(()));
    }
    assert_eq!(t.count("event where kind = 'person.unlinked'").await, 1);
    assert!(!ben.people("").await.contains("bens-private"));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn nobody_says_with_proof_which_accounts_are_their_own(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let grace = t.admin("grace").await;
    let id = grace.id.to_string();
    let theirs = [("who", "grace"), ("account", "boss@halden.example")];
    let held = [("person", &*id), ("account", "email:grace@halden.example")];
    for (call, fields) in [("link-account", theirs), ("unlink-account", held)] {
        assert_eq!(grace.says(call, &fields).await, Err(Problem::OwnAccount));
    }
    assert!(grace.people("").await.contains("grace@halden.example"));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn an_address_that_somebody_names_as_theirs_bars_them_and_gives_nothing(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let ben = t.senior("ben").await;
    let fields = [("account", "Home@Halden.example")];
    assert_eq!(ben.says("name-account", &fields).await, Ok(()));
    let nothing = ben.says("name-account", &[("account", "two words")]).await;
    assert_eq!(nothing, Err(Problem::NotAnAccount));
    let page = ben.people("").await;
    assert!(page.contains("home@halden.example") && page.contains("own word"));
    let his = change().by("home");
    t.ci().await.submit(&his).await;
    assert_eq!(t.verdict(&his).await, "waiting");
    assert_eq!(
        ben.presses(Kind::Approve, &his, "").await,
        Err(Problem::Contributor(Role::ChangeAuthor))
    );
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn whose_address_somebody_calls_theirs_is_for_everybody_else_still_nobodys(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let (ben, mika) = (t.senior("ben").await, t.senior("mika").await);
    let (grace, account) = (t.admin("grace").await, "ghost@halden.example");
    let ghosts = change().by("ghost");
    t.ci().await.submit(&ghosts).await;
    // Mika does Ben a favour: were the ghost known to be Mika, nobody would ask Ben whether he is it.
    let favour = [("account", account)];
    assert_eq!(mika.says("name-account", &favour).await, Ok(()));
    let barred = mika.presses(Kind::Approve, &ghosts, "").await;
    assert_eq!(barred, Err(Problem::Contributor(Role::ChangeAuthor)));
    let form = ben.reads(&ghosts).await.press(Kind::Approve);
    let silent = ben.calls(&form.without("none_of_these_is_me")).await.said();
    assert_eq!(silent, (422, Some(Problem::SayNoneIsYou)));
    let path = format!("/changes/{}", t.id_of(&ghosts).await);
    let page = ben.browser.page(&t, &path).await;
    assert!(page.contains("nobody we know; mika calls the address theirs"));
    let strangers = grace.people("").await;
    let (_, strangers) = strangers.split_once("id=\"strangers\"").unwrap();
    assert!(strangers.contains(account), "{strangers}");
    // Nor is anything that is meant for the ghost given to Mika.
    let fields = [("who", account), ("account", "ghost@home.example")];
    let unknown = grace.says("link-account", &fields).await;
    assert_eq!(unknown, Err(Problem::UnknownPerson));
    assert_eq!(ben.sends(&form).await.outcome(), Ok(()));
    assert_eq!(t.verdict(&ghosts).await, "approved");
    // Said by an admin it is known, and asked of nobody any more.
    let fields = [("who", "mika"), ("account", account)];
    assert_eq!(grace.says("link-account", &fields).await, Ok(()));
    let page = ben.browser.page(&t, &path).await;
    assert!(!page.contains("None of these is me"));
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn people_are_found_by_what_is_known_of_them_a_page_at_a_time(pool: PgPool) {
    let t = TestServer::new(pool).await;
    let grace = t.admin("grace").await;
    sqlx::query(
        "insert into person (id, issuer, subject, name, created_at)
         select gen_random_uuid(), 'x', n::text, case when n % 2 = 0 then 'Somebody' else 'somebody' end, now() from generate_series(1, 60) n",
    )
    .execute(&t.owner)
    .await
    .unwrap();
    let rows = |page: &str| page.matches("<tr>").count() - 1;
    assert_eq!(rows(&grace.people("?q=GRACE%40").await), 1);
    let first = grace.people("?q=somebody").await;
    assert_eq!(rows(&first), 50);
    let (_, next) = first.split_once("href=\"/people?").unwrap();
    let next = next.split_once('"').unwrap().0.replace("&amp;", "&");
    let second = grace.people(&format!("?{next}")).await;
    assert_eq!(rows(&second), 10);
    assert!(!second.contains("Next"), "{second}");
    assert!(
        grace
            .people("?q=nobody-is")
            .await
            .contains("Nobody matches.")
    );
}
