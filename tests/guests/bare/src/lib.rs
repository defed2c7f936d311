//! Blocks hosts that begin with `blocked.`, with nothing but wit-bindgen and the contract: what a
//! filter in another language would be.
#![cfg(target_family = "wasm")]
#![expect(missing_docs, unsafe_code, reason = "wit-bindgen's expansion")]

wit_bindgen::generate!({ path: "../../../sdk/wit/released/1.0.0", world: "judge-host-hook", generate_all });

use exports::portcullis::filter::judge_host::{Guest, Verdict};
use portcullis::filter::types::Refusal;

struct Bare;

impl Guest for Bare {
    fn judge(host: String, _port: u16) -> Result<Verdict, String> {
        if host.starts_with("blocked.") {
            return Ok(Verdict::Block(Refusal {
                status: 403,
                reason: "bare".into(),
            }));
        }
        Ok(Verdict::Next)
    }
}

export!(Bare);
