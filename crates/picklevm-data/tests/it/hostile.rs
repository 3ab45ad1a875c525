//! Files that lie about sizes: errors, in bounded memory.

use picklevm::Graph;
use picklevm_data::numpy::{DType, NdArray};
use picklevm_data::pandas::DataFrame;
use picklevm_data::torch::{Checkpoint, read_safetensors};
use picklevm_data::{ErrorKind, Item};

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
