//! Every address of the router × everybody who may ask × a repository that is not there, that is for one team, that is for
//! everybody. What is not for somebody to see is answered byte for byte as what does not exist.

use crate::{
    support::{
        TestServer,
        changes::{Change, change, patch, sha},
        machines::Machine,
        people::Human,
    },
    surface::{NOBODYS, routes},
};
use domain::{
    decision::Kind,
    people::{Level, Role},
    token::Scope,
};
use futures::future::join_all;
use reqwest::{Client, Method, RequestBuilder, header, redirect::Policy};
use serde_json::json;
use sqlx::PgPool;
use std::collections::BTreeMap;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role8 {
    Stranger,
    Junior,
    /// A senior of the team for which the repository is.
    Inside,
    /// A senior of another team.
    Outside,
    Manager,
    Admin,
    /// A pipeline with a token for the repository, and every scope.
    ItsToken,
    /// The same for another repository.
    OtherToken,
}
use Role8::{Admin, Inside, ItsToken, Junior, Manager, OtherToken, Outside, Stranger};

const ROLES: [Role8; 8] = [
    Stranger, Junior, Inside, Outside, Manager, Admin, ItsToken, OtherToken,
];

/// Whom an address tells anything of a repository that is there, where they may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tells {
    Nobody,
    People,
    Admins,
    Tokens,
}

impl Tells {
    /// Whether this one learns that the repository is there, which is for everybody or only for its team.
    fn is_told(self, who: Role8, for_everybody: bool) -> bool {
        match (self, who) {
            (Tells::Nobody, _) => false,
            (Tells::Tokens, _) => who == ItsToken,
            (Tells::Admins, _) => who == Admin,
            (Tells::People, Inside | Admin) => true,
            (Tells::People, Junior | Outside | Manager) => for_everybody,
            (Tells::People, Stranger | ItsToken | OtherToken) => false,
        }
    }
}

