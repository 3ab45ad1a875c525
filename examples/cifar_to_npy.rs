//! The images of a CIFAR-10 batch as an array: without a copy in memory, and as a .npy file.
//!
//! `cargo run --example cifar_to_npy [data_batch_1 OUT.npy]`

use std::error::Error;
use std::fs::{self, File};

use picklevm::Unpickler;
use picklevm_data::numpy::{NdArray, read_npy, write_npy};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let batch = args.next().unwrap_or_else(|| "tests/data/arrays/cifar10.pkl".to_owned());
    let out = args.next().map_or_else(|| std::env::temp_dir().join("picklevm-cifar.npy"), Into::into);

    let graph = Unpickler::new().load_bytes(fs::read(&batch)?)?;
    // Keys of Python 2 are 8-bit strings.
    let images = NdArray::from_value(graph.root().at("data"))?;
    let labels: Vec<i64> = graph.root().at("labels").to()?;
    let pixels: &[u8] = images.as_slice().ok_or("the pixels do not lie one behind the other")?;
    assert_eq!(pixels.len(), 3072 * labels.len());
    println!("{} images of {:?}, labels {labels:?}", images.shape()[0], images.dtype().name());

    write_npy(&images, File::create(&out)?)?;
    assert_eq!(read_npy(fs::read(&out)?.into())?.shape(), images.shape());
    println!("{}", out.display());
    Ok(())
}
