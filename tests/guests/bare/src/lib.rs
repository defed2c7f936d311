//! Blocks hosts that begin with `blocked.`, with nothing but wit-bindgen and the contract: what a
//! filter in another language would be.
#![cfg(target_family = "wasm")]
#![expect(missing_docs, unsafe_code, reason = "wit-bindgen's expansion")]

wit_bindgen::generate!({ path: "../../../sdk/wit", world: "judge-host-hook", generate_all });

use exports::portcullis::filter::judge_host::{Flow, Guest, Verdict};
use portcullis::filter::types::Block;

struct Bare;

impl Guest for Bare {
    fn judge(flow: Flow) -> Result<Verdict, String> {
        if flow.host.starts_with("blocked.") {
            return Ok(Verdict::Block(Block {
                status: 403,
                reason: "bare".into(),
            }));
        }
        Ok(Verdict::Next)
    }
}

export!(Bare);
