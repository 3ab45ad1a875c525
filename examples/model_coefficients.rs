//! The arrays of a scikit-learn model that joblib wrote, by attribute.
//!
//! `cargo run --example model_coefficients [MODEL.joblib]`

use std::error::Error;

use picklevm::Unpickler;
use picklevm_data::{Item, Reader, SelfContained, with_arrays};

fn main() -> Result<(), Box<dyn Error>> {
    let model = std::env::args().nth(1).unwrap_or_else(|| "examples/data/logistic-regression.joblib".to_owned());

    // joblib writes the memory of arrays into the middle of the pickle, or compresses all of it.
    let file = picklevm_files::open(&model)?;
    let entry = file.walk().find(|entry| entry.contents.as_ref().is_ok_and(|contents| !contents.pickles().is_empty()));
    let contents = entry.ok_or("no pickle in this file")?.contents?;
    let pickle = contents.pickles().iter().find(|pickle| pickle.is_main()).ok_or("no pickle in this file")?;
    let all = contents.bytes()?;
    let arrays = pickle
        .arrays()
        .iter()
        .map(|array| (array.after as usize, all.slice(array.range.start as usize..array.range.end as usize)));
    let (pickle, buffers) = with_arrays(&pickle.bytes()?, arrays);
    let graph = Unpickler::new().buffers(buffers).load_bytes(pickle)?;

    for found in Reader::new(graph.root(), &SelfContained).find() {
        if let Ok(Item::Array(array)) = &found.item {
            println!("{}: {array}", found.path);
        }
    }
    let reader = Reader::new(graph.root(), &SelfContained);
    let coefficients = reader.at(".coef_").and_then(|value| reader.item(value)).ok_or("no coefficients")?;
    let Item::Array(coefficients) = coefficients.1? else { return Err("no array".into()) };
    let numbers: Vec<f64> = coefficients.to_vec()?;
    assert!(numbers.iter().all(|number| number.is_finite()));
    Ok(())
}
