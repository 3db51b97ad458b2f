//! The one binary: it parses arguments, dispatches, and turns the result into an exit code.

fn main() -> std::process::ExitCode {
    steading::cli::main()
}
