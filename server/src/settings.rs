//! All settings, read once at start from environment variables, so that a wrong one stops the start and not a request.
//!
//! Every secret may also be given as a file that holds it, named by the same variable with `_FILE` added. What is wrong
//! or missing is said all at once. Durations are a number and a unit: `90s`, `30m`, `12h`, `90d`.

use crate::forges::{Secrets, github::Credentials};
use domain::{
    host::Host,
    names::RepositoryName,
    people::{Level, Role},
    policy::{Document, SHIPPED},
    token::Pattern,
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};
use time::Duration;
use url::Url;

/// What `countersign serve` needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    pub listen: Listen,
    pub site: Site,
    pub database: Database,
    pub provider: Provider,
    pub groups: GroupNames,
    pub sessions: Sessions,
    pub limits: Limits,
    pub patience: Patience,
    pub policy: DefaultPolicy,
    pub hosts: Hosts,
}

impl Settings {
    /// Reads them all from wherever `lookup` finds variables.
    ///
    /// # Errors
    /// Every variable that is missing or wrong, each with what to do.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Wrong> {
        let mut vars = Variables::new(&lookup);
        let settings = (
            Listen::from(&mut vars),
            Site::from(&mut vars),
            Database::from(&mut vars),
            Provider::from(&mut vars),
            GroupNames::from(&mut vars),
            Sessions::from(&mut vars),
            Limits::from(&mut vars),
            Patience::from(&mut vars),
            DefaultPolicy::from(&mut vars),
            Hosts::from(&mut vars),
        );
        match settings {
            (
                Some(listen),
                Some(site),
                Some(database),
                Some(provider),
                Some(groups),
                Some(sessions),
                Some(limits),
                Some(patience),
                Some(policy),
                Some(hosts),
            ) if vars.wrong.is_empty() => Ok(Self {
                listen,
                site,
                database,
                provider,
                groups,
                sessions,
                limits,
                patience,
                policy,
                hosts,
            }),
            _ => Err(Wrong(vars.wrong)),
        }
    }

    /// Reads them from the process's environment.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub fn from_environment() -> Result<Self, Wrong> {
        Self::read(environment)
    }
}

/// What holds for every repository that has no policy of its own.
#[derive(Debug, Clone)]
pub struct DefaultPolicy {
    /// `COUNTERSIGN_POLICY`, default `default`: one of those that ship (`default`, `attested`, `marked-only`), or the path of
    /// a file. Read at start.
    pub text: String,
}

impl DefaultPolicy {
    fn from(vars: &mut Variables<'_>) -> Option<Self> {
        const NAME: &str = "COUNTERSIGN_POLICY";
        let named = vars.or(NAME, "default");
        let shipped = SHIPPED.iter().find(|shipped| shipped.name == named);
        let text = match shipped {
            Some(shipped) => shipped.text.to_owned(),
            None => match std::fs::read_to_string(&named) {
                Ok(text) => text,
                Err(error) => {
                    let shipped = SHIPPED.map(|shipped| shipped.name).join(", ");
                    let why =
                        format!("is none of {shipped}, and no file that can be read: {error}");
                    return vars.refuse(NAME, why);
                }
            },
        };
        match Document::parse(&text) {
            Ok(_) => Some(Self { text }),
            Err(faults) => {
                for fault in faults {
                    vars.refuse::<()>(NAME, format!("is {named}: {fault}"));
                }
                None
            }
        }
    }
}

/// The code hosts that tell us of changes. None has to be there.
#[derive(Debug, Clone)]
pub struct Hosts {
    connected: BTreeMap<Host, Connected>,
    /// How GitHub is asked, if it is; else its deliveries are only kept.
    pub github: Option<Api>,
    /// How GitLab is asked, if it is.
    pub gitlab: Option<Tokened>,
    /// How Gitea is asked, if it is.
    pub gitea: Option<Tokened>,
    /// `COUNTERSIGN_RECONCILE_EVERY`, default `10m`: how often the open changes of each repository are compared with the host's.
    pub reconcile_every: Duration,
}

/// How a code host is asked.
#[derive(Debug, Clone)]
pub struct Api {
    /// `COUNTERSIGN_GITHUB_API`, default `https://api.github.com`; that of GitHub Enterprise is `https://<host>/api/v3`.
    pub url: Url,
    /// `COUNTERSIGN_GITHUB_TOKEN`, or `COUNTERSIGN_GITHUB_APP_ID` and the app's private key in `COUNTERSIGN_GITHUB_APP_KEY`;
    /// both also as `…_FILE`.
    pub credentials: Credentials,
}

impl Api {
    /// The outer none: something is wrong. The inner: it is not asked.
    fn github(vars: &mut Variables<'_>) -> Option<Option<Self>> {
        const URL: &str = "COUNTERSIGN_GITHUB_API";
        const TOKEN: &str = "COUNTERSIGN_GITHUB_TOKEN";
        const APP: &str = "COUNTERSIGN_GITHUB_APP_ID";
        const KEY: &str = "COUNTERSIGN_GITHUB_APP_KEY";
        let credentials = match (vars.has_secret(TOKEN), vars.optional(APP)) {
            (true, Some(_)) => return vars.refuse(TOKEN, format!("is set, and so is {APP}")),
            (false, None) => return Some(None),
            (true, None) => Credentials::Token(vars.secret(TOKEN)?),
            (false, Some(id)) => match Credentials::app(id.trim(), &vars.secret(KEY)?) {
                Some(app) => app,
                None => return vars.refuse(KEY, "is not the private key of an app, in PEM"),
            },
        };
        let url = match vars.optional(URL) {
            Some(_) => vars.url(URL)?,
            None => Url::parse("https://api.github.com").ok()?,
        };
        Some(Some(Self { url, credentials }))
    }
}

