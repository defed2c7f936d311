//! Every class of address, in every spelling, under every word of the settings.

mod classes;

use super::*;

const LOCAL: &str = "127.0.0.1:3000";
const BEYOND: &str = "0.0.0.0:3000";

fn egress(change: impl FnOnce(&mut Egress)) -> Egress {
    let mut egress = Egress::default();
    change(&mut egress);
    egress
}

fn entries(entries: &[&str]) -> Vec<Destination> {
    entries.iter().map(|entry| entry.parse().unwrap()).collect()
}

fn policy(own: &str, egress: &Egress) -> Policy {
    Policy::new(egress, &OwnListeners::at(&[own.parse().unwrap()]))
}

fn with_word(private: PrivateAddresses) -> Egress {
    egress(|egress| egress.private = private)
}

/// What becomes of an address of `a.example`.
fn judge(policy: &Policy, address: &str) -> Result<(), Refusal> {
    judge_host(policy, "a.example:80", address)
}

fn judge_host(policy: &Policy, target: &str, address: &str) -> Result<(), Refusal> {
    let target = Target::parse(target, None).unwrap();
    policy.judge(&target, Scheme::Http, address.parse().unwrap())
}

#[test]
fn a_host_that_is_an_address_in_another_spelling_is_judged_as_that_address() {
    let policy = policy(BEYOND, &Egress::default());
    for (host, class) in [
        ("2130706433", Class::Loopback),
        ("127.1", Class::Loopback),
        ("0x7f.1", Class::Loopback),
        ("0177.0.0.1", Class::Loopback),
        ("0", Class::Unspecified),
        ("[::ffff:127.0.0.1]", Class::Loopback),
        ("[::127.0.0.1]", Class::Loopback),
        ("[64:ff9b::a00:1]", Class::Private),
        ("[64:ff9b:1::a00:1]", Class::Private),
        ("[2002:7f00:1::]", Class::Loopback),
        ("[2001:0:c0a8:1::f7f7:f7f7]", Class::Private),
        ("[2001:0:808:808::f5ff:fffe]", Class::Private),
        ("[2002:a9fe:a9fe::1]", Class::Metadata),
    ] {
        let target = Target::parse(host, Some(80)).unwrap();
        let refusal = policy
            .judge(&target, Scheme::Http, target.ip().unwrap())
            .unwrap_err();
        assert_eq!(refusal.class(), Some(class), "{host}");
    }
}

