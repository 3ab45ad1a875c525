//! Files that lie about sizes: errors, in bounded memory.

use picklevm::{Graph, Id};
use picklevm_data::numpy::{DType, NdArray};
use picklevm_data::pandas::DataFrame;
use picklevm_data::torch::{Checkpoint, read_safetensors};
use picklevm_data::{ErrorKind, Item, Reader, SelfContained, Source};

use crate::load;

/// A pickle of an array with this shape, dtype code and data.
fn array(shape: &[i64], code: &str, size: i64, data: &[u8]) -> Graph {
    let mut graph = Graph::new();
    let class = graph.global("numpy", "ndarray");
    let state = (3, "<", (), (), (), size, 1, 0);
    let dtype = graph.call("numpy", "dtype").arg(code).arg(0).arg(1).state(state).build().unwrap();
    let (shape, data) = (graph.tuple(shape.iter().copied()), graph.bytes(data));
    let (one, no) = (graph.add(1), graph.add(false));
    let state = graph.tuple([one, shape, dtype, no, data]);
    let root = graph.call("numpy.core.multiarray", "_reconstruct").arg(class).state(state).build().unwrap();
    graph.set_root(root);
    graph
}

#[test]
fn a_shape_that_the_data_do_not_fill_is_an_error() {
    for (shape, data) in [(&[3][..], &[0; 8][..]), (&[1 << 40, 1 << 40], &[]), (&[i64::MAX, 2], &[0; 8]), (&[-1], &[])]
    {
        let graph = array(shape, "f4", -1, data);
        assert!(NdArray::from_value(graph.root()).is_err(), "{shape:?}");
    }
}

#[test]
fn a_size_that_a_type_cannot_have_is_not_believed() {
    // A float of 1 << 40 bytes is one of four; a text of that size does not fit its data.
    assert_eq!(NdArray::from_value(array(&[1], "f4", 1 << 40, &[0; 4]).root()).unwrap().dtype().size(), 4);
    assert!(NdArray::from_value(array(&[1], "S4", 1 << 40, &[0; 4]).root()).is_err());
    assert!(NdArray::from_value(array(&[1], "f3", -1, &[0; 3]).root()).is_err());
}

#[test]
fn elements_without_bytes_may_be_many() {
    let graph = array(&[1 << 40], "S0", 0, &[]);
    let array = NdArray::from_value(graph.root()).unwrap();
    assert_eq!((array.len(), array.bytes().map(|bytes| bytes.len())), (1 << 40, Some(0)));
}

