//! Who says where a name leads, in words: for people who ask what the settings mean. README.md has
//! the order in a table. `commands::explain` asks; nothing is resolved.

use super::by_name::ByName;
use super::is_localhost;
use crate::config::{Egress, NameServer};

/// Who is asked for a canonical host, as it continues "is looked up". The hosts file of the machine
/// may have the name all the same.
pub(crate) fn in_words(egress: &Egress, host: &str) -> String {
    if is_localhost(host) {
        return "on this machine, whose own name it is".into();
    }
    let known = egress.hosts.keys().map(|name| (name.clone(), name));
    if let Some(name) = ByName::patterns(known).find(host) {
        return format!("in [egress.hosts] \"{name}\"");
    }
    let split = egress.name_servers.iter();
    let split = split.map(|(domain, servers)| (domain.clone(), (domain, servers)));
    if let Some((domain, servers)) = ByName::domains(split.collect()).find(host) {
        let servers = labels(servers);
        return format!("by [egress.name_servers] \"{domain}\", which is {servers}");
    }
    if egress.resolvers.is_empty() {
        return "by the system's DNS servers".into();
    }
    format!("by [egress] resolvers, {}", labels(&egress.resolvers))
}

fn labels(servers: &[NameServer]) -> String {
    let labels: Vec<_> = servers.iter().map(NameServer::label).collect();
    labels.join(", then ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_says_something_about_a_name_is_told() {
        let mut egress = Egress::default();
        let said = |egress: &Egress, host| in_words(egress, host);
        assert_eq!(said(&egress, "a.example"), "by the system's DNS servers");
        egress.resolvers = ["9.9.9.9", "https://dns.example/secret"]
            .map(|server| server.parse().unwrap())
            .into();
        let servers = vec!["10.0.0.53".parse().unwrap()];
        egress.name_servers = [("corp.example".to_owned(), servers)].into();
        let addresses = vec!["10.0.0.5".parse().unwrap()];
        egress.hosts = [("*.lab.corp.example".to_owned(), addresses)].into();
        for (host, says) in [
            (
                "a.example",
                "by [egress] resolvers, 9.9.9.9:53, then https://dns.example:443",
            ),
            (
                "wiki.corp.example",
                "by [egress.name_servers] \"corp.example\", which is 10.0.0.53:53",
            ),
            (
                "x.lab.corp.example",
                "in [egress.hosts] \"*.lab.corp.example\"",
            ),
            ("localhost", "on this machine, whose own name it is"),
        ] {
            assert_eq!(said(&egress, host), says, "{host}");
        }
    }
}