/// `allow`, `deny`, the target and its address, and what becomes of it.
const ENTRIES: &str = "
    10.0.0.0/8      |             | a.example:80   | 10.1.2.3        | passes
    10.0.0.0/8      |             | a.example:80   | 64:ff9b::a01:203 | passes
    10.0.0.0/8      |             | a.example:80   | 192.168.0.1     | private
    10.0.0.0/8:81   |             | a.example:80   | 10.1.2.3        | private
    *.a.example     |             | b.a.example:80 | 10.1.2.3        | passes
    *.a.example     |             | a.example:80   | 10.1.2.3        | private
    a.example:80    |             | a.example:80   | 127.0.0.1       | passes
    a.example       |             | a.example:80   | 169.254.169.254 | unnamed
    *               |             | a.example:80   | fe80::1         | unnamed
    169.254.169.254 |             | a.example:80   | 169.254.169.254 | passes
    169.254.0.0/16  |             | a.example:80   | 169.254.1.1     | passes
    169.254.0.0/16  |             | a.example:80   | 169.254.169.254 | passes
    169.254.0.0/16  |             | a.example:80   | 64:ff9b::a9fe:a9fe | passes
    169.254.0.0/15  |             | a.example:80   | 169.254.1.1     | unnamed
    0.0.0.0/0       |             | a.example:80   | 169.254.169.254 | unnamed
    100.64.0.0/10   |             | a.example:80   | 100.100.100.200 | unnamed
    100.64.0.0/10   |             | a.example:80   | 100.100.100.201 | passes
    100.100.0.0/16  |             | a.example:80   | 100.100.100.200 | passes
    64:ff9b::/96    |             | a.example:80   | 64:ff9b::a9fe:a9fe | unnamed
    64:ff9b::a9fe:0/112 |         | a.example:80   | 64:ff9b::a9fe:a9fe | passes
    fc00::/7        |             | a.example:80   | fd00:ec2::254   | unnamed
    fd00:ec2::/47   |             | a.example:80   | fd00:ec2::23    | unnamed
    fd00:ec2::/48   |             | a.example:80   | fd00:ec2::23    | passes
    fd00:ec2::254   |             | a.example:80   | fd00:ec2::254   | passes
    fe80::/10       |             | a.example:80   | fe80::1         | passes
    fe80::/9        |             | a.example:80   | fe80::1         | unnamed
    ::/0            |             | a.example:80   | fe80::1         | unnamed
    10.0.0.0/8      | 10.1.0.0/16 | a.example:80   | 10.1.2.3        | denied
    10.1.2.3        | 10.0.0.0/8  | a.example:80   | 10.1.2.3        | denied
    a.example       | *:25        | a.example:25   | 9.9.9.9         | denied
                    | .a.example  | b.a.example:80 | 9.9.9.9         | denied
                    | 9.9.9.0/24  | a.example:80   | ::ffff:9.9.9.9  | denied
                    | 0.0.0.0/8   | a.example:80   | ::ffff:0.0.0.0  | denied
                    | 2002::/16   | a.example:80   | 2002:909:909::1 | denied
                    | a.example:81 | a.example:80  | 9.9.9.9         | passes
    *               |             | a.example:3000 | 127.0.0.1       | own
    *               | *           | a.example:3000 | ::1             | own
";

#[test]
fn what_is_allowed_lifts_what_is_said_of_the_address_and_what_is_denied_precedes_it() {
    let mut cases = 0;
    for case in ENTRIES.lines().filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = case.split('|').map(str::trim).collect();
        let [allow, deny, target, address, expected] = cells[..] else {
            panic!("{case}")
        };
        let list = |entry: &str| entries(&[entry][usize::from(entry.is_empty())..]);
        let egress = egress(|egress| (egress.allow, egress.deny) = (list(allow), list(deny)));
        let said = match judge_host(&policy(BEYOND, &egress), target, address) {
            Ok(()) => "passes",
            Err(refusal) => match refusal.rule {
                Rule::OwnListener => "own",
                Rule::Deny(entry) if entry.to_string() == deny => "denied",
                Rule::Private => "private",
                Rule::Unnamed => "unnamed",
                rule => panic!("{rule:?}: {case}"),
            },
        };
        assert_eq!(said, expected, "{case}");
        cases += 1;
    }
    assert_eq!(cases, 37);
}

#[test]
fn a_denied_address_is_denied_as_the_one_that_it_leads_to() {
    let egress = egress(|egress| egress.deny = entries(&["127.0.0.0/8", "::1"]));
    for address in ["127.0.0.1", "0.0.0.0", "::", "::1", "::ffff:0.0.0.0"] {
        let refusal = judge(&policy("127.0.0.1:9", &egress), address).unwrap_err();
        assert!(matches!(refusal.rule, Rule::Deny(_)), "{address}");
    }
}