#[test]
fn a_tensor_that_repeats_two_elements_a_trillion_times_is_refused() {
    let loaded = load("bomb-expand.pt");
    let found = loaded.reader().find();
    let Ok(Item::Tensor(tensor)) = &found[0].item else { panic!("{found:?}") };
    let array = tensor.to_array(&*loaded.source).unwrap();
    assert_eq!(array.to_bytes(array.dtype().order()).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(tensor.check_expansion().unwrap_err().kind(), ErrorKind::Limit);
    // A short text of it takes a short time.
    assert!(array.to_string().len() < 100_000);
}

#[test]
fn negative_strides_are_refused() {
    let loaded = load("negstride.pt");
    let found = loaded.reader().find();
    assert_eq!(found[0].item.as_ref().unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn a_frame_whose_blocks_hold_themselves_is_an_error() {
    let mut graph = Graph::new();
    let blocks = graph.list::<i64>([]);
    let axes = graph.list::<i64>([]);
    let manager = graph.instance("pandas.core.internals.managers", "BlockManager");
    let manager = manager.construction(picklevm::Construction::Reduce).arg(blocks).arg(axes).build().unwrap();
    graph.value_mut(blocks).push(manager).unwrap();
    graph.value_mut(axes).push(manager).unwrap();
    let frame = graph.instance("pandas.core.frame", "DataFrame").attr("_mgr", manager).build().unwrap();
    graph.set_root(frame);
    assert!(DataFrame::from_value(graph.root()).is_err());
}

#[test]
fn deep_data_are_walked_without_recursion() {
    let mut pickle = b"\x80\x02".to_vec();
    pickle.extend(std::iter::repeat_n(b']', 200_000));
    pickle.extend(std::iter::repeat_n(b'a', 199_999));
    pickle.push(b'.');
    let graph = picklevm::loads(pickle).unwrap();
    let reader = picklevm_data::Reader::new(graph.root(), &picklevm_data::SelfContained);
    assert_eq!(reader.find().len(), 0);
    let mut json = Vec::new();
    picklevm_data::json::write(&reader, picklevm_data::json::Options::new(), &mut json).unwrap();
    assert_eq!(json.len(), 400_000);
}

#[test]
fn shared_lists_are_looked_into_once() {
    // Each list holds the one before twice: 2^60 paths lead to the innermost.
    let mut pickle = b"\x80\x02]q\x00".to_vec();
    for _ in 0..60 {
        pickle.extend(b"0](h\x00h\x00eq\x00");
    }
    pickle.extend(b"0h\x00.");
    let graph = picklevm::loads(pickle).unwrap();
    let reader = picklevm_data::Reader::new(graph.root(), &picklevm_data::SelfContained);
    assert_eq!(reader.find().len(), 0);
    assert_eq!(
        picklevm_data::json::write(&reader, picklevm_data::json::Options::new(), std::io::sink()).unwrap_err().kind(),
        ErrorKind::Limit
    );
}

#[test]
fn files_that_are_cut_off_are_errors() {
    for name in ["t1.13-dtypes-legacy.pt", "t1.13-views.pt"] {
        let data = crate::data(name);
        for end in (0..data.len()).step_by(37) {
            // Never a panic; a file without its last storages is an error when these are asked for.
            if let Ok(file) = Checkpoint::open(data.slice(..end)) {
                for found in file.reader().find() {
                    let Ok(Item::Tensor(tensor)) = found.item else { continue };
                    let _ = tensor.to_array(&file).map(|array| array.cells().count());
                }
            }
        }
    }
}

#[test]
fn a_header_of_safetensors_that_lies_is_an_error() {
    let file = |header: &str| {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend([0; 8]);
        bytes::Bytes::from(file)
    };
    assert_eq!(read_safetensors(&file(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#)).unwrap().len(), 1);
    for header in [
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,80]}}"#,
        r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"X","shape":[2],"data_offsets":[0,8]}}"#,
        r#"{"a":1}"#,
    ] {
        assert!(read_safetensors(&file(header)).is_err(), "{header}");
    }
    assert!(read_safetensors(&bytes::Bytes::from_static(&[255; 16])).is_err());
}

#[test]
fn an_array_that_is_made_must_have_the_bytes_of_its_shape() {
    let dtype = DType::parse("<f8").unwrap();
    assert!(NdArray::new(dtype.clone(), vec![2], vec![0; 15]).is_err());
    assert!(NdArray::new(dtype, vec![usize::MAX, 2], vec![]).is_err());
}

#[test]
fn an_index_of_pandas_that_is_its_own_data_is_an_error() {
    // The dict of its parts is filled after the call that it is an argument of.
    let pickle =
        b"\x80\x02}q\x000cpandas.core.indexes.base\n_new_Index\ncpandas.core.indexes.base\nIndex\nh\x00\x86Rq\x01\
        h\x00X\x04\0\0\0datah\x01s0.";
    let graph = picklevm::loads(pickle).unwrap();
    let found = picklevm_data::Reader::new(graph.root(), &picklevm_data::SelfContained).find();
    let errors: Vec<_> = found.into_iter().map(|found| found.item.unwrap_err().to_string()).collect();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("arrays nested more than eight deep"), "{}", errors[0]);
}

/// A storage of eight bytes.
struct EightBytes;

