//! How long a compiling process may take by the clock, and which failures may pass.

use super::*;

#[test]
fn the_clock_leaves_time_enough_on_a_busy_machine() {
    let wall = |seconds| deadline(Duration::from_secs(seconds)).0.as_secs();
    assert_eq!(wall(1), 60);
    assert_eq!(wall(60), 300);
}

#[test]
fn code_that_cannot_be_loaded_for_want_of_memory_or_descriptors_is_tried_again() {
    use rustix::io::Errno;
    for error in [
        wasmtime::Error::new(Errno::NOMEM).context("cannot make it executable"),
        wasmtime::Error::new(io::Error::from(Errno::NFILE)).context("cannot open it"),
    ] {
        let failure = CompilerError::of_loading(error);
        assert!(failure.may_pass(), "{failure}");
    }
    let other = wasmtime::Error::msg("it was compiled with another version");
    assert!(!CompilerError::of_loading(other).may_pass());
}