/// One request: `{id}` in it stands for the change of that repository, `{open}` for one of another that all may see.
struct Question {
    path: String,
    body: Option<(&'static str, String)>,
    headers: Vec<(&'static str, &'static str)>,
    tells: Tells,
}

fn get(path: &str, tells: Tells) -> Question {
    Question {
        path: path.to_owned(),
        body: None,
        headers: vec![],
        tells,
    }
}

/// A form of a page of the repository.
fn form(call: &str, fields: &[(&str, &str)], tells: Tells) -> Question {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    // So that ids can be put in.
    let body = body.replace("%7B", "{").replace("%7D", "}");
    Question {
        body: Some(("application/x-www-form-urlencoded", body)),
        headers: vec![("sec-fetch-site", "same-origin")],
        ..get(call, tells)
    }
}

fn send(path: &str, kind: &'static str, body: &str, tells: Tells) -> Question {
    Question {
        body: Some((kind, body.to_owned())),
        ..get(path, tells)
    }
}

const DIGEST: &str = "00000000000000000000000000000000000000000000000000000000000000aa";
const POLICY: &str = "/api/v1/repositories/acme/closed/policy";
const READERS: &str = "/api/v1/repositories/acme/closed/readers";
const TOML: &str = "application/toml";

/// What is asked at each address. None of it writes anything but a draft, whoever asks: forms and bodies are wrong in what
/// is looked at after the repository was.
fn questions(method: &Method, route: &str) -> Vec<Question> {
    use Tells::{Admins, Nobody, People, Tokens};
    let its = ("repository", "acme/closed");
    match (method.as_str(), route) {
        // Who comes in or goes reads nothing, and files are the same for everybody.
        (_, "/livez" | "/readyz" | "/sign-in" | "/sign-out" | "/auth/start" | "/auth/callback") => {
            vec![]
        }
        (_, "/pkg/{name}" | "/docs") => vec![],
        // Takes and tells nothing back; strangers are refused before anything is read.
        ("POST", "/hooks/{host}") => vec![],
        ("GET", "/openapi.json") => vec![get("/openapi.json", Nobody)],
        ("GET", "/") => vec![
            get("/", People),
            get("/?q=repo:closed", People),
            get("/?q=Vaults", People),
            get("/?q=author:hidden", People),
        ],
        ("GET", "/changes/{id}") => vec![
            get("/changes/{id}", People),
            get("/changes/{id}?revision=1", People),
            get(&format!("/changes/{{id}}?moved={DIGEST}"), People),
            // Names who could be asked, whoever has least to do first.
            get("/changes/{open}", Nobody),
        ],
        ("GET", "/changes/{id}/patch") => vec![
            get("/changes/{id}/patch", People),
            get("/changes/{id}/patch?revision=1", People),
        ],
        ("GET", "/decisions") => vec![
            get("/decisions", People),
            get("/decisions?repository=acme/closed", People),
            get("/decisions?by=inside&kind=approve", People),
        ],
        ("GET", "/repositories") => vec![
            get("/repositories", People),
            get("/repositories?after=acme/c", People),
        ],
        ("GET", "/repositories/{*name}") => vec![
            get("/repositories/acme/closed", People),
            get("/repositories/ACME/Closed?change=7&draft=1", People),
        ],
        ("GET", "/people") => vec![get("/people", Admins), get("/people?q=inside", Admins)],
        // What hosts sent, for admins; nothing was sent here.
        ("GET", "/deliveries") => vec![get("/deliveries", Nobody)],
        ("POST", "/fn/work-again") => vec![form(route, &[("delivery", NOBODYS)], Nobody)],
        ("POST", "/fn/decide") => Kind::ALL
            .into_iter()
            .map(|kind| {
                let fields = [
                    ("change", "{id}"),
                    ("digest", DIGEST),
                    ("form_key", NOBODYS),
                    ("kind", kind.as_str()),
                ];
                form(route, &fields, People)
            })
            .collect(),
        ("POST", "/fn/settle") => vec![form(
            route,
            &[
                ("change", "{id}"),
                ("digest", DIGEST),
                ("disputed", DIGEST),
                ("stored_is_true", "true"),
            ],
            People,
        )],
        ("POST", "/fn/draft-policy") => vec![form(route, &[its, ("text", "x")], Admins)],
        ("POST", "/fn/set-policy") => {
            vec![form(
                route,
                &[its, ("base", "x:0"), ("digest", "x")],
                Admins,
            )]
        }
        ("POST", "/fn/unset-policy") => vec![form(route, &[its, ("base", "x:0")], Admins)],
        ("POST", "/fn/rule-policy") => vec![form(
            route,
            &[its, ("version", "1"), ("confirmed", "true")],
            Admins,
        )],
        ("POST", "/fn/set-mode") => vec![form(
            route,
            &[its, ("days", "0"), ("observe", "true"), ("reason", "x")],
            Admins,
        )],
        ("POST", "/fn/set-readers") => vec![form(
            route,
            &[its, ("everybody", "false"), ("teams", ","), ("reason", "x")],
            Admins,
        )],
        ("POST", "/fn/link-account") => vec![form(
            route,
            &[("who", "nobody"), ("account", "hidden@halden.example")],
            Nobody,
        )],
        ("POST", "/fn/unlink-account") => vec![form(
            route,
            &[
                ("person", NOBODYS),
                ("account", "email:hidden@halden.example"),
            ],
            Nobody,
        )],
        ("POST", "/fn/name-account") => vec![form(route, &[("account", "two words")], Nobody)],
        ("POST", "/fn/stand-in") => vec![form(
            route,
            &[
                ("who", "inside"),
                ("repositories", "acme/closed"),
                ("until", "2020-01-01"),
                ("reason", "x"),
            ],
            Nobody,
        )],
        ("POST", "/fn/end-stand-in") => vec![form(route, &[("id", NOBODYS)], Nobody)],
        ("POST", "/fn/theme") => vec![form(route, &[("theme", "?")], Nobody)],

        ("GET", "/api/v1/gate") => ["", "&environment=vault"]
            .map(|more| {
                let hidden = sha("hidden");
                let asked = format!("/api/v1/gate?repository=acme/closed&commit={hidden}{more}");
                get(&asked, Tokens)
            })
            .into(),
        // As of a snapshot from before anything was there.
        ("GET", "/api/v1/gate/past") => vec![get(
            &format!(
                "/api/v1/gate/past?repository=acme/closed&commit={}&as_of=2026-11-20T12:00:00Z/3:3:",
                sha("hidden")
            ),
            Nobody,
        )],
        ("POST", "/api/v1/gate") => vec![send(
            route,
            "application/json",
            &json!({ "repository": "acme/closed", "commits": [sha("hidden")] }).to_string(),
            Tokens,
        )],
        ("POST", "/api/v1/deployments") => {
            vec![send(route, "application/json", "{}", Nobody)]
        }
        ("PUT", "/api/v1/changes") => vec![send(
            route,
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"change\"\r\n\r\n{}\r\n--b--\r\n",
            Nobody,
        )],
        ("GET", "/api/v1/changes" | "/api/v1/changes/{id}") => vec![get(route, Tokens)],
        ("GET", "/api/v1/changes/{id}/revisions" | "/api/v1/changes/{id}/decisions") => {
            vec![get(route, Tokens)]
        }
        ("GET", "/api/v1/changes/{id}/marks" | "/api/v1/decisions") => vec![get(route, Tokens)],
        ("GET", "/api/v1/repositories/{owner}/{name}/policy") => vec![get(POLICY, Tokens)],
        ("PUT", "/api/v1/repositories/{owner}/{name}/policy") => {
            vec![send(POLICY, TOML, "nothing", Nobody)]
        }
        ("DELETE", "/api/v1/repositories/{owner}/{name}/policy") => vec![Question {
            headers: vec![("if-match", "\"x\"")],
            ..get(POLICY, Tokens)
        }],
        ("POST", "/api/v1/repositories/{owner}/{name}/policy/try") => {
            let (text, path) = (crate::policies::NOTHING, format!("{POLICY}/try"));
            vec![
                send(&path, TOML, text, Tokens),
                send(&format!("{path}?change=7"), TOML, text, Tokens),
            ]
        }
        ("GET", "/api/v1/repositories/{owner}/{name}/readers") => vec![get(READERS, Tokens)],
        ("PUT", "/api/v1/repositories/{owner}/{name}/readers") => {
            vec![send(READERS, "application/json", "{}", Nobody)]
        }
        _ => panic!("{method} {route} is new: say here what it tells of a repository, and to whom"),
    }
}

/// Everybody who asks, and a repository that all of them but strangers may see.
struct World {
    t: TestServer,
    http: Client,
    people: BTreeMap<Role8, Human>,
    tokens: BTreeMap<Role8, Machine>,
    open: String,
}

impl World {
    async fn new(pool: PgPool) -> Self {
        let t = TestServer::new(pool).await;
        let people = [
            (Junior, t.junior("junior").await),
            (
                Inside,
                t.signs_in("inside", Some(Level::Senior), &["vault"], vec![])
                    .await,
            ),
            (Outside, t.senior("outside").await),
            (
                Manager,
                t.signs_in("manager", None, &["payments"], vec![Role::Manager])
                    .await,
            ),
            (Admin, t.admin("admin").await),
        ];
        let tokens = [
            (ItsToken, t.machine(&Scope::ALL, "acme/closed").await),
            (OtherToken, t.machine(&Scope::ALL, "acme/payments").await),
        ];
        let ci = t.ci().await;
        let open = ci.submit(&change()).await.json["change"].to_string();
        ci.submit(&change().key("143").pushed("c2")).await;
        people[2].1.approve(&change().key("143")).await;
        // Somebody new: who can be asked is found anew, with as much to do as they have by now.
        t.senior("zoe").await;
        Self {
            http: Client::builder().redirect(Policy::none()).build().unwrap(),
            people: people.into(),
            tokens: tokens.into(),
            open: open.trim_matches('"').to_owned(),
            t,
        }
    }