impl Source for EightBytes {
    fn storage(&self, _: &str) -> picklevm_data::Result<bytes::Bytes> {
        Ok(bytes::Bytes::from_static(&[0; 8]))
    }
}

/// A tensor of floats with these numbers, in a storage that claims `count` elements.
fn tensor(offset: i64, shape: &[i64], strides: &[i64], count: i64) -> Graph {
    let mut graph = Graph::new();
    let class = graph.global("torch", "FloatStorage");
    let (word, key, place, count) = (graph.add("storage"), graph.add("0"), graph.add("cpu"), graph.add(count));
    let id = graph.tuple([word, class, key, place, count]);
    let storage = graph.persistent(id);
    let (offset, no) = (graph.add(offset), graph.add(false));
    let (shape, strides) = (graph.tuple(shape.iter().copied()), graph.tuple(strides.iter().copied()));
    let hooks = graph.call("collections", "OrderedDict").build().unwrap();
    let args = [storage, offset, shape, strides, no, hooks];
    let root = graph.call("torch._utils", "_rebuild_tensor_v2").args(args).build().unwrap();
    graph.set_root(root);
    graph
}

/// Why a tensor cannot be read and written out.
fn refused(graph: &Graph) -> Option<ErrorKind> {
    let found = Reader::new(graph.root(), &EightBytes).find();
    let tensor = match &found[0].item {
        Ok(Item::Tensor(tensor)) => tensor,
        Ok(other) => panic!("{other:?}"),
        Err(error) => return Some(error.kind()),
    };
    let array = match tensor.check_expansion().and_then(|()| tensor.to_array(&EightBytes)) {
        Ok(array) => array,
        Err(error) => return Some(error.kind()),
    };
    array.to_bytes(array.dtype().order()).err().map(|error| error.kind())
}

#[test]
fn tensors_that_lie_outside_of_their_storage_are_refused() {
    assert_eq!(refused(&tensor(0, &[2], &[1], 2)), None);
    for (offset, shape, strides, count) in [
        (1, &[2][..], &[1][..], 2),
        (3, &[1], &[1], 2),
        (-1, &[1], &[1], 2),
        (0, &[2], &[2], 2),
        (0, &[2, 2], &[1, 1], 2),
        (i64::MAX, &[1], &[1], 2),
        (0, &[2], &[i64::MAX], 2),
        (0, &[i64::MAX], &[1], 2),
        (0, &[1 << 32, 1 << 32], &[1, 1], 2),
        // A storage that claims more than it has.
        (0, &[3], &[1], 3),
        (0, &[1 << 40], &[1], 1 << 40),
        // Negative lengths, and strides that lead back.
        (0, &[-2], &[1], 2),
        (1, &[2], &[-1], 2),
        // Not as many strides as lengths.
        (0, &[2, 1], &[1], 2),
    ] {
        let refused = refused(&tensor(offset, shape, strides, count));
        assert!(refused.is_some(), "offset {offset}, shape {shape:?}, strides {strides:?}, {count} elements");
    }
}

#[test]
fn tensors_of_seventeen_terabytes_by_zero_strides_are_refused() {
    for shape in [&[1 << 42][..], &[1 << 21, 1 << 21], &[1 << 10, 1 << 10, 1 << 10, 1 << 12]] {
        let strides = vec![0; shape.len()];
        assert_eq!(refused(&tensor(0, shape, &strides, 2)), Some(ErrorKind::Limit), "{shape:?}");
    }
    // A few elements that repeat are ordinary.
    assert_eq!(refused(&tensor(1, &[1000], &[0], 2)), None);
}

#[test]
fn tensors_without_elements_may_have_any_strides() {
    assert_eq!(refused(&tensor(0, &[0, 1 << 40], &[1 << 40, 1], 2)), None);
}

