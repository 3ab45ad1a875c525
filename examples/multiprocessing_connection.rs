//! Client and listener of `multiprocessing.connection`: pickles between processes that prove to each other that they know a
//! key, before either unpickles a byte.
//!
//!     cargo run --example multiprocessing_connection                                  talks to itself
//!     cargo run --example multiprocessing_connection connect 127.0.0.1:6000 secret    sends a value to Python, prints the answer
//!     cargo run --example multiprocessing_connection listen 127.0.0.1:6000 secret     answers what Python sends
//!
//! `serve-messages` and `read-messages` in place of `listen` and `connect` are the listener and the client of the documentation's
//! example under "Listeners and Clients": a pickle, then bytes, then the bytes of an array.
//!
//! The Python side:
//!
//!     from multiprocessing.connection import Client, Listener
//!     with Listener(("127.0.0.1", 6000), authkey=b"secret") as listener, listener.accept() as connection:
//!         connection.send({"received": connection.recv()})
//!
//! Each side sends random bytes, and the other one answers with their HMAC (`Lib/multiprocessing/connection.py`). Python before
//! 3.12 uses MD5; later versions name the digest in the challenge and take both. The key protects against strangers; whoever
//! has it can still send any pickle, so values are read as plain data, and a class or function in one is an error.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use picklevm::{Deny, Graph, Limits, Resolver, Standard, Unpickler, Value};
use sha2::Sha256;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The longest message of a handshake in bytes, as in Python.
const MAX_HANDSHAKE: u64 = 256;
/// The longest pickle that is received, in bytes.
const MAX_PICKLE: u64 = 64 << 20;
const CHALLENGE: &[u8] = b"#CHALLENGE#";
const WELCOME: &[u8] = b"#WELCOME#";
const FAILURE: &[u8] = b"#FAILURE#";
/// What later versions put before the random bytes of a challenge, and before their answer.
const DIGEST: &[u8] = b"{sha256}";

/// A connection whose other side knows the key.
pub(crate) struct Connection<S> {
    stream: S,
}

impl<S: Read + Write> Connection<S> {
    /// The side that connected: it is asked first.
    pub(crate) fn client(stream: S, key: &[u8]) -> Result<Self, Error> {
        let mut connection = Connection { stream };
        connection.answer_challenge(key)?;
        connection.challenge(key)?;
        Ok(connection)
    }

    /// The side that accepted: it asks first.
    pub(crate) fn listener(stream: S, key: &[u8]) -> Result<Self, Error> {
        let mut connection = Connection { stream };
        connection.challenge(key)?;
        connection.answer_challenge(key)?;
        Ok(connection)
    }

    /// Sends a value, as `Connection.send` does.
    pub(crate) fn send(&mut self, value: Value<'_>) -> Result<(), Error> {
        Ok(self.write_frame(&picklevm::dumps(value)?)?)
    }

    /// Receives plain data, as `Connection.recv` receives any object.
    pub(crate) fn receive(&mut self) -> Result<Graph, Error> {
        let pickle = self.receive_bytes()?;
        Ok(Unpickler::new().resolver(Deny).limits(Limits::untrusted()).loads(&pickle)?)
    }

