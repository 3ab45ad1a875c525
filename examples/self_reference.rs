//! Two pickles in one file, the second a recursive list: the example of the documentation of Python 2.7's pickle
//! module.

use std::fs::File;
use std::io::{BufReader, Write};

use picklevm::{Graph, Kind, Pickler, Protocol, Result, load, value};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut data1 = value!({"a": [1, 2.0, 3], "b": ("string", "Unicode string"), "c": None});
    let complex = data1.complex(4.0, 6.0);
    data1.root_mut().at("a")?.push(complex)?;

    // selfref_list = [1, 2, 3]; selfref_list.append(selfref_list)
    let mut selfref = value!([1, 2, 3]);
    let list = selfref.root().id();
    selfref.root_mut().push(list)?;

    let path = std::env::temp_dir().join(format!("picklevm-self-reference-{}.pkl", std::process::id()));
    let written = write(&path, &data1, &selfref).and_then(|()| read(&path));
    std::fs::remove_file(&path)?;
    let [data1_again, selfref_again] = written?;

    println!("{:?}", data1_again.root());
    println!("{:?}", selfref_again.root());
    assert_eq!(data1_again, data1);
    assert_eq!(format!("{:?}", selfref_again.root()), "&1 [1, 2, 3, *1]");
    // The list is its own last item, not a copy of itself.
    let Kind::List(mut items) = selfref_again.root().kind() else { panic!("not a list") };
    assert!(items.next_back().is_some_and(|last| last.is(selfref_again.root())));
    assert!(picklevm::same_graph(selfref_again.root(), selfref.root()));

    // CPython writes the same at its highest protocol.
    let pickle = Pickler::new().protocol(Protocol::HIGHEST).dumps(selfref.root())?;
    assert_eq!(pickle, b"\x80\x05\x95\x0d\0\0\0\0\0\0\0]\x94(K\x01K\x02K\x03h\0e.");
    Ok(())
}

fn write(path: &std::path::Path, data1: &Graph, selfref: &Graph) -> Result<()> {
    let mut output = File::create(path).map_err(picklevm::Error::other)?;
    Pickler::new().protocol(Protocol::V0).dump(data1.root(), &mut output)?;
    Pickler::new().protocol(Protocol::HIGHEST).dump(selfref.root(), &mut output)?;
    output.flush().map_err(picklevm::Error::other)
}

fn read(path: &std::path::Path) -> Result<[Graph; 2]> {
    let mut input = BufReader::new(File::open(path).map_err(picklevm::Error::other)?);
    Ok([load(&mut input)?, load(&mut input)?])
}
