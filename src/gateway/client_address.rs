//! Who calls: the peer of the connection, or what a trusted load balancer says about it.

use std::net::IpAddr;

pub use domain::network::InvalidNetwork;
use domain::network::IpNetwork;
use hyper::header::{HeaderMap, HeaderName};

/// The de-facto standard header in which proxies list the addresses they forward for, the client's first.
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Networks whose `X-Forwarded-*` headers are believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNetwork>);

impl TrustedProxies {
    pub fn parse(texts: &[String]) -> Result<Self, InvalidNetwork> {
        texts.iter().map(|text| IpNetwork::parse(text)).collect::<Result<_, _>>().map(Self)
    }

    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address.to_canonical()))
    }

    /// The address that quotas count and back ends see: walking from the peer towards the client, the first that is no
    /// trusted proxy. What an untrusted peer claims is not looked at.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if self.0.is_empty() || !self.contains(peer) {
            return peer;
        }
        let mut client = peer;
        let lines = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        for hop in hops.into_iter().rev() {
            let Ok(address) = hop.parse::<IpAddr>() else { break };
            client = address.to_canonical();
            if !self.contains(client) {
                break;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(texts: &[&str]) -> TrustedProxies {
        TrustedProxies::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn client(proxies: &TrustedProxies, peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, value.parse().unwrap());
        }
        proxies.client_address(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn what_an_untrusted_peer_claims_is_ignored() {
        assert_eq!(client(&proxies(&[]), "1.2.3.4", &["9.9.9.9"]), "1.2.3.4");
        assert_eq!(client(&proxies(&["10.0.0.0/8"]), "1.2.3.4", &["9.9.9.9"]), "1.2.3.4");
    }

    #[test]
    fn behind_trusted_proxies_the_nearest_untrusted_address_counts() {
        let proxies = proxies(&["10.0.0.0/8", "::1"]);
        assert_eq!(client(&proxies, "10.1.1.1", &["6.6.6.6, 9.9.9.9", "10.2.2.2"]), "9.9.9.9");
        assert_eq!(client(&proxies, "::1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(client(&proxies, "10.1.1.1", &["not an address"]), "10.1.1.1");
        assert_eq!(client(&proxies, "::ffff:10.1.1.1", &["9.9.9.9"]), "9.9.9.9");
    }

    #[test]
    fn networks_are_compared_by_their_prefix() {
        let proxies = proxies(&["192.168.4.0/22", "fd00::/8", "0.0.0.0/0"]);
        assert!(proxies.contains("192.168.7.255".parse().unwrap()));
        assert!(proxies.contains("8.8.8.8".parse().unwrap()));
        assert!(proxies.contains("fd12::1".parse().unwrap()));
        assert!(!proxies.contains("fe80::1".parse().unwrap()));
        assert!(TrustedProxies::parse(&["10.0.0.0/33".to_owned()]).is_err());
        assert!(TrustedProxies::parse(&["balancer".to_owned()]).is_err());
    }
}
