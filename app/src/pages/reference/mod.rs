//! The reference of the REST API, from the same document that `/openapi.json` gives to tools.

mod document;

use std::{fmt::Write as _, sync::Arc};

use domain::{ids::PersonId, problem::Problem};
use leptos::prelude::*;

pub use self::document::Document;
use self::document::{Body, Method, Operation, Parameter, Schema};
use crate::{
    actions::Theme,
    caller::{Site, failed, viewer},
    components::{
        frame::{Frame, Place, Viewer},
        title::PageTitle,
    },
};

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct ReferencePage {
    /// Who is looking.
    pub viewer: Viewer,
    /// What can be asked of this server.
    pub document: Arc<Document>,
}

/// Reads who is looking; what they see is the same for everybody who is signed in.
pub async fn load(
    site: Site,
    caller: Result<PersonId, Problem>,
    theme: Theme,
) -> Result<ReferencePage, Problem> {
    let mut tx = site.db.read().await.map_err(failed)?;
    Ok(ReferencePage {
        viewer: viewer(&mut tx, &site, caller?, theme).await?,
        document: site.reference,
    })
}

/// The whole page.
pub fn show(page: ReferencePage) -> AnyView {
    let ReferencePage { viewer, document } = page;
    let groups = document
        .tags
        .iter()
        .map(|tag| group(&document, &tag.name, &tag.description))
        .collect_view();
    view! {
        <PageTitle text="API"/>
        <Frame viewer at=Place::Elsewhere>
            <main id="main" class="page reference">
                <header>
                    <div>
                        <h1>"API"</h1>
                        <p>{prose(&document.info.description)} " Tools read " <a href="/openapi.json" rel="external">"openapi.json"</a> "."</p>
                    </div>
                </header>
                {contents(&document)}
                {groups}
                <section aria-labelledby="shapes">
                    <h2 id="shapes">"Shapes"</h2>
                    {document.components.schemas.iter().map(|(name, schema)| shape(name, schema)).collect_view()}
                </section>
            </main>
        </Frame>
    }
    .into_any()
}

/// All that can be asked, to jump to.
fn contents(document: &Document) -> AnyView {
    let line = |tag: &str| {
        let links = of_group(document, tag)
            .map(|(path, method, operation)| {
                view! { <li><a href=format!("#{}", operation.operation_id)><code>{method.as_str()} " " {path.to_owned()}</code></a></li> }
            })
            .collect_view();
        view! { <li>{tag.to_owned()}<ul>{links}</ul></li> }
    };
    let groups = document.tags.iter().map(|tag| line(&tag.name));
    view! { <nav class="contents" aria-label="Operations"><ul>{groups.collect_view()}</ul></nav> }
        .into_any()
}

fn group(document: &Document, name: &str, about: &str) -> AnyView {
    let id = format!("group-{name}");
    let operations = of_group(document, name)
        .map(|(path, method, operation)| one(path, method, operation))
        .collect_view();
    view! {
        <section aria-labelledby=id.clone()>
            <h2 id=id.clone()>{name.to_owned()}</h2>
            <p>{prose(about)}</p>
            {operations}
        </section>
    }
    .into_any()
}

fn of_group<'a>(
    document: &'a Document,
    tag: &'a str,
) -> impl Iterator<Item = (&'a str, Method, &'a Operation)> {
    let all = document.paths.iter().flat_map(|(path, methods)| {
        let each = methods.iter();
        each.map(|(method, operation)| (path.as_str(), *method, operation))
    });
    all.filter(move |(.., operation)| operation.tags.iter().any(|known| known == tag))
}

