#!/bin/sh
# Makes sure that this machine can build Portcullis and its filters: a C compiler, Rust, and something that compiles for
# wasm32-unknown-unknown. Uses what is there already, and is instant when nothing is missing.
#
#   sdk/toolchain.sh                   says which rustc compiles filters
#   sdk/toolchain.sh COMMAND [ARG...]  runs COMMAND with that toolchain
#
# PORTCULLIS_WASM_TOOLCHAIN chooses where the wasm target comes from:
#   unset    whatever is there; else rustup; else Debian's packages, unpacked into the cache folder
#   rustup   rustup's target (or that of whatever rustc is in use) and nothing else
#   debian   Debian's packages and nothing else
#
# Called by the Makefile and .ci/run. core/build/toolchain.rs looks for the result in the same places.
set -eu

route=${PORTCULLIS_WASM_TOOLCHAIN-}
target=wasm32-unknown-unknown
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/portcullis/wasm-toolchain
need=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$here/../Cargo.toml")
channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$here/../rust-toolchain.toml")

PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
# rust-toolchain.toml names the wasm target. Where that cannot be fetched, rustup would still try before every command.
RUSTUP_AUTO_INSTALL=0
export PATH RUSTUP_AUTO_INSTALL

say() { printf 'toolchain: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Whether the given rustc runs and is recent enough.
is_recent() {
    # shellcheck disable=SC2046
    set -- $("$1" --version 2>/dev/null)
    [ $# -gt 1 ] && printf '%s\n%s\n' "$need" "$2" | sort -c -t. -k1,1n -k2,2n 2>/dev/null
}

has_target() {
    libdir=$("$1" --print target-libdir --target "$target" 2>/dev/null) && ls "$libdir"/libcore-*.rlib >/dev/null 2>&1
}

ensure_c_compiler() {
    have "${CC:-cc}" && "${CC:-cc}" --version >/dev/null 2>&1 && return
    if [ "$(uname)" = Darwin ]; then
        fix='xcode-select --install'
    elif have apt-get; then
        fix='apt-get install gcc libc6-dev'
    else
        fix="install gcc or clang with this system's package manager"
    fi
    die "there is no C compiler (${CC:-cc}), which building the proxy needs. To get one: $fix"
}

ensure_rust() {
    have cargo && is_recent rustc && return
    if have rustup; then
        say "rustup has no Rust $channel yet: installing it"
        rustup toolchain install "$channel" --profile minimal --component clippy --component rustfmt >&2 ||
            die "rustup could not install Rust $channel (above). Portcullis needs Rust $need or later.
  Check the network and try: rustup toolchain install $channel"
    elif [ "$route" = debian ]; then
        die "there is no cargo with Rust $need or later, and PORTCULLIS_WASM_TOOLCHAIN=debian fetches only the wasm target.
  Either install rustup, see https://rustup.rs
  or Debian's packages:  apt-get install cargo-web rustc-web"
    else
        install_rustup
    fi
    is_recent rustc || die "Rust $need or later is still not usable here: $(rustc --version 2>&1 || true)"
}

install_rustup() {
    have curl || die "there is no Rust $need or later, and no curl to fetch rustup with.
  Install curl and try again, or install Rust yourself, see https://rustup.rs"
    say "there is no Rust $need or later on this machine: installing rustup from https://sh.rustup.rs"
    # To a file first: half a script must not run.
    installer=$(mktemp)
    if ! curl --proto '=https' --tlsv1.2 -sSf -o "$installer" https://sh.rustup.rs ||
        ! RUSTUP_INIT_SKIP_PATH_CHECK=yes sh "$installer" -y --no-modify-path --profile minimal \
            --default-toolchain "$channel" --component clippy --component rustfmt >&2; then
        rm "$installer"
        die "rustup could not be installed (above). Portcullis needs Rust $need or later.
  Check the network and try again, or install Rust yourself, see https://rustup.rs"
    fi
    rm "$installer"
    say "rustup is installed; to use it in your own shell: . \"${CARGO_HOME:-$HOME/.cargo}/env\""
}

# Each of these sets `wasm_rustc`, or fails.
use_rustc() { has_target rustc && wasm_rustc=$(rustc --print sysroot)/bin/rustc; }
use_cache() { wasm_rustc=$cache/current/bin/rustc && is_recent "$wasm_rustc" && has_target "$wasm_rustc"; }
add_target() {
    have rustup || return 1
    say "adding the target $target with rustup"
    rustup target add "$target" >&2 && use_rustc
}
build_cache() {
    have apt-get && have dpkg && sh "$here/toolchain/debian.sh" "$cache" "$need" && use_cache || return
    say "done: $cache"
    have rustup && say 'to use cargo without make, keep rustup from fetching the target: export RUSTUP_AUTO_INSTALL=0'
    return 0
}

ensure_wasm() {
    case $route in
        rustup) use_rustc || add_target ;;
        debian) use_cache || build_cache ;;
        '') use_rustc || use_cache || add_target || build_cache ;;
        *) die "PORTCULLIS_WASM_TOOLCHAIN is '$route'; it can be 'rustup', 'debian' or unset" ;;
    esac && return
    die "nothing on this machine compiles for $target, so the filters cannot be built.
  With rustup and a network:   rustup target add $target
  On Debian:                   PORTCULLIS_WASM_TOOLCHAIN=debian sdk/toolchain.sh
  Anywhere:                    PORTCULLIS_WASM_RUSTC=/path/to/rustc names one that can"
}

# rustup decides by the folder which toolchain it runs.
prepare() {
    cd "$here"
    ensure_c_compiler
    ensure_rust
    if [ -n "${PORTCULLIS_WASM_RUSTC-}" ]; then
        wasm_rustc=$PORTCULLIS_WASM_RUSTC
    else
        ensure_wasm
    fi
}

start=$(pwd)
prepare
cd "$start"
if [ $# -eq 0 ]; then
    echo "$wasm_rustc"
else
    exec "$@"
fi
