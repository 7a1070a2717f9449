//! The one binary: what it can do is in [`server::cli`].

fn main() -> std::process::ExitCode {
    server::cli::main()
}