/// How a code host is asked that takes a token and nothing else.
#[derive(Debug, Clone)]
pub struct Tokened {
    /// `COUNTERSIGN_GITLAB_API`, default `https://gitlab.com/api/v4`; `COUNTERSIGN_GITEA_API`, such as `https://<host>/api/v1`.
    pub url: Url,
    /// `COUNTERSIGN_GITLAB_TOKEN`, `COUNTERSIGN_GITEA_TOKEN`, also as `…_FILE`.
    pub token: SecretString,
}

impl Tokened {
    /// The outer none: something is wrong. The inner: it is not asked. Gitea is nowhere by default.
    fn from(
        vars: &mut Variables<'_>,
        token: &str,
        url: &str,
        default: Option<&str>,
    ) -> Option<Option<Self>> {
        if !vars.has_secret(token) {
            return Some(None);
        }
        let token = vars.secret(token)?;
        let url = match default {
            Some(default) if vars.optional(url).is_none() => Url::parse(default).ok()?,
            _ => vars.url(url)?,
        };
        Some(Some(Self { url, token }))
    }
}

/// One code host.
#[derive(Debug, Clone)]
pub struct Connected {
    /// `COUNTERSIGN_GITHUB_HOOK_SECRET`, `COUNTERSIGN_GITLAB_HOOK_SECRET`, `COUNTERSIGN_GITEA_HOOK_SECRET`, each also as
    /// `…_FILE`: what its webhooks are signed with. Several, parted by blanks or line breaks, are all valid, so that one can
    /// replace another.
    secrets: Secrets,
    /// `COUNTERSIGN_GITHUB_REPOSITORIES` and the like: the repositories that it is the source for, such as
    /// `acme/payments,acme/*`.
    repositories: Vec<Pattern>,
}

impl Hosts {
    /// With what that host signs, if it is connected.
    #[must_use]
    pub fn secrets(&self, host: Host) -> Option<&Secrets> {
        Some(&self.connected.get(&host)?.secrets)
    }

    /// Whether that host is the source for this repository.
    #[must_use]
    pub fn tells_of(&self, host: Host, repository: &RepositoryName) -> bool {
        self.connected.get(&host).is_some_and(|connected| {
            let mut patterns = connected.repositories.iter();
            patterns.any(|pattern| pattern.matches(repository))
        })
    }

    fn from(vars: &mut Variables<'_>) -> Option<Self> {
        let mut all = BTreeMap::new();
        for host in Host::ALL {
            let prefix = format!("COUNTERSIGN_{}", host.as_str().to_ascii_uppercase());
            if let Some(connected) = Connected::from(vars, host, &prefix)? {
                all.insert(host, connected);
            }
        }
        // Two hosts may each have a repository of one name; here it would be one repository.
        let patterns = all.values().flat_map(|one: &Connected| &one.repositories);
        let patterns: Vec<&Pattern> = patterns.collect();
        for (n, one) in patterns.iter().enumerate() {
            if patterns[..n].iter().any(|other| one.overlaps(other)) {
                let why =
                    format!("names {one}, which is named once more, there or for another host");
                return vars.refuse("COUNTERSIGN_…_REPOSITORIES", why);
            }
        }
        let reconcile_every = vars.duration("COUNTERSIGN_RECONCILE_EVERY", "10m")?;
        let github = Api::github(vars)?;
        let gitlab = Tokened::from(
            vars,
            "COUNTERSIGN_GITLAB_TOKEN",
            "COUNTERSIGN_GITLAB_API",
            Some("https://gitlab.com/api/v4"),
        )?;
        let gitea = Tokened::from(
            vars,
            "COUNTERSIGN_GITEA_TOKEN",
            "COUNTERSIGN_GITEA_API",
            None,
        )?;
        let asked = [
            (Host::GitHub, github.is_some()),
            (Host::GitLab, gitlab.is_some()),
            (Host::Gitea, gitea.is_some()),
        ];
        for (host, is_asked) in asked {
            if is_asked && !all.contains_key(&host) {
                let name = format!("COUNTERSIGN_{}_HOOK_SECRET", host.as_str());
                let why = format!("is not set, but {} is to be asked", host.name());
                return vars.refuse(&name.to_ascii_uppercase(), why);
            }
        }
        Some(Self {
            connected: all,
            github,
            gitlab,
            gitea,
            reconcile_every,
        })
    }
}

/// What is shorter could be guessed by who tries long enough.
const SHORTEST_SECRET: usize = 16;
/// More than this at once is no rotation.
const MOST_SECRETS: usize = 4;

