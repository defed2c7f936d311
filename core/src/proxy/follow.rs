//! Follows a file that is read as a whole, such as that of users: takes up each change of it. One
//! that cannot be used changes nothing, is told of once, and is read again until it can be.

use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use crate::config::file_version::FileVersion;
use crate::plugins::Watch;

/// How often the file is looked at where nothing tells of its changes.
const POLL: Duration = Duration::from_secs(1);

/// Reads a file, on a thread that may wait for the disk. An error is the reason why the file cannot
/// be used.
pub(super) type Reader<Content> = Box<dyn FnOnce() -> Result<Content, String> + Send>;

/// What becomes of a file.
pub(super) trait Followed {
    /// What it says.
    type Content: Send + 'static;

    fn file(&self) -> &Path;

    fn reader(&self) -> Reader<Self::Content>;

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
        let (file, reader) = (followed.file().to_owned(), followed.reader());
        let (known_before, is_refused) = (known.clone(), refused.is_some());
        let look = move || {
            // Before the file is read: a change that comes meanwhile is one more.
            let stamp = FileVersion::of_file(&file);
            let is_due = is_refused || known_before.as_ref() != Some(&stamp);
            (stamp, is_due.then(reader))
        };
        let looked = watch.look(look).await;
        let (stamp, read) = looked.unwrap_or_else(|error| (None, Some(Err(error.to_string()))));
        match read {
            Some(Ok(content)) => {
                followed.take_over(content);
                (known, refused) = (Some(stamp), None);
            }
            // The reason may pass, so the file is read again.
            Some(Err(reason)) if refused.as_ref() != Some(&reason) => {
                followed.refuse(&reason);
                refused = Some(reason);
            }
            Some(Err(_)) | None => {}
        }
        tokio::select! {
            () = watch.changed() => {}
            () = told() => (known, refused) = (None, None),
            () = sleep(POLL) => {}
        }
    }
}
