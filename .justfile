# The commands of this project. `just` lists them.

# Passes arguments on as they are, so that a filter such as `test(/a|b/)` needs no second quoting.
set positional-arguments

# Lists the commands.
default:
    @just --list

# Runs everything on this machine: the API, the console and the phone.
run *flags:
    cargo run -p local -- "$@"

# Runs the inner loop: the tests that need only Rust.
quick *filter:
    cargo quick "$@"

# Runs every test, as CI does.
test *flags:
    python3 tests/run.py "$@"

# Formats and lints.
lint:
    cargo fmt --all
    cargo clippy --locked --workspace --all-targets -- -D warnings

# Builds the documentation with warnings denied.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --features ports/contract-tests

# Replays a seed of the simulation, step by step.
seed seed steps="100000":
    cargo run --release -p tests --example simulate -- {{seed}} {{steps}}

# Disables each guard once and prints what noticed.
guards *names:
    cargo run --release -p tests --features mutation --example guards -- "$@"

# Keeps the deployed stack running in the emulator until Enter is pressed.
stack:
    python3 tests/run.py --stack

# Writes and checks the bill of materials of each Lambda binary: target/sbom.
sbom:
    python3 tests/sbom.py

# Builds a Lambda binary in two folders and compares the hashes.
reproducible *flags:
    python3 tests/reproducible.py "$@"

# Builds the four Lambda binaries and deploys them.
deploy:
    cargo lambda build --profile release-lambda --arm64 -p intake -p send-prompt -p consent-callback -p fetch-info -p agents
    sam deploy --guided --template template.yaml
