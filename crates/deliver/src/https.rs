//! Delivery by HTTPS: a POST of the compressed report (RFC 8460 section 5.4).
//!
//! The URL comes from an untrusted record. The resolver in this module returns only addresses that the [`AddressGuard`] permits, and
//! the connection goes to one of them: there is no second lookup, whose answer could differ. Redirects are not followed, proxies of
//! the environment are not used, and time and sizes are limited.

use std::{io, sync::Arc, time::Duration};

use jiff::{Timestamp, fmt::rfc2822};
use ureq::{
    Agent, Body, Error,
    config::Config,
    http::{Response, StatusCode, Uri, header::RETRY_AFTER},
    tls::{Certificate, RootCerts, TlsConfig},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use crate::{
    AddressGuard, HttpsUrl,
    outcome::{Outcome, answer},
};

/// The media type of a compressed report (RFC 8460 section 6.5).
pub(crate) const MEDIA_TYPE: &str = "application/tlsrpt+gzip";
/// The largest header of an answer that is read, in bytes.
const LARGEST_ANSWER_HEADER: usize = 16 << 10;
/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How to treat a server whose certificate does not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// Post the report anyway, with a warning in the state of the delivery. RFC 8460 section 3 permits this: a domain with a bad
    /// certificate needs the report most.
    Prefer,
    /// Do not post the report.
    Require,
}

/// Posts reports.
#[derive(Debug)]
pub struct HttpsClient {
    verifying: Agent,
    trusting: Option<Agent>,
}

impl HttpsClient {
    /// A client that gives an attempt so much time, connects to addresses that the guard permits, and trusts these certification
    /// authorities, in DER.
    #[must_use]
    pub fn new(timeout: Duration, verify: Verify, guard: &AddressGuard, authorities: &[Vec<u8>]) -> Self {
        Self::with_resolver(timeout, verify, guard, authorities, Arc::new(DefaultResolver::default()))
    }

    /// The same with another resolver than the system's. The guard looks at its answers too.
    #[must_use]
    pub fn with_resolver(
        timeout: Duration,
        verify: Verify,
        guard: &AddressGuard,
        authorities: &[Vec<u8>],
        resolver: Arc<dyn Resolver>,
    ) -> Self {
        let roots = RootCerts::Specific(Arc::new(
            authorities.iter().map(|der| Certificate::from_der(der).to_owned()).collect::<Vec<_>>(),
        ));
        let agent = |disable_verification| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let tls = TlsConfig::builder()
                .root_certs(roots.clone())
                .disable_verification(disable_verification)
                .unversioned_rustls_crypto_provider(provider)
                .build();
            let config = Config::builder()
                .https_only(true)
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(None)
                .user_agent(concat!("tlsrpt/", env!("CARGO_PKG_VERSION")))
                .max_response_header_size(LARGEST_ANSWER_HEADER)
                .max_idle_connections(0)
                .timeout_global(Some(timeout))
                .tls_config(tls)
                .build();
            Agent::with_parts(
                config,
                DefaultConnector::default(),
                GuardedResolver { resolver: Arc::clone(&resolver), guard: guard.clone() },
            )
        };
        Self { verifying: agent(false), trusting: (verify == Verify::Prefer).then(|| agent(true)) }
    }

    /// Posts a compressed report once. Blocks for at most the timeout, or twice that where a certificate does not verify.
    #[must_use]
    pub fn post(&self, url: &HttpsUrl, report: &[u8]) -> Outcome {
        match (post(&self.verifying, url, report), &self.trusting) {
            (Err(error), Some(trusting)) if is_about_certificate(&error) => {
                let warning = answer(in_words(&error));
                match outcome(post(trusting, url, report)) {
                    Outcome::Delivered { answer, .. } => Outcome::Delivered { answer, warning: Some(warning) },
                    other => other,
                }
            }
            (result, _) => outcome(result),
        }
    }
}

fn post(agent: &Agent, url: &HttpsUrl, report: &[u8]) -> Result<Response<Body>, Error> {
    agent.post(url.as_str()).content_type(MEDIA_TYPE).send(report)
}

fn outcome(result: Result<Response<Body>, Error>) -> Outcome {
    match result {
        Ok(response) => of_response(&response),
        Err(error) => of_error(&error),
    }
}

/// Only 2xx is a delivery. Statuses that may be temporary are tried again (RFC 9110 section 15).
fn of_response(response: &Response<Body>) -> Outcome {
    let status = response.status();
    let answer = answer(format_args!("HTTP {status}"));
    match status {
        _ if status.is_success() => Outcome::Delivered { answer, warning: None },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Outcome::Deferred { answer, wait: wait(response), unknown: false }
        }
        _ if status.is_server_error() => Outcome::Deferred { answer, wait: wait(response), unknown: false },
        _ => Outcome::Refused { answer },
    }
}

fn of_error(error: &Error) -> Outcome {
    let answer = answer(in_words(error));
    match error {
        Error::BadUri(_) | Error::Http(_) | Error::RequireHttpsOnly(_) => Outcome::Refused { answer },
        Error::Other(inner) if inner.is::<NotPermitted>() => Outcome::Refused { answer },
        Error::Other(inner) if inner.is::<LookupFailed>() => Outcome::Deferred { answer, wait: None, unknown: false },
        Error::HostNotFound | Error::ConnectionFailed | Error::Tls(_) | Error::Rustls(_) => {
            Outcome::Deferred { answer, wait: None, unknown: false }
        }
        Error::Io(inner) if is_before_the_request(inner) => Outcome::Deferred { answer, wait: None, unknown: false },
        Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
            Outcome::Deferred { answer, wait: None, unknown: false }
        }
        _ => Outcome::Deferred { answer, wait: None, unknown: true },
    }
}

/// The error without the name of its kind, which ureq puts first.
fn in_words(error: &Error) -> String {
    match error {
        Error::Other(inner) => inner.to_string(),
        Error::Io(inner) => inner.to_string(),
        other => other.to_string(),
    }
}

/// Errors of making the connection.
fn is_before_the_request(error: &io::Error) -> bool {
    rustls_error(error).is_some()
        || matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable
        )
}

fn is_about_certificate(error: &Error) -> bool {
    let rustls = match error {
        Error::Rustls(error) => Some(error),
        Error::Io(error) => rustls_error(error),
        _ => None,
    };
    matches!(rustls, Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented))
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// The wait that a Retry-After header asks for, in seconds or until a date (RFC 9110 section 10.2.3).
fn wait(response: &Response<Body>) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = rfc2822::parse(text).ok()?.timestamp();
            Duration::try_from(until.duration_since(Timestamp::now())).ok()?
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The host of the URL has only addresses that reports are never posted to.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address; to post to an own network, name it in allow of [https]")]
struct NotPermitted;

/// The host of the URL has no address now.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct LookupFailed(Error);

/// A resolver, less the addresses that the guard does not permit.
#[derive(Debug)]
struct GuardedResolver {
    resolver: Arc<dyn Resolver>,
    guard: AddressGuard,
}

impl Resolver for GuardedResolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut permitted = self.empty();
        let found =
            self.resolver.resolve(uri, config, timeout).map_err(|error| Error::Other(Box::new(LookupFailed(error))))?;
        for address in found.iter().filter(|found| self.guard.permits(found.ip())) {
            permitted.push(*address);
        }
        if permitted.is_empty() { Err(Error::Other(Box::new(NotPermitted))) } else { Ok(permitted) }
    }
}
