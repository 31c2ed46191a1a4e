//! The one executable: reads the command line, and does nothing else.

use clap::Parser as _;
use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