    /// Enters the repository, first of all for whom it is, and lets something happen in it. Says the id of its change.
    async fn enter(&self) -> String {
        let token = &self.tokens[&ItsToken];
        let only = json!({ "teams": ["vault"], "reason": "the vault" });
        let put = token.http.put(self.t.at(READERS)).json(&only);
        assert_eq!(token.send(put).await.status, 200);
        let policy = token
            .http
            .put(self.t.at(POLICY))
            .header("content-type", TOML);
        let policy = policy.body(crate::policies::asking(2, "senior"));
        assert_eq!(token.send(policy).await.status, 200);
        let hidden = hidden();
        let id = token.submit(&hidden).await.json["change"].clone();
        let id = id.as_str().unwrap().to_owned();
        let report = json!({
            "repository": "acme/closed", "environment": "vault", "commits": [sha("hidden"), sha("more")], "key": "1",
        });
        let reported = token.post("/api/v1/deployments", report).await;
        assert_eq!(reported.json["unsanctioned"], 2, "{reported:?}");
        let inside = &self.people[&Inside];
        let page = inside
            .browser
            .page(&self.t, &format!("/changes/{id}"))
            .await;
        let form = crate::support::browsers::Form::on(&page).press(Kind::Approve);
        assert_eq!(inside.sends(&form).await.outcome(), Ok(()));
        id
    }

