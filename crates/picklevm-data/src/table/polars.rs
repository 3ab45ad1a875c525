//! The data of Polars' series: Arrow's IPC format, and before 0.20 the form that serde and bincode gave them.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array,
    Int64Array, LargeStringArray, ListArray, NullArray, RecordBatch, TimestampMicrosecondArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::Field;
use arrow_select::concat::concat;
use bytes::Bytes;

use super::from_arrow::{from_batches, read_ipc_stream};
use super::to_arrow::arrow_error;
use crate::error::{Error, Result};
use crate::pandas::DataFrame;

/// The columns of a stream of Arrow's IPC format, or the one column of a series by bincode.
pub(super) fn read(data: Bytes) -> Result<DataFrame<'static>> {
    // A map of three fields, the first called `name`.
    if data.starts_with(b"\x03\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0name") {
        let (name, array) = Bincode(&data).series(0)?;
        let batch = RecordBatch::try_from_iter_with_nullable([(name, array, true)]).map_err(arrow_error)?;
        return from_batches(&batch.schema(), &[batch]);
    }
    read_ipc_stream(without_empty_counts(data))
}

/// A stream of Arrow's IPC format without the empty lists of counts that Polars 0.20 puts where flatbuffers has no place for
/// them: readers that check the place of each number refuse those.
fn without_empty_counts(data: Bytes) -> Bytes {
    let (mut at, mut changed) = (0, None::<Vec<u8>>);
    while let Some(message) = Message::at(&data, at) {
        if let Some(entry) = message.empty_counts() {
            let copy = changed.get_or_insert_with(|| data.to_vec());
            copy[entry..entry + 2].fill(0);
        }
        at = message.next;
    }
    changed.map_or(data, Bytes::from)
}

/// A message of Arrow's IPC format: a table of flatbuffers, and where the next message begins.
struct Message<'a> {
    data: &'a [u8],
    start: usize,
    next: usize,
}

/// The header of a message that is a batch of records.
const RECORD_BATCH: u8 = 3;

