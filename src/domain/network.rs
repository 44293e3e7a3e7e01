//! Addresses and networks, as configurations and restrictions of API keys write them.

use std::net::IpAddr;

/// The text names no address or network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no IP address and no network like 10.0.0.0/8")]
pub struct InvalidNetwork(pub String);

/// An address (`10.0.0.7`, `::1`) or a network (`10.0.0.0/8`, `2001:db8::/32`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpNetwork {
    address: IpAddr,
    prefix: u32,
}

impl IpNetwork {
    /// # Errors
    /// When the text is neither, or the prefix is longer than the address.
    pub fn parse(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.chars().take(64).collect());
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.trim().parse().map_err(|_| invalid())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), |prefix| prefix.trim().parse().map_err(|_| invalid()))?;
        if prefix > bits {
            return Err(invalid());
        }
        Ok(Self { address, prefix })
    }

    /// Whether the address is in the network; an IPv4 address inside an IPv6 one must be unwrapped by the caller.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_compared_by_their_prefix() {
        for (network, address, is_inside) in [
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("192.168.4.0/22", "192.168.7.255", true),
            ("192.168.4.0/22", "192.168.8.0", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "10.0.0.1", false),
        ] {
            let contains = IpNetwork::parse(network).unwrap().contains(address.parse().unwrap());
            assert_eq!(contains, is_inside, "{network} {address}");
        }
        for bad in ["", "host", "10.0.0.0/33", "::1/129", "10.0.0.0/-1", "10.0.0.0/8/8"] {
            assert!(IpNetwork::parse(bad).is_err(), "{bad}");
        }
    }
}
