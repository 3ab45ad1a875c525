//! The end of a pickle, and the data that joblib wrote into it.
//!
//! joblib's pickler writes the memory of an array behind the BUILD of a `NumpyArrayWrapper`, and its unpickler reads it
//! there (`joblib/numpy_pickle.py`, `NumpyArrayWrapper.read_array`). The pickle that other readers need is what remains
//! without these bytes.

use std::ops::Range;

use picklevm_ops::{Decoder, ErrorKind, Op, Opcode, Reader, Source, raw_ops};

use super::evaluate::{Evaluation, Value};
use super::numpy_dtype::dtype;
use crate::error::Error;
use crate::region::Region;

/// The end of the module's name: scikit-learn had a copy of joblib in `sklearn.externals`.
pub(super) const JOBLIB_MODULE: &str = "joblib.numpy_pickle";
/// Ops of a pickle without a header that are run on the stack: what is no pickle fails long before.
const CHECKED_OPS: u64 = 10_000;

/// Bytes that are read at once to locate ops in a file on disk: at first, as many small pickles may follow each other, in
/// a long pickle, and for one op at most.
const FIRST_WINDOW: u64 = 4 << 10;
const LONG_WINDOW: u64 = 1 << 20;
const MAX_WINDOW: u64 = 64 << 20;

/// The memory of an array that joblib wrote into a pickle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawArray {
    /// Where in the pickle the BUILD ends that it follows: see [`Pickle::bytes`](crate::Pickle::bytes).
    pub after: u64,
    /// Its range in the member with the pickle.
    pub range: Range<u64>,
    /// The type of an item as `numpy.dtype` was called with it, such as `f8`.
    pub dtype: String,
    /// The lengths of its dimensions.
    pub shape: Vec<u64>,
}

/// Where a pickle lies. Offsets count from the beginning of the region that was read.
#[derive(Debug, Default)]
pub(crate) struct Extent {
    /// Where it ends, behind STOP.
    pub(crate) end: u64,
    /// The parts of it, without what joblib wrote between them.
    pub(crate) segments: Vec<Range<u64>>,
    pub(crate) arrays: Vec<RawArray>,
    /// The pickles that joblib wrote between the parts: arrays of objects.
    pub(crate) object_arrays: Vec<Range<u64>>,
    /// Where in the pickle its longest payload begins, if it is so long that it was skipped.
    pub(crate) payload: u64,
    /// The protocol that PROTO names, or that of the newest opcode.
    pub(crate) protocol: u8,
    /// The names of companion files, if it is one of joblib before 0.10.
    pub(crate) companions: Vec<String>,
}

/// What was read of bytes that are no whole pickle.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) error: Error,
    /// Whether the bytes end before the pickle does.
    pub(crate) truncated: bool,
    /// How many ops were read.
    pub(crate) ops: u64,
    /// Where STOP ends, if all ops can be decoded: one of them does not find on the stack what it takes.
    pub(crate) whole_end: Option<u64>,
    /// Whether it begins with PROTO of a known protocol.
    pub(crate) has_header: bool,
    /// Where the first frame that is not whole should end.
    pub(crate) expected_end: Option<u64>,
}

/// Finds where the pickle ends that begins at `start`.
pub(crate) fn extent(region: &Region, start: u64) -> Result<Extent, Broken> {
    let has_header = matches!(region.array::<2>(start), Ok(Some([0x80, 2..=5])));
    if has_header && let Some(found) = locate(region, start) {
        return Ok(found);
    }
    let mut scan = Scan::new(region, start, has_header);
    match scan.run(!has_header) {
        Ok(Pass::Done) => Ok(scan.extent),
        Ok(Pass::IsJoblib) => {
            let mut scan = Scan::new(region, start, has_header);
            scan.joblib = true;
            scan.run(true).map(|_| scan.extent)
        }
        Err(broken) => Err(broken),
    }
}

