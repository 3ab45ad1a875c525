//! Length-prefixed pickles (four bytes, big endian), as sent by Graphite clients and Python's
//! `logging.handlers.SocketHandler`.

#![allow(dead_code, reason = "each example uses a part of it")]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Reads the next pickle. Returns `None` at the end of the connection.
///
/// Memory grows with the received bytes, not with the claimed length. A length beyond `max` is an error, after which
/// the connection cannot be used.
pub(crate) fn read_frame(connection: &mut impl Read, max: u32) -> io::Result<Option<Vec<u8>>> {
    let mut header = Vec::with_capacity(4);
    connection.take(4).read_to_end(&mut header)?;
    let header = match <[u8; 4]>::try_from(header) {
        Ok(header) => header,
        Err(header) if header.is_empty() => return Ok(None),
        Err(_) => return Err(ErrorKind::UnexpectedEof.into()),
    };
    let len = u32::from_be_bytes(header);
    if len > max {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            format!("expected a pickle of at most {max} bytes, found {len}"),
        ));
    }
    let mut pickle = Vec::new();
    connection.take(len.into()).read_to_end(&mut pickle)?;
    if pickle.len() < len as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(pickle))
}

/// Sends a pickle with its length.
pub(crate) fn write_frame(connection: &mut impl Write, pickle: &[u8]) -> io::Result<()> {
    let len = u32::try_from(pickle.len()).map_err(|_| ErrorKind::InvalidInput)?;
    connection.write_all(&len.to_be_bytes())?;
    connection.write_all(pickle)
}

/// Listens at an address and serves each connection in its own thread, until the program is stopped.
pub(crate) fn serve(
    address: &str,
    receive: impl Fn(TcpStream) -> io::Result<()> + Copy + Send + 'static,
) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    for connection in listener.incoming() {
        thread::spawn(move || {
            connection.and_then(receive).unwrap_or_else(|error| eprintln!("connection ended: {error}"));
        });
    }
    Ok(())
}