impl Connected {
    /// The outer none: something is wrong. The inner: this host is not connected.
    fn from(vars: &mut Variables<'_>, host: Host, prefix: &str) -> Option<Option<Self>> {
        let (name, named) = (
            format!("{prefix}_HOOK_SECRET"),
            format!("{prefix}_REPOSITORIES"),
        );
        let repositories = vars.list::<Pattern>(&named, "owner/name or owner/*")?;
        if !vars.has_secret(&name) {
            if !repositories.is_empty() {
                return vars.refuse(&name, format!("is not set, but {named} is"));
            }
            return Some(None);
        }
        let text = vars.secret(&name)?;
        let secrets: Vec<SecretString> = text
            .expose_secret()
            .split_whitespace()
            .map(SecretString::from)
            .collect();
        if secrets
            .iter()
            .any(|one| one.expose_secret().len() < SHORTEST_SECRET)
        {
            return vars.refuse(
                &name,
                format!("has one of fewer than {SHORTEST_SECRET} characters"),
            );
        }
        if secrets.len() > MOST_SECRETS {
            return vars.refuse(&name, format!("has more than {MOST_SECRETS}"));
        }
        let Some(secrets) = Secrets::of(host, &secrets) else {
            return vars.refuse(
                &name,
                "has one that begins with `whsec_` and is not base64 then",
            );
        };
        if repositories.is_empty() {
            return vars.refuse(&named, format!("is not set, but {name} is"));
        }
        Some(Some(Self {
            secrets,
            repositories,
        }))
    }
}

/// Where the server listens.
#[derive(Debug, Clone)]
pub struct Listen {
    /// `COUNTERSIGN_LISTEN`, default `127.0.0.1:3000`.
    pub address: SocketAddr,
    /// `COUNTERSIGN_TRUSTED_PROXIES`, default none: addresses or networks (`10.0.0.0/8`), separated by commas, whose
    /// `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
}

impl Listen {
    fn from(vars: &mut Variables<'_>) -> Option<Self> {
        let address = vars.parsed(
            "COUNTERSIGN_LISTEN",
            "127.0.0.1:3000",
            "an address and a port",
        );
        let proxies = vars.list(
            "COUNTERSIGN_TRUSTED_PROXIES",
            "an address or a network such as 10.0.0.0/8",
        );
        Some(Self {
            address: address?,
            trusted_proxies: proxies?,
        })
    }
}

/// What the world calls this server.
#[derive(Debug, Clone)]
pub struct Site {
    /// `COUNTERSIGN_URL`, such as `https://countersign.example.com`: without a path. `http` only for this very machine,
    /// because a session's cookie would travel in the clear.
    pub url: Url,
}

impl Site {
    fn from(vars: &mut Variables<'_>) -> Option<Self> {
        const NAME: &str = "COUNTERSIGN_URL";
        let url = vars.url(NAME)?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return vars.refuse(NAME, "has to be a scheme and a host, without a path");
        }
        Some(Self { url })
    }

    /// Whether browsers come by https, so that cookies may be `Secure` and carry `__Host-` in their names.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The scheme, host and port, as a browser sends it in `Origin`.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The whole address of a path here, which begins with a slash.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }
}

/// How the application reaches Postgres.
#[derive(Debug, Clone)]
pub struct Database {
    /// `DATABASE_URL` or `DATABASE_URL_FILE`: as the application's role, which may add records and not rewrite them.
    pub url: SecretString,
    /// `COUNTERSIGN_DATABASE_CONNECTIONS`, default 16: at most this many at a time.
    pub connections: u32,
}

impl Database {
    /// Reads these settings alone, for commands that need nothing else.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Wrong> {
        alone(&lookup, Self::from)
    }

    fn from(vars: &mut Variables<'_>) -> Option<Self> {
        let url = vars.secret("DATABASE_URL");
        let connections = vars.parsed("COUNTERSIGN_DATABASE_CONNECTIONS", "16", "a number");
        Some(Self {
            url: url?,
            connections: connections?,
        })
    }
}

/// How `countersign migrate` reaches Postgres.
#[derive(Debug, Clone)]
pub struct Owner {
    /// `COUNTERSIGN_OWNER_URL` or `COUNTERSIGN_OWNER_URL_FILE`: as the role that owns the schema.
    pub url: SecretString,
    /// `DATABASE_URL`: whose user is given what the application needs.
    pub application: SecretString,
}

impl Owner {
    /// Reads these settings alone.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Wrong> {
        alone(&lookup, |vars| {
            let url = vars.secret("COUNTERSIGN_OWNER_URL");
            let application = vars.secret("DATABASE_URL");
            Some(Self {
                url: url?,
                application: application?,
            })
        })
    }
}

/// The OpenID provider where people sign in.
#[derive(Debug, Clone)]
pub struct Provider {
    /// `COUNTERSIGN_OIDC_ISSUER`: exactly as the provider writes it in its discovery document, a final slash included.
    pub issuer: String,
    /// `COUNTERSIGN_OIDC_CLIENT_ID`.
    pub client_id: String,
    /// `COUNTERSIGN_OIDC_CLIENT_SECRET` or `COUNTERSIGN_OIDC_CLIENT_SECRET_FILE`.
    pub client_secret: SecretString,
    /// `COUNTERSIGN_OIDC_NAME`, default `SSO`: what the button says.
    pub name: String,
    /// `COUNTERSIGN_OIDC_SCOPES`: asked for besides `openid`. By default `profile`, `email` and `groups`, as far as the
    /// provider lists them: some refuse a scope that they do not know.
    pub scopes: Option<Vec<String>>,
}

