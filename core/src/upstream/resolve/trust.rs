//! With what the certificates of DNS servers are verified. There is no way to do without. `proxy`
//! asks at its start whether it can be done, and `resolve` does it.

use rustls::ClientConfig;

use crate::config::{Egress, NameServer};
use crate::upstream::tls::{self, TlsError};

/// How the servers of the settings are reached over TLS; none if all are asked in clear text.
pub(crate) fn client_config(egress: &Egress) -> Result<Option<ClientConfig>, TlsError> {
    let split = egress.name_servers.values().flatten();
    let mut servers = egress.resolvers.iter().chain(split);
    if !servers.any(NameServer::is_encrypted) {
        return Ok(None);
    }
    tls::client_config(egress.resolver_ca.as_deref()).map(Some)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused_where_there_is_a_server_to_verify() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        let mut egress = Egress {
            resolvers: vec!["tls://192.0.2.1".parse().unwrap()],
            resolver_ca: Some(file.clone()),
            ..Egress::default()
        };
        let said = |egress: &Egress| client_config(egress).unwrap_err().to_string();
        assert!(said(&egress).starts_with("cannot read certificates in "));
        fs::write(&file, "").unwrap();
        assert!(said(&egress).starts_with("there is no certificate in "));
        egress.resolvers = vec!["192.0.2.1".parse().unwrap()];
        assert!(client_config(&egress).unwrap().is_none());
    }
}
