//! The first bytes of a tunnel's client.

use rustls::server::Acceptor;

use super::from_digits;
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
