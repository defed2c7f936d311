# The two commands are `make run` and `make test`. Each first gets what is missing; sdk/toolchain.sh says what that is.
.POSIX:

# For `run`: arguments of the proxy, as in make run ARGS="--listen 127.0.0.1:8080". For `bench-feeds`: a folder of
# lists. For `bench-filters`: names of measurements. For `bench-hostile`: --quick, and words that choose rows.
ARGS =

TOOLCHAIN = sh sdk/toolchain.sh
CARGO = $(TOOLCHAIN) cargo
# For a tool that is needed rarely and that is not installed.
TOOLS = target/tools

.PHONY: help run test agtree peers differential test-core test-sdk scenarios quick docs instructions bench-feeds bench-filters bench-hostile fuzz later setup check structure fmt clippy apart embedded doc deny clean

help:
	@echo 'make run      start the proxy on 127.0.0.1:3000; ARGS="..." are its arguments'
	@echo 'make test     run every test; T=name runs those whose names contain name'
	@echo 'make peers    install the clients in Python that some tests have as peers'
	@echo 'make differential   compare how lists are read with how others read them; LISTS=FOLDER has yours, too'
	@echo 'make test-core, test-sdk, scenarios   the tests of one part'
	@echo 'make quick    type-check and lint, without building tests to run'
	@echo 'make check    formatting, lints, documentation, dependencies'
	@echo 'make docs     the documentation of everything, private items included'
	@echo 'make instructions    measure what a request and a connection cost; needs valgrind'
	@echo 'make bench-feeds     measure a list of a million names, and what else could hold it'
	@echo 'make bench-filters   measure what is promised about filters; takes some minutes'
	@echo 'make bench-hostile   measure what hostile peers do to a neighbour; ARGS="--quick" for a first look'
	@echo 'make fuzz     look for input that breaks a promise, for SECONDS=600 each; T=name for one target'
	@echo 'make later    show with a proxy that speaks a later contract that filters for the released ones answer as before'
	@echo 'make setup    get the tools that are missing: Rust, the wasm target'
	@echo 'make clean    remove what was built'

run:
	@$(CARGO) run --release --package portcullis -- $(ARGS)

# What is tested. All packages are named each time: another selection would build the dependencies again.
SELECT =
T =

# The examples in the documentation come first, so that the runner's summary is the last thing to read.
test:
	@[ -n "$(SELECT)$(T)" ] || $(CARGO) test --workspace --doc
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --workspace $(SELECT) $(T); \
	else \
		[ -z "$(SELECT)" ] || { echo 'Some tests alone need cargo-nextest: cargo install cargo-nextest --locked'; exit 1; }; \
		$(CARGO) test --workspace --lib --bins --tests --examples -- $(T); \
	fi
	@for peer in $(PEERS); do command -v $$peer >/dev/null || \
		echo "skipped: scenarios with $$peer, which is not installed"; done
	@[ -e $(AGTREE)/node_modules ] || echo 'skipped: a comparison with agtree, which `make agtree` gets'
	@[ -e $(PYTHON)/ready ] || echo 'skipped: scenarios with clients in Python, which `make peers` gets'

# Programs that some tests have as peers. They come with the system.
PEERS = chromium curl fail2ban-regex git haproxy ip microsocks node npm openssl python3 script \
	slowhttptest tinyproxy

# Clients and origins in Python, which other tests have as peers.
PYTHON = target/peers
REQUIREMENTS = tests/peers/requirements.txt

# Only what is written down with its hash is installed, and nothing of it is built. The mark is a copy of what was
# installed, so another list is noticed.
peers:
	@cmp -s $(REQUIREMENTS) $(PYTHON)/ready || { \
		rm -rf $(PYTHON) && python3 -m venv $(PYTHON) && \
		$(PYTHON)/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
			--requirement $(REQUIREMENTS) && \
		cp $(REQUIREMENTS) $(PYTHON)/ready; }

# AdGuard's parser of lists, with which one test compares.
AGTREE = target/agtree

agtree:
	@mkdir -p $(AGTREE) && cp tests/agtree/package.json tests/agtree/package-lock.json $(AGTREE)
	@npm ci --silent --ignore-scripts --no-audit --no-fund --prefix $(AGTREE)

# A folder of lists, beside those that the tests have, in any format but JSON and CSV.
LISTS =

