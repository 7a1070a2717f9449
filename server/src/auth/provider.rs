//! The OpenID provider: found by its issuer, asked with a code, and believed only as far as it proves what it says.

use super::{
    attempt::Attempt,
    claims::{Others, Said},
    http::{Http, HttpError},
    secret,
};
use crate::settings::{self, GroupNames};
use domain::Timestamp;
use openidconnect::{
    AccessTokenHash, AuthType, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError,
    Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields, EndUserEmail, EndUserName,
    EndUserUsername, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdToken, IdTokenClaims,
    IdTokenFields, IdTokenVerifier, IssuerUrl, LocalizedClaim, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl, RequestTokenError, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClientAuthMethod,
        CoreErrorResponseType, CoreGenderClaim, CoreGrantType, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
        CoreResponseMode, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
        CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};
use time::Duration;
use tokio::sync::RwLock;
use url::Url;

/// How far the provider's clock may be from ours, either way. Five minutes is what providers and Kerberos before them
/// allow; the nonce and the code's one use are what keeps old tokens out, not the clock.
const LEEWAY: Duration = Duration::minutes(5);

/// What was discovered is asked for again after this long, so that a provider can move; new keys are looked for at once.
const FRESH: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// How an ID token may be signed: with a private key of the provider. Never `none`, and never with the client's secret,
/// which every server of ours knows.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The provider that the settings name.
#[derive(Debug)]
pub struct Provider {
    settings: settings::Provider,
    groups: GroupNames,
    callback: String,
    http: Http,
    /// None until somebody signs in: we start, and gates answer, while the provider is away.
    known: RwLock<Option<Known>>,
}

/// Who came back from the provider.
#[derive(Debug)]
pub struct Arrival {
    pub claims: store::people::Claims,
    /// The ID token as it came, to name the session when it is ended at the provider.
    pub id_token: String,
}