impl Provider {
    fn from(vars: &mut Variables<'_>) -> Option<Self> {
        const ISSUER: &str = "COUNTERSIGN_OIDC_ISSUER";
        let url = vars.url(ISSUER);
        // As it was written: `Url` would add a slash, and an issuer is compared letter by letter.
        let issuer = vars.required(ISSUER);
        let client_id = vars.required("COUNTERSIGN_OIDC_CLIENT_ID");
        let client_secret = vars.secret("COUNTERSIGN_OIDC_CLIENT_SECRET");
        let name = vars.or("COUNTERSIGN_OIDC_NAME", "SSO");
        let scopes = vars.optional("COUNTERSIGN_OIDC_SCOPES");
        url?;
        Some(Self {
            issuer: issuer?,
            client_id: client_id?,
            client_secret: client_secret?,
            name,
            scopes: scopes.map(|scopes| scopes.split_whitespace().map(str::to_owned).collect()),
        })
    }
}

/// What the groups of the provider mean here.
#[derive(Debug, Clone)]
pub struct GroupNames {
    /// `COUNTERSIGN_GROUPS_CLAIM`, default `groups`.
    pub claim: String,
    /// `COUNTERSIGN_LEVEL_GROUPS`, such as `junior=eng-junior,mid=eng-mid,senior=eng-senior`. Several groups may give one level.
    pub levels: Vec<(Level, String)>,
    /// `COUNTERSIGN_TEAM_GROUPS`, such as `payments=team-payments,platform=team-platform`.
    pub teams: Vec<(String, String)>,
    /// `COUNTERSIGN_ADMIN_GROUPS` and `COUNTERSIGN_MANAGER_GROUPS`, each a list such as `countersign-admins`.
    pub roles: Vec<(Role, String)>,
    /// `COUNTERSIGN_CLAIMS_MAX_AGE`, default `12h`: what a sign-in granted grants nothing when it is older.
    pub max_age: Duration,
}

impl GroupNames {
    fn from(vars: &mut Variables<'_>) -> Option<Self> {
        let levels = vars.pairs(
            "COUNTERSIGN_LEVEL_GROUPS",
            "junior, mid or senior",
            Level::parse,
        );
        let teams = vars.pairs("COUNTERSIGN_TEAM_GROUPS", "the name of a team", team);
        let admins = vars.list::<String>("COUNTERSIGN_ADMIN_GROUPS", "a group");
        let managers = vars.list::<String>("COUNTERSIGN_MANAGER_GROUPS", "a group");
        let max_age = vars.duration("COUNTERSIGN_CLAIMS_MAX_AGE", "12h");
        let holding =
            |role, groups: Vec<String>| groups.into_iter().map(move |group| (role, group));
        Some(Self {
            claim: vars.or("COUNTERSIGN_GROUPS_CLAIM", "groups"),
            levels: levels?,
            teams: teams?,
            roles: holding(Role::Admin, admins?)
                .chain(holding(Role::Manager, managers?))
                .collect(),
            max_age: max_age?,
        })
    }
}

/// How long somebody stays signed in.
#[derive(Debug, Clone, Copy)]
pub struct Sessions {
    /// `COUNTERSIGN_SESSION_IDLE`, default `8h`: without a request.
    pub idle: Duration,
    /// `COUNTERSIGN_SESSION_MAX`, default `24h`: whatever happens.
    pub absolute: Duration,
}

impl Sessions {
    fn from(vars: &mut Variables<'_>) -> Option<Self> {
        let idle = vars.duration("COUNTERSIGN_SESSION_IDLE", "8h");
        let absolute = vars.duration("COUNTERSIGN_SESSION_MAX", "24h");
        Some(Self {
            idle: idle?,
            absolute: absolute?,
        })
    }
}

/// How often one caller may do what costs us something: so many a minute, and as many at once; and how many may wait.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `COUNTERSIGN_LIMIT_SIGN_IN`, default 60: sign-ins begun from one address.
    pub sign_in: std::num::NonZeroU32,
    /// `COUNTERSIGN_LIMIT_SUBMIT`, default 600: submissions with one token.
    pub submit: std::num::NonZeroU32,
    /// `COUNTERSIGN_LIMIT_DECIDE`, default 300: forms sent by one person, decisions among them.
    pub decide: std::num::NonZeroU32,
    /// `COUNTERSIGN_LIMIT_WAIT`, default 500: gate questions with one token that wait at one time.
    pub wait: std::num::NonZeroU32,
}

impl Limits {
    fn from(vars: &mut Variables<'_>) -> Option<Self> {
        const WANTED: &str = "a number above 0";
        let sign_in = vars.parsed("COUNTERSIGN_LIMIT_SIGN_IN", "60", WANTED);
        let submit = vars.parsed("COUNTERSIGN_LIMIT_SUBMIT", "600", WANTED);
        let decide = vars.parsed("COUNTERSIGN_LIMIT_DECIDE", "300", WANTED);
        let wait = vars.parsed("COUNTERSIGN_LIMIT_WAIT", "500", WANTED);
        Some(Self {
            sign_in: sign_in?,
            submit: submit?,
            decide: decide?,
            wait: wait?,
        })
    }
}

