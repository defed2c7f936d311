#!/bin/sh
# Makes a compiler for wasm32-unknown-unknown out of Debian's packages, for machines where rustup cannot fetch the target.
#
#   debian.sh CACHE NEED     CACHE/current/bin/rustc is there afterwards, of Rust version NEED or later
#
# Called by ../toolchain.sh once cargo is there. Nothing is installed: the packages are unpacked below CACHE, the target's
# standard library is built from the sources among them, and a finished toolchain appears under its final name in one
# rename. Needs no privileges.
set -eu

cache=$1
need=$2
target=wasm32-unknown-unknown

say() { printf 'toolchain: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

export LC_ALL=C
mkdir -p "$cache"
# What a killed run left behind; anything younger may be another run at work.
find "$cache" -maxdepth 1 -name '.new.*' -mtime +0 -exec rm -rf {} +
new=$(mktemp -d "$cache/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir "$new/deb" "$new/src"

# Empty, or the options that make apt use package lists of our own.
lists=

# The words of $lists are options, hence no quotes.
# shellcheck disable=SC2086
apt_get() { apt-get $lists -o APT::Sandbox::User=root "$@"; }
# shellcheck disable=SC2086
apt_cache() { apt-cache $lists "$@"; }

# The version that apt would install, if it is recent enough.
candidate() {
    version=$(apt_cache policy rustc-web 2>/dev/null | sed -n 's/^ *Candidate: \([0-9].*\)/\1/p')
    [ -n "$version" ] && printf '%s\n%s\n' "$need" "$version" | sort -c -t. -k1,1n -k2,2n 2>/dev/null
}

fresh_lists() {
    say "Debian's packages: fetching package lists"
    mkdir -p "$new/apt/lists/partial" "$new/apt/cache/archives/partial"
    lists="-o Dir::State::lists=$new/apt/lists -o Dir::Cache=$new/apt/cache"
    # A third party's list that cannot be had is no reason to stop: the candidate decides.
    apt_get -q update >&2 || true
}

# Everything that rustc-web needs to run here. Libraries that are installed already are left out, but never the parts of
# the compiler: those must be of one version.
packages() {
    parts=$(apt_cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances libstd-rust-web-dev | grep '^[a-z0-9]')
    # lld is released together with the LLVM that rustc uses.
    for part in rustc-web rust-web-src $parts $(printf '%s\n' "$parts" | sed -n 's/^libllvm/lld-/p'); do
        case $part in
            *rust*-web* | libllvm* | lld-*) echo "$part" ;;
            *) dpkg-query -W -f '${db:Status-Status}\n' "$part" 2>/dev/null | grep -qx installed || echo "$part" ;;
        esac
    done
}

download() {
    candidate || return
    wanted=$(packages)
    say "Debian's packages: downloading rustc-web $version and what it needs (about 140 MB)"
    # shellcheck disable=SC2086
    (cd "$new/deb" && apt_get -q download $wanted >&2)
}

unpack() {
    for deb in "$new"/deb/*.deb; do
        case $deb in
            # The compiler's own sources are most of this package and are not needed.
            */rust-web-src_*) dpkg --fsys-tarfile "$deb" | tar -x -C "$new/src" --wildcards './usr/src/rustc-*/library' ;;
            *) dpkg -x "$deb" "$new" ;;
        esac
    done
    rm -rf "$new/deb" "$new/apt"
    mkdir "$new/bin"
    cat >"$new/bin/rustc" <<'WRAPPER'
#!/bin/sh
# Runs the unpacked rustc with the libraries that were unpacked beside it.
root=$(cd "$(dirname "$0")/.." && pwd -P)
for dir in "$root"/usr/lib/*-linux-gnu* "$root"/lib/*-linux-gnu*; do
    LD_LIBRARY_PATH=$dir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
export LD_LIBRARY_PATH
exec "$root/usr/bin/rustc" --sysroot "$root/usr" "$@"
WRAPPER
    chmod +x "$new/bin/rustc"
    # rustc looks for the linker of this target here, under this name.
    host=$("$new/bin/rustc" -vV | sed -n 's/^host: //p')
    mkdir -p "$new/usr/lib/rustlib/$host/bin"
    for lld in "$new"/usr/lib/llvm-*/bin/lld; do
        ln -s "../../../../..${lld#"$new"}" "$new/usr/lib/rustlib/$host/bin/rust-lld"
    done
}

# Debian ships no standard library for this target that matches rustc-web, but its sources with their dependencies.
build_std() {
    say "building the standard library for $target"
    sysroot=$new/usr/lib/rustlib
    rm -rf "$sysroot/src"
    mkdir -p "$sysroot/src/rust" "$new/src/empty/src"
    mv "$new"/src/usr/src/rustc-*/library "$sysroot/src/rust/library"
    printf '[package]\nname = "empty"\nedition = "2021"\n' >"$new/src/empty/Cargo.toml"
    : >"$new/src/empty/src/lib.rs"
    # As in the official builds: bitcode beside the machine code, so that filters can be built with and without LTO, and
    # no local paths in what filters say when they panic.
    flags=$(printf '%s\037%s' -Cembed-bitcode=yes "--remap-path-prefix=$sysroot/src/rust=/rustc/${version%%+*}")
    env -u CARGO_BUILD_TARGET -u RUSTC_WRAPPER -u RUSTC_WORKSPACE_WRAPPER -u CARGO_BUILD_RUSTC_WRAPPER \
        RUSTC="$new/bin/rustc" RUSTC_BOOTSTRAP=1 RUSTFLAGS= CARGO_ENCODED_RUSTFLAGS="$flags" \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_PANIC=abort \
        cargo build --quiet --release --offline -Z build-std=std,panic_abort --target "$target" \
        --config 'source.crates-io.replace-with="debian"' \
        --config "source.debian.directory='$sysroot/src/rust/library/vendor'" \
        --manifest-path "$new/src/empty/Cargo.toml" --target-dir "$new/src/target" >&2
    mkdir -p "$sysroot/$target/lib"
    cp "$new/src/target/$target"/release/deps/*.rlib "$sysroot/$target/lib"
    rm -rf "$sysroot/$target/lib"/libempty-*.rlib "$sysroot/src" "$new/src"
}

# Compiles and links a module, before it is relied on.
prove() {
    printf '#[unsafe(no_mangle)] pub extern "C" fn f(n: usize) -> usize { vec![1u8; n].len() }\n' >"$new/proof.rs"
    "$new/bin/rustc" --edition 2024 --target "$target" --crate-type cdylib -O -o "$new/proof.wasm" "$new/proof.rs" >&2
    rm "$new/proof.rs" "$new/proof.wasm"
}

publish() {
    # `mv -T` fails if another run was faster; its toolchain is as good as this one.
    mv -T "$new" "$cache/$version" 2>/dev/null || [ -x "$cache/$version/bin/rustc" ]
    ln -s "$version" "$cache/.current.$$"
    mv -T "$cache/.current.$$" "$cache/current"
}

download || { fresh_lists && download; } ||
    die "this machine's package sources have no rustc-web $need or later (they offer: ${version:-none}), or it cannot be fetched.
  Enable Debian's security updates, which carry new versions, and check the network; or, with rustup: rustup target add $target"
unpack
build_std
prove
publish
