//! Every class of address, and every spelling of an IPv4 address.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

/// The class, and addresses of it.
const CLASSES: &[(Class, &[&str])] = &[
    (
        Class::Public,
        &[
            "9.9.9.9",
            "1.0.0.0",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "168.63.129.15",
            "2620:fe::fe",
            "2000::1",
            "2001:200::1",
            "2001:db7::1",
            "2001:db9::1",
            "2003::1",
            "3ffe::1",
            "2a00:1450::1",
        ],
    ),
    (
        Class::Unspecified,
        &["0.0.0.0", "0.0.0.1", "0.255.255.255", "::"],
    ),
    (Class::Loopback, &["127.0.0.1", "127.255.255.255", "::1"]),
    (
        Class::LinkLocal,
        &["169.254.0.1", "169.254.170.2", "fe80::1", "febf::1"],
    ),
    (
        Class::Private,
        &[
            "10.0.0.0",
            "10.255.255.255",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            // With a prefix of 56 bits it is 10.11.0.12.
            "64:ff9b:1:a:b:c::1",
        ],
    ),
    (
        Class::UniqueLocal,
        &["fc00::1", "fd12:3456::1", "fdff::1", "fec0::1"],
    ),
    (Class::Shared, &["100.64.0.0", "100.127.255.255"]),
    (
        Class::Benchmarking,
        &["198.18.0.0", "198.19.255.255", "2001:2::1"],
    ),
    (
        Class::Documentation,
        &[
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.255",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
        ],
    ),
    (
        Class::Multicast,
        &["224.0.0.1", "239.255.255.255", "ff02::1"],
    ),
    (Class::Broadcast, &["255.255.255.255"]),
    (
        Class::Reserved,
        &[
            "192.0.0.1",
            "192.88.99.1",
            "240.0.0.0",
            "255.255.255.254",
            "100::1",
            "5f00::1",
            "2001:1::1",
            "2001:20::1",
            "4000::1",
            "64:ff9b::1:0:0:1",
            "::1:0:0:0:1",
        ],
    ),
    (
        Class::Metadata,
        &[
            "169.254.169.254",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
        ],
    ),
];

/// All ways in which an IPv6 address can stand for an IPv4 address.
fn spellings(ip: Ipv4Addr) -> Vec<IpAddr> {
    let bits = u128::from(ip.to_bits());
    let of = |bits: u128| IpAddr::V6(bits.into());
    let mut all = vec![
        of(0xffff << 32 | bits),
        of(0xffff << 48 | bits),
        of(0x0064_ff9b << 96 | bits),
        of(0x2002 << 112 | bits << 80 | 1),
        // The server is the same host.
        of(0x2001_0000 << 96 | bits << 64 | (!bits & 0xffff_ffff)),
    ];
    if bits > 1 {
        all.push(of(bits));
    }
    // Nothing is sent to 0.0.0.0/8, and one zero more or less is another address of it there.
    if ip.octets()[0] != 0 {
        all.push(of(0x0064_ff9b_0001 << 80 | bits));
    }
    all
}

/// The same in a network of one's own, whose prefix can have several lengths (RFC 6052, section
/// 2.2).
fn local_spellings(ip: Ipv4Addr, subnet: u16, suffix: u32) -> [IpAddr; 4] {
    let (bits, subnet) = (u128::from(ip.to_bits()), u128::from(subnet));
    let (high, low) = (bits >> 16, bits & 0xffff);
    let (first, rest) = (bits >> 24, bits & 0x00ff_ffff);
    let suffix = u128::from(suffix);
    let within = |bits: u128| IpAddr::V6((0x0064_ff9b_0001 << 80 | bits).into());
    [
        within(subnet << 64 | bits),
        within(subnet << 64 | bits << 24 | suffix & 0x00ff_ffff),
        within((subnet & 0xff00 | first) << 64 | rest << 32 | suffix),
        within(high << 64 | low << 40 | suffix),
    ]
}

/// The first one that is not public of those that an address can stand for.
fn class(ip: IpAddr) -> Class {
    let public = |it: Classified| match it.class {
        Class::Public => Ok(()),
        class => Err(class),
    };
    Classified::try_each(ip, public)
        .err()
        .unwrap_or(Class::Public)
}

#[test]
fn every_length_of_a_networks_own_prefix_is_read() {
    let policy = policy(
        LOCAL,
        &egress(|egress| egress.deny = entries(&["9.9.9.0/24"])),
    );
    for address in [
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:aba9:fe:a9fe::",
        "64:ff9b:1:abcd:a9:fea9:fe00:0",
        "64:ff9b:1:abcd::169.254.169.254",
        // What is not part of the address is for the translator to look at, or not to.
        "64:ff9b:1:a9fe:ffa9:fe12:3456:789a",
    ] {
        let refusal = judge(&policy, address).unwrap_err();
        assert_eq!(refusal.rule, Rule::Unnamed, "{address}");
        assert!(
            refusal.to_string().contains("leads to 169.254."),
            "{refusal}"
        );
    }
    for address in [
        "64:ff9b:1:909:9:900::",
        "64:ff9b:1:ab09:9:909::",
        "64:ff9b:1:abcd:9:909:900:0",
        "64:ff9b:1:abcd::9.9.9.9",
    ] {
        let refusal = judge(&policy, address).unwrap_err();
        assert!(matches!(refusal.rule, Rule::Deny(_)), "{address}");
    }
    let beyond = |allow: &str| self::policy(BEYOND, &egress(|it| it.allow = entries(&[allow])));
    let both = "64:ff9b:1:a00:0:100:c0a8:100";
    for (allow, passes) in [
        ("10.0.0.0/8", false),
        ("64:ff9b:1::/48", true),
        ("0.0.0.0/0", true),
    ] {
        // It can be 10.0.0.1 and 192.168.1.0, and who allows the one does not allow the other.
        assert_eq!(judge(&beyond(allow), both).is_ok(), passes, "{allow}");
    }
    let ten = "64:ff9b:1:a00:0:100::";
    assert!(judge(&self::policy(BEYOND, &Egress::default()), ten).is_err());
    assert!(
        judge(
            &self::policy(BEYOND, &Egress::default()),
            "64:ff9b:1::9.9.9.9"
        )
        .is_ok()
    );
}