/// How long the server waits for others.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// `COUNTERSIGN_READ_TIMEOUT`, default `20s`: for the head of a request, and for each next piece of its body.
    pub read: Duration,
    /// `COUNTERSIGN_BODY_TIMEOUT`, default `10m`: for a whole body.
    pub body: Duration,
    /// `COUNTERSIGN_STOP_TIMEOUT`, default `20s`: for what has begun when the process is told to stop.
    pub stop: Duration,
}

impl Patience {
    fn from(vars: &mut Variables<'_>) -> Option<Self> {
        let read = vars.duration("COUNTERSIGN_READ_TIMEOUT", "20s");
        let body = vars.duration("COUNTERSIGN_BODY_TIMEOUT", "10m");
        let stop = vars.duration("COUNTERSIGN_STOP_TIMEOUT", "20s");
        Some(Self {
            read: read?,
            body: body?,
            stop: stop?,
        })
    }
}

/// Every variable that is missing or wrong, one a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("These settings are missing or wrong:\n{}", .0.join("\n"))]
pub struct Wrong(pub Vec<String>);

/// An address, or all that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether that address is in it. An IPv4 address that came as IPv6 is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let shared = |a: u128, b: u128, width: u32| {
            let ignored = width - u32::from(self.bits);
            a.checked_shr(ignored) == b.checked_shr(ignored)
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => shared(a.to_bits().into(), b.to_bits().into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => shared(a.to_bits(), b.to_bits(), 128),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = text.split_once('/').unzip();
        let address: IpAddr = address.unwrap_or(text).parse().map_err(|_| ())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), str::parse).map_err(|_| ())?;
        if bits > width {
            return Err(());
        }
        Ok(Self { address, bits })
    }
}

/// Reads a duration such as `90s`, `30m`, `12h` or `90d`. Zero is none.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let count: i64 = text[..text.len() - unit.len_utf8()].parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let seconds = count.checked_mul(seconds)?;
    // A hundred years: more would run out of the calendar when it is added to now.
    (1..=3_155_760_000)
        .contains(&seconds)
        .then(|| Duration::seconds(seconds))
}

/// A variable of the process. Empty is the same as not there, as compose files write it.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn alone<T>(
    lookup: &dyn Fn(&str) -> Option<String>,
    read: impl FnOnce(&mut Variables<'_>) -> Option<T>,
) -> Result<T, Wrong> {
    let mut vars = Variables::new(lookup);
    match read(&mut vars) {
        Some(settings) if vars.wrong.is_empty() => Ok(settings),
        _ => Err(Wrong(vars.wrong)),
    }
}

fn team(name: &str) -> Option<String> {
    (1..=200).contains(&name.len()).then(|| name.to_owned())
}

/// Reads variables, and gathers what is wrong with them. None means: said already.
struct Variables<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    wrong: Vec<String>,
}

