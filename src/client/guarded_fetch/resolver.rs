//! Name resolution whose answers are checked before anything connects to them.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::AddressRules;

/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Turns a host name into addresses.
pub trait Lookup: Send + Sync {
    fn lookup(&self, host: String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;
}

/// The machine's resolver (`/etc/hosts`, DNS).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}

/// No address of the name may be connected to; carries the rule.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct RefusedAddress(pub &'static str);

/// Hands the HTTP client allowed addresses only, and exactly those that it will connect to.
pub(super) struct CheckedResolver {
    lookup: Arc<dyn Lookup>,
    rules: AddressRules,
}

impl CheckedResolver {
    pub(super) fn new(lookup: Arc<dyn Lookup>, rules: AddressRules) -> Self {
        Self { lookup, rules }
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.rules;
        let lookup = self.lookup.lookup(name.as_str().to_owned());
        Box::pin(async move {
            let found = lookup.await?;
            let allowed: Vec<SocketAddr> = found
                .iter()
                .filter(|address| rules.refusal(**address).is_none())
                .take(ADDRESSES_MAX)
                // The client puts the URL's port in place of 0.
                .map(|address| SocketAddr::new(*address, 0))
                .collect();
            if allowed.is_empty()
                && let Some(rule) = found.iter().find_map(|address| rules.refusal(*address))
            {
                return Err(RefusedAddress(rule).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
