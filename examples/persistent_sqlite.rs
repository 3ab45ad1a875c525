//! Pickles database rows by reference: the example `dbpickle.py` of the documentation of Python's pickle module, with a
//! SQLite database.
//!
//! Memos are rows of a table. Pickling a list of them writes their keys; loading fetches the current rows with these
//! keys.

use std::sync::{Arc, Mutex, PoisonError};

use picklevm::{Error, Graph, NativeObject, Pickler, Unpickler, persistent_resolver};
use rusqlite::Connection;

/// A row of the table, as a native object.
#[derive(Clone, Debug, PartialEq)]
struct MemoRecord {
    key: i64,
    task: String,
}

impl NativeObject for MemoRecord {
    fn class_name(&self) -> &str {
        "__main__.MemoRecord"
    }
}

/// `DBPickler` of the documentation: a memo is written as `("MemoRecord", key)`.
fn dumps(graph: &Graph) -> picklevm::Result<Vec<u8>> {
    let pickler = Pickler::new().persistent_id(|value| {
        let key = value.this().downcast_ref().map(|memo: &MemoRecord| memo.key);
        Ok(key.map(|key| value.add(("MemoRecord", key))))
    });
    pickler.dumps(graph.root())
}

/// `DBUnpickler` of the documentation: the key is looked up in the table.
fn loads(pickle: &[u8], database: &Arc<Mutex<Connection>>) -> picklevm::Result<Graph> {
    let database = database.clone();
    let unpickler = Unpickler::new().resolver(persistent_resolver(move |arena, pid| {
        let (table, key): (&str, i64) = arena.value(pid).try_into()?;
        if table != "MemoRecord" {
            return Err(Error::other(format!("unknown table {table}")));
        }
        let database = database.lock().unwrap_or_else(PoisonError::into_inner);
        memo(&database, key).map_err(Error::other)
    }));
    unpickler.loads(pickle)
}

fn memo(database: &Connection, key: i64) -> rusqlite::Result<MemoRecord> {
    database.query_row("SELECT key, task FROM memos WHERE key = ?1", [key], |row| {
        Ok(MemoRecord { key: row.get(0)?, task: row.get(1)? })
    })
}

fn tasks(graph: &Graph) -> Vec<&str> {
    graph.root().items().filter_map(|item| item.downcast_ref()).map(|memo: &MemoRecord| &memo.task[..]).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = Connection::open_in_memory()?;
    database.execute("CREATE TABLE memos (key INTEGER PRIMARY KEY, task TEXT)", [])?;
    for task in ["give food to fish", "prepare group meeting", "fight with a zebra"] {
        database.execute("INSERT INTO memos (task) VALUES (?1)", [task])?;
    }

    let mut graph = Graph::new();
    let memos = (1..=3).map(|key| memo(&database, key)).collect::<rusqlite::Result<Vec<_>>>()?;
    let memos: Vec<_> = memos.into_iter().map(|memo| graph.native_object(memo)).collect();
    graph.set_root(memos);
    println!("Pickled records: {:?}", graph.root());
    let pickle = dumps(&graph)?;

    database.execute("UPDATE memos SET task = 'learn italian' WHERE key = 1", [])?;

    let database = Arc::new(Mutex::new(database));
    let loaded = loads(&pickle, &database)?;
    println!("Unpickled records: {:?}", loaded.root());
    assert_eq!(tasks(&graph), ["give food to fish", "prepare group meeting", "fight with a zebra"]);
    assert_eq!(tasks(&loaded), ["learn italian", "prepare group meeting", "fight with a zebra"]);

    // A missing row is an error.
    database.lock().unwrap_or_else(PoisonError::into_inner).execute("DELETE FROM memos WHERE key = 2", [])?;
    let Err(error) = loads(&pickle, &database) else { panic!("a deleted memo was loaded") };
    println!("{error}");
    assert_eq!(error.kind(), picklevm::ErrorKind::Resolver);
    Ok(())
}
