//! Real clients and origins, of which each has its own idea of a proxy: what is allowed, what is
//! refused and what its user sees then, and how it logs in.

#![cfg(unix)]

mod curl;
mod git;
mod h11;
mod node;
mod python;
mod slow;
mod smart_git;

use portcullis::Config;
use portcullis_tests::{Authority, Site, Stage};
use tempfile::TempDir;

use super::auth::ADA;

/// On the list of the tests.
const BLOCKED: &str = "www.blocked.portcullis.test";

/// Only the stage's name server knows it, so no client gets there by itself.
const ALLOWED: &str = "front.example";

/// A proxy with a site behind it, and with another one that is reached over TLS.
struct World {
    stage: Stage,
    secure: Site,
    authority: Authority,
    _folder: TempDir,
}

impl World {
    async fn start() -> Self {
        Self::start_with(|_, _| ()).await
    }

    /// One whose clients log in as ada.
    async fn guarded() -> Self {
        Self::start_with(|config, folder| {
            let users = folder.path().join("users");
            std::fs::write(&users, ADA).expect("a new file");
            config.auth.users = Some(users);
        })
        .await
    }

    async fn start_with(change: impl FnOnce(&mut Config, &TempDir)) -> Self {
        let folder = TempDir::new().expect("a folder for the test");
        let authority = Authority::new();
        let secure = Site::start_secure(&authority, &[ALLOWED, BLOCKED]).await;
        let stage = Stage::start_with(|config| change(config, &folder)).await;
        Self {
            stage,
            secure,
            authority,
            _folder: folder,
        }
    }

    /// A page of the site that is reached over TLS.
    fn secure_url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.secure.port())
    }

    /// The proxy as clients name it. `login` is empty or ends with an at sign.
    fn proxy(&self, scheme: &str, login: &str) -> String {
        format!("{scheme}://{login}{}", self.stage.proxy.address())
    }

    /// Four pages: one that is allowed and one that is not, in the clear and over TLS.
    fn urls(&self) -> [String; 4] {
        [
            self.stage.url(ALLOWED),
            self.stage.url(BLOCKED),
            self.secure_url(ALLOWED, "/"),
            self.secure_url(BLOCKED, "/"),
        ]
    }
}

/// The lines that a peer has written, which has ended well.
fn lines(output: &std::process::Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}
