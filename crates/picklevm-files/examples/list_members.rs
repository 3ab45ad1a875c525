//! Lists what is in files: every member with its kind, its length and its pickles.
//!
//! `cargo run -p picklevm-files --all-features --example list_members -- FILE...`

use picklevm_files::{Entry, Error, Opener};

fn main() -> Result<(), Error> {
    for path in std::env::args_os().skip(1) {
        println!("{}", path.display());
        for Entry { member, contents, .. } in Opener::new().open(&path)?.walk() {
            let indent = "  ".repeat(member.depth() as usize + 1);
            let name = if member.path().is_empty() { "." } else { member.path() };
            match contents {
                Err(error) => println!("{indent}{name}: {error}"),
                Ok(contents) => {
                    let place = member.place().map_or(String::new(), |place| format!(" at {}", place.offset));
                    println!("{indent}{name}: {}, {} bytes{place}", contents.kind(), member.len().unwrap_or(0));
                    for pickle in contents.pickles() {
                        let role = pickle.role().map_or(String::new(), |role| format!(" ({role})"));
                        print!("{indent}  pickle at {}, {} bytes", pickle.offset(), pickle.len());
                        println!(", protocol {}{role}, arrays: {}", pickle.protocol(), pickle.arrays().len());
                        if let Some(problem) = pickle.problem() {
                            println!("{indent}  {problem}");
                        }
                    }
                    if let Some(problem) = contents.problem() {
                        println!("{indent}  {problem}");
                    }
                }
            }
        }
    }
    Ok(())
}
