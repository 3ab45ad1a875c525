//! What readers of PyTorch's files find in the cases of a folder, each beside the `.expect.json` that PyTorch wrote: candle,
//! burn's pytorch-reader, and this project. Then whether npyz reads the .npy files that are made of NumPy's cases.
//!
//!     cargo run --manifest-path benches/tensors/Cargo.toml -- FOLDER
//!
//! A reader is right in a case if it gives every tensor with the bits that PyTorch has; of a file that must be refused, if it
//! gives none. What it leaves out without an error it drops.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use picklevm_data::numpy::{ByteOrder, Elements, write_npy};
use picklevm_data::{Item, files};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

/// Tensors by name: the bytes of the elements in C order, little-endian.
type Tensors = Vec<(String, Vec<u8>)>;
type Read = fn(&Path) -> Result<Tensors, String>;

const READERS: &[(&str, Read)] = &[("picklevm", picklevm), ("pytorch-reader", pytorch_reader), ("candle", candle)];

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn picklevm(path: &Path) -> Result<Tensors, String> {
    let file = picklevm_files::open(path).map_err(text)?;
    let mut tensors = Vec::new();
    for (_, loaded) in files::graphs(&file) {
        let loaded = loaded.map_err(text)?;
        for found in loaded.reader().find() {
            match found.item {
                Ok(Item::Tensor(tensor)) if tensor.missing().is_none() => {
                    tensor.check_expansion().map_err(text)?;
                    let mut bytes = Vec::new();
                    tensor.elements(&*loaded.source).write(ByteOrder::Little, &mut bytes).map_err(text)?;
                    tensors.push((found.path.dotted(), bytes));
                }
                Err(error) => return Err(text(error)),
                _ => {}
            }
        }
    }
    Ok(tensors)
}

fn pytorch_reader(path: &Path) -> Result<Tensors, String> {
    let reader = pytorch_reader::PytorchReader::new(path).map_err(text)?;
    let read = |(name, tensor): (&String, &pytorch_reader::Tensor)| Ok((name.clone(), tensor.read().map_err(text)?));
    reader.tensors().iter().map(read).collect()
}

/// candle takes the dict at the root, or the one at a key of it: both are tried.
fn candle(path: &Path) -> Result<Tensors, String> {
    let mut tensors = candle_at(path, None)?;
    for key in ["model", "state_dict"] {
        if let Ok(more) = candle_at(path, Some(key)) {
            let more = more.into_iter().map(|(name, bytes)| (format!("{key}.{name}"), bytes));
            tensors.extend(more);
        }
    }
    Ok(tensors)
}

fn candle_at(path: &Path, key: Option<&str>) -> Result<Tensors, String> {
    let tensors = candle_core::pickle::read_all_with_key(path, key).map_err(text)?;
    let bytes = |tensor: candle_core::Tensor| {
        let map = HashMap::from([("x", tensor.contiguous().map_err(text)?)]);
        let file = candle_core::safetensors::save(&map, scratch())
            .map_err(text)
            .and_then(|()| std::fs::read(scratch()).map_err(text))?;
        let start = 8 + u64::from_le_bytes(file[..8].try_into().map_err(text)?) as usize;
        Ok::<_, String>(file[start..].to_vec())
    };
    tensors.into_iter().map(|(name, tensor)| Ok((name, bytes(tensor)?))).collect()
}

fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("picklevm-bench-tensors-{}", std::process::id()))
}

