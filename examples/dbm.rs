//! A database of bytes: the examples of the documentation of Python's dbm module.

use picklevm_files::dbm::{self, Backend, Mode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    for backend in [Backend::Sqlite3, Backend::Dumb] {
        let path = folder.path().join(backend.name());

        // with dbm.open('cache', 'c') as db:
        let mut db = dbm::open(&path, Mode::Create(backend))?;
        db.set(b"hello", b"there")?;
        db.set("www.python.org".as_bytes(), "Python Website".as_bytes())?;
        db.set("www.cnn.com".as_bytes(), "Cable News Network".as_bytes())?;

        // Keys and values are bytes.
        assert_eq!(db.get(b"www.python.org")?.as_deref(), Some(&b"Python Website"[..]));
        assert_eq!(db.get(b"www.cnn.com")?.as_deref(), Some(&b"Cable News Network"[..]));
        let value = db.get(b"python.org")?.unwrap_or_else(|| b"not present".to_vec());
        println!("{}", value.escape_ascii());
        assert_eq!(value, b"not present");
        // db['www.yahoo.com'] = 4 does not compile. Python's SQLite backend makes text of the number.

        // k = db.firstkey(), and db.nextkey(k) until there is none.
        for key in db.keys()? {
            println!("{}", key.escape_ascii());
        }
        assert_eq!(db.len()?, 3);
        drop(db);

        // dbm.whichdb('cache')
        assert_eq!(dbm::which(&path)?, Some(backend));
    }
    Ok(())
}
