//! Which addresses may be connected to (IANA special-purpose address registries, RFC 6890 and successors).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the operator allows beyond the public internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AddressRules {
    pub allow_loopback: bool,
    pub allow_private: bool,
}

/// Kinds of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    /// This machine.
    Loopback,
    /// Private, shared (carrier-grade NAT) and link-local networks.
    Private,
    /// Nothing that can be fetched from: unspecified, multicast, broadcast, documentation, reserved, tunnels.
    Special,
}

impl AddressRules {
    /// Why `address` may not be connected to; `None` when it may.
    pub(super) fn refusal(self, address: IpAddr) -> Option<&'static str> {
        match kind(address) {
            Kind::Public => None,
            Kind::Loopback if self.allow_loopback => None,
            Kind::Loopback => Some("loopback addresses are not allowed"),
            Kind::Private if self.allow_private => None,
            Kind::Private => Some("private and link-local addresses are not allowed"),
            Kind::Special => Some("addresses with a special purpose are not allowed"),
        }
    }
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        [127, ..] => Kind::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [169, 254, ..] | [100, 64..=127, ..] => Kind::Private,
        // This network; IETF protocols; documentation; 6to4 relays; benchmarks; multicast and reserved.
        [0, ..] | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Kind::Special,
        [192, 88, 99, _] | [198, 18..=19, ..] | [224..=255, ..] => Kind::Special,
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    if let Some(inner) = address.to_ipv4_mapped() {
        return kind_v4(inner);
    }
    let [a, b, c, d, e, f, g, h] = address.segments();
    let [high, low, last_high, last_low] = [g >> 8, g & 0xff, h >> 8, h & 0xff].map(|byte| byte as u8);
    match [a, b, c, d, e, f] {
        _ if address == Ipv6Addr::LOCALHOST => Kind::Loopback,
        // NAT64 (RFC 6052): a host without IPv4 reaches IPv4 through this prefix.
        [0x64, 0xff9b, 0, 0, 0, 0] => kind_v4(Ipv4Addr::new(high, low, last_high, last_low)),
        // NAT64 of the local network (RFC 8215), unique local, link-local and the old site-local addresses.
        [0x64, 0xff9b, 1, ..] | [0xfc00..=0xfdff, ..] | [0xfe80..=0xfeff, ..] => Kind::Private,
        // Teredo, benchmarks, ORCHID and other protocol assignments; documentation; 6to4.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] | [0x2002, ..] => Kind::Special,
        // All of the public internet lies in 2000::/3.
        [0x2000..=0x3fff, ..] => Kind::Public,
        _ => Kind::Special,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(address: &str, allow_loopback: bool, allow_private: bool) -> bool {
        AddressRules { allow_loopback, allow_private }.refusal(address.parse().unwrap()).is_some()
    }

    #[test]
    fn public_addresses_are_allowed() {
        for address in
            ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
        {
            assert!(!refusal(address, false, false), "{address}");
        }
    }

    #[test]
    fn this_machine_is_allowed_by_config_only() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
            assert!(refusal(address, false, true), "{address}");
            assert!(!refusal(address, true, false), "{address}");
        }
    }

    #[test]
    fn private_networks_are_allowed_by_config_only() {
        for address in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
        ] {
            assert!(refusal(address, true, false), "{address}");
            assert!(!refusal(address, false, true), "{address}");
        }
    }

    #[test]
    fn special_addresses_are_never_allowed() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "192.88.99.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::7f00:1",
            "ff02::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "4000::1",
            "64:ff9b::e000:1",
        ] {
            assert!(refusal(address, true, true), "{address}");
        }
    }
}
