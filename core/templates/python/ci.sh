#!/bin/sh
# What must hold before a change is merged. It needs python3 with venv, and portcullis on the PATH;
# pip installs what requirements.txt says. The last line of its output is the SHA-256 of the package.
set -eu
cd "$(dirname "$0")"
python3 -m unittest
portcullis plugin build
portcullis plugin package @NAME@.wasm
