//! What a self-test looks at: the table of all cases. `plan` makes things to ask for of each, and
//! the table in SETUPS.md is written from it.

use super::step::{Outcome, Way};
use crate::downstream::foresee;
use crate::error::Error;
use crate::flow::Protocol;
use crate::verdict::{Judgement, Verdict};

/// One kind of thing to ask for.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) kind: Kind,
    /// What is asked for, as it stands in tables.
    pub(super) asked: &'static str,
    /// What decides.
    pub(super) rule: &'static str,
    /// By which ways it can be asked for.
    pub(super) ways: &'static [Way],
    /// What the client is answered where the settings are against it.
    pub(super) answer: Answer,
}

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Allowed,
    Client,
    NoLogin,
    WrongLogin,
    KeptLogin,
    Blocked,
    Denied,
    Port,
    Own,
    Loopback,
    Private,
    Metadata,
    ServerName,
    HostField,
    Network,
}

/// What a client is answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    Reached,
    /// As filters refuse, unless they say another status.
    Judged,
    Error(fn() -> Error),
    /// No way to log in will do.
    NoLogin,
    Alert,
    /// A page inside of the tunnel.
    Page,
    NoRoute,
}

/// By all protocols.
const ALL: &[Way] = &[Way::Http, Way::Connect, Way::Socks5, Way::Socks4];

/// By those that make tunnels.
const TUNNELS: &[Way] = &[Way::Connect, Way::Socks5, Way::Socks4];

const ADDRESS: Answer = Answer::Error(|| Error::AddressProhibited(String::new()));

const TARGET: Answer = Answer::Error(|| Error::Prohibited(String::new()));

const LOGIN: Answer = Answer::Error(|| Error::Unauthenticated(""));

/// All cases, in the order in which they are tried. The wrong login comes last: by then the proxy
/// knows the right one.
pub(super) const CASES: [Case; 15] = [
    Case {
        kind: Kind::Allowed,
        asked: "a host that everything below lets pass",
        rule: "all of them",
        ways: ALL,
        answer: Answer::Reached,
    },
    Case {
        kind: Kind::Client,
        asked: "anything, from an address that may not come in",
        rule: "`[clients] allow`, or that of a listener",
        ways: ALL,
        answer: Answer::Error(|| Error::ClientNotAllowed),
    },
    Case {
        kind: Kind::NoLogin,
        asked: "anything, without a login",
        rule: "`[auth]`",
        ways: ALL,
        answer: Answer::NoLogin,
    },
    Case {
        kind: Kind::KeptLogin,
        asked: "a second request of a connection, without a login",
        rule: "`[auth]`",
        ways: &[Way::Http],
        answer: LOGIN,
    },
    Case {
        kind: Kind::Blocked,
        asked: "a name that a decision, a filter or a list is against",
        rule: "decisions, filters, `[feeds]`",
        ways: ALL,
        answer: Answer::Judged,
    },
    Case {
        kind: Kind::Denied,
        asked: "a name that the operator denies",
        rule: "`[egress] deny`",
        ways: ALL,
        answer: TARGET,
    },
    Case {
        kind: Kind::Port,
        asked: "a tunnel to a port for no tunnel",
        rule: "`[egress] connect_ports`",
        ways: TUNNELS,
        answer: TARGET,
    },
    Case {
        kind: Kind::Own,
        asked: "a listener of the proxy itself",
        rule: "always",
        ways: ALL,
        answer: Answer::Error(|| Error::Loop),
    },
    Case {
        kind: Kind::Loopback,
        asked: "an address of this machine, in any spelling",
        rule: "`[egress] private`",
        ways: ALL,
        answer: ADDRESS,
    },
    Case {
        kind: Kind::Private,
        asked: "another address that is not public, in any spelling",
        rule: "`[egress] private`",
        ways: ALL,
        answer: ADDRESS,
    },
    Case {
        kind: Kind::Metadata,
        asked: "a link-local address, or one of cloud metadata",
        rule: "`[egress] allow` has to name it",
        ways: ALL,
        answer: ADDRESS,
    },
    Case {
        kind: Kind::ServerName,
        asked: "a tunnel, and in its TLS handshake a name that is refused",
        rule: "`[tunnel]`",
        ways: TUNNELS,
        answer: Answer::Alert,
    },
    Case {
        kind: Kind::HostField,
        asked: "a tunnel, and in its first request a host that is refused",
        rule: "`[tunnel]`",
        ways: TUNNELS,
        answer: Answer::Page,
    },
    Case {
        kind: Kind::Network,
        asked: "another network, not through the proxy",
        rule: "`exec --enforce`",
        ways: &[Way::Around],
        answer: Answer::NoRoute,
    },
    Case {
        kind: Kind::WrongLogin,
        asked: "anything, with a wrong login",
        rule: "`[auth]`",
        ways: &[Way::Http],
        answer: LOGIN,
    },
];

