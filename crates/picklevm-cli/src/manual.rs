//! `picklevm completions` and `picklevm man`: what a package installs beside the program.

use std::io::Write;
use std::path::PathBuf;

use clap::Command;
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output::Output;

/// Print completions for a shell
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm completions bash > ~/.local/share/bash-completion/completions/picklevm
  picklevm completions zsh > ~/.zfunc/_picklevm
  picklevm completions fish > ~/.config/fish/completions/picklevm.fish")]
pub(crate) struct CompletionArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Write the pages of the manual, for man
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm man ~/.local/share/man/man1
  man picklevm-show")]
pub(crate) struct ManArgs {
    /// Write picklevm.1, picklevm-show.1 and so on to this folder
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(crate) fn completions(mut command: Command, args: &CompletionArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "picklevm", &mut script);
    let mut out = Output::stdout();
    out.write_all(&script).map_err(|error| out.failure(error))?;
    out.finish()
}

pub(crate) fn man(command: Command, args: &ManArgs) -> Result<(), Failure> {
    let fail = |error| Failure::output(&args.folder.display().to_string(), &error);
    std::fs::create_dir_all(&args.folder).map_err(fail)?;
    clap_mangen::generate_to(command, &args.folder).map_err(fail)
}
