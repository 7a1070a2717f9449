//! Browsers without scripts, and islands of those with them: what a page's form holds, and what comes back when it is sent.

use super::TestServer;
use domain::{decision::Kind, ids::FormKey, problem::Problem};
use leptos::server_fn::error::ServerFnUrlError;
use reqwest::{
    Client, RequestBuilder, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, ORIGIN, REFERER},
    redirect::Policy,
};

/// A browser in which somebody's session is open.
#[derive(Clone)]
pub struct Browser {
    http: Client,
    session: String,
}

impl Browser {
    /// A browser whose session cookie holds this.
    pub fn with_session(session: &str) -> Self {
        // Without a provider for TLS there is no client, even for plain http.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .redirect(Policy::none())
            .timeout(std::time::Duration::from_secs(60))
            .build();
        Self {
            http: http.unwrap(),
            session: session.to_owned(),
        }
    }

    /// What a page says, which must be there.
    pub async fn page(&self, t: &TestServer, path: &str) -> String {
        let answer = self.opens(&t.at(path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        answer.text
    }

    /// What there is at an address.
    pub async fn opens(&self, address: &str) -> Answer {
        let request = self.http.get(address).header(ACCEPT, HTML);
        Answer::to(self.signed_in(request)).await
    }

    /// Sends a form that stands on the page of its change.
    pub async fn send(&self, t: &TestServer, form: &Form) -> Answer {
        Answer::to(self.posting(t, form)).await
    }

    /// The request of a form, to be bent.
    pub fn posting(&self, t: &TestServer, form: &Form) -> RequestBuilder {
        let page = t.at(&format!("/changes/{}", form.value("change")));
        self.posting_from_nowhere(t, form).header(REFERER, page)
    }

    /// The same of a browser that keeps to itself on which page the form stands.
    pub fn posting_from_nowhere(&self, t: &TestServer, form: &Form) -> RequestBuilder {
        let request = self.http.post(t.at(&form.action)).header(ACCEPT, HTML);
        self.signed_in(request)
            .header(ORIGIN, t.at(""))
            .header(CONTENT_TYPE, URLENCODED)
            .body(form.encoded())
    }

    /// Sends fields to a call as the plain form of a page does that stands at `from`.
    pub async fn submits(
        &self,
        t: &TestServer,
        from: &str,
        call: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self.http.post(t.at(call)).header(ACCEPT, HTML);
        let request = self
            .signed_in(request)
            .header(ORIGIN, t.at(""))
            .header(REFERER, t.at(from))
            .header(CONTENT_TYPE, URLENCODED);
        Answer::to(request.body(body)).await
    }

    /// Sends it as an island does: by a script that can read refusals.
    pub async fn call(&self, t: &TestServer, form: &Form) -> Answer {
        let request = self.http.post(t.at(&form.action));
        let request = self
            .signed_in(request)
            .header(ACCEPT, "application/json")
            .header("sec-fetch-site", "same-origin")
            .header(CONTENT_TYPE, URLENCODED)
            .body(form.encoded());
        Answer::to(request).await
    }

    /// Sends it as no browser does: without a word on where the form stands.
    pub async fn silently(&self, t: &TestServer, form: &Form) -> Answer {
        let request = self.http.post(t.at("/fn/decide"));
        let request = self.signed_in(request).header(CONTENT_TYPE, URLENCODED);
        Answer::to(request.body(form.encoded())).await
    }

    /// Follows a link that carries the fields of the form.
    pub async fn following(&self, t: &TestServer, form: &Form) -> Answer {
        let link = t.at(&format!("/fn/decide?{}", form.encoded()));
        Answer::to(self.signed_in(self.http.get(link))).await
    }

    /// With the session of this browser.
    pub fn signed_in(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(COOKIE, format!("countersign={}", self.session))
    }
}

const HTML: &str = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
const URLENCODED: &str = "application/x-www-form-urlencoded";

/// A form as a page has it, and what somebody does to it before they send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    action: String,
    fields: Vec<(String, String)>,
}

impl Form {
    /// The decision form of a page.
    pub fn on(page: &str) -> Self {
        let mut forms = Self::all(page, "class=\"sign\"").into_iter();
        forms.next().expect("a decision form")
    }

