#!/bin/sh
# What must hold before a change is merged. It needs Rust with the target wasm32-unknown-unknown, and
# portcullis on the PATH; everything else is in this folder. The last line of its output is the
# SHA-256 of the package.
set -eu
cd "$(dirname "$0")"
cargo test --locked
portcullis plugin build
portcullis plugin package @NAME@.wasm
