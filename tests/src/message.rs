//! Plain requests and responses as text, for the peers that a scenario plays. What is unusual about
//! a message is written out where it is sent.

/// A question to the proxy itself.
pub const OPTIONS: &str = "OPTIONS * HTTP/1.1\r\nHost: portcullis\r\n\r\n";

/// A GET for an absolute URL.
pub fn get(url: &str) -> String {
    format!("GET {url} HTTP/1.1\r\nHost: {}\r\n\r\n", authority(url))
}

/// A POST to an absolute URL. `rest` is the field that frames the body, an empty line, and as much
/// of the body as is sent at once.
pub fn post(url: &str, rest: &str) -> String {
    format!("POST {url} HTTP/1.1\r\nHost: {}\r\n{rest}", authority(url))
}

/// A CONNECT to `host:port`.
pub fn connect(authority: &str) -> String {
    format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")
}

/// A response with this body.
pub fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn authority(url: &str) -> &str {
    let rest = url.trim_start_matches("http://");
    rest.split('/').next().unwrap_or_default()
}
