//! The one executable: reads the command line, and does nothing else.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    bedside::prepare();
    let command = bedside::CommandLine::parse();
    match bedside::run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nbedside: {error:#}");
            ExitCode::FAILURE
        }
    }
}