/// Finds the end of a pickle with a header by locating its ops, which takes a fraction of the time of decoding them. Long
/// payloads are skipped without reading them.
/// `None` if it is joblib's or damaged, or if a text has more than [`MAX_WINDOW`] bytes: then [`Scan`] reads it.
fn locate(region: &Region, start: u64) -> Option<Extent> {
    let mut extent = Extent::default();
    let mut at = start;
    let mut len = FIRST_WINDOW;
    let mut longest = 0;
    loop {
        let rest = region.from(at);
        let window = if rest.in_memory().is_some() { rest.clone() } else { rest.slice(0..len) };
        let data = window.bytes().ok()?;
        let mut end = 0;
        for op in raw_ops(&data, 0) {
            let op = match op {
                Ok(op) => op,
                // The window ends in the middle of the op.
                Err(error) if matches!(error.kind(), ErrorKind::Truncated | ErrorKind::End) => break,
                Err(_) => return None,
            };
            end = op.end() as usize;
            match op.opcode() {
                Opcode::Proto => extent.protocol = extent.protocol.max(op.bytes()[1]),
                Opcode::ShortBinUnicode | Opcode::BinUnicode if op.bytes().ends_with(JOBLIB_MODULE.as_bytes()) => {
                    return None;
                }
                Opcode::Global if op.decode().is_ok_and(|op| names_joblib(&op)) => return None,
                Opcode::Stop => {
                    extent.end = at + end as u64;
                    extent.segments.push(start..extent.end);
                    return Some(extent);
                }
                _ => {}
            }
        }
        if window.len() == rest.len() {
            return None;
        }
        // A shorter one is in the next window.
        if let Some((header, payload)) = payload_of(&data[end..]).filter(|(_, payload)| *payload >= len) {
            let start_of_payload = at + end as u64 + header;
            at = start_of_payload.checked_add(payload).filter(|end| *end < region.len())?;
            if payload > longest {
                (longest, extent.payload) = (payload, start_of_payload - start);
            }
            continue;
        }
        len = if end > 0 { (4 * len).min(LONG_WINDOW) } else { 4 * len };
        if len > MAX_WINDOW {
            return None;
        }
        at += end as u64;
    }
}

/// The lengths of the opcode with its argument and of the payload, if an op of bytes begins here. (A text may be the name of
/// joblib's module.)
fn payload_of(op: &[u8]) -> Option<(u64, u64)> {
    let len = match op.split_first().map(|(code, rest)| (Opcode::from_byte(*code), rest))? {
        (Some(Opcode::BinBytes), rest) => return Some((5, u32::from_le_bytes(*rest.first_chunk()?).into())),
        (Some(Opcode::BinBytes8 | Opcode::ByteArray8), rest) => u64::from_le_bytes(*rest.first_chunk()?),
        _ => return None,
    };
    Some((9, len))
}

/// How a pass over the ops ended.
enum Pass {
    Done,
    /// The pickle names joblib: it has to be read again with a look at the stack.
    IsJoblib,
}

/// What came of the ops up to an end or a raw array.
enum Step {
    Stop,
    IsJoblib,
    Built(Value),
}

struct Scan<'r> {
    region: &'r Region,
    start: u64,
    at: u64,
    ops: u64,
    has_header: bool,
    joblib: bool,
    frame_end: Option<u64>,
    evaluation: Option<Evaluation>,
    extent: Extent,
}

impl<'r> Scan<'r> {
    fn new(region: &'r Region, start: u64, has_header: bool) -> Self {
        let extent = Extent::default();
        let evaluation = None;
        Scan { region, start, at: start, ops: 0, has_header, joblib: false, frame_end: None, evaluation, extent }
    }

    fn run(&mut self, evaluate: bool) -> Result<Pass, Broken> {
        self.evaluation = evaluate.then(Evaluation::default);
        let mut segment_start = self.start;
        loop {
            let rest = self.region.from(self.at);
            let base = self.at;
            let step = match rest.in_memory() {
                Some(data) => self.segment(Decoder::new(data), base),
                None => self.segment(Reader::new(rest.reader()), base),
            }?;
            self.extent.segments.push(segment_start..self.at);
            match step {
                Step::IsJoblib => return Ok(Pass::IsJoblib),
                Step::Stop => {
                    self.extent.end = self.at;
                    if self.joblib {
                        self.find_companions();
                    }
                    return Ok(Pass::Done);
                }
                Step::Built(wrapper) => {
                    self.skip_array(wrapper)?;
                    segment_start = self.at;
                }
            }
        }
    }

    /// Reads ops up to STOP, or up to what only joblib reads.
    fn segment<S: Source>(&mut self, mut source: S, base: u64) -> Result<Step, Broken> {
        loop {
            let op = match source.next_op() {
                Ok(op) => op,
                Err(error) => {
                    let truncated = matches!(error.kind(), ErrorKind::Truncated | ErrorKind::End);
                    return Err(self.broken(Error::pickle(base, error), truncated));
                }
            };
            let names_joblib = !self.joblib && names_joblib(&op);
            let stop = matches!(op, Op::Stop);
            let frame_len = if let Op::Frame(len) = op { Some(len) } else { None };
            match op {
                Op::Proto(version) => self.extent.protocol = self.extent.protocol.max(version),
                _ if !self.has_header => self.extent.protocol = self.extent.protocol.max(op.opcode().protocol()),
                _ => {}
            }
            let built = match &mut self.evaluation {
                Some(evaluation) => evaluation.run(&op),
                None => Ok(None),
            };
            let opcode = op.opcode();
            let (op_start, op_end) = (base + source.op_offset(), base + source.offset());
            let built = built.map_err(|_| {
                let found = "fewer values on the stack";
                let expected = "the values that it takes";
                let error = picklevm_ops::Error::new(ErrorKind::Stack, op_start, Some(opcode), expected, found);
                self.broken(Error::pickle(0, error), false)
            })?;
            if let Some(len) = frame_len {
                self.frame_end = op_end.checked_add(len);
            }
            self.at = op_end;
            self.ops += 1;
            if stop {
                return Ok(Step::Stop);
            }
            if names_joblib {
                return Ok(Step::IsJoblib);
            }
            match built {
                Some(target) if self.joblib && self.is_wrapper(target) => return Ok(Step::Built(target)),
                _ => {}
            }
            if !self.joblib && self.ops == CHECKED_OPS {
                self.evaluation = None;
            }
        }
    }

