//! A shelf: the examples of the documentation of Python's shelve module.
//!
//!     cargo run --example shelf [FILE]        FILE is what `shelve.open` takes; Python reads it

use picklevm::value;
use picklevm_shelf::{Mode, Shelf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let filename = std::env::args_os().nth(1).map_or_else(|| folder.path().join("spam"), Into::into);

    // with shelve.open('spam') as db: db['eggs'] = 'eggs'
    {
        let mut db = Shelf::open(&filename, Mode::create())?;
        db.insert("eggs", value!("eggs").root())?;
        // `close` tells whether it was written; the end of the scope would write it, too.
        db.close()?;
    }

    let mut d = Shelf::open(&filename, Mode::create())?;
    d.insert("key", value!({"any": "object"}).root())?;
    let data = d.get("key")?.ok_or("KeyError: key")?;
    assert_eq!(data.root().to_string(), "{'any': 'object'}");
    assert!(d.remove("key")?, "`false` where Python raises KeyError");
    let flag = d.contains_key("key")?;
    let klist = d.keys()?;
    println!("{flag} {klist:?}");
    assert!(!flag && klist == ["eggs"]);

    // d['xx'] = [0, 1, 2]; d['xx'].append(3) changes a copy, here as there.
    d.insert("xx", value!([0, 1, 2]).root())?;
    let mut copy = d.get("xx")?.ok_or("KeyError: xx")?;
    copy.root_mut().push(3)?;
    assert_eq!(d.get("xx")?.ok_or("KeyError: xx")?.root().to_string(), "[0, 1, 2]");

    // temp = d['xx']; temp.append(5); d['xx'] = temp
    let mut temp = d.get("xx")?.ok_or("KeyError: xx")?;
    temp.root_mut().push(5)?;
    d.insert("xx", temp.root())?;

    // With writeback=True, d['xx'].append(7) does. Only what was taken by `get_mut` is kept, and written by `sync`.
    d.get_mut("xx")?.ok_or("KeyError: xx")?.root_mut().push(7)?;
    d.close()?;

    let mut d = Shelf::open(&filename, Mode::Read)?;
    for item in d.iter()? {
        let (key, value) = item?;
        println!("{} {}", key.escape_ascii(), value.root());
    }
    assert_eq!(d.get("xx")?.ok_or("KeyError: xx")?.root().to_string(), "[0, 1, 2, 5, 7]");
    Ok(())
}
