//! The command `itocheck`.

fn main() -> std::process::ExitCode {
    itocheck::cli::main().into()
}
