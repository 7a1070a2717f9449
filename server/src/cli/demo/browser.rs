//! A browser without scripts: signs somebody in at the OpenID provider, and fills in the decision form of a page.

use super::week::Decision;
use anyhow::{Context, bail};
use reqwest::{RequestBuilder, Response, StatusCode, header, redirect};
use std::time::Duration;
use url::Url;
use uuid::Uuid;

/// Somebody who is signed in.
pub struct Browser {
    http: reqwest::Client,
    server: Url,
}

impl Browser {
    /// Signs in as `login` at the provider, by the button that it has for each.
    pub async fn sign_in(server: &Url, provider: &Url, login: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(redirect::Policy::limited(10))
            .timeout(Duration::from_secs(30))
            .build()?;
        let browser = Self {
            http,
            server: server.clone(),
        };
        let start = browser.server.join("auth/start?next=/")?;
        let choice = browser.sent(|| browser.http.get(start.clone())).await?;
        let at = choice.url().clone();
        if at.origin() != provider.origin() {
            bail!("the server sent us to {at} and not to the provider at {provider}");
        }
        let landed = browser
            .sent(|| browser.submit(&at, &[("login", login)]))
            .await?;
        if landed.url().origin() != browser.server.origin() {
            bail!("the provider did not send us back, but to {}", landed.url());
        }
        Ok(browser)
    }

    /// Decides about what the change's page shows now. False if the page has no button for such a decision.
    pub async fn decide(&self, change: Uuid, decision: &Decision) -> anyhow::Result<bool> {
        let (kind, reason) = decision
            .kind_and_reason()
            .context("a decision decides nothing")?;
        let at = self.server.join(&format!("changes/{change}"))?;
        let page = self
            .sent(|| self.http.get(at.clone()))
            .await?
            .text()
            .await?;
        let Some(form) = Form::on(&page, "/fn/decide", kind) else {
            return Ok(false);
        };
        let mut fields: Vec<(&str, &str)> = form
            .hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        fields.extend([("reason", reason), ("kind", kind)]);
        if let Some(incident) = &decision.incident {
            fields.push(("incident", incident));
        }
        let action = self.server.join(&form.action)?;
        let answer = self
            .sent(|| {
                self.submit(&action, &fields)
                    .header(header::REFERER, at.as_str())
            })
            .await?;
        // A refusal leads back to the page with a code in the address.
        match answer.url().query() {
            None => Ok(true),
            Some(refusal) => bail!("the server refused to {kind}: {refusal}"),
        }
    }

    fn submit(&self, to: &Url, fields: &[(&str, &str)]) -> RequestBuilder {
        self.http
            .post(to.clone())
            .header(header::ORIGIN, to.origin().ascii_serialization())
            .header("sec-fetch-site", "same-origin")
            .form(fields)
    }

    /// Sends a request, again if it was one too many in a short time.
    async fn sent(&self, request: impl Fn() -> RequestBuilder) -> anyhow::Result<Response> {
        for _ in 0..30 {
            let response = request().header(header::ACCEPT, "text/html").send().await?;
            if response.status() != StatusCode::TOO_MANY_REQUESTS {
                let (status, url) = (response.status(), response.url().path().to_owned());
                return response
                    .error_for_status()
                    .with_context(|| format!("{url} answered {status}"));
            }
            let seconds = response.headers().get(header::RETRY_AFTER);
            let seconds = seconds
                .and_then(|value| value.to_str().ok()?.parse().ok())
                .unwrap_or(1);
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
        bail!("the server keeps saying that we ask too often")
    }
}

/// A form as a page has it: enough HTML for pages that we wrote ourselves.
#[derive(Debug, Default, PartialEq, Eq)]
struct Form {
    action: String,
    hidden: Vec<(String, String)>,
    /// Values of the buttons called `kind` that can be pressed.
    buttons: Vec<String>,
}

impl Form {
    /// The first form whose action begins so and that has a button for such a decision: an override has a form of its own.
    fn on(page: &str, action: &str, kind: &str) -> Option<Self> {
        page.split("<form").skip(1).find_map(|rest| {
            let (opening, rest) = rest.split_once('>')?;
            let found = attribute(opening, "action").filter(|found| found.starts_with(action))?;
            let (body, _) = rest.split_once("</form>")?;
            let mut form = Form {
                action: found,
                ..Form::default()
            };
            for tag in body
                .split('<')
                .filter_map(|tag| tag.split_once('>'))
                .map(|(tag, _)| tag)
            {
                form.take(tag);
            }
            form.buttons
                .iter()
                .any(|value| value == kind)
                .then_some(form)
        })
    }

    fn take(&mut self, tag: &str) {
        let value = attribute(tag, "value").unwrap_or_default();
        let name = attribute(tag, "name");
        if tag.starts_with("input")
            && matches!(
                attribute(tag, "type").as_deref(),
                Some("hidden" | "checkbox")
            )
        {
            self.hidden.extend(name.map(|name| (name, value)));
        } else if tag.starts_with("button")
            && name.as_deref() == Some("kind")
            && !tag.contains(" disabled")
        {
            self.buttons.push(value);
        }
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(
        value
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_with_the_button_is_read_off_a_page() {
        let page = r#"<form action="/search"><input name="q"></form>
            <form action="/fn/decide" method="post"><button name="kind" value="override">O</button></form>
            <form class="sign" action="/fn/decide" method="post">
            <input type="hidden" name="digest" value="a&amp;b"/><!--x--><textarea name="reason"></textarea>
            <button class="btn" name="kind" value="reject" disabled>R</button><button name="kind" value="approve">A</button></form>"#;
        let form = Form::on(page, "/fn/decide", "approve").unwrap();
        assert_eq!(form.action, "/fn/decide");
        assert_eq!(form.hidden, [("digest".to_owned(), "a&b".to_owned())]);
        assert_eq!(form.buttons, ["approve"]);
        assert!(Form::on(page, "/fn/decide", "override").is_some());
        assert_eq!(
            Form::on(page, "/fn/decide", "reject"),
            None,
            "it cannot be pressed"
        );
        assert_eq!(Form::on(page, "/fn/other", "approve"), None);
    }
}
