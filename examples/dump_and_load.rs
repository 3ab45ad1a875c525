//! Writes a dictionary to a file and reads it back: the example at the end of the documentation of Python 3's pickle module.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use picklevm::{Graph, Pickler, Protocol};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn data() -> Result<Graph> {
    let mut data = picklevm::value!({
        "a": [1, 2.0],
        "b": ("character string", b"byte string"),
    });
    // The literals that Rust does not have: 3+4j, and {None, True, False}.
    let complex = data.complex(3.0, 4.0);
    data.root_mut().at("a")?.push(complex)?;
    let set = data.set([None, Some(true), Some(false)])?;
    data.root_mut().set("c", set)?;
    Ok(data)
}

fn write(path: &Path, data: &Graph) -> Result<()> {
    // with open('data.pickle', 'wb') as f: pickle.dump(data, f, pickle.HIGHEST_PROTOCOL)
    let mut file = BufWriter::new(File::create(path)?);
    Pickler::new().protocol(Protocol::HIGHEST).dump(data.root(), &mut file)?;
    Ok(file.flush()?)
}

fn read(path: &Path) -> Result<Graph> {
    // The protocol is detected, so it is not given.
    Ok(picklevm::load(BufReader::new(File::open(path)?))?)
}

fn main() -> Result<()> {
    let data = data()?;
    let path = std::env::temp_dir().join(format!("picklevm-data-{}.pickle", std::process::id()));
    let read = write(&path, &data).and_then(|()| read(&path));
    std::fs::remove_file(&path)?;
    let read = read?;
    println!("{}", read.root());
    assert_eq!(
        read.root().to_string(),
        "{'a': [1, 2.0, (3+4j)], 'b': ('character string', b'byte string'), 'c': {None, True, False}}"
    );
    assert_eq!(read, data);
    Ok(())
}