    /// What everybody is answered everywhere.
    async fn asked(&self, change: &str) -> BTreeMap<(String, Role8), (Tells, String)> {
        let mut answers = BTreeMap::new();
        for (route, methods) in routes(&self.t) {
            for method in methods.iter().filter(|method| **method != Method::HEAD) {
                for question in questions(method, &route) {
                    let with_head = *method == Method::GET;
                    for method in [method.clone(), Method::HEAD] {
                        if method == Method::HEAD && !with_head {
                            continue;
                        }
                        let ask = ROLES.map(|who| self.answer(&question, &method, who, change));
                        let name = format!("{method} {} {:?}", question.path, question.body);
                        for (who, answer) in ROLES.into_iter().zip(join_all(ask).await) {
                            answers.insert((name.clone(), who), (question.tells, answer));
                        }
                    }
                }
            }
        }
        answers
    }

    async fn answer(&self, asked: &Question, method: &Method, who: Role8, change: &str) -> String {
        let fill = |text: &str| text.replace("{id}", change).replace("{open}", &self.open);
        let mut request = self
            .http
            .request(method.clone(), self.t.at(&fill(&asked.path)));
        for (name, value) in &asked.headers {
            request = request.header(*name, *value);
        }
        if let Some((kind, body)) = &asked.body {
            request = request.header(header::CONTENT_TYPE, *kind).body(fill(body));
        }
        let response = self.as_one(request, who).send().await.unwrap();
        let mut said = format!("{}\n", response.status());
        for (name, value) in response.headers() {
            if !["date", "x-request-id"].contains(&name.as_str()) {
                said += &format!("{name}: {}\n", value.to_str().unwrap());
            }
        }
        without_chance(&(said + &response.text().await.unwrap()))
    }

    fn as_one(&self, request: RequestBuilder, who: Role8) -> RequestBuilder {
        let request = request.header(header::ACCEPT, "text/html");
        if let Some(human) = self.people.get(&who) {
            return human.browser.signed_in(request);
        }
        match self.tokens.get(&who) {
            Some(machine) => request.bearer_auth(&machine.secret),
            None => request,
        }
    }
}

/// A change whose every word would be noticed elsewhere.
fn hidden() -> Change {
    Change {
        patch: patch("hidden line"),
        ..change().key("7").pushed("hidden").by("hidden")
    }
    .with(json!({ "repository": "acme/closed", "title": "Vaults overflow" }))
}

/// Without what is another at every answer: ids, which say nothing by themselves, and nonces.
fn without_chance(answer: &str) -> String {
    let mut said = String::with_capacity(answer.len());
    let mut rest = answer;
    while let Some(first) = rest.chars().next() {
        let nonce = said.ends_with("nonce-") || said.ends_with("nonce=\"");
        let skipped = match rest.get(..36) {
            _ if nonce => NONCE,
            Some(text) if uuid::Uuid::parse_str(text).is_ok() => 36,
            _ => 0,
        };
        said.push(if skipped == 0 { first } else { '…' });
        rest = &rest[skipped.max(first.len_utf8())..];
    }
    said
}

/// The length of a nonce.
const NONCE: usize = 22;

/// Compares each answer with the one of when there was nothing.
fn compare(
    before: &BTreeMap<(String, Role8), (Tells, String)>,
    now: &BTreeMap<(String, Role8), (Tells, String)>,
    for_everybody: bool,
) {
    assert_eq!(before.len(), now.len());
    let mut wrong = Vec::new();
    for ((question, who), (tells, answer)) in now {
        let was = &before[&(question.clone(), *who)].1;
        if !tells.is_told(*who, for_everybody) {
            // Where everybody may see it, what is elsewhere may follow from it: whoever decided there has more to do.
            if answer != was && (!for_everybody || *who == Stranger) {
                wrong.push(format!("{who:?} is told by {question}"));
            }
        } else if answer == was && !question.starts_with("HEAD") {
            wrong.push(format!("{who:?} is not told by {question}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[sqlx::test(migrator = "store::MIGRATOR")]
async fn what_somebody_may_not_see_is_answered_as_what_does_not_exist(pool: PgPool) {
    let world = World::new(pool).await;
    let before = world.asked(NOBODYS).await;
    let change = world.enter().await;
    let restricted = world.asked(&change).await;
    compare(&before, &restricted, false);
    for ((question, who), (_, answer)) in &restricted {
        let sees = [Inside, Admin, ItsToken].contains(who);
        for word in ["overflow", "hidden line", &sha("hidden")] {
            assert!(sees || !answer.contains(word), "{who:?}, {question}");
        }
    }

    let token = &world.tokens[&ItsToken];
    let all = json!({ "teams": null, "reason": "no secret any more" });
    let put = token.http.put(world.t.at(READERS)).json(&all);
    assert_eq!(token.send(put).await.status, 200);
    compare(&before, &world.asked(&change).await, true);
}