/// What came of a case.
fn verdict(expected: &[&Json], refused: bool, found: Result<Tensors, String>) -> String {
    let found = match (found, refused) {
        (Err(_), true) => return "right".to_owned(),
        (Err(error), false) => return format!("refused ({})", error.lines().next().unwrap_or_default()),
        (Ok(found), true) if found.is_empty() => return "right".to_owned(),
        (Ok(_), true) => return "wrong (read)".to_owned(),
        (Ok(found), false) => found,
    };
    let mut sums: Vec<(String, String)> =
        found.into_iter().map(|(name, bytes)| (name, format!("{:x}", Sha256::digest(&bytes)))).collect();
    let names = |item: &Json| -> Vec<String> {
        item["names"].as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
    };
    // What is found stands for one of the tensors that are expected, for the same one if there is one.
    let mut take = |item: &Json, is_same: bool| {
        let names = names(item);
        let fits = |(name, sum): &(String, String)| {
            (names.is_empty() || names.contains(name)) && (!is_same || item["sha256"] == sum.as_str())
        };
        sums.iter().position(fits).map(|at| sums.remove(at))
    };
    let mut rest: Vec<&&Json> = expected.iter().filter(|item| take(item, true).is_none()).collect();
    let wrong: Vec<String> =
        rest.extract_if(.., |item| take(item, false).is_some()).flat_map(|item| names(item)).collect();
    match (wrong.is_empty(), rest.len()) {
        (true, 0) => "right".to_owned(),
        (false, _) => format!("wrong ({})", wrong.join(", ")),
        (true, missing) => format!("dropped ({missing} of {})", expected.len()),
    }
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("a folder of cases"));
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.to_string_lossy().ends_with(".expect.json"));
    cases.sort();
    println!("| case | {} |", READERS.iter().map(|row| row.0).collect::<Vec<_>>().join(" | "));
    println!("| --- |{}", " --- |".repeat(READERS.len()));
    let mut counts: HashMap<(&str, String), usize> = HashMap::new();
    let (mut arrays, mut refused_by_npyz, mut reasons) = (0, Vec::new(), Vec::new());
    for about in cases {
        let expect: Json = serde_json::from_slice(&std::fs::read(&about).unwrap()).unwrap();
        let path = PathBuf::from(about.to_string_lossy().trim_end_matches(".expect.json"));
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let group = expect["group"].as_str().unwrap_or_default();
        let items = || expect["items"].as_array().into_iter().flatten();
        // The same tensor at a second path may be there once or twice.
        let tensors: Vec<&Json> =
            items().filter(|item| item["kind"] == "tensor" && item.get("alias_of").is_none()).collect();
        let refused =
            group == "refused" || !tensors.is_empty() && tensors.iter().all(|item| item.get("sha256").is_none());
        if group.starts_with("torch") && !tensors.is_empty() || refused && name.ends_with(".pt") {
            let verdicts = READERS.iter().map(|(reader, read)| {
                let verdict = verdict(
                    &tensors,
                    refused,
                    std::panic::catch_unwind(|| read(&path)).unwrap_or_else(|_| Err("panic".into())),
                );
                *counts.entry((reader, verdict.split(' ').next().unwrap_or_default().to_owned())).or_default() += 1;
                verdict
            });
            let verdicts: Vec<String> = verdicts.collect();
            let words: Vec<&str> =
                verdicts.iter().map(|verdict| verdict.split(' ').next().unwrap_or_default()).collect();
            println!("| {name} | {} |", words.join(" | "));
            let why = READERS.iter().zip(&verdicts).filter(|(_, verdict)| verdict.contains(' '));
            reasons.extend(why.map(|((reader, _), verdict)| format!("{name}: {reader}: {verdict}")));
        } else if group.starts_with("np-") {
            npyz(&path, &name, &mut arrays, &mut refused_by_npyz);
        }
    }
    let _ = std::fs::remove_file(scratch());
    println!("\n{}\n", reasons.join("\n"));
    for (reader, _) in READERS {
        let row: Vec<String> = ["right", "wrong", "dropped", "refused"]
            .iter()
            .map(|verdict| format!("{} {verdict}", counts.get(&(*reader, (*verdict).to_owned())).unwrap_or(&0)))
            .collect();
        println!("{reader}: {}", row.join(", "));
    }
    println!(
        "npyz: {} of {arrays} .npy files read; not {}",
        arrays - refused_by_npyz.len(),
        refused_by_npyz.join(", ")
    );
}

/// Whether npyz reads the arrays of a pickle from .npy, with their bytes.
fn npyz(path: &Path, name: &str, arrays: &mut usize, refused: &mut Vec<String>) {
    let Ok(file) = picklevm_files::open(path) else { return };
    for (_, loaded) in files::graphs(&file) {
        let Ok(loaded) = loaded else { continue };
        for found in loaded.reader().find() {
            let Ok(Item::Array(array)) = found.item else { continue };
            let mut npy = Vec::new();
            if write_npy(&array, &mut npy).is_err() {
                continue;
            }
            *arrays += 1;
            match npyz::NpyFile::new(&npy[..]) {
                Ok(read) if read.shape().iter().map(|len| *len as usize).eq(array.shape().iter().copied()) => {}
                Ok(read) => refused.push(format!("{name} (shape {:?})", read.shape())),
                Err(error) => refused.push(format!("{name} ({error})")),
            }
        }
    }
}