# The tests that compare what is made of a list with what others make of it.
differential: agtree
	@PORTCULLIS_LISTS="$(LISTS)" $(MAKE) test-core T=differential

test-core:
	@$(MAKE) test SELECT="-E 'package(portcullis)'"

test-sdk:
	@$(MAKE) test SELECT="-E 'package(/^portcullis-(sdk|cases|contract)/)'"

scenarios:
	@$(MAKE) test SELECT="-E 'binary(scenarios)'"

quick:
	@$(CARGO) clippy --workspace --lib --bins

docs:
	@$(CARGO) doc --workspace --no-deps --document-private-items
	@echo 'Read target/doc/portcullis/index.html'

instructions:
	@$(CARGO) build --release --package portcullis
	@python3 tests/benches/instructions.py target/release/portcullis
	@echo 'The committed figures:'
	@cat tests/benches/instructions.txt

# What lists are compared with is built here and nowhere else. The names of ARGS are permuted until there are a million.
bench-feeds:
	@$(CARGO) run --release --manifest-path tests/benches/feeds/Cargo.toml --target-dir target/bench-feeds -- $(ARGS)

# The program is measured as it is released. What measures it is built as the tests are.
bench-filters:
	@$(CARGO) build --release --package portcullis
	@$(CARGO) test --quiet --workspace --bench filters -- $(ARGS)

bench-hostile:
	@$(CARGO) build --release --package portcullis
	@$(CARGO) test --quiet --workspace --bench hostile -- $(ARGS)

# How long each target runs, in seconds. It goes on from what it found in earlier runs.
SECONDS = 600

# Everything is built once more for this, in a folder of its own. No sanitizer: they need a nightly
# compiler, and the one piece of unsafe code maps a file.
fuzz:
	@PATH="$(TOOLS)/bin:$$PATH"; export PATH; \
	$(CARGO) fuzz --version >/dev/null 2>&1 || \
		$(CARGO) install cargo-fuzz --version 0.13.2 --locked --debug --root $(TOOLS); \
	targets="$(T)"; for target in $${targets:-$$(ls tests/fuzz/corpus)}; do \
		grown=target/fuzz/corpus/$$target; mkdir -p $$grown; \
		$(CARGO) fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none \
			$$target $$grown tests/fuzz/corpus/$$target -- \
			$$(ls tests/fuzz/dictionaries/$$target 2>/dev/null | sed 's/^/-dict=/') \
			-max_total_time=$(SECONDS) -timeout=5 -rss_limit_mb=2048 || exit; \
	done

# A tree that speaks the version in tests/later. What is built of it stays in its own folder, unless CARGO_TARGET_DIR names
# another.
LATER = target/later

later:
	@python3 tests/later/grow.py $(LATER)
	@$(MAKE) -C $(LATER) test SELECT="-E 'test(released_version) or binary(later)'"

setup:
	@rustc=$$($(TOOLCHAIN)) && echo "Ready. Filters are compiled by $$rustc"

check: structure fmt clippy apart embedded doc deny

structure:
	@python3 tests/structure.py
	@python3 tests/later/grow.py --check

fmt:
	@$(CARGO) fmt --all --check

clippy:
	@$(CARGO) clippy --workspace --all-targets -- --deny warnings

# What has a workspace of its own. Most of what it needs is what clippy has checked before, in the same folder.
apart:
	@for crate in tests/benches/feeds tests/fuzz; do \
		$(CARGO) fmt --check --manifest-path $$crate/Cargo.toml && \
		$(CARGO) clippy --manifest-path $$crate/Cargo.toml --target-dir target -- --deny warnings || exit; \
	done

# What an application gets that only runs the proxy.
embedded:
	@$(CARGO) clippy --package portcullis --lib --no-default-features -- --deny warnings

doc:
	@RUSTDOCFLAGS='--deny warnings' $(CARGO) doc --workspace --no-deps

# Advisories are left out: they change without us and need a database from the network.
deny:
	@PATH="$$PATH:$(TOOLS)/bin"; export PATH; \
	$(CARGO) deny --version >/dev/null 2>&1 || \
		$(CARGO) install cargo-deny --version 0.20.2 --locked --debug --root $(TOOLS); \
	$(CARGO) deny --log-level warn check --hide-inclusion-graph bans licenses sources

clean:
	@$(CARGO) clean
