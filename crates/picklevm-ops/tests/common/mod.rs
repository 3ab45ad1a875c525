//! Helpers shared by several tests.
#![allow(dead_code, reason = "no test uses all of it")]

use std::io::{self, BufRead, Read};

/// A reader that yields its bytes one by one.
pub(crate) struct OneByOne<'a> {
    bytes: &'a [u8],
}

impl<'a> OneByOne<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        OneByOne { bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }
}

impl Read for OneByOne<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut next = &self.bytes[..self.bytes.len().min(1)];
        let len = next.read(out)?;
        self.consume(len);
        Ok(len)
    }
}

impl BufRead for OneByOne<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(&self.bytes[..self.bytes.len().min(1)])
    }

    fn consume(&mut self, len: usize) {
        self.bytes = &self.bytes[len..];
    }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
