//! Which row of a table a test has failed at.

/// Names the row when it is dropped because the test fails, wherever that is.
#[derive(Debug)]
pub struct Row(String);

impl Row {
    /// Until the end of its scope, failures are of this row.
    #[must_use = "it names the row until it is dropped"]
    pub fn of(row: &(impl std::fmt::Debug + ?Sized)) -> Self {
        Self(format!("{row:?}"))
    }
}

impl Drop for Row {
    #[expect(clippy::print_stderr, reason = "the reader of a failure should know")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the row: {}", self.0);
        }
    }
}