/// Why nobody could be signed in. Said in the log; people are told that the provider did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("the provider could not be asked: {0}")]
    Unreachable(String),
    #[error("the provider's settings here are wrong: {0}")]
    Settings(#[from] url::ParseError),
    #[error("the provider named an address that is not safe: {0}")]
    Unsafe(#[from] HttpError),
    #[error("the provider did not give tokens for the code: {0}")]
    Exchange(String),
    #[error("the provider gave no ID token")]
    NoIdToken,
    #[error("the ID token is not valid: {0}")]
    IdToken(#[from] ClaimsVerificationError),
    #[error("the ID token was made for another client, `{0}`")]
    OtherClient(String),
    #[error("the access token does not belong to the ID token")]
    AccessToken,
    #[error("the user info is not valid: {0}")]
    UserInfo(String),
    #[error("the answer is from another issuer than the one that was asked")]
    MixedUp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Extra {
    #[serde(default)]
    end_session_endpoint: Option<Url>,
    /// RFC 9207: then every answer carries `iss`, and one without is not from this provider.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl openidconnect::AdditionalProviderMetadata for Extra {}

type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Tokens = StandardTokenResponse<
    IdTokenFields<
        Others,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type SignedIdToken =
    IdToken<Others, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

type IdClaims = IdTokenClaims<Others, CoreGenderClaim>;

type OpenIdClient = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What was discovered, and when.
#[derive(Debug, Clone)]
struct Known {
    metadata: Arc<Metadata>,
    since: Instant,
}

impl Provider {
    /// The provider of these settings, which sends people back to `callback`. It is not asked yet.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(
        settings: settings::Provider,
        groups: GroupNames,
        callback: String,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            http: Http::new(&settings.issuer)?,
            settings,
            groups,
            callback,
            known: RwLock::new(None),
        })
    }

    /// Where a browser goes to sign in.
    ///
    /// # Errors
    /// The provider cannot be discovered.
    pub async fn authorization_url(&self, attempt: &Attempt) -> Result<Url, ProviderError> {
        let metadata = self.metadata().await?;
        self.http.check(metadata.authorization_endpoint().url())?;
        let client = self.client(&metadata)?;
        let (state, nonce) = (attempt.state(), attempt.nonce());
        let verifier = PkceCodeVerifier::new(attempt.pkce_verifier());
        let (url, _, _) = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(self.scopes(&metadata))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url)
    }

    /// Turns a code into the person who was given it, asking the provider and believing what it proves.
    ///
    /// # Errors
    /// The provider cannot be asked, or something it says is not proved.
    pub async fn arrival(
        &self,
        attempt: &Attempt,
        code: String,
        iss: Option<&str>,
        now: Timestamp,
    ) -> Result<Arrival, ProviderError> {
        let metadata = self.metadata().await?;
        self.check_issuer(&metadata, iss)?;
        let client = self.client(&metadata)?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| ProviderError::Unreachable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.pkce_verifier()))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::Request(_) => ProviderError::Unreachable(causes(&error)),
                _ => ProviderError::Exchange(causes(&error)),
            })?;
        let id_token = tokens.id_token().ok_or(ProviderError::NoIdToken)?;
        let claims = self.verify(id_token, attempt, metadata, now).await?;
        self.check_parties(claims)?;
        self.check_access_token(id_token, claims, &tokens).await?;
        let mut said = said_in_id_token(claims);
        if !said.is_whole(&self.groups) {
            said.add(self.user_info(&client, &tokens, claims).await?);
        }
        Ok(Arrival {
            claims: said.read(&self.settings.issuer, &self.groups),
            id_token: id_token.to_string(),
        })
    }

    /// Where a browser goes to end its session at the provider too. None where the provider offers no such thing.
    ///
    /// # Errors
    /// The provider cannot be discovered, or names an address that is not safe.
    pub async fn sign_out_url(
        &self,
        id_token: Option<&str>,
        back: &str,
    ) -> Result<Option<Url>, ProviderError> {
        let metadata = self.metadata().await?;
        let Some(mut url) = metadata.additional_metadata().end_session_endpoint.clone() else {
            return Ok(None);
        };
        self.http.check(&url)?;
        let mut query = url.query_pairs_mut();
        query.append_pair("client_id", &self.settings.client_id);
        query.append_pair("post_logout_redirect_uri", back);
        if let Some(id_token) = id_token {
            query.append_pair("id_token_hint", id_token);
        }
        drop(query);
        Ok(Some(url))
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        let known = self.known.read().await.clone();
        match known {
            Some(known) if known.since.elapsed() < FRESH => Ok(known.metadata),
            Some(known) => match self.discover().await {
                Ok(metadata) => Ok(metadata),
                // What it said an hour ago is better than nothing; its keys are checked anyway.
                Err(error) => {
                    tracing::warn!(%error, "The provider could not be discovered again");
                    Ok(known.metadata)
                }
            },
            None => self.discover().await,
        }
    }

    async fn discover(&self) -> Result<Arc<Metadata>, ProviderError> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone())?;
        let metadata = Metadata::discover_async(issuer, &self.http)
            .await
            .map_err(|error| ProviderError::Unreachable(causes(&error)))?;
        let metadata = Arc::new(metadata);
        *self.known.write().await = Some(Known {
            metadata: metadata.clone(),
            since: Instant::now(),
        });
        Ok(metadata)
    }

    fn client(&self, metadata: &Metadata) -> Result<OpenIdClient, ProviderError> {
        let secret = self.settings.client_secret.expose_secret().to_owned();
        let client = OpenIdClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(self.settings.client_id.clone()),
            Some(ClientSecret::new(secret)),
        );
        Ok(client
            .set_auth_type(how_we_prove_ourselves(metadata))
            .set_redirect_uri(RedirectUrl::new(self.callback.clone())?))
    }

    fn scopes(&self, metadata: &Metadata) -> Vec<Scope> {
        let scope = |name: &str| Scope::new(name.to_owned());
        if let Some(chosen) = &self.settings.scopes {
            return chosen.iter().map(|name| scope(name)).collect();
        }
        let listed = metadata.scopes_supported();
        let usual = ["profile", "email", "groups"].map(scope).into_iter();
        usual
            .filter(|scope| listed.is_none_or(|listed| listed.contains(scope)))
            .collect()
    }

    /// Against an answer of one provider that is brought to us as another's (RFC 9207).
    fn check_issuer(&self, metadata: &Metadata, iss: Option<&str>) -> Result<(), ProviderError> {
        let promised = metadata
            .additional_metadata()
            .authorization_response_iss_parameter_supported;
        match iss {
            Some(iss) if iss == self.settings.issuer => Ok(()),
            None if !promised => Ok(()),
            Some(_) | None => Err(ProviderError::MixedUp),
        }
    }

    /// Checks signature, issuer, audience, time and nonce. A key that we do not know may be new, so the keys are then
    /// asked for again, once.
    async fn verify<'t>(
        &self,
        token: &'t SignedIdToken,
        attempt: &Attempt,
        metadata: Arc<Metadata>,
        now: Timestamp,
    ) -> Result<&'t IdClaims, ProviderError> {
        let nonce = Nonce::new(attempt.nonce());
        match token.claims(&self.verifier(&metadata, now), &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let metadata = self.discover().await?;
                Ok(token.claims(&self.verifier(&metadata, now), &nonce)?)
            }
            verified => Ok(verified?),
        }
    }

    fn verifier(
        &self,
        metadata: &Metadata,
        now: Timestamp,
    ) -> IdTokenVerifier<'static, CoreJsonWebKey> {
        let earliest = SystemTime::from(now - LEEWAY);
        let latest = SystemTime::from(now + LEEWAY);
        // As for a public client: one with a secret would believe what anybody signs who knows the secret.
        IdTokenVerifier::new_public_client(
            ClientId::new(self.settings.client_id.clone()),
            metadata.issuer().clone(),
            metadata.jwks().clone(),
        )
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || earliest.into())
        .set_issue_time_verifier_fn(move |issued| {
            if SystemTime::from(issued) <= latest {
                Ok(())
            } else {
                Err("it was issued in the future".to_owned())
            }
        })
    }

    /// The library checks `aud`; who was given the token, `azp`, is left to us.
    fn check_parties(&self, claims: &IdClaims) -> Result<(), ProviderError> {
        match claims.authorized_party() {
            Some(party) if party.as_str() != self.settings.client_id => {
                Err(ProviderError::OtherClient(party.to_string()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Checks `at_hash`, where it is: the access token is what the user info is asked with.
    async fn check_access_token(
        &self,
        token: &SignedIdToken,
        claims: &IdClaims,
        tokens: &Tokens,
    ) -> Result<(), ProviderError> {
        let Some(expected) = claims.access_token_hash() else {
            return Ok(());
        };
        let metadata = self.metadata().await?;
        let verifier = IdTokenVerifier::new_public_client(
            ClientId::new(self.settings.client_id.clone()),
            metadata.issuer().clone(),
            metadata.jwks().clone(),
        );
        let invalid = |_| ProviderError::AccessToken;
        let algorithm = token
            .signing_alg()
            .map_err(|_| ProviderError::AccessToken)?;
        let key = token
            .signing_key(&verifier)
            .map_err(|_| ProviderError::AccessToken)?;
        let actual =
            AccessTokenHash::from_token(tokens.access_token(), algorithm, key).map_err(invalid)?;
        if secret::is_equal(&actual, expected) {
            Ok(())
        } else {
            Err(ProviderError::AccessToken)
        }
    }

    async fn user_info(
        &self,
        client: &OpenIdClient,
        tokens: &Tokens,
        claims: &IdClaims,
    ) -> Result<Said, ProviderError> {
        // Without such an endpoint, what the ID token says is all there is.
        let Ok(request) = client.user_info(
            tokens.access_token().clone(),
            Some(claims.subject().clone()),
        ) else {
            return Ok(Said::default());
        };
        let info: UserInfoClaims<Others, CoreGenderClaim> = request
            .request_async(&self.http)
            .await
            .map_err(|error| ProviderError::UserInfo(causes(&error)))?;
        Ok(Said {
            subject: info.subject().to_string(),
            name: name(info.name()),
            email: info.email().map(email),
            login: info.preferred_username().map(login),
            others: info.additional_claims().clone(),
        })
    }
}

fn said_in_id_token(claims: &IdClaims) -> Said {
    Said {
        subject: claims.subject().to_string(),
        name: name(claims.name()),
        email: claims.email().map(email),
        login: claims.preferred_username().map(login),
        others: claims.additional_claims().clone(),
    }
}

/// The name in no language in particular, or else in any.
fn name(names: Option<&LocalizedClaim<EndUserName>>) -> Option<String> {
    let names = names?;
    let any = names
        .get(None)
        .or_else(|| names.iter().next().map(|(_, name)| name));
    any.map(|name| name.to_string())
}

fn email(address: &EndUserEmail) -> String {
    address.to_string()
}

fn login(name: &EndUserUsername) -> String {
    name.to_string()
}

/// In the header, as every provider must accept, unless this one says that it takes the secret only in the form.
fn how_we_prove_ourselves(metadata: &Metadata) -> AuthType {
    match metadata.token_endpoint_auth_methods_supported() {
        Some(methods)
            if !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && methods.contains(&CoreClientAuthMethod::ClientSecretPost) =>
        {
            AuthType::RequestBody
        }
        Some(_) | None => AuthType::BasicAuth,
    }
}

/// An error with what caused it: the library's own messages end where ours have to begin.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
