//! The tensors of a PyTorch checkpoint as a .safetensors file.
//!
//! `cargo run --example checkpoint_to_safetensors [MODEL.pt OUT.safetensors]`

use std::error::Error;
use std::fs::{self, File};

use picklevm_data::Item;
use picklevm_data::torch::{Checkpoint, read_safetensors, write_safetensors};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let model = args.next().unwrap_or_else(|| "tests/data/arrays/t1.13-views.pt".to_owned());
    let out = args.next().map_or_else(|| std::env::temp_dir().join("picklevm-model.safetensors"), Into::into);

    let checkpoint = Checkpoint::open(fs::read(&model)?.into())?;
    let found = checkpoint.reader().find();
    // Each tensor is read when it is written; views and transposed ones are written out.
    let tensors = found.iter().filter_map(|found| match &found.item {
        Ok(Item::Tensor(tensor)) => Some((found.path.dotted(), tensor.elements(&checkpoint))),
        _ => None,
    });
    let tensors: Vec<_> = tensors.collect();
    write_safetensors(&tensors, File::create(&out)?)?;

    let written = read_safetensors(&fs::read(&out)?.into())?;
    assert_eq!(written.len(), tensors.len());
    for (name, array) in &written {
        println!("{name}: {} {:?}", array.dtype().name(), array.shape());
    }
    Ok(())
}