    /// The forms of a page of whose opening tag this is a part: enough HTML for pages that we wrote ourselves.
    pub fn all(page: &str, opening: &str) -> Vec<Self> {
        let forms = page.split("<form").skip(1);
        let forms = forms.map(|rest| rest.split_once("</form>").unwrap().0);
        forms
            .filter_map(|form| form.split_once('>'))
            .filter(|(tag, _)| tag.contains(opening))
            .map(|(tag, body)| Self::of(tag, body))
            .collect()
    }

    fn of(tag: &str, body: &str) -> Self {
        let inputs = body.split("<input").skip(1);
        // Whoever reads a page in these stories ticks what its form asks them to say.
        let filled = inputs
            .map(|input| input.split_once('>').unwrap().0)
            .filter(|input| matches!(attribute(input, "type"), Some("hidden" | "checkbox")));
        let field = |input| {
            let [name, value] = ["name", "value"].map(|of| attribute(input, of).unwrap());
            (name.to_owned(), value.to_owned())
        };
        Self {
            action: attribute(tag, "action").unwrap().to_owned(),
            fields: filled.map(field).collect(),
        }
    }

    /// With another value of a field.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut form = self.clone();
        form.fields.retain(|(known, _)| known != name);
        form.fields.push((name.to_owned(), value.to_owned()));
        form
    }

    /// Without a field.
    pub fn without(&self, name: &str) -> Self {
        let mut form = self.clone();
        form.fields.retain(|(known, _)| known != name);
        form
    }

    /// With a button pressed.
    pub fn press(&self, kind: Kind) -> Self {
        self.with("kind", kind.as_str())
    }

    /// With a reason written.
    pub fn because(&self, why: &str) -> Self {
        self.with("reason", why)
    }

    /// The same form of the page loaded once more.
    pub fn anew(&self) -> Self {
        self.with("form_key", &FormKey(store::ids::new()).0.to_string())
    }

    /// What a field holds.
    pub fn value(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(known, _)| known == name);
        &field.unwrap_or_else(|| panic!("no `{name}` in {self:?}")).1
    }

    /// As the body of a request.
    pub fn encoded(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.fields)
            .finish()
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0)
}

/// What came back to a browser.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// The answer to a request.
    pub async fn to(request: RequestBuilder) -> Self {
        Self::try_to(request).await.unwrap()
    }

    /// The answer to a request that may get none.
    pub async fn try_to(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        Ok(Self {
            status,
            headers,
            text,
        })
    }

    /// Where it leads: the path and query of an address of ours, or anybody's whole address.
    pub fn leads_to(&self) -> &str {
        let location = self.headers.get(LOCATION);
        location
            .unwrap_or_else(|| panic!("leads nowhere: {self:?}"))
            .to_str()
            .unwrap()
    }

    /// What became of a form that a browser without scripts sent: it is led back to the page of the change, and where it
    /// was refused by the closed word in the address.
    ///
    /// # Errors
    /// That word.
    pub fn outcome(&self) -> Result<(), Problem> {
        self.outcome_at("/changes/")
    }

    /// The same for a form of a page whose address begins so.
    ///
    /// # Errors
    /// That word.
    pub fn outcome_at(&self, page: &str) -> Result<(), Problem> {
        assert_eq!(self.status, StatusCode::FOUND, "{self:?}");
        let base = url::Url::parse("http://countersign.example").unwrap();
        let url = base.join(self.leads_to()).unwrap();
        assert!(url.path().starts_with(page), "{url}");
        let said = |wanted: &str| {
            let mut pairs = url.query_pairs();
            pairs.find_map(|(name, value)| (name == wanted).then(|| value.into_owned()))
        };
        match (said("moved"), said("__err")) {
            (Some(_), _) => Err(Problem::ChangedSinceYouLooked),
            (None, Some(word)) => {
                Err(ServerFnUrlError::<app::actions::Refusal>::decode_err(&word).0)
            }
            (None, None) => {
                assert_eq!(url.query(), None, "what is done leads to its page");
                Ok(())
            }
        }
    }

    /// What an island reads: the status, and the word of a refusal.
    pub fn said(&self) -> (u16, Option<Problem>) {
        let word = serde_json::from_str::<Problem>(&self.text).ok();
        (self.status.as_u16(), word)
    }
}
