//! Writes the page of a file: `cargo run --example page -- FILE OUT.html`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("expected FILE OUT.html".into());
    };
    let opened = picklevm_files::open(&file)?;
    let name = file.rsplit('/').next().unwrap_or(&file);
    std::fs::write(out, picklevm_view::page(&opened, name, &picklevm_view::Options::default())?)?;
    Ok(())
}
