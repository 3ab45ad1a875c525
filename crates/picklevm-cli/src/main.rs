//! The program `picklevm`: shows, disassembles, converts and checks Python pickles, without Python.
//!
//! Each subcommand is a module with its `Args` and a `run`. Exit status: 0, 1 for bad data, 2 for bad usage;
//! `scan` has more.

mod dis;
mod failure;
mod graph;
mod input;
mod optimize;
mod output;
mod pickles;
mod repickle;
mod scan;
mod show;
mod time;

use std::process::ExitCode;

use clap::{ColorChoice, Parser, Subcommand};

use crate::failure::Failure;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Shows, disassembles, converts and checks Python pickles, without Python.
///
/// Nothing that a pickle names is ever imported or called. A FILE of `-` is standard input.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    /// When to colour what is printed
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Show(show::Args),
    Graph(graph::Args),
    Dis(dis::Args),
    Optimize(optimize::Args),
    Repickle(repickle::Args),
    Scan(scan::Args),
    Time(time::Args),
}

impl Command {
    fn run(&self) -> Result<(), Failure> {
        match self {
            Command::Show(args) => show::run(args),
            Command::Graph(args) => graph::run(args),
            Command::Dis(args) => dis::run(args),
            Command::Optimize(args) => optimize::run(args),
            Command::Repickle(args) => repickle::run(args),
            Command::Scan(args) => scan::run(args),
            Command::Time(args) => time::run(args),
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let choice = match cli.color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
    match cli.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
