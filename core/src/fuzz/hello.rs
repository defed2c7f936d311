//! The first bytes of a tunnel's client: TLS, or a request in plain text.

use rustls::server::Acceptor;

use http::header::HOST;

use super::{from_digits, request};
use crate::downstream::first_request::{self, FirstRequest};
use crate::downstream::hello::{FirstMessage, MalformedHello, answer, read, read_again};
use crate::target::canonical_host;

/// What a client shows does not depend on where its bytes are cut and what comes behind, and a
/// server finds no other name. A second message shows the same as if it were the first. The bytes
/// may stand in hexadecimal digits, as they do in the corpus.
pub fn client_hello(data: &[u8]) {
    let sent = &*from_digits(data);
    answer::read(sent);
    let whole = read(sent);
    if let Ok(FirstMessage::Hello(hello)) = &whole {
        assert_eq!(read_again(sent).as_ref(), Ok(&Some(hello.clone())));
        assert_eq!(read(&sent[..hello.length]), whole);
    }
    let decided = (0..sent.len()).find(|&end| is_decided(&read(&sent[..end])));
    if let Some(end) = decided {
        assert_eq!(read(&sent[..end]), whole, "{sent:02x?}");
    }
    if let Some(name) = name_by_rustls(sent) {
        match whole {
            Ok(FirstMessage::Hello(hello)) => {
                let ours = hello.server_name.expect("the server finds a name");
                let ours = String::from_utf8_lossy(&ours);
                // What is no host is refused.
                if let Ok(ours) = canonical_host(&ours) {
                    assert_eq!(Ok(ours), canonical_host(&name));
                }
            }
            // It is refused, whatever a server makes of it.
            Err(_) => {}
            Ok(other) => panic!("{other:?}: {sent:02x?}"),
        }
    }
}

/// What a request shows does not depend on where its bytes are cut and what comes behind, and a
/// server finds no other name. What may go on before it is clear what it becomes is no request.
pub fn first_request(data: &[u8]) {
    use FirstRequest::{Incomplete, Named, Undecided, Unversioned};
    let read = first_request::read;
    let whole = read(data);
    let is_decided = |end: &usize| {
        !matches!(
            read(&data[..*end]),
            Ok(Undecided | Unversioned | Incomplete)
        )
    };
    let ends = 0..=data.len();
    if let Some(end) = ends.clone().find(is_decided) {
        assert_eq!(read(&data[..end]), whole);
    }
    let held = ends
        .into_iter()
        .find(|end| !matches!(read(&data[..*end]), Ok(Undecided | Unversioned)));
    let passed = &data[..held.unwrap_or(data.len()).saturating_sub(1)];
    assert!(request::read(passed).is_none(), "{passed:02x?}");
    let Some(served) = request::read(data) else {
        return;
    };
    let fields = served.headers().get_all(HOST).iter();
    let fields: Vec<&[u8]> = fields.map(|host| host.as_bytes()).collect();
    let authority = served
        .uri()
        .authority()
        .map(|named| named.as_str().as_bytes());
    match whole {
        Ok(Named(Some(name))) => assert!(authority == Some(name) || fields == [name]),
        Ok(Named(None)) => assert!(authority.is_none() && fields.concat().is_empty()),
        // It is refused, whatever a server makes of it.
        Err(_) => {}
        Ok(other) => panic!("{other:?}: {data:02x?}"),
    }
}

fn is_decided(read: &Result<FirstMessage<'_>, MalformedHello>) -> bool {
    !matches!(read, Ok(FirstMessage::Incomplete))
}

/// The name that a server finds; none if it refuses the message or wants more of it.
fn name_by_rustls(mut sent: &[u8]) -> Option<String> {
    let mut acceptor = Acceptor::default();
    while !sent.is_empty() {
        acceptor.read_tls(&mut sent).ok()?;
        if let Some(accepted) = acceptor.accept().ok()? {
            return accepted.client_hello().server_name().map(str::to_owned);
        }
    }
    None
}
