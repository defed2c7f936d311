//! Follows a file that is read as a whole, such as that of users: takes up each change of it. One
//! that cannot be used changes nothing, is told of once, and is read again until it can be.

use std::path::Path;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::config::file_version::FileVersion;
use crate::plugins::Watch;

/// How often the file is looked at where nothing tells of its changes.
const POLL: Duration = Duration::from_secs(1);

/// What becomes of a file.
pub(super) trait Followed {
    /// What it says.
    type Content;

    fn file(&self) -> &Path;

    /// Reads the file. An error is the reason why it cannot be used.
    async fn read(&mut self) -> Result<Self::Content, String>;

    /// Has what it says hold.
    fn take_over(&mut self, content: Self::Content);

    /// Tells that the file cannot be used.
    fn refuse(&self, reason: &str);
}

/// Takes up each change of the file, without end. When `told` is ready, the file is read in any
/// case.
pub(super) async fn follow(followed: &mut impl Followed, mut told: impl AsyncFnMut()) {
    let folder = followed.file().parent().unwrap_or(Path::new(""));
    let mut watch = Watch::new(folder.to_owned());
    let (mut known, mut refused) = (None, None);
    loop {
        watch.arm().await;
        // Before the file is read: a change that comes meanwhile is one more.
        let file = followed.file().to_owned();
        let looking = spawn_blocking(move || FileVersion::of_file(&file));
        let stamp = looking.await.ok().flatten();
        if known.as_ref() != Some(&stamp) || refused.is_some() {
            match followed.read().await {
                Ok(content) => {
                    followed.take_over(content);
                    (known, refused) = (Some(stamp), None);
                }
                // The reason may pass, so the file is read again.
                Err(reason) if refused.as_ref() != Some(&reason) => {
                    followed.refuse(&reason);
                    refused = Some(reason);
                }
                Err(_) => {}
            }
        }
        tokio::select! {
            () = watch.changed() => {}
            () = told() => (known, refused) = (None, None),
            () = sleep(POLL) => {}
        }
    }
}