    fn is_wrapper(&self, target: Value) -> bool {
        let Some(evaluation) = &self.evaluation else { return false };
        let class = evaluation.object(target).and_then(|(class, _, _)| evaluation.global(class));
        class.is_some_and(|(module, name)| module.ends_with(JOBLIB_MODULE) && name == "NumpyArrayWrapper")
    }

    /// Passes over the memory of the array that a wrapper stands for.
    fn skip_array(&mut self, wrapper: Value) -> Result<(), Broken> {
        let at = self.at;
        let wrong = |scan: &Self, message: &str| scan.broken(Error::damaged("joblib file", message).at(at), false);
        let evaluation = self.evaluation.take().unwrap_or_default();
        let (_, _, state) = evaluation.object(wrapper).unwrap_or((Value::Other, Value::Other, Value::Other));
        let Some(dtype) = evaluation.get(state, "dtype").and_then(|value| dtype(&evaluation, value)) else {
            return Err(wrong(self, "an array follows whose item type is not known"));
        };
        let shape: Option<Vec<u64>> = evaluation.get(state, "shape").and_then(|shape| {
            let lens = evaluation.items(shape)?.iter();
            lens.map(|len| if let Value::Int(len) = len { u64::try_from(*len).ok() } else { None }).collect()
        });
        let Some(shape) = shape else { return Err(wrong(self, "an array follows whose shape is not known")) };
        let is_padded = !matches!(evaluation.get(state, "numpy_array_alignment_bytes"), None | Some(Value::None));
        self.evaluation = Some(evaluation);
        let after = self.extent.segments.iter().map(|segment| segment.end - segment.start).sum();
        if dtype.objects {
            let inner = Scan::new(self.region, at, true).plain()?;
            self.extent.object_arrays.push(at..inner.end);
            self.at = inner.end;
            return Ok(());
        }
        let mut from = at;
        if is_padded {
            match self.region.array::<1>(at) {
                Ok(Some([padding])) => from += 1 + u64::from(padding),
                _ => return Err(self.broken(truncated_array(at), true)),
            }
        }
        let count = shape.iter().try_fold(1u64, |count, len| count.checked_mul(*len));
        let len = count.and_then(|count| count.checked_mul(dtype.size));
        let end = len.and_then(|len| from.checked_add(len)).filter(|end| *end <= self.region.len());
        let Some(end) = end else { return Err(self.broken(truncated_array(at), true)) };
        self.extent.arrays.push(RawArray { after, range: from..end, dtype: dtype.code, shape });
        self.at = end;
        Ok(())
    }

    /// Reads a pickle in which nothing is looked for.
    fn plain(mut self) -> Result<Extent, Broken> {
        self.joblib = true;
        let region = self.region.from(self.at);
        let base = self.at;
        let step = match region.in_memory() {
            Some(data) => self.segment(Decoder::new(data), base),
            None => self.segment(Reader::new(region.reader()), base),
        };
        step?;
        self.extent.end = self.at;
        Ok(self.extent)
    }

    /// The names of the files beside it that hold its arrays: joblib 0.9 and older (`numpy_pickle_compat.py`).
    fn find_companions(&mut self) {
        let Some(evaluation) = &self.evaluation else { return };
        self.extent.companions = evaluation.companions();
    }

    #[cold]
    fn broken(&self, error: Error, truncated: bool) -> Broken {
        let expected_end = self.frame_end.filter(|end| *end > self.region.len());
        let is_decoded = error.kind() == crate::ErrorKind::Pickle && self.evaluation.is_some();
        let rest = self.region.from(self.start);
        let whole_end = rest.in_memory().filter(|_| is_decoded).and_then(|data| {
            let mut ops = picklevm_ops::ops(data);
            ops.by_ref().all(|op| op.is_ok()).then(|| self.start + ops.offset() as u64)
        });
        Broken { error, truncated, whole_end, ops: self.ops, has_header: self.has_header, expected_end }
    }
}

fn truncated_array(at: u64) -> Error {
    Error::new(crate::ErrorKind::Truncated, "the file ends within an array of joblib").at(at)
}

/// Whether an op names joblib's module of wrappers.
fn names_joblib(op: &Op<'_>) -> bool {
    match op {
        Op::Global(module, _) => module.as_bytes().ends_with(JOBLIB_MODULE.as_bytes()),
        Op::ShortBinUnicode(text) | Op::BinUnicode(text) => text.as_bytes().ends_with(JOBLIB_MODULE.as_bytes()),
        _ => false,
    }
}