#[test]
fn connect_leads_to_its_ports_and_to_those_that_an_entry_names() {
    let judged = |own: &str, egress: &Egress, target: &str, address: &str| {
        let (policy, target) = (policy(own, egress), Target::parse(target, None).unwrap());
        let early = policy.judge_target(&target, Scheme::Tunnel);
        assert!(policy.judge_target(&target, Scheme::Http).is_ok());
        early.and_then(|()| policy.judge(&target, Scheme::Tunnel, address.parse().unwrap()))
    };
    let usual = Egress::default();
    let named = |entry: &str| egress(|egress| egress.allow = entries(&[entry]));
    let (host, port, network) = (
        named("a.example"),
        named("a.example:25"),
        named("9.9.9.0/24:25"),
    );
    let ports = egress(|egress| egress.connect_ports = Some(vec![Ports::new(8000, 8999)]));
    for (own, egress, target, address, passes) in [
        (BEYOND, &usual, "a.example:443", "9.9.9.9", true),
        (BEYOND, &usual, "a.example:80", "9.9.9.9", true),
        (BEYOND, &usual, "a.example:25", "9.9.9.9", false),
        (LOCAL, &usual, "a.example:25", "9.9.9.9", true),
        (LOCAL, &ports, "a.example:443", "9.9.9.9", false),
        (LOCAL, &ports, "a.example:8443", "9.9.9.9", true),
        (BEYOND, &host, "a.example:25", "9.9.9.9", false),
        (BEYOND, &port, "a.example:25", "9.9.9.9", true),
        (BEYOND, &network, "a.example:25", "9.9.9.9", true),
        (BEYOND, &network, "a.example:25", "9.9.8.9", false),
        (BEYOND, &network, "9.9.9.9:25", "9.9.9.9", true),
    ] {
        let said = judged(own, egress, target, address);
        assert_eq!(said.is_ok(), passes, "{own} {target} {address}");
        if let Err(refusal) = said {
            assert!(matches!(refusal.rule, Rule::ConnectPort(_)), "{refusal:?}");
            let error = Error::from(refusal);
            assert_eq!(
                (error.status().as_u16(), error.proxy_status()),
                (403, "http_request_denied")
            );
        }
    }
}

#[test]
fn of_several_addresses_those_remain_that_may_be_dialled() {
    let target = Target::parse("a.example:80", None).unwrap();
    let permitted = |policy: &Policy, addresses: &[&str]| {
        let addresses = addresses.iter().map(|address| address.parse().unwrap());
        policy.permitted(&target, Scheme::Http, addresses)
    };
    let beyond = policy(BEYOND, &Egress::default());
    let left = permitted(
        &beyond,
        &["10.0.0.1", "9.9.9.9", "::ffff:127.0.0.1", "2620:fe::fe"],
    );
    let expected = ["9.9.9.9:80", "[2620:fe::fe]:80"].map(|it| it.parse().unwrap());
    assert_eq!(left.unwrap(), expected);
    let refusal = permitted(&beyond, &["10.0.0.1", "127.0.0.1"]).unwrap_err();
    assert_eq!(refusal.class(), Some(Class::Private), "the first");
}

fn is_refused_as_own(own: &str, address: &str) -> bool {
    let address: SocketAddr = address.parse().unwrap();
    let target = Target::new("a.example", address.port()).unwrap();
    let policy = policy(own, &with_word(PrivateAddresses::Allow));
    let judged = policy.judge(&target, Scheme::Http, address.ip());
    assert_eq!(judged.is_err(), policy.judge_named(address).is_err());
    judged.is_err_and(|refusal| refusal.rule == Rule::OwnListener)
}

#[test]
fn the_own_listener_is_refused_under_all_of_its_names() {
    for address in [
        "127.0.0.1:3000",
        "[::ffff:127.0.0.1]:3000",
        "0.0.0.0:3000",
        "[64:ff9b::127.0.0.1]:3000",
    ] {
        assert!(is_refused_as_own("127.0.0.1:3000", address), "{address}");
    }
    assert!(is_refused_as_own("0.0.0.0:3000", "127.0.0.7:3000"));
    assert!(is_refused_as_own("[::]:3000", "[::1]:3000"));
    assert!(!is_refused_as_own("127.0.0.1:3000", "127.0.0.1:3001"));
    assert!(!is_refused_as_own("127.0.0.1:3000", "127.0.0.2:3000"));
}
