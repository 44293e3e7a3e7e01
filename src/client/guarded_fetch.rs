//! The one way in which something that a user names is fetched: a definition by URL, and the like.
//!
//! http(s) only, no credentials in the URL, no cookies, no proxy from the environment, no decompression. Every address
//! is checked after the name was resolved and the connection goes to the address that was checked; each redirect
//! starts anew. Time and size are limited over all of it.

mod address;
mod body;
mod resolver;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use config::sections::fetch::Fetch;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, redirect, retry};
use tokio::sync::OnceCell;
use url::{Host, Url};

use address::AddressRules;
use resolver::{CheckedResolver, RefusedAddress};

pub use resolver::{Lookup, SystemLookup};

/// Longest URL that is taken.
const URL_BYTES_MAX: usize = 2048;

/// Why nothing was fetched. The text is fit for the user who named the URL: it never shows what was found there.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("'{url}' cannot be fetched: {rule}")]
    Refused { url: String, rule: &'static str },
    #[error("'{url}' cannot be fetched: more than {max} redirects")]
    TooManyRedirects { url: String, max: u8 },
    #[error("'{url}' cannot be fetched: it answered with status {status}")]
    Status { url: String, status: u16 },
    #[error("'{url}' cannot be fetched: it has more than {max} bytes")]
    TooLarge { url: String, max: u64 },
    #[error("'{url}' cannot be fetched: it took longer than {} ms", timeout.as_millis())]
    TimedOut { url: String, timeout: Duration },
    /// Name resolution, connection, TLS or protocol failed; the source is for the log.
    #[error("'{url}' cannot be reached")]
    Unreachable { url: String, source: Box<dyn StdError + Send + Sync> },
    /// The machine has no usable TLS set-up (no root certificates).
    #[error("no URL can be fetched by this node")]
    Setup(#[source] reqwest::Error),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it was found after all redirects.
    pub url: Url,
    /// `Content-Type` as it came.
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

/// The guarded fetcher; clones share everything.
#[derive(Clone)]
pub struct GuardedFetch {
    limits: Arc<Fetch>,
    rules: AddressRules,
    lookup: Arc<dyn Lookup>,
    /// Made at the first fetch: reading the machine's root certificates takes a while.
    client: Arc<OnceCell<Client>>,
}

impl GuardedFetch {
    /// A fetcher that resolves names as the machine does.
    #[must_use]
    pub fn new(limits: &Fetch) -> Self {
        Self::with_lookup(limits, Arc::new(SystemLookup))
    }

    /// A fetcher with its own name resolution; its answers are checked as any.
    #[must_use]
    pub fn with_lookup(limits: &Fetch, lookup: Arc<dyn Lookup>) -> Self {
        let rules = AddressRules { allow_loopback: limits.allow_loopback, allow_private: limits.allow_private };
        Self { limits: Arc::new(limits.clone()), rules, lookup, client: Arc::default() }
    }

    /// Fetches `url` with GET.
    ///
    /// # Errors
    /// See [`FetchError`]; any status but 2xx (after redirects) is one.
    pub async fn get(&self, url: &str) -> Result<Fetched, FetchError> {
        let start = self.check_text(url)?;
        let shown = display(&start);
        let timeout = self.limits.timeout.get();
        match tokio::time::timeout(timeout, self.follow(start)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(FetchError::TimedOut { url: shown, timeout }),
        }
    }

    async fn follow(&self, start: Url) -> Result<Fetched, FetchError> {
        let mut url = start;
        for _ in 0..=self.limits.redirects_max {
            let response = self.send(&url).await?;
            match redirect_target(&url, &response)? {
                Some(target) => url = target,
                None => return self.finish(url, response).await,
            }
        }
        Err(FetchError::TooManyRedirects { url: display(&url), max: self.limits.redirects_max })
    }

    async fn send(&self, url: &Url) -> Result<Response, FetchError> {
        self.check(url)?;
        let client = self.client.get_or_try_init(|| async { self.build() }).await.map_err(FetchError::Setup)?;
        let request = client.get(url.clone()).header(ACCEPT_ENCODING, "identity");
        request.send().await.map_err(|error| match refused_address(&error) {
            Some(rule) => refuse(url, rule),
            None => unreachable(url, error),
        })
    }

    fn build(&self) -> Result<Client, reqwest::Error> {
        Client::builder()
            .dns_resolver(Arc::new(CheckedResolver::new(Arc::clone(&self.lookup), self.rules)))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            // A connection serves one fetch: its address was checked for that one.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("gatewright/", env!("CARGO_PKG_VERSION")))
            .build()
    }

    async fn finish(&self, url: Url, response: Response) -> Result<Fetched, FetchError> {
        let status = response.status();
        if !status.is_success() {
            return Err(FetchError::Status { url: display(&url), status: status.as_u16() });
        }
        let content_type =
            response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = body::read(&url, response, self.limits.body_max.get()).await?;
        Ok(Fetched { url, content_type, body })
    }

    fn check_text(&self, text: &str) -> Result<Url, FetchError> {
        let shown = || text.chars().take(100).collect::<String>();
        if text.len() > URL_BYTES_MAX {
            return Err(FetchError::Refused { url: shown(), rule: "the URL is too long" });
        }
        let url = Url::parse(text.trim());
        // The raw text may hold a password, so an unreadable URL with an '@' is not repeated.
        let shown = if text.contains('@') { String::new() } else { shown() };
        let url = url.map_err(|_| FetchError::Refused { url: shown, rule: "it is not an absolute URL" })?;
        self.check(&url)?;
        Ok(url)
    }

    /// What can be told from the URL alone. The parser has turned every spelling of an address into an address.
    fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse(url, "only http and https URLs are fetched"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse(url, "the URL must not contain credentials"));
        }
        let refusal = match url.host() {
            None => Some("the URL has no host"),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => self.rules.refusal(address.into()),
            Some(Host::Ipv6(address)) => self.rules.refusal(address.into()),
        };
        refusal.map_or(Ok(()), |rule| Err(refuse(url, rule)))
    }
}

/// Where a redirect leads; `None` when the answer is no redirect. The target is checked before it is asked.
fn redirect_target(url: &Url, response: &Response) -> Result<Option<Url>, FetchError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = location.filter(|text| text.len() <= URL_BYTES_MAX).and_then(|text| url.join(text).ok());
    target.map(Some).ok_or_else(|| refuse(url, "it redirects to no usable URL"))
}

fn refuse(url: &Url, rule: &'static str) -> FetchError {
    FetchError::Refused { url: display(url), rule }
}

fn unreachable(url: &Url, error: reqwest::Error) -> FetchError {
    FetchError::Unreachable { url: display(url), source: Box::new(error.without_url()) }
}

/// The URL without what may be secret in it: credentials, query and fragment.
fn display(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // URLs that cannot have credentials refuse this, and then have none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.as_str().chars().take(300).collect()
}

fn refused_address(error: &reqwest::Error) -> Option<&'static str> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<RefusedAddress>() {
            return Some(refused.0);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests;