impl<'a> Message<'a> {
    fn at(data: &'a [u8], at: usize) -> Option<Message<'a>> {
        let has_mark = data.get(at..at + 4)? == [0xff; 4];
        let start = if has_mark { at + 8 } else { at + 4 };
        let len = u32_at(data, start - 4)? as usize;
        let message = Message { data, start, next: start.checked_add(len)? };
        let root = message.root()?;
        // Version, kind of header, header, and how many bytes follow.
        let body = match field(data, root, 3)? {
            0 => 0,
            place => usize::try_from(u64::from_le_bytes(*data.get(place..)?.first_chunk()?)).ok()?,
        };
        let next = message.next.checked_add(body)?;
        (len > 0 && next > at).then_some(Message { next, ..message })
    }

    fn root(&self) -> Option<usize> {
        self.start.checked_add(u32_at(self.data, self.start)? as usize)
    }

    /// Where the table of places has the list of counts, if the list is empty.
    fn empty_counts(&self) -> Option<usize> {
        let root = self.root()?;
        let kind = *self.data.get(field(self.data, root, 1)?)?;
        let header = follow(self.data, field(self.data, root, 2).filter(|place| *place > 0)?)?;
        /// Length, nodes, buffers, compression, counts.
        const COUNTS: usize = 4;
        let list = follow(self.data, field(self.data, header, COUNTS).filter(|place| *place > 0)?)?;
        let is_empty = kind == RECORD_BATCH && u32_at(self.data, list)? == 0;
        is_empty.then(|| entry(self.data, header, COUNTS)).flatten()
    }
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// Where a reference leads.
fn follow(data: &[u8], at: usize) -> Option<usize> {
    at.checked_add(u32_at(data, at)? as usize)
}

/// Where the table of places of a table says where a field lies.
fn entry(data: &[u8], table: usize, field: usize) -> Option<usize> {
    let back = i32::from_le_bytes(*data.get(table..)?.first_chunk()?);
    let places = usize::try_from(table as i64 - i64::from(back)).ok()?;
    let len = usize::from(u16::from_le_bytes(*data.get(places..)?.first_chunk()?));
    (4 + 2 * field < len).then_some(places + 4 + 2 * field)
}

/// Where a field of a table lies; 0 if it is left out.
fn field(data: &[u8], table: usize, field: usize) -> Option<usize> {
    let Some(entry) = entry(data, table, field) else { return Some(0) };
    let offset = u16::from_le_bytes(*data.get(entry..)?.first_chunk()?);
    Some(if offset == 0 { 0 } else { table + usize::from(offset) })
}

/// What is left of a series as bincode has it: numbers in little-endian order, lengths in 8 bytes, kinds in 4.
struct Bincode<'a>(&'a [u8]);

/// Lists of lists that are read.
const MAX_DEPTH: u8 = 8;

impl<'a> Bincode<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (first, rest) =
            self.0.split_first_chunk().ok_or_else(|| Error::malformed("a series of Polars that is cut off"))?;
        self.0 = rest;
        Ok(*first)
    }

    fn len(&mut self) -> Result<usize> {
        let len = u64::from_le_bytes(self.take()?);
        // Every value takes a byte.
        usize::try_from(len).ok().filter(|len| *len <= self.0.len()).ok_or_else(|| {
            Error::malformed(format!("a series of Polars that claims {len} bytes or values, and has {}", self.0.len()))
        })
    }

    fn text(&mut self) -> Result<String> {
        let len = self.len()?;
        let (text, rest) = self.0.split_at(len);
        self.0 = rest;
        String::from_utf8(text.to_vec()).map_err(|_| Error::malformed("text of Polars that is not UTF-8"))
    }

    fn name(&mut self, expected: &str) -> Result<()> {
        match self.text()? {
            name if name == expected => Ok(()),
            name => Err(Error::unsupported(format!("a series of Polars with the field {name:?}"))),
        }
    }

    /// `SerializeMap` of name, datatype and values.
    fn series(&mut self, depth: u8) -> Result<(String, ArrayRef)> {
        if depth == MAX_DEPTH {
            return Err(Error::malformed("lists of Polars nested more than eight deep"));
        }
        let _fields: [u8; 8] = self.take()?;
        self.name("name")?;
        let name = self.text()?;
        self.name("datatype")?;
        let kind = u32::from_le_bytes(self.take()?);
        self.name("values")?;
        Ok((name, self.values(kind, depth)?))
    }

    /// Values of a type, by its position in Polars' `DeDataType`.
    fn values(&mut self, kind: u32, depth: u8) -> Result<ArrayRef> {
        /// An array of numbers.
        macro_rules! numbers {
            ($array:ty, $number:ty) => {
                Arc::new(<$array>::from(self.options(|data| Ok(<$number>::from_le_bytes(data.take()?)))?))
            };
        }
        Ok(match kind {
            0 => Arc::new(BooleanArray::from(self.options(|data| Ok(data.take::<1>()? != [0]))?)),
            1 => numbers!(UInt8Array, u8),
            2 => numbers!(UInt16Array, u16),
            3 => numbers!(UInt32Array, u32),
            4 => numbers!(UInt64Array, u64),
            5 => numbers!(Int8Array, i8),
            6 => numbers!(Int16Array, i16),
            7 => numbers!(Int32Array, i32),
            8 => numbers!(Int64Array, i64),
            9 => numbers!(Float32Array, f32),
            10 => numbers!(Float64Array, f64),
            11 => Arc::new(LargeStringArray::from(self.options(Bincode::text)?)),
            12 => numbers!(Date32Array, i32),
            // Microseconds, whatever the unit of the series was.
            13 => numbers!(TimestampMicrosecondArray, i64),
            15 => {
                let lists = self.options(|data| Ok(data.series(depth + 1)?.1))?;
                let parts: Vec<&dyn Array> = lists.iter().flatten().map(|list| &**list).collect();
                let items = match &parts[..] {
                    [] => Arc::new(NullArray::new(0)),
                    parts => concat(parts).map_err(arrow_error)?,
                };
                let lens =
                    OffsetBuffer::from_lengths(lists.iter().map(|list| list.as_ref().map_or(0, |list| list.len())));
                let valid = NullBuffer::from_iter(lists.iter().map(Option::is_some));
                let field = Arc::new(Field::new("item", items.data_type().clone(), true));
                Arc::new(ListArray::try_new(field, lens, items, Some(valid)).map_err(arrow_error)?)
            }
            kind => return Err(Error::unsupported(format!("type {kind} of a series of Polars before 0.20"))),
        })
    }

    /// A count, and values that are there or not.
    fn options<T>(&mut self, mut value: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<Option<T>>> {
        (0..self.len()?).map(|_| if self.take()? == [0] { Ok(None) } else { value(self).map(Some) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state of a series as Polars 0.13 pickles it.
    fn state(kind: u32, values: &[u8]) -> Bytes {
        let start = b"\x03\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0name\x01\0\0\0\0\0\0\0i\x08\0\0\0\0\0\0\0datatype";
        [&start[..], &kind.to_le_bytes(), b"\x06\0\0\0\0\0\0\0values", values].concat().into()
    }

    fn rows(data: Bytes) -> Result<String> {
        let mut csv = Vec::new();
        crate::table::write_jsonl(&read(data)?, crate::table::Options::default(), &mut csv)?;
        Ok(String::from_utf8_lossy(&csv).replace('\n', " "))
    }

    #[test]
    fn series_of_every_type_are_read() {
        for (kind, values, expected) in [
            (0, &b"\x02\0\0\0\0\0\0\0\x01\x01\0"[..], r#"{"i":true} {"i":null} "#),
            (1, b"\x01\0\0\0\0\0\0\0\x01\xff", r#"{"i":255} "#),
            (7, b"\x01\0\0\0\0\0\0\0\x01\xff\xff\xff\xff", r#"{"i":-1} "#),
            (9, b"\x01\0\0\0\0\0\0\0\x01\0\0\xc0?", r#"{"i":1.5} "#),
            (11, b"\x01\0\0\0\0\0\0\0\x01\x02\0\0\0\0\0\0\0\xc3\xa9", "{\"i\":\"\u{e9}\"} "),
            (12, b"\x02\0\0\0\0\0\0\0\x01PF\0\0\0", r#"{"i":"2019-04-14"} {"i":null} "#),
        ] {
            assert_eq!(rows(state(kind, values)).unwrap(), expected, "type {kind}");
        }
        let inner = [&state(8, b"\x01\0\0\0\0\0\0\0\x01\x07\0\0\0\0\0\0\0")[..]].concat();
        let list = [&b"\x02\0\0\0\0\0\0\0\x01"[..], &inner, b"\0"].concat();
        assert_eq!(rows(state(15, &list)).unwrap(), r#"{"i":[7]} {"i":null} "#);
    }

    #[test]
    fn what_a_series_claims_is_not_believed() {
        for values in [&b"\xff\xff\xff\xff\0\0\0\0"[..], b"\x05\0\0\0\0\0\0\0\x01\x01", b""] {
            assert!(rows(state(8, values)).is_err());
        }
        // A list that holds itself, as far as bytes can say so.
        let nested =
            (0..100).fold(Vec::new(), |inner, _| [&b"\x01\0\0\0\0\0\0\0\x01"[..], &state(15, &inner)].concat());
        assert!(rows(state(15, &nested)).is_err());
    }
}