/// One operation: what it is for, what it takes, what it answers, and how to ask it from a shell.
fn one(path: &str, method: Method, operation: &Operation) -> AnyView {
    let inside = view! {
        <div class="plain">
            <p><b>{prose(&operation.summary)}</b></p>
            {operation.description.as_deref().map(|about| view! { <p>{prose(about)}</p> })}
            <p class="dim">{whose(operation)}</p>
        </div>
        <pre class="terms" tabindex="0" role="group" aria-label="In a shell">{in_a_shell(path, method, operation)}</pre>
        {(!operation.parameters.is_empty()).then(|| parameters(&operation.parameters))}
        {operation.request_body.as_ref().map(taken)}
        {answers(operation)}
    };
    let name = format!("{} {path}", method.as_str());
    slip(operation.operation_id.clone(), name, inside.into_any())
}

/// A sheet with a name that links lead to.
fn slip(id: String, name: String, inside: AnyView) -> AnyView {
    view! {
        <article class="paper" aria-labelledby=id.clone()>
            <header><h3 id=id.clone()><code>{name}</code></h3></header>
            {inside}
        </article>
    }
    .into_any()
}

/// `Takes a token with the scope read or policy.`
fn whose(operation: &Operation) -> String {
    let scopes: Vec<&str> = operation
        .security
        .iter()
        .flat_map(|scheme| scheme.values().flatten())
        .map(String::as_str)
        .collect();
    match scopes.as_slice() {
        [] => "Takes no token.".to_owned(),
        scopes => format!("Takes a token with the scope {}.", scopes.join(" or ")),
    }
}

fn in_a_shell(path: &str, method: Method, operation: &Operation) -> String {
    let mut asked: Vec<String> = vec!["curl -sS".to_owned()];
    if method != Method::Get {
        asked.push(format!("-X {}", method.as_str()));
    }
    if !operation.security.iter().all(|scheme| scheme.is_empty()) {
        asked.push("-H \"Authorization: Bearer $COUNTERSIGN_TOKEN\"".to_owned());
    }
    if let Some(body) = &operation.request_body {
        asked.extend(body.content.keys().map(|kind| sent(kind)));
    }
    asked.push(format!("\"$COUNTERSIGN_SERVER{path}{}\"", query(operation)));
    asked.join(" \\\n  ")
}

fn sent(kind: &str) -> String {
    match kind {
        "multipart/form-data" => "-F change=@change.json -F patch=@change.patch".to_owned(),
        kind => format!("-H 'Content-Type: {kind}' --data-binary @body"),
    }
}

/// What has to stand behind the question mark.
fn query(operation: &Operation) -> String {
    let needed = operation
        .parameters
        .iter()
        .filter(|one| one.place == document::Place::Query && one.required);
    needed.fold(String::new(), |mut out, one| {
        let between = if out.is_empty() { '?' } else { '&' };
        // Writing to a String cannot fail.
        let _ = write!(out, "{between}{0}={{{0}}}", one.name);
        out
    })
}

fn parameters(parameters: &[Parameter]) -> AnyView {
    let place = |one: &Parameter| match one.place {
        document::Place::Path => "in the path",
        document::Place::Query => "behind the question mark",
        document::Place::Header => "in a header",
    };
    let rows = parameters
        .iter()
        .map(|one| {
            let about = one.description.as_deref();
            row(
                &one.name,
                one.required,
                kind(&one.schema),
                Some(place(one)),
                about,
            )
        })
        .collect_view();
    table("Parameters", rows)
}

fn taken(body: &Body) -> AnyView {
    let rows = body
        .content
        .iter()
        .map(|(media, content)| {
            row(
                media,
                true,
                kind(&content.schema),
                None,
                body.description.as_deref(),
            )
        })
        .collect_view();
    table("Body", rows)
}

fn answers(operation: &Operation) -> AnyView {
    let rows = operation
        .responses
        .iter()
        .map(|(status, body)| {
            let shape = body
                .content
                .values()
                .next()
                .map(|content| kind(&content.schema));
            row(
                status,
                true,
                shape.into_any(),
                None,
                body.description.as_deref(),
            )
        })
        .collect_view();
    table("Answers", rows)
}