    /// Receives data that may name these classes: a name is read, and nothing is imported.
    fn receive_naming(&mut self, names: &'static [&'static str]) -> Result<Graph, Error> {
        let pickle = self.receive_bytes()?;
        let resolver = Standard.allow_only(names.iter().copied());
        Ok(Unpickler::new().resolver(resolver).limits(Limits::untrusted()).loads(&pickle)?)
    }

    /// Sends bytes that are no pickle, as `Connection.send_bytes` does.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_frame(bytes)
    }

    /// Receives bytes, as `Connection.recv_bytes` does.
    pub(crate) fn receive_bytes(&mut self) -> io::Result<Vec<u8>> {
        self.read_frame(MAX_PICKLE)
    }

    fn challenge(&mut self, key: &[u8]) -> Result<(), Error> {
        let mut message = DIGEST.to_vec();
        message.extend(random()?);
        self.write_frame(&[CHALLENGE, &message].concat())?;
        let answer = self.read_frame(MAX_HANDSHAKE)?;
        // The comparison takes the same time wherever the two differ.
        let is_right = match answer.strip_prefix(DIGEST) {
            Some(mac) => Hmac::<Sha256>::new_from_slice(key)?.chain_update(&message).verify_slice(mac).is_ok(),
            None => Hmac::<Md5>::new_from_slice(key)?.chain_update(&message).verify_slice(&answer).is_ok(),
        };
        self.write_frame(if is_right { WELCOME } else { FAILURE })?;
        if is_right { Ok(()) } else { Err("the other side does not know the key".into()) }
    }

    fn answer_challenge(&mut self, key: &[u8]) -> Result<(), Error> {
        let received = self.read_frame(MAX_HANDSHAKE)?;
        let message = received.strip_prefix(CHALLENGE).ok_or("expected a challenge")?;
        let answer = if message.starts_with(DIGEST) {
            let mac = Hmac::<Sha256>::new_from_slice(key)?.chain_update(message).finalize().into_bytes();
            [DIGEST, &mac].concat()
        } else if message.len() == 20 {
            Hmac::<Md5>::new_from_slice(key)?.chain_update(message).finalize().into_bytes().to_vec()
        } else {
            return Err("expected a challenge for SHA-256, or one of 20 bytes for MD5".into());
        };
        self.write_frame(&answer)?;
        if self.read_frame(MAX_HANDSHAKE)? == WELCOME { Ok(()) } else { Err("the key was refused".into()) }
    }

    /// Reads a frame: a length of four bytes, or -1 and one of eight.
    fn read_frame(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let mut short = [0; 4];
        self.stream.read_exact(&mut short)?;
        let len = match i32::from_be_bytes(short) {
            -1 => {
                let mut long = [0; 8];
                self.stream.read_exact(&mut long)?;
                u64::from_be_bytes(long)
            }
            // Other negative lengths become large ones, which are refused.
            len => i64::from(len) as u64,
        };
        if len > most {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a frame of {len} bytes, at most {most}")));
        }
        let mut frame = Vec::new();
        Read::by_ref(&mut self.stream).take(len).read_to_end(&mut frame)?;
        if (frame.len() as u64) < len { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(frame) }
    }

    fn write_frame(&mut self, frame: &[u8]) -> io::Result<()> {
        let header = match i32::try_from(frame.len()) {
            Ok(len) => len.to_be_bytes().to_vec(),
            Err(_) => [&(-1_i32).to_be_bytes()[..], &(frame.len() as u64).to_be_bytes()].concat(),
        };
        self.stream.write_all(&[&header, frame].concat())?;
        self.stream.flush()
    }
}

