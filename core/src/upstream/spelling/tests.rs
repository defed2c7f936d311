use super::*;

const LIKE: &str = "GET / HTTP/1.1\r\nHOST: a\r\nuser-Agent: b\r\nX-Ünï: c\r\nAccept: d\r\n\
    x-a: 1\r\nX-A: 2\r\n\r\n";

fn spelled(head: &str, like: &str) -> String {
    let mut spelled = head.as_bytes().to_vec();
    spell(&mut spelled, head.as_bytes(), like.as_bytes());
    String::from_utf8(spelled).unwrap()
}

#[test]
fn names_are_spelled_as_they_came_in_whatever_order() {
    let head = "GET /host: HTTP/1.1\r\naccept: host: x\r\nx-a: 1\r\nx-a: 2\r\nvia: p\r\n\
        user-agent: b\r\nhost: a\r\n\r\nhost: is the body\r\n";
    assert_eq!(
        spelled(head, LIKE),
        "GET /host: HTTP/1.1\r\nAccept: host: x\r\nx-a: 1\r\nX-A: 2\r\nvia: p\r\n\
        user-Agent: b\r\nHOST: a\r\n\r\nhost: is the body\r\n"
    );
}

#[test]
fn what_is_no_name_stays_as_it_is() {
    for head in [
        "",
        "\n",
        "GET",
        "GET / HTTP/1.1\r\n\r\n",
        "a\nhos",
        "a\nhostx: 1\n\n",
    ] {
        assert_eq!(spelled(head, LIKE), head);
    }
    for like in ["", "\n", "\n:", "GET\r\nhost", "GET\r\nhos: t\r\n\r\n"] {
        assert_eq!(
            spelled("G\r\nhost: a\r\n\r\n", like),
            "G\r\nhost: a\r\n\r\n"
        );
    }
}

#[test]
fn names_of_any_length_are_told_apart() {
    let names = [
        "a",
        "x~",
        "x^",
        "x_",
        "seventh",
        "eight-ch",
        "eight-cH-",
        "eight-ch9",
        "a-long-name",
        "a-long-namf",
    ];
    for name in names {
        let like: String = names
            .iter()
            .map(|name| format!("{}: 1\r\n", name.to_uppercase()))
            .collect();
        let like = format!("GET\r\n{like}\r\n");
        let head = format!("G\r\n{}: host\r\n\r\n", name.to_lowercase());
        let expected = head.replace(&name.to_lowercase(), &name.to_uppercase());
        assert_eq!(spelled(&head, &like), expected);
    }
}

#[test]
fn letters_alone_are_made_small() {
    for byte in 0..=u8::MAX {
        for at in 0..WORD {
            let mut bytes = *b"0z[A@Z\xc1`";
            bytes[at] = byte;
            let small = in_small_letters(u64::from_le_bytes(bytes));
            assert_eq!(
                small.to_le_bytes(),
                bytes.map(|byte| byte.to_ascii_lowercase())
            );
        }
    }
}

#[test]
fn the_head_behind_100_continue_is_spelled() {
    let like = "HTTP/1.1 200 OK\r\nServer: a\r\n\r\n";
    let both = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nserver: a\r\n\r\n";
    assert_eq!(spelled(both, like), both.replace("server", "Server"));
}

#[test]
fn an_order_that_costs_much_is_given_up() {
    let field = |n| format!("x-{n}: 1\r\n");
    let fields: String = (0..1000).map(field).collect();
    let reversed: String = (0..1000).rev().map(field).collect();
    let like = format!("GET / HTTP/1.1\r\n{}\r\n", fields.to_uppercase());
    let spelled = spelled(&format!("GET / HTTP/1.1\r\n{reversed}\r\n"), &like);
    assert!(spelled.contains("X-999: 1") && spelled.contains("x-0: 1"));
}

/// Takes so many bytes at a time, from as many pieces as they come in.
struct Narrow {
    most: usize,
    taken: Vec<u8>,
}

impl AsyncWrite for Narrow {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
        let n = all.len().min(self.most);
        self.taken.extend_from_slice(&all[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_head_is_written_piece_by_piece_and_then_what_follows() {
    let spelling = Spelling::default();
    spelling.add(LIKE.as_bytes());
    let (head, body) = (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"and its body");
    let whole = "GET / HTTP/1.1\r\nHOST: a\r\n\r\nand its body";
    // The first piece may have some of the body in it, as where hyper copies both into one.
    let in_one = [&head[..], body].concat();
    for pieces in [[&head[..], &body[..]], [&in_one[..], &[]]] {
        for most in 1..whole.len() + 1 {
            let mut stream = Narrow {
                most,
                taken: Vec::new(),
            };
            let mut spelled = SpelledHead::default();
            spelled.begin(pieces[0], &spelling);
            let [mut first, mut second] = pieces;
            let cx = &mut Context::from_waker(std::task::Waker::noop());
            while !first.is_empty() || !second.is_empty() {
                let offered = [IoSlice::new(first), IoSlice::new(second)];
                let offered = if first.is_empty() {
                    &offered[1..]
                } else {
                    &offered[..]
                };
                let io = Pin::new(&mut stream);
                let written = if spelled.is_written() {
                    io.poll_write_vectored(cx, offered)
                } else {
                    spelled.poll_write(io, cx, offered)
                };
                let Poll::Ready(Ok(n)) = written else {
                    panic!("it takes what it is given")
                };
                let of_first = n.min(first.len());
                (first, second) = (&first[of_first..], &second[n - of_first..]);
            }
            assert_eq!(str::from_utf8(&stream.taken), Ok(whole), "{most}");
        }
    }
}