#[test]
fn every_class_is_known_and_treated_as_the_settings_say() {
    let named = [Class::LinkLocal, Class::Metadata];
    for (class, addresses) in CLASSES {
        for address in *addresses {
            let ip: IpAddr = address.parse().unwrap();
            assert_eq!(self::class(ip), *class, "{address}");
            let is_public = *class == Class::Public;
            let is_named = named.contains(class);
            for (own, word, passes) in [
                (LOCAL, PrivateAddresses::Auto, !is_named),
                (BEYOND, PrivateAddresses::Auto, is_public),
                (LOCAL, PrivateAddresses::Deny, is_public),
                (BEYOND, PrivateAddresses::Deny, is_public),
                (LOCAL, PrivateAddresses::Allow, !is_named),
                (BEYOND, PrivateAddresses::Allow, !is_named),
            ] {
                let judged = judge(&policy(own, &with_word(word)), address);
                assert_eq!(judged.is_ok(), passes, "{address} {own} {word:?}");
                if let Err(refusal) = judged {
                    assert_eq!(refusal.class(), Some(*class), "{address}");
                    let rule = if is_named {
                        Rule::Unnamed
                    } else {
                        Rule::Private
                    };
                    assert_eq!(refusal.rule, rule, "{address}");
                    let error = Error::from(refusal);
                    assert_eq!(error.proxy_status(), "destination_ip_prohibited");
                    assert_eq!(error.status(), 403);
                    assert!(error.to_string().contains(&class.to_string()), "{error}");
                }
            }
        }
    }
}

/// Any address, and often one that is near a border of its class.
fn any_ipv4() -> impl Strategy<Value = Ipv4Addr> {
    let listed: Vec<Ipv4Addr> = CLASSES
        .iter()
        .flat_map(|(_, addresses)| addresses.iter().filter_map(|address| address.parse().ok()))
        .collect();
    let near = (prop::sample::select(listed), -1..=1_i32)
        .prop_map(|(ip, step)| ip.to_bits().wrapping_add_signed(step).into());
    prop_oneof![near, any::<u32>().prop_map(Ipv4Addr::from_bits)]
}

fn any_entries() -> impl Strategy<Value = Vec<Destination>> {
    let entry =
        (any_ipv4(), 0..=32_u8, prop::option::of(80..=81_u16)).prop_map(|(ip, bits, port)| {
            let network = ipnet::IpNet::new_assert(ip.into(), bits).trunc();
            let port = port.map_or(String::new(), |port| format!(":{port}"));
            format!("{network}{port}").parse().unwrap()
        });
    prop::collection::vec(entry, 0..3)
}

fn any_word() -> impl Strategy<Value = PrivateAddresses> {
    prop::sample::select(vec![
        PrivateAddresses::Auto,
        PrivateAddresses::Allow,
        PrivateAddresses::Deny,
    ])
}

proptest! {
    #[test]
    fn an_address_is_never_allowed_in_one_spelling_and_refused_in_another(
        ip in any_ipv4(),
        (allow, deny) in (any_entries(), any_entries()),
        private in any_word(),
        own in prop::sample::select(vec![LOCAL, BEYOND]),
        scheme in prop::sample::select(vec![Scheme::Http, Scheme::Tunnel]),
        (subnet, suffix) in any::<(u16, u32)>(),
    ) {
        let egress = egress(|egress| {
            (egress.allow, egress.deny, egress.private) = (allow, deny, private);
        });
        let policy = policy(own, &egress);
        let target = Target::parse("a.example:81", None).unwrap();
        let rule = |ip: IpAddr| policy.judge(&target, scheme, ip).map_err(|refusal| refusal.rule);
        let class = self::class(ip.into());
        // Each can stand for other addresses, too, which may be refused where this one is not.
        for spelling in local_spellings(ip, subnet, suffix) {
            let is_sent_to = ip.octets()[0] != 0;
            prop_assert!(!is_sent_to || rule(ip.into()).is_ok() || rule(spelling).is_err());
        }
        for spelling in spellings(ip) {
            prop_assert_eq!(self::class(spelling), class, "{}", spelling);
            prop_assert_eq!(rule(ip.into()), rule(spelling), "{}", spelling);
            // As a target that is written so.
            let literal = Target::parse(&format!("[{spelling}]:81"), None).unwrap();
            let plain = Target::parse(&format!("{ip}:81"), None).unwrap();
            let judge = |target: &Target| policy.judge(target, scheme, target.ip().unwrap()).is_ok();
            prop_assert_eq!(judge(&plain), judge(&literal), "{}", spelling);
        }
    }
}
