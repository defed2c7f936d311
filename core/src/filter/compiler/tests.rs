//! How long a compiling process may take by the clock.

use super::*;

#[test]
fn the_clock_leaves_time_enough_on_a_busy_machine() {
    let wall = |seconds| deadline(Duration::from_secs(seconds)).0.as_secs();
    assert_eq!(wall(1), 60);
    assert_eq!(wall(60), 300);
}
