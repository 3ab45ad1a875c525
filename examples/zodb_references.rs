//! Lists the objects that ZODB records refer to, like `ZODB.serialize.referencesf`, without creating objects.
//!
//! Without arguments it reads a small built-in record. With a path, it reads a file of records, each with a four-byte
//! big-endian length prefix. A number after the path repeats this without output, for timing.

use picklevm::{Graph, Kind, Unpickler};

/// Two pickles with one memo: the class of an object, and its state with references.
const RECORD: &[u8] = b"\x80\x03cpersistent.mapping\nPersistentMapping\n.\
    \x80\x03}X\x04\0\0\0data}(X\x01\0\0\0aC\x08\0\0\0\0\0\0\0\x05capp\nUser\n\x86Q\
    X\x01\0\0\0b]X\x01\0\0\0wC\x08\0\0\0\0\0\0\0\x06\x85\x86aQX\x01\0\0\0cC\x08\0\0\0\0\0\0\0\x07Qus.";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let unpickler = Unpickler::new().shared_memo(true);
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        let references = oids(&unpickler.noload_all(RECORD)?);
        println!("{references:?}");
        // The weak reference in the list is not included.
        assert_eq!(references, ["0000000000000005", "0000000000000007"]);
        return Ok(());
    };
    let file = std::fs::read(path)?;
    let records = records(&file)?;
    if let Some(times) = arguments.next() {
        for _ in 0..times.parse()? {
            for record in &records {
                std::hint::black_box(unpickler.noload_all(record)?);
            }
        }
    } else {
        for record in records {
            println!("{}", oids(&unpickler.noload_all(record)?).join(" "));
        }
    }
    Ok(())
}

/// Returns the object ids of ordinary references, in hexadecimal.
fn oids(ids: &Graph) -> Vec<String> {
    ids.roots()
        .filter_map(|id| match id.kind() {
            Kind::Tuple(items) => items.get(0)?.as_bytes(),
            _ => id.as_bytes(),
        })
        .map(|oid| oid.iter().map(|byte| format!("{byte:02x}")).collect())
        .collect()
}

fn records(mut file: &[u8]) -> Result<Vec<&[u8]>, &'static str> {
    let mut records = Vec::new();
    while let Some((len, rest)) = file.split_first_chunk() {
        let (record, rest) = rest.split_at_checked(u32::from_be_bytes(*len) as usize).ok_or("truncated record")?;
        records.push(record);
        file = rest;
    }
    Ok(records)
}
