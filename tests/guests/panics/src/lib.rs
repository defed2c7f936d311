//! Panics where it is asked about a host that contains "panic", and has no opinion on others.

use portcullis_sdk::{Error, Filter, Flow, Verdict, filter};

struct Panics;

#[filter]
impl Filter for Panics {
    type Config = ();

    fn new(_: ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn judge_host(&self, flow: &Flow) -> Result<Verdict, Error> {
        assert!(
            !flow.host().as_str().contains("panic"),
            "asked about {}",
            flow.host()
        );
        Ok(Verdict::NEXT)
    }
}
