//! `dbm.sqlite3`: a table `Dict` of keys and values (`Lib/dbm/sqlite3.py`).

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::{Backend, Database};
use crate::error::{Error, ErrorKind};

/// How long a writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_millis(500);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)";

/// An open database. Changes are one transaction, from the first one to `sync`.
#[derive(Debug)]
pub(super) struct Sqlite {
    connection: Connection,
    writes: bool,
    is_changed: bool,
}

impl Sqlite {
    pub(super) fn open(path: &Path, writes: bool, is_new: bool) -> Result<Sqlite, Error> {
        let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags |= if writes { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
        if is_new {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
            if path.exists() {
                std::fs::remove_file(path).map_err(|error| Error::io("cannot replace", error))?;
            }
        }
        let connection = Connection::open_with_flags(path, flags).map_err(failure)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failure)?;
        distrust(&connection).map_err(failure)?;
        if writes {
            // As Python has it; a file system without shared memory keeps the other kind of journal.
            let _ = connection.pragma_update(None, "journal_mode", "wal");
            connection.pragma_update(None, "synchronous", "full").map_err(failure)?;
        }
        if is_new {
            connection.execute(TABLE, ()).map_err(failure)?;
        }
        check_table(&connection)?;
        Ok(Sqlite { connection, writes, is_changed: false })
    }

    /// Begins a transaction with the first change.
    fn begin(&mut self) -> Result<(), Error> {
        if !self.writes {
            return Err(Error::new(ErrorKind::ReadOnly, "the database was opened to read"));
        }
        if !self.is_changed {
            self.connection.execute_batch("BEGIN IMMEDIATE").map_err(failure)?;
            self.is_changed = true;
        }
        Ok(())
    }
}

/// Nothing that the file brings along is run: no triggers, no views, no functions in its schema.
fn distrust(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    Ok(())
}

/// Whether the database has the table of `dbm.sqlite3`.
fn has_table(connection: &Connection) -> rusqlite::Result<bool> {
    let count: i64 = connection.query_row(
        "SELECT count(*) FROM pragma_table_info('Dict') WHERE name IN ('key', 'value')",
        (),
        |row| row.get(0),
    )?;
    Ok(count == 2)
}

fn check_table(connection: &Connection) -> Result<(), Error> {
    if has_table(connection).map_err(failure)? {
        return Ok(());
    }
    let message = "this is an SQLite database without the table of dbm.sqlite3";
    Err(Error::new(ErrorKind::Unsupported, message).hint("pickles may lie in columns of its own tables"))
}

#[cold]
fn failure(error: rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            return Error::new(ErrorKind::Locked, "another program writes the database");
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            return Error::damaged("SQLite database", error);
        }
        Some(ErrorCode::ReadOnly) => ErrorKind::ReadOnly,
        _ => ErrorKind::Io,
    };
    Error::new(kind, format!("SQLite: {error}"))
}

impl Database for Sqlite {
    fn backend(&self) -> Backend {
        Backend::Sqlite3
    }

    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let mut statement =
            self.connection.prepare_cached("SELECT value FROM Dict WHERE key = CAST(? AS BLOB)").map_err(failure)?;
        statement.query_row((key,), |row| blob(row, 0)).optional().map_err(failure)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        self.begin()?;
        let statement = "REPLACE INTO Dict (key, value) VALUES (CAST(? AS BLOB), CAST(? AS BLOB))";
        let mut statement = self.connection.prepare_cached(statement).map_err(failure)?;
        statement.execute((key, value)).map_err(failure)?;
        Ok(())
    }

    fn delete(&mut self, key: &[u8]) -> Result<bool, Error> {
        self.begin()?;
        let mut statement =
            self.connection.prepare_cached("DELETE FROM Dict WHERE key = CAST(? AS BLOB)").map_err(failure)?;
        Ok(statement.execute((key,)).map_err(failure)? > 0)
    }

    fn keys(&mut self) -> Result<Vec<Vec<u8>>, Error> {
        let mut statement = self.connection.prepare_cached("SELECT key FROM Dict").map_err(failure)?;
        let keys = statement.query_map((), |row| blob(row, 0)).map_err(failure)?;
        keys.collect::<Result<_, _>>().map_err(failure)
    }

    fn len(&mut self) -> Result<usize, Error> {
        let count: i64 =
            self.connection.query_row("SELECT count(key) FROM Dict", (), |row| row.get(0)).map_err(failure)?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    fn sync(&mut self) -> Result<(), Error> {
        if self.is_changed {
            self.connection.execute_batch("COMMIT").map_err(failure)?;
            self.is_changed = false;
        }
        Ok(())
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // As Python's `close`; who needs to know whether it was written calls `sync`.
        let _ = self.sync();
    }
}

/// A key and its value.
type Row = (Vec<u8>, Bytes);

/// Opens a database that is not written meanwhile. Where no journal lies beside it, none is made: nothing is left in the folder.
fn open_to_look(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let journal = super::with_ending(path, "-wal");
    if std::fs::metadata(journal).is_ok_and(|journal| journal.len() > 0) {
        return Connection::open_with_flags(path, flags).map_err(failure);
    }
    let absolute = std::path::absolute(path).map_err(|error| Error::io("cannot open", error))?;
    let mut uri = "file://".to_owned();
    for byte in absolute.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push((*byte).into()),
            byte => uri += &format!("%{byte:02X}"),
        }
    }
    uri += "?immutable=1";
    Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI).map_err(failure)
}

/// A column as bytes; other programs may have written texts.
fn blob(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Vec<u8>> {
    Ok(row.get_ref(column)?.as_bytes().map(<[u8]>::to_vec).unwrap_or_default())
}

/// The rows of a database as a file that is looked into: at `path` where it is known, so that a journal beside it is read
/// too, otherwise from its bytes. `None` if it has no table of `dbm.sqlite3`.
pub(crate) fn rows(path: Option<&Path>, bytes: &Bytes) -> Result<Option<Vec<Row>>, Error> {
    let connection = match path {
        Some(path) => open_to_look(path)?,
        None => {
            let mut bytes = bytes.to_vec();
            // Bytes 18 and 19 say that there is a journal beside it, which bytes in memory have not.
            if let Some(versions) = bytes.get_mut(18..20) {
                versions.fill(1);
            }
            let mut connection = Connection::open_in_memory().map_err(failure)?;
            let len = bytes.len();
            connection.deserialize_read_exact("main", &bytes[..], len, true).map_err(failure)?;
            connection
        }
    };
    distrust(&connection).map_err(failure)?;
    if !has_table(&connection).map_err(failure)? {
        return Ok(None);
    }
    let mut statement = connection.prepare("SELECT key, value FROM Dict").map_err(failure)?;
    let rows = statement
        .query_map((), |row| Ok((blob(row, 0)?, Bytes::from(blob(row, 1)?))))
        .map_err(failure)?
        .collect::<Result<_, _>>()
        .map_err(failure)?;
    Ok(Some(rows))
}