/// What is sent or answered under a name, field by field.
fn shape(name: &str, schema: &Schema) -> AnyView {
    let what = schema.properties.is_empty();
    let inside = view! {
        <div class="plain">
            {schema.description.as_deref().map(|about| view! { <p>{prose(about)}</p> })}
            {what.then(|| view! { <p>{kind(schema)}</p> })}
        </div>
        {fields(schema)}
    };
    slip(format!("shape-{name}"), name.to_owned(), inside.into_any())
}

/// The fields of an object, and of the parts that it is made of.
fn fields(schema: &Schema) -> AnyView {
    let own = (!schema.properties.is_empty()).then(|| {
        let rows = schema
            .properties
            .iter()
            .map(|(name, field)| {
                let always = schema.required.contains(name);
                row(name, always, kind(field), None, about(field))
            })
            .collect_view();
        table("Fields", rows)
    });
    let parts = schema.all_of.iter().map(fields).collect_view();
    view! { {own} {parts} }.into_any()
}

/// What a field means: its own words, or those of what it is one of.
fn about(field: &Schema) -> Option<&str> {
    let inner = || {
        field
            .one_of
            .iter()
            .find_map(|one| one.description.as_deref())
    };
    field.description.as_deref().or_else(inner)
}

fn table(caption: &'static str, rows: impl IntoView) -> AnyView {
    view! {
        <table class="ledger fold">
            <caption class="vh">{caption}</caption>
            <thead>
                <tr><th scope="col">{caption}</th><th scope="col">"Is"</th><th scope="col">"Means"</th></tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn row(
    name: &str,
    always: bool,
    kind: AnyView,
    place: Option<&'static str>,
    about: Option<&str>,
) -> AnyView {
    let maybe = (!always).then(|| view! { <small>"optional"</small> });
    let place = place.map(|place| view! { <small>{place}</small> });
    view! {
        <tr>
            <th scope="row"><code>{name.to_owned()}</code> " " {maybe}</th>
            <td>{kind} " " {place}</td>
            <td>{about.map(prose)}</td>
        </tr>
    }
    .into_any()
}

/// What a value may be, in words and links.
fn kind(schema: &Schema) -> AnyView {
    if let Some(name) = schema.shape() {
        return view! { <a class="go" href=format!("#shape-{name}")>{name.to_owned()}</a> }
            .into_any();
    }
    if let Some(items) = &schema.items {
        return view! { "list of " {kind(items)} }.into_any();
    }
    let parts = if schema.one_of.is_empty() {
        &schema.all_of
    } else {
        &schema.one_of
    };
    if !parts.is_empty() {
        let between = if schema.one_of.is_empty() {
            " and "
        } else {
            " or "
        };
        return joined(parts.iter().map(kind).collect(), between);
    }
    if !schema.words.is_empty() {
        let words = schema.words.iter().cloned();
        return joined(
            words
                .map(|word| view! { <code>{word}</code> }.into_any())
                .collect(),
            ", ",
        );
    }
    in_words(schema).into_any()
}

fn joined(parts: Vec<AnyView>, between: &'static str) -> AnyView {
    parts
        .into_iter()
        .enumerate()
        .map(|(at, part)| view! { {(at > 0).then_some(between)} {part} })
        .collect_view()
        .into_any()
}

/// `string (date-time) or null`
fn in_words(schema: &Schema) -> String {
    let Some(kinds) = &schema.kinds else {
        return "anything".to_owned();
    };
    let said = |kind: &String| match &schema.format {
        Some(format) if kind != "null" => format!("{kind} ({format})"),
        _ => kind.clone(),
    };
    kinds
        .each()
        .iter()
        .map(said)
        .collect::<Vec<_>>()
        .join(" or ")
}

/// Text of ours, in which what stands between backticks is code.
fn prose(text: &str) -> AnyView {
    text.split('`')
        .enumerate()
        .map(|(at, part)| match at % 2 {
            0 => part.to_owned().into_any(),
            _ => view! { <code>{part.to_owned()}</code> }.into_any(),
        })
        .collect_view()
        .into_any()
}
