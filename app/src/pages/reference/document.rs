//! What the reference shows of an OpenAPI 3.1 document: the parts that `/openapi.json` uses, under the names of the standard.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole document.
#[derive(Debug, Default, Deserialize)]
pub struct Document {
    /// What the API is.
    pub info: Info,
    /// Into which groups operations fall, in the order in which they are shown.
    pub tags: Vec<Tag>,
    /// What can be asked at which address.
    pub paths: BTreeMap<String, BTreeMap<Method, Operation>>,
    /// What operations take and answer.
    pub components: Components,
}

/// What the API is.
#[derive(Debug, Default, Deserialize)]
pub struct Info {
    /// In a sentence or two.
    pub description: String,
}

/// A group of operations.
#[derive(Debug, Deserialize)]
pub struct Tag {
    /// As operations name it.
    pub name: String,
    /// What they have in common.
    pub description: String,
}

/// The verbs that we use, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Ask.
    Get,
    /// Put something there.
    Put,
    /// Add something, or ask more than an address can hold.
    Post,
    /// Take it away.
    Delete,
}

impl Method {
    /// As it stands in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// Something that can be asked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its group.
    pub tags: Vec<String>,
    /// Its name, unlike that of all others.
    pub operation_id: String,
    /// What it is, in a sentence.
    pub summary: String,
    /// What else there is to know.
    pub description: Option<String>,
    /// What stands in its address and its headers.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// What it takes.
    pub request_body: Option<Body>,
    /// What it answers, by status.
    pub responses: BTreeMap<String, Body>,
    /// Of which tokens one is needed: the scopes of each, by the name of the scheme.
    #[serde(default)]
    pub security: Vec<BTreeMap<String, Vec<String>>>,
}

/// A part of the address, or a header.
#[derive(Debug, Deserialize)]
pub struct Parameter {
    /// As it is written.
    pub name: String,
    /// Where it stands.
    #[serde(rename = "in")]
    pub place: Place,
    /// What it means.
    pub description: Option<String>,
    /// Whether nothing is answered without it.
    pub required: bool,
    /// What it may be.
    pub schema: Schema,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the address itself.
    Path,
    /// Behind its question mark.
    Query,
    /// Beside it.
    Header,
}

/// What is sent or answered.
#[derive(Debug, Deserialize)]
pub struct Body {
    /// What it means.
    pub description: Option<String>,
    /// Its shape, by media type.
    #[serde(default)]
    pub content: BTreeMap<String, Content>,
}

/// What a body holds.
#[derive(Debug, Deserialize)]
pub struct Content {
    /// Its shape.
    pub schema: Schema,
}

/// Where the shapes are.
#[derive(Debug, Default, Deserialize)]
pub struct Components {
    /// By name.
    pub schemas: BTreeMap<String, Schema>,
}

/// What a value may be. Everything is optional in a schema; one that says nothing allows anything.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Schema {
    /// It is another one: `#/components/schemas/Name`.
    #[serde(rename = "$ref")]
    pub refers: Option<String>,
    /// What kind of value.
    #[serde(rename = "type")]
    pub kinds: Option<Kinds>,
    /// What kind of text or number.
    pub format: Option<String>,
    /// What it means.
    pub description: Option<String>,
    /// Of which values it is one.
    #[serde(rename = "enum")]
    pub words: Vec<String>,
    /// What a list holds.
    pub items: Option<Box<Schema>>,
    /// One of these.
    pub one_of: Vec<Schema>,
    /// All of these together.
    pub all_of: Vec<Schema>,
    /// What an object has.
    pub properties: BTreeMap<String, Schema>,
    /// Which of these are always there.
    pub required: Vec<String>,
}

/// One kind of value, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Kinds {
    /// Such as `string`.
    One(String),
    /// Such as `string` or `null`.
    Many(Vec<String>),
}

impl Kinds {
    /// Each of them.
    pub fn each(&self) -> &[String] {
        match self {
            Self::One(kind) => std::slice::from_ref(kind),
            Self::Many(kinds) => kinds,
        }
    }
}

impl Schema {
    /// The name of the shape that it refers to.
    pub fn shape(&self) -> Option<&str> {
        self.refers
            .as_deref()?
            .strip_prefix("#/components/schemas/")
    }
}
