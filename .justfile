# What developers run; the same scripts as CI.

check:
    cargo fmt --all -- --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy --no-default-features -- -D warnings

test:
    .ci/test

run:
    cargo run --release -- up

gallery:
    cargo test --test it gallery