impl<'a> Variables<'a> {
    fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            wrong: vec![],
        }
    }

    fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|text| !text.trim().is_empty())
    }

    fn or(&self, name: &str, default: &str) -> String {
        self.optional(name).unwrap_or_else(|| default.to_owned())
    }

    fn required(&mut self, name: &str) -> Option<String> {
        let value = self.optional(name);
        if value.is_none() {
            return self.refuse(name, "is not set");
        }
        value
    }

    fn refuse<T>(&mut self, name: &str, why: impl fmt::Display) -> Option<T> {
        let line = format!("  {name} {why}");
        if !self.wrong.contains(&line) {
            self.wrong.push(line);
        }
        None
    }

    /// Whether a secret is there, as it is or in a file.
    fn has_secret(&self, name: &str) -> bool {
        self.optional(name).is_some() || self.optional(&format!("{name}_FILE")).is_some()
    }

    fn secret(&mut self, name: &str) -> Option<SecretString> {
        let in_file = format!("{name}_FILE");
        match (self.optional(name), self.optional(&in_file)) {
            (Some(_), Some(_)) => self.refuse(name, format!("is set twice: also by {in_file}")),
            (Some(value), None) => Some(value.into()),
            (None, Some(path)) => self.secret_in(&in_file, &path),
            (None, None) => self.refuse(name, format!("is not set, nor is {in_file}")),
        }
    }

    fn secret_in(&mut self, name: &str, path: &str) -> Option<SecretString> {
        match std::fs::read_to_string(path) {
            // Editors and `echo` end files with a line break, which is no part of a secret.
            Ok(text) => {
                let secret = SecretString::from(text.trim_end_matches(['\r', '\n']));
                if secret.expose_secret().is_empty() {
                    return self.refuse(name, format!("names {path}, which is empty"));
                }
                Some(secret)
            }
            Err(error) => self.refuse(name, format!("names {path}, which cannot be read: {error}")),
        }
    }

    fn parsed<T: FromStr>(&mut self, name: &str, default: &str, wanted: &str) -> Option<T> {
        let text = self.or(name, default);
        match text.trim().parse() {
            Ok(value) => Some(value),
            Err(_) => self.refuse(name, format!("is `{text}`, which is not {wanted}")),
        }
    }

    fn duration(&mut self, name: &str, default: &str) -> Option<Duration> {
        let text = self.or(name, default);
        match duration(text.trim()) {
            Some(value) => Some(value),
            None => self.refuse(
                name,
                format!("is `{text}`, which is not a duration such as 12h or 90d"),
            ),
        }
    }

    /// An https address, or an http one of this machine.
    fn url(&mut self, name: &str) -> Option<Url> {
        let text = self.required(name)?;
        match Url::parse(&text) {
            Ok(url) if is_safe(&url) => Some(url),
            Ok(_) => self.refuse(
                name,
                format!("is `{text}`: only https is safe, or http on 127.0.0.1, ::1 or localhost"),
            ),
            Err(error) => self.refuse(
                name,
                format!("is `{text}`, which is not an address: {error}"),
            ),
        }
    }

    fn list<T: FromStr>(&mut self, name: &str, wanted: &str) -> Option<Vec<T>> {
        let text = self.optional(name).unwrap_or_default();
        let mut all = Some(vec![]);
        for item in items(&text) {
            match (item.parse(), &mut all) {
                (Ok(value), Some(values)) => values.push(value),
                (Ok(_), None) => {}
                (Err(_), _) => {
                    all = self.refuse(name, format!("has `{item}`, which is not {wanted}"))
                }
            }
        }
        all
    }

    fn pairs<T>(
        &mut self,
        name: &str,
        wanted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<(T, String)>> {
        let text = self.optional(name).unwrap_or_default();
        let mut all = vec![];
        for item in items(&text) {
            let pair = item
                .split_once('=')
                .and_then(|(left, group)| Some((parse(left.trim())?, group.trim().to_owned())))
                .filter(|(_, group)| !group.is_empty());
            match pair {
                Some(pair) => all.push(pair),
                None => {
                    return self.refuse(
                        name,
                        format!("has `{item}`: write {wanted}, `=` and a group"),
                    );
                }
            }
        }
        Some(all)
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// Whether a secret sent there stays between us and them.
pub(crate) fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" && url.has_host() || url.scheme() == "http" && is_this_machine(url)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_cannot_be_read_is_told_by_line_and_column() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("policy.toml");
        std::fs::write(&path, "version = 1\n[[rules]]\n").unwrap();
        let path = path.to_str().unwrap();
        let read = |policy: &str| {
            let lookup = |name: &str| match name {
                "COUNTERSIGN_POLICY" => Some(policy.to_owned()),
                name => whole(name),
            };
            Settings::read(lookup).map(|settings| settings.policy.text)
        };
        let wrong = read(path).unwrap_err().to_string();
        assert!(
            wrong.contains("COUNTERSIGN_POLICY") && wrong.contains("line 2, column 3"),
            "{wrong}"
        );
        let gone = read("/nowhere/policy.toml").unwrap_err().to_string();
        assert!(gone.contains("default, attested, marked-only"), "{gone}");
        assert_eq!(read("attested").unwrap(), SHIPPED[1].text);
        assert_eq!(Settings::read(whole).unwrap().policy.text, SHIPPED[0].text);
    }

    fn whole(name: &str) -> Option<String> {
        let known = WHOLE.iter().find(|(known, _)| *known == name);
        known.map(|(_, value)| (*value).to_owned())
    }

    const WHOLE: &[(&str, &str)] = &[
        (
            "DATABASE_URL",
            "postgres://countersign@127.0.0.1/countersign",
        ),
        ("COUNTERSIGN_URL", "https://countersign.halden.example"),
        ("COUNTERSIGN_OIDC_ISSUER", "https://sso.halden.example"),
        ("COUNTERSIGN_OIDC_CLIENT_ID", "countersign"),
        ("COUNTERSIGN_OIDC_CLIENT_SECRET", "swordfish"),
        (
            "COUNTERSIGN_LEVEL_GROUPS",
            "junior=eng-junior, senior=eng-senior,senior=staff",
        ),
        ("COUNTERSIGN_TEAM_GROUPS", "payments=team-payments"),
        ("COUNTERSIGN_ADMIN_GROUPS", "countersign-admins"),
        ("COUNTERSIGN_MANAGER_GROUPS", "eng-managers,eng-directors"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<Settings, Wrong> {
        Settings::read(|name| {
            let all = changes.iter().chain(WHOLE);
            let found = all.clone().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn complaints(changes: &[(&str, &str)]) -> Vec<String> {
        read(changes).expect_err("they are wrong").0
    }

    #[test]
    fn what_is_needed_is_enough() {
        let settings = read(&[]).expect("they are whole");
        assert_eq!(settings.listen.address.to_string(), "127.0.0.1:3000");
        assert!(settings.site.is_https());
        assert_eq!(
            settings.site.at("/auth/callback"),
            "https://countersign.halden.example/auth/callback"
        );
        assert_eq!(settings.provider.issuer, "https://sso.halden.example");
        assert_eq!(settings.groups.claim, "groups");
        assert_eq!(settings.groups.max_age, Duration::hours(12));
        let level = |level, group: &str| (level, group.to_owned());
        assert_eq!(
            settings.groups.levels,
            [
                level(Level::Junior, "eng-junior"),
                level(Level::Senior, "eng-senior"),
                level(Level::Senior, "staff")
            ]
        );
        assert_eq!(settings.groups.roles.len(), 3);
        assert_eq!(settings.sessions.idle, Duration::hours(8));
        assert_eq!(settings.limits.decide.get(), 300);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let wrong = Settings::read(|_| None).expect_err("nothing is set").0;
        assert_eq!(wrong.len(), 5, "{wrong:#?}");
        let wrong = complaints(&[
            ("COUNTERSIGN_LISTEN", "3000"),
            ("COUNTERSIGN_URL", "countersign"),
            ("COUNTERSIGN_CLAIMS_MAX_AGE", "soon"),
            ("COUNTERSIGN_LEVEL_GROUPS", "boss=eng-boss"),
            ("COUNTERSIGN_TRUSTED_PROXIES", "10.0.0.0/33"),
            ("COUNTERSIGN_LIMIT_DECIDE", "0"),
        ]);
        assert_eq!(wrong.len(), 6, "{wrong:#?}");
    }

    #[test]
    fn a_host_has_secrets_that_nobody_guesses_and_repositories_of_its_own() {
        const SECRET: (&str, &str) = (
            "COUNTERSIGN_GITHUB_HOOK_SECRET",
            "sixteen-letters-\nand-sixteen-more",
        );
        let acme = ("COUNTERSIGN_GITHUB_REPOSITORIES", "acme/*, halden/one");
        let hosts = read(&[SECRET, acme]).expect("they are whole").hosts;
        let tells_of = |host, name| hosts.tells_of(host, &RepositoryName::parse(name).unwrap());
        assert!(tells_of(Host::GitHub, "Acme/Payments") && tells_of(Host::GitHub, "halden/one"));
        assert!(!tells_of(Host::GitHub, "halden/two") && !tells_of(Host::GitLab, "acme/payments"));
        assert!(hosts.secrets(Host::GitHub).is_some() && hosts.secrets(Host::Gitea).is_none());
        assert!(!format!("{hosts:?}").contains("sixteen"));

        let gitlab = ("COUNTERSIGN_GITLAB_HOOK_SECRET", "sixteen-letters-");
        for wrong in [
            &[SECRET][..],
            &[acme],
            &[
                ("COUNTERSIGN_GITHUB_HOOK_SECRET", "sixteen-letters- short"),
                acme,
            ],
            &[
                (
                    "COUNTERSIGN_GITHUB_HOOK_SECRET",
                    &"sixteen-letters- ".repeat(5),
                ),
                acme,
            ],
            &[SECRET, ("COUNTERSIGN_GITHUB_REPOSITORIES", "*")],
            &[
                SECRET,
                acme,
                gitlab,
                ("COUNTERSIGN_GITLAB_REPOSITORIES", "acme/payments"),
            ],
            &[
                SECRET,
                acme,
                gitlab,
                ("COUNTERSIGN_GITLAB_REPOSITORIES", "halden/*"),
            ],
            &[
                ("COUNTERSIGN_GITLAB_HOOK_SECRET", "whsec_no!base64!no!"),
                ("COUNTERSIGN_GITLAB_REPOSITORIES", "a/*"),
            ],
        ] {
            let said = complaints(wrong);
            assert_eq!(said.len(), 1, "{wrong:?}: {said:?}");
            assert!(!said[0].contains("sixteen"), "{said:?}");
        }
    }

    #[test]
    fn github_is_asked_with_a_token_or_as_an_app_and_nothing_is_sent_in_the_clear() {
        let hooks = [
            ("COUNTERSIGN_GITHUB_HOOK_SECRET", "sixteen-letters-"),
            ("COUNTERSIGN_GITHUB_REPOSITORIES", "acme/*"),
        ];
        let api = |more: &[(&str, &str)]| {
            let all: Vec<_> = hooks.iter().chain(more).copied().collect();
            read(&all).map(|settings| settings.hosts.github)
        };
        assert!(api(&[]).unwrap().is_none(), "its deliveries are only kept");
        let token = ("COUNTERSIGN_GITHUB_TOKEN", "swordfish");
        let asked = api(&[token]).unwrap().unwrap();
        assert_eq!(asked.url.as_str(), "https://api.github.com/");
        assert!(!format!("{asked:?}").contains("swordfish"));
        let enterprise = (
            "COUNTERSIGN_GITHUB_API",
            "https://git.halden.example/api/v3",
        );
        assert_eq!(
            api(&[token, enterprise]).unwrap().unwrap().url.as_str(),
            enterprise.1
        );
        for wrong in [
            &[
                token,
                ("COUNTERSIGN_GITHUB_API", "http://git.halden.example/api/v3"),
            ][..],
            &[token, ("COUNTERSIGN_GITHUB_APP_ID", "4711")],
            &[("COUNTERSIGN_GITHUB_APP_ID", "4711")],
            &[
                ("COUNTERSIGN_GITHUB_APP_ID", "4711"),
                ("COUNTERSIGN_GITHUB_APP_KEY", "swordfish"),
            ],
        ] {
            let said = api(wrong).unwrap_err().0;
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(!said[0].contains("swordfish"), "{said:?}");
        }
        assert_eq!(complaints(&[token]).len(), 1, "who is asked is heard too");
    }

    #[test]
    fn who_is_asked_with_a_token_is_told_it_and_nobody_else() {
        let hooks = [
            ("COUNTERSIGN_GITLAB_HOOK_SECRET", "sixteen-letters-"),
            ("COUNTERSIGN_GITLAB_REPOSITORIES", "halden/*"),
            ("COUNTERSIGN_GITEA_HOOK_SECRET", "sixteen-letters-"),
            ("COUNTERSIGN_GITEA_REPOSITORIES", "acme/*"),
        ];
        let api = |more: &[(&str, &str)]| {
            let all: Vec<_> = hooks.iter().chain(more).copied().collect();
            read(&all).map(|settings| (settings.hosts.gitlab, settings.hosts.gitea))
        };
        let (gitlab, gitea) = api(&[]).unwrap();
        assert!(
            gitlab.is_none() && gitea.is_none(),
            "deliveries are only kept"
        );
        let lab = ("COUNTERSIGN_GITLAB_TOKEN", "swordfish");
        let tea = ("COUNTERSIGN_GITEA_TOKEN", "swordfish");
        let asked = api(&[lab]).unwrap().0.unwrap();
        assert_eq!(asked.url.as_str(), "https://gitlab.com/api/v4");
        assert!(!format!("{asked:?}").contains("swordfish"));
        let lab_is = ("COUNTERSIGN_GITLAB_API", "https://lab.example/api/v4");
        let tea_is = ("COUNTERSIGN_GITEA_API", "https://tea.example/api/v1");
        let (gitlab, gitea) = api(&[lab, lab_is, tea, tea_is]).unwrap();
        let urls = [gitlab, gitea].map(|asked| asked.unwrap().url.to_string());
        assert_eq!(urls, [lab_is.1, tea_is.1]);
        for wrong in [
            &[lab, ("COUNTERSIGN_GITLAB_API", "http://lab.example/api/v4")][..],
            &[tea, ("COUNTERSIGN_GITEA_API", "http://tea.example/api/v1")],
            &[tea],
        ] {
            assert_eq!(api(wrong).unwrap_err().0.len(), 1, "{wrong:?}");
        }
        for token in [&[lab][..], &[tea, tea_is]] {
            assert_eq!(complaints(token).len(), 1, "who is asked is heard too");
        }
    }

    #[test]
    fn what_would_send_secrets_in_the_clear_is_refused() {
        for url in [
            "http://countersign.halden.example",
            "ftp://127.0.0.1",
            "http://127.0.0.1.evil.example",
        ] {
            assert_eq!(complaints(&[("COUNTERSIGN_URL", url)]).len(), 1, "{url}");
            assert_eq!(
                complaints(&[("COUNTERSIGN_OIDC_ISSUER", url)]).len(),
                1,
                "{url}"
            );
        }
        for url in [
            "http://127.0.0.1:3000",
            "http://localhost:3000",
            "http://[::1]:3000",
        ] {
            let settings = read(&[("COUNTERSIGN_URL", url)]).expect(url);
            assert!(!settings.site.is_https());
        }
        assert_eq!(
            complaints(&[("COUNTERSIGN_URL", "https://halden.example/countersign")]).len(),
            1
        );
    }

    #[test]
    fn secrets_come_from_files_too_and_print_as_nothing() {
        let dir = std::env::temp_dir().join(format!("countersign-settings-{}", std::process::id()));
        std::fs::write(&dir, "in a file\n").expect("a file");
        let path = dir.to_str().expect("a name");
        let secret = |changes: &[(&str, &str)]| read(changes).map(|s| s.provider.client_secret);
        let file = ("COUNTERSIGN_OIDC_CLIENT_SECRET_FILE", path);
        let unset = ("COUNTERSIGN_OIDC_CLIENT_SECRET", "");
        let read_from_file = secret(&[file, unset]).expect("the file is there");
        assert_eq!(read_from_file.expose_secret(), "in a file");
        assert!(secret(&[file]).is_err(), "set twice");
        assert!(secret(&[("COUNTERSIGN_OIDC_CLIENT_SECRET_FILE", "/nowhere"), unset]).is_err());
        std::fs::remove_file(&dir).expect("it was there");

        let printed = format!("{:?}", read(&[]).expect("they are whole"));
        assert!(!printed.contains("swordfish"));
        assert!(!printed.contains("countersign@127.0.0.1"));
    }

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(duration("90s"), Some(Duration::seconds(90)));
        assert_eq!(duration("90d"), Some(Duration::days(90)));
        for bad in [
            "",
            "h",
            "12",
            "-1h",
            "0h",
            "1.5h",
            "1w",
            "999999999999999d",
            "12é",
        ] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_network_is_the_addresses_that_begin_like_it() {
        let network = |text: &str| text.parse::<Network>().expect(text);
        let address = |text: &str| text.parse::<IpAddr>().expect(text);
        assert!(network("10.0.0.0/8").contains(address("10.200.3.4")));
        assert!(!network("10.0.0.0/8").contains(address("11.0.0.1")));
        assert!(network("10.0.0.1").contains(address("::ffff:10.0.0.1")));
        assert!(network("0.0.0.0/0").contains(address("8.8.8.8")));
        assert!(!network("0.0.0.0/0").contains(address("2001:db8::1")));
        assert!(network("::/0").contains(address("2001:db8::1")));
        assert!(network("2001:db8::/32").contains(address("2001:db8:1::1")));
    }
}