/// Forty bytes from the system, as Python takes them from `os.urandom`.
fn random() -> io::Result<[u8; 40]> {
    let mut bytes = [0; 40];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Answers each value of a connection with `{"received": value}` until it ends.
fn answer(stream: TcpStream, key: &[u8]) -> Result<usize, Error> {
    let mut connection = Connection::listener(stream, key)?;
    let mut count = 0;
    loop {
        let mut graph = match connection.receive() {
            Ok(graph) => graph,
            Err(error) => match error.downcast_ref::<io::Error>().map(io::Error::kind) {
                Some(io::ErrorKind::UnexpectedEof) => return Ok(count),
                _ => return Err(error),
            },
        };
        let received = graph.root().id();
        let reply = picklevm::value!(in graph, {"received": received});
        graph.set_root(reply);
        connection.send(graph.root())?;
        count += 1;
    }
}

/// The listener of the documentation.
fn serve_messages(stream: TcpStream, key: &[u8]) -> Result<(), Error> {
    let mut conn = Connection::listener(stream, key)?;
    // conn.send([2.25, None, 'junk', float])
    let mut graph = picklevm::value!([2.25, None, "junk"]);
    let float = graph.global("builtins", "float");
    graph.root_mut().push(float)?;
    conn.send(graph.root())?;
    conn.send_bytes(b"hello")?;
    // conn.send_bytes(array('i', [42, 1729]))
    Ok(conn.send_bytes(&[42_i32, 1729].map(i32::to_ne_bytes).concat())?)
}

/// The client of the documentation: what the three messages are.
fn read_messages(stream: TcpStream, key: &[u8]) -> Result<(String, Vec<u8>, Vec<i32>), Error> {
    let mut conn = Connection::client(stream, key)?;
    let value = conn.receive_naming(&["builtins.float"])?.root().to_string();
    let bytes = conn.receive_bytes()?;
    // conn.recv_bytes_into(array('i', ...))
    let array = conn.receive_bytes()?;
    let array =
        array.chunks_exact(4).map(|item| Ok(i32::from_ne_bytes(item.try_into()?))).collect::<Result<_, Error>>();
    Ok((value, bytes, array?))
}

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["connect", address, key] => {
            let mut connection = Connection::client(TcpStream::connect(address)?, key.as_bytes())?;
            connection.send(picklevm::value!({"task": "resize", "sizes": [(640, 480), (320, 240)]}).root())?;
            println!("{}", connection.receive()?.root());
            return Ok(());
        }
        ["listen", address, key] => {
            for stream in TcpListener::bind(address)?.incoming() {
                match answer(stream?, key.as_bytes()) {
                    Ok(count) => println!("{count} values"),
                    Err(error) => eprintln!("{error}"),
                }
            }
            return Ok(());
        }
        ["serve-messages", address, key] => {
            return serve_messages(TcpListener::bind(address)?.accept()?.0, key.as_bytes());
        }
        ["read-messages", address, key] => {
            println!("{:?}", read_messages(TcpStream::connect(address)?, key.as_bytes())?);
            return Ok(());
        }
        [] => {}
        _ => {
            return Err(
                "usage: multiprocessing_connection [connect|listen|serve-messages|read-messages ADDRESS KEY]".into()
            );
        }
    }

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (served, read) = std::thread::scope(|scope| {
        let served = scope.spawn(|| serve_messages(listener.accept()?.0, b"secret password"));
        let read = read_messages(TcpStream::connect(address)?, b"secret password");
        Ok::<_, io::Error>((served.join(), read))
    })?;
    served.map_err(|_| "the listener panicked")??;
    let (value, bytes, array) = read?;
    println!("{value} {:?} {array:?}", bytes.escape_ascii().to_string());
    assert_eq!(
        (&value[..], &bytes[..], &array[..]),
        ("[2.25, None, 'junk', builtins.float]", &b"hello"[..], &[42, 1729][..])
    );

    let served = std::thread::spawn(move || {
        listener.incoming().take(2).map(|stream| answer(stream?, b"secret")).collect::<Vec<_>>()
    });
    let mut connection = Connection::client(TcpStream::connect(address)?, b"secret")?;
    let task = picklevm::value!({"task": "resize", "sizes": [(640, 480), (320, 240)]});
    connection.send(task.root())?;
    let reply = connection.receive()?;
    println!("{}", reply.root());
    assert_eq!(reply.root().to_string(), format!("{{'received': {}}}", task.root()));
    drop(connection);

    // Without the key nothing is unpickled.
    let refused = Connection::client(TcpStream::connect(address)?, b"guessed").err().ok_or("a wrong key was taken")?;
    println!("refused: {refused}");
    let served = served.join().map_err(|_| "the listener panicked")?;
    assert_eq!(served[0].as_ref().ok(), Some(&1));
    assert_eq!(
        served[1].as_ref().err().ok_or("expected an error")?.to_string(),
        "the other side does not know the key"
    );
    Ok(())
}
