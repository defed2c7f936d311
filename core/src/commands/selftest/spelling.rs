//! Every way to write an address in a request: what people, libraries and attackers write.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::step::{Host, Way};

/// Spellings of an IPv4 address, as they stand in a request of that kind.
pub(super) fn of_v4(ip: Ipv4Addr, way: Way) -> Vec<Host> {
    let [a, b, c, d] = ip.octets();
    let bits = ip.to_bits();
    let (low_24, low_16) = (bits & 0xff_ffff, bits & 0xffff);
    let mut texts = vec![
        format!("{ip}"),
        format!("{ip}."),
        format!("{bits}"),
        format!("{bits:#010x}"),
        format!("{bits:#X}").replace("0X", "0x"),
        format!("0{bits:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:#x}.{b}.0{c:o}.{d}"),
        format!("{a}.{low_24}"),
        format!("{a}.{b}.{low_16}"),
    ];
    // In a URL, this is no host at all.
    if way.is_socks() {
        let first = ip.to_string();
        let (digit, rest) = first.split_at(1);
        let encoded = format!("%{:02x}{rest}", digit.as_bytes()[0]);
        texts.push(encoded);
    }
    texts.sort();
    texts.dedup();
    // A number with a zero before it is octal, and may be another one or none.
    let is_same = |text: &String| {
        let target = Host::name(text).target(way, 1);
        target.is_ok_and(|target| target.ip() == Some(IpAddr::V4(ip)))
    };
    let texts = texts.into_iter().filter(is_same).map(Host::Text);
    let inside = v6_forms(ip).into_iter().map(|form| text_of(form, way));
    let bytes = in_bytes(ip.into(), way).into_iter();
    let mapped = in_bytes(ip.to_ipv6_mapped().into(), way);
    texts.chain(inside).chain(bytes).chain(mapped).collect()
}

/// An address as people write it, and as bytes.
pub(super) fn of_any(ip: IpAddr, way: Way) -> Vec<Host> {
    let written = match ip {
        IpAddr::V4(ip) => Host::name(ip.to_string()),
        IpAddr::V6(ip) => text_of(ip, way),
    };
    [written].into_iter().chain(in_bytes(ip, way)).collect()
}

/// IPv6 addresses that stand for an IPv4 address: mapped, compatible, translated (RFC 2765), NAT64
/// (RFC 6052, RFC 8215), 6to4, and Teredo (RFC 4380), where a public server stands before the
/// address, whose bits are inverted.
fn v6_forms(ip: Ipv4Addr) -> [Ipv6Addr; 7] {
    let bits = u128::from(ip.to_bits());
    [
        ip.to_ipv6_mapped(),
        Ipv6Addr::from_bits(bits),
        Ipv6Addr::from_bits(0xffff << 48 | bits),
        Ipv6Addr::from_bits(0x0064_ff9b << 96 | bits),
        Ipv6Addr::from_bits(0x0064_ff9b_0001 << 80 | bits),
        Ipv6Addr::from_bits(0x2002 << 112 | bits << 80),
        Ipv6Addr::from_bits(0x2001_0000_4136_e378 << 64 | u128::from(!ip.to_bits())),
    ]
}

fn text_of(ip: Ipv6Addr, way: Way) -> Host {
    Host::Text(if way.is_socks() {
        ip.to_string()
    } else {
        format!("[{ip}]")
    })
}

/// Version 4 of SOCKS has no bytes for IPv6, and a name behind 0.0.0.x.
fn in_bytes(ip: IpAddr, way: Way) -> Option<Host> {
    let can = match (way, ip) {
        (Way::Socks5, _) => true,
        (Way::Socks4, IpAddr::V4(ip)) => ip.octets()[..3] != [0; 3],
        _ => false,
    };
    can.then_some(Host::Address(ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ip: &str, way: Way) -> Vec<String> {
        let hosts = of_v4(ip.parse().unwrap(), way);
        hosts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_address_is_written_in_every_base_and_form() {
        let texts = texts("127.0.0.1", Way::Http);
        for text in [
            "127.0.0.1",
            "127.0.0.1.",
            "2130706433",
            "0x7f000001",
            "0x7F000001",
            "017700000001",
            "0x7f.0x0.0x0.0x1",
            "0177.00.00.01",
            "127.1",
            "127.0.1",
            "[::ffff:127.0.0.1]",
            "[::7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001:0:4136:e378::80ff:fffe]",
        ] {
            assert!(texts.iter().any(|it| it == text), "{text} in {texts:?}");
        }
    }

    #[test]
    fn socks_has_addresses_as_bytes_and_no_brackets() {
        let five = texts("10.0.0.1", Way::Socks5);
        assert!(five.contains(&"10.0.0.1 in bytes".to_owned()), "{five:?}");
        assert!(five.contains(&"::ffff:10.0.0.1 in bytes".to_owned()));
        assert!(five.contains(&"%310.0.0.1".to_owned()), "{five:?}");
        assert!(five.iter().all(|text| !text.contains('[')));
        let four = of_any("::1".parse().unwrap(), Way::Socks4);
        assert_eq!(four, [Host::name("::1")]);
        let unspecified = of_v4(Ipv4Addr::UNSPECIFIED, Way::Socks4);
        assert!(!unspecified.contains(&Host::Address(Ipv4Addr::UNSPECIFIED.into())));
    }

    #[test]
    fn no_spelling_is_of_another_address() {
        for way in [Way::Http, Way::Connect, Way::Socks5, Way::Socks4] {
            for ip in [[127, 0, 0, 1], [10, 0, 0, 1], [169, 254, 169, 254], [0; 4]] {
                let ip = Ipv4Addr::from(ip);
                for host in of_v4(ip, way) {
                    let target = host.target(way, 1).unwrap();
                    let is_v6 = target.ip().is_some_and(|ip| ip.is_ipv6());
                    assert!(is_v6 || target.ip() == Some(ip.into()), "{host}");
                }
            }
        }
    }
}