impl Case {
    /// What a client is answered by that way.
    pub(super) fn outcome(&self, way: Way) -> Outcome {
        let refused = match self.answer {
            Answer::Reached => return Outcome::Reached,
            Answer::Alert => return Outcome::Alert,
            Answer::Page => return page(),
            Answer::NoRoute => return Outcome::NoRoute,
            Answer::Judged => foresee::of_judgement(&blocked(), "", way.protocol()),
            Answer::Error(error) => foresee::of_error(&error(), way.protocol()),
            Answer::NoLogin => foresee::of_missing_login(way.protocol()),
        };
        Outcome::of_refusal(way, &refused)
    }
}

/// What the client of a tunnel gets that has asked for a host in it.
pub(super) fn page() -> Outcome {
    let refused = foresee::of_judgement(&blocked(), "", Protocol::Connect);
    Outcome::of_refusal(Way::Connect, &refused)
}

/// What filters say that say nothing more precise.
fn blocked() -> Judgement {
    let verdict = Verdict::Block {
        status: http::StatusCode::FORBIDDEN,
        reason: "".into(),
    };
    Judgement {
        verdict,
        ..Judgement::PASS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAYS: [Way; 5] = [
        Way::Http,
        Way::Connect,
        Way::Socks5,
        Way::Socks4,
        Way::Around,
    ];

    /// The lines of the table, as Markdown has them.
    fn table() -> String {
        let head = |way: &Way| format!(" {} |", way.name());
        let heads: String = WAYS.iter().map(head).collect();
        let marks = "---|".repeat(WAYS.len() + 2);
        let rows = CASES.iter().map(|case| {
            let cell = |way: &Way| {
                if case.ways.contains(way) {
                    format!(" {} |", case.outcome(*way))
                } else {
                    " |".to_owned()
                }
            };
            let cells: String = WAYS.iter().map(cell).collect();
            format!("| {} |{cells} {} |\n", case.asked, case.rule)
        });
        let rows: String = rows.collect();
        format!("| what is asked for |{heads} what decides |\n|{marks}\n{rows}")
    }

    #[test]
    fn the_documentation_has_the_same_table() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../SETUPS.md");
        let text = std::fs::read_to_string(file).unwrap();
        let begin = text.find("| what is asked for |").unwrap();
        let end = begin + text[begin..].find("\n\n").unwrap() + 1;
        let table = table();
        if std::env::var_os("PORTCULLIS_UPDATE_SETUPS").is_some() {
            let text = [&text[..begin], &table, &text[end..]].concat();
            return std::fs::write(file, text).unwrap();
        }
        assert_eq!(
            &text[begin..end],
            table,
            "SETUPS.md is out of date; to write it anew: PORTCULLIS_UPDATE_SETUPS=1 cargo test -p portcullis --lib the_documentation_has_the_same_table"
        );
    }

    #[test]
    fn every_case_is_refused_in_a_way_that_tells_it_from_what_passes() {
        for case in CASES.iter().filter(|case| case.kind != Kind::Allowed) {
            for way in case.ways {
                let outcome = case.outcome(*way);
                assert!(
                    !matches!(
                        outcome,
                        Outcome::Passed(_) | Outcome::Absent(_) | Outcome::Reached
                    ),
                    "{} {outcome}",
                    case.asked
                );
            }
        }
    }
}
