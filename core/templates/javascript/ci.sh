#!/bin/sh
# What must hold before a change is merged. It needs node and npm, and portcullis on the PATH; npm
# installs what package-lock.json says. The last line of its output is the SHA-256 of the package.
set -eu
cd "$(dirname "$0")"
npm ci --no-audit --no-fund
npm test
portcullis plugin build
portcullis plugin package @NAME@.wasm