/// A call of pandas' `_new_Index` with the parts in a dict.
fn index(graph: &mut Graph, class: [&str; 2], parts: &[(&str, Id)]) -> Id {
    let class = graph.global(class[0], class[1]);
    let pairs: Vec<_> = parts.iter().map(|(name, part)| (graph.add(*name), *part)).collect();
    let parts = graph.dict(pairs).unwrap();
    graph.call("pandas.core.indexes.base", "_new_Index").arg(class).arg(parts).build().unwrap()
}

const MULTI: [&str; 2] = ["pandas.core.indexes.multi", "MultiIndex"];

#[test]
fn a_multi_index_that_is_its_own_level_is_an_error() {
    let mut graph = Graph::new();
    let (levels, codes) = (graph.list::<i64>([]), graph.list::<i64>([]));
    let multi = index(&mut graph, MULTI, &[("levels", levels), ("codes", codes)]);
    graph.value_mut(levels).push(multi).unwrap();
    graph.value_mut(codes).push(multi).unwrap();
    graph.set_root(multi);
    let found = Reader::new(graph.root(), &SelfContained).find();
    assert_eq!(found[0].item.as_ref().unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn many_indexes_that_share_many_levels_are_refused_in_little_time() {
    // 3,000 indexes of 3,000 levels each in a pickle of a few kilobytes.
    const MANY: usize = 3_000;
    let mut graph = Graph::new();
    let (name, numbers) = (graph.add("n"), [0, 1].map(|number| graph.add(number)));
    let range = index(
        &mut graph,
        ["pandas.core.indexes.range", "RangeIndex"],
        &[("name", name), ("start", numbers[0]), ("stop", numbers[1]), ("step", numbers[1])],
    );
    let codes = array(&[1], "i1", -1, &[0]);
    let codes = graph.add(codes.root());
    let (levels, codes) = (graph.list(vec![range; MANY]), graph.list(vec![codes; MANY]));
    let all: Vec<_> = (0..MANY).map(|_| index(&mut graph, MULTI, &[("levels", levels), ("codes", codes)])).collect();
    let root = graph.list(all);
    graph.set_root(root);
    let found = Reader::new(graph.root(), &SelfContained).find();
    let indexes: Vec<_> = found.iter().filter(|found| found.kind == "index").collect();
    assert!(indexes.first().is_some_and(|first| first.item.is_ok()));
    let last = indexes.iter().rev().find_map(|found| found.item.as_ref().err());
    assert_eq!(last.map(|error| error.kind()), Some(ErrorKind::Limit));
}

#[test]
fn labels_and_rows_that_no_data_stand_for_take_no_memory() {
    let mut graph = Graph::new();
    let [zero, one, many] = [0, 1, 1 << 50].map(|number: i64| graph.add(number));
    let range = |graph: &mut Graph, stop: Id| {
        let class = ["pandas.core.indexes.range", "RangeIndex"];
        index(graph, class, &[("start", zero), ("stop", stop), ("step", one)])
    };
    for (columns, rows) in [(many, zero), (zero, many)] {
        let axes = [range(&mut graph, columns), range(&mut graph, rows)];
        let axes = graph.list(axes);
        let blocks = graph.tuple::<i64>([]);
        let manager = graph.instance("pandas.core.internals.managers", "BlockManager");
        let manager = manager.construction(picklevm::Construction::Reduce).arg(blocks).arg(axes).build().unwrap();
        let frame = graph.instance("pandas.core.frame", "DataFrame").attr("_mgr", manager).build().unwrap();
        match DataFrame::from_value(graph.value(frame)) {
            Err(error) => assert_eq!(error.kind(), ErrorKind::Limit),
            Ok(frame) => {
                let options = picklevm_data::table::Options { index: true };
                let written = picklevm_data::table::write_csv(&frame, options, std::io::sink());
                assert_eq!(written.unwrap_err().kind(), ErrorKind::Limit);
                let written = picklevm_data::table::write_parquet(&frame, options, Vec::new());
                assert_eq!(written.unwrap_err().kind(), ErrorKind::Limit);
            }
        }
    }
}
