//! The proxy's side of a boundary around a command: a process that is to become the command makes
//! namespaces for itself, hands over a listener of theirs, and waits until a proxy has it.

use std::io::{self, BufRead, BufReader, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::net::UnixListener;
use tokio::process::Child;
use tokio::time::timeout;

use super::inside::{DONE, GO};
use super::{ExecError, failed};

/// How long the process may take for the boundary.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Waits for the process.
#[derive(Debug)]
pub(super) struct Boundary {
    path: PathBuf,
    socket: UnixListener,
}

/// The process has made its boundary, and waits.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Ways out that are left.
    pub(super) ways_out: Vec<String>,
    process: UnixStream,
}

impl Boundary {
    /// The process finds this one by a socket in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, ExecError> {
        let path = folder.join("inside");
        let socket = UnixListener::bind(&path).map_err(failed("make a socket for the command"))?;
        Ok(Self { path, socket })
    }

    pub(super) fn socket(&self) -> &Path {
        &self.path
    }

    /// Waits until the process has its boundary, and takes over the listener in it.
    pub(super) async fn made(
        self,
        process: &mut Child,
    ) -> Result<(TcpListener, Waiting), ExecError> {
        let accepted = timeout(TIMEOUT, async {
            tokio::select! {
                biased;
                accepted = self.socket.accept() => accepted.map(|(process, _)| process),
                ended = process.wait() => Err(match ended {
                    Ok(status) => io::Error::other(format!("its process has ended: {status}")),
                    Err(error) => error,
                }),
            }
        });
        let accepted = accepted
            .await
            .unwrap_or(Err(io::ErrorKind::TimedOut.into()));
        let stream = accepted.and_then(|process| {
            let stream = process.into_std()?;
            stream.set_nonblocking(false)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            Ok(stream)
        });
        // The command finds no way to this process.
        let _ = std::fs::remove_file(&self.path);
        let stream = stream.map_err(failed("put a boundary around the command"))?;
        let made = Waiting::receive(stream).map_err(failed("put a boundary around the command"))?;
        made.map_err(ExecError::NoBoundary)
    }
}

impl Waiting {
    /// The listener, and what the process says; the reason, if there is no boundary.
    fn receive(process: UnixStream) -> io::Result<Result<(TcpListener, Self), String>> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut first = [0];
        let buffers = &mut [IoSliceMut::new(&mut first)];
        recvmsg(&process, buffers, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let listener = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        let mut text = Vec::new();
        // A zero ends the text, and the process says nothing behind it.
        BufReader::new(&process).read_until(0, &mut text)?;
        text.pop_if(|byte| *byte == 0);
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(match listener {
            Some(listener) if first == [DONE] => {
                let ways_out = text.lines().map(str::to_owned).collect();
                Ok((listener.into(), Self { ways_out, process }))
            }
            _ => Err(text),
        })
    }

    /// Lets the process become the command.
    pub(super) fn go(mut self) -> io::Result<()> {
        self.process.write_all(&[GO])
    }
}
