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
    read_ipc_stream(with_counts_in_place(data)).map(|(frame, _)| frame)
}

/// A stream of Arrow's IPC format with its lists of counts where flatbuffers has a place for them: Polars 0.20 puts them at
/// multiples of four bytes, and readers that check the place of each number refuse that.
fn with_counts_in_place(data: Bytes) -> Bytes {
    let (mut at, mut out) = (0, Vec::new());
    let mut is_changed = false;
    while let Some(message) = Message::at(&data, at) {
        match message.counts_out_of_place() {
            None => out.extend_from_slice(&data[at..message.next]),
            Some((reference, counts)) => {
                is_changed = true;
                message.write_with(reference, counts, &mut out);
            }
        }
        at = message.next;
    }
    if !is_changed {
        return data;
    }
    out.extend_from_slice(&data[at..]);
    out.into()
}

/// A message of Arrow's IPC format: a table of flatbuffers, and where the next message begins.
struct Message<'a> {
    data: &'a [u8],
    start: usize,
    /// Where the message ends, and its data begin.
    end: usize,
    next: usize,
}

/// The header of a message that is a batch of records.
const RECORD_BATCH: u8 = 3;

impl<'a> Message<'a> {
    fn at(data: &'a [u8], at: usize) -> Option<Message<'a>> {
        let has_mark = data.get(at..at + 4)? == [0xff; 4];
        let start = if has_mark { at + 8 } else { at + 4 };
        let len = u32_at(data, start - 4)? as usize;
        let end = start.checked_add(len)?;
        let message = Message { data, start, end, next: end };
        let root = message.root()?;
        // Version, kind of header, header, and how many bytes follow.
        let body = match field(data, root, 3)? {
            0 => 0,
            place => usize::try_from(u64::from_le_bytes(*data.get(place..)?.first_chunk()?)).ok()?,
        };
        let next = end.checked_add(body).filter(|next| *next <= data.len())?;
        (has_mark && len > 0).then_some(Message { next, ..message })
    }

    fn root(&self) -> Option<usize> {
        self.start.checked_add(u32_at(self.data, self.start)? as usize)
    }

    /// Where the reference to the list of counts lies and the list itself, if its numbers are not at multiples of eight bytes.
    fn counts_out_of_place(&self) -> Option<(usize, &'a [u8])> {
        /// Length, nodes, buffers, compression, counts.
        const COUNTS: usize = 4;
        let root = self.root()?;
        let is_batch = *self.data.get(field(self.data, root, 1)?)? == RECORD_BATCH;
        let header = follow(self.data, field(self.data, root, 2).filter(|place| *place > 0)?)?;
        let reference = field(self.data, header, COUNTS).filter(|place| *place > 0 && is_batch)?;
        let list = follow(self.data, reference)?;
        let len = (u32_at(self.data, list)? as usize).checked_mul(8)?;
        let counts = self.data.get(list..)?.get(..len.checked_add(4)?)?;
        let is_inside = reference >= self.start && reference + 4 <= self.end;
        (is_inside && !(list + 4 - self.start).is_multiple_of(8)).then_some((reference, counts))
    }

    /// Writes the message with a list of counts behind all else in it.
    fn write_with(&self, reference: usize, counts: &[u8], out: &mut Vec<u8>) {
        let mut text = self.data[self.start..self.end].to_vec();
        // The length of the list in four bytes, then the numbers.
        text.resize(text.len().next_multiple_of(8) + 4, 0);
        let (reference, list) = (reference - self.start, text.len());
        text[reference..reference + 4].copy_from_slice(&((list - reference) as u32).to_le_bytes());
        text.extend_from_slice(counts);
        text.resize(text.len().next_multiple_of(8), 0);
        out.extend_from_slice(&[0xff; 4]);
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(&text);
        out.extend_from_slice(&self.data[self.end..self.next]);
    }
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// Where a reference leads.
fn follow(data: &[u8], at: usize) -> Option<usize> {
    at.checked_add(u32_at(data, at)? as usize)
}

/// Where a field of a table lies; 0 if it is left out.
fn field(data: &[u8], table: usize, field: usize) -> Option<usize> {
    let u16_at = |at: usize| data.get(at..)?.first_chunk().map(|bytes| usize::from(u16::from_le_bytes(*bytes)));
    let back = i32::from_le_bytes(*data.get(table..)?.first_chunk()?);
    let places = usize::try_from(table as i64 - i64::from(back)).ok()?;
    let offset = if 4 + 2 * field < u16_at(places)? { u16_at(places + 4 + 2 * field)? } else { 0 };
    Some(if offset == 0 { 0 } else { table + offset })
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
    fn messages_that_lie_are_passed_on_as_they_are() {
        let mut data = b"\xff\xff\xff\xff\x78\0\0\0".to_vec();
        data.extend((0..200u8).map(|byte| byte.wrapping_mul(37)));
        for at in 0..data.len() {
            for byte in [0, 1, 4, 0x7f, 0xff] {
                let mut lie = data.clone();
                lie[at] = byte;
                assert_eq!(with_counts_in_place(lie.clone().into()), lie);
            }
        }
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
