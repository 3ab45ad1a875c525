//! Tensors that are written while their storages are read.

use std::io::{Cursor, Read, Write};

use bytes::Bytes;
use picklevm_data::files::{Loaded, graphs};
use picklevm_data::numpy::{ByteOrder, DType, Elements, NdArray, Widened, read_npy, write_npy};
use picklevm_data::torch::{self, Tensor};
use picklevm_data::{Item, Result};
use picklevm_files::{File, Opener};
use zip::write::SimpleFileOptions;

fn loaded(file: &File) -> Loaded {
    graphs(file).swap_remove(0).1.unwrap()
}

/// Each tensor of a file.
fn each(loaded: &Loaded, mut check: impl FnMut(&str, &Tensor<'_>)) -> usize {
    let found = loaded.reader().find();
    for found in &found {
        let Ok(Item::Tensor(tensor)) = &found.item else { panic!("{found:?}") };
        check(&found.path.dotted(), tensor);
    }
    found.len()
}

fn written(elements: &impl Elements, order: ByteOrder) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    elements.write(order, &mut bytes).map(|()| bytes)
}

/// A file of PyTorch with one tensor of so many numbers, whose members are changed.
fn archive(len: usize, change: impl Fn(&str, &mut Vec<u8>)) -> Vec<u8> {
    let bytes: Vec<u8> = (0..len as u32).flat_map(u32::to_le_bytes).collect();
    let array = NdArray::new(DType::parse("<i4").unwrap(), vec![len], bytes).unwrap();
    let mut file = Cursor::new(Vec::new());
    torch::write(&[("x".to_owned(), array)], &mut file).unwrap();
    let mut from = zip::ZipArchive::new(file).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..from.len() {
        let mut member = from.by_index(at).unwrap();
        let name = member.name().to_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        change(&name, &mut bytes);
        to.start_file(&name, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored)).unwrap();
        to.write_all(&bytes).unwrap();
    }
    to.finish().unwrap().into_inner()
}

/// `x` of a file, and the numbers in it in little-endian order.
fn numbers(file: Vec<u8>) -> Result<Vec<u32>> {
    let loaded = loaded(&Opener::new().bytes(file));
    let mut bytes = Ok(Vec::new());
    each(&loaded, |_, tensor| bytes = written(&tensor.elements(&*loaded.source), ByteOrder::Little));
    Ok(bytes?.as_chunks().0.iter().map(|number| u32::from_le_bytes(*number)).collect())
}

#[test]
fn tensors_of_every_form_are_written_as_they_are_read_whole() {
    let plain = ["t1.13-dtypes-legacy.pt", "t1.13-quant-legacy.pt", "v3-uint16.pt"];
    let views = ["t1.13-views.pt", "t1.13-views-deflated.pt", "t1.13-neg.pt", "t1.13-conj-legacy.pt"];
    for name in plain.into_iter().chain(views) {
        let loaded = loaded(&Opener::new().bytes(crate::data(name)));
        let count = each(&loaded, |path, tensor| {
            let (elements, array) = (tensor.elements(&*loaded.source), tensor.to_array(&*loaded.source).unwrap());
            assert_eq!((elements.dtype(), elements.shape()), (array.dtype(), array.shape()), "{name} {path}");
            for order in [ByteOrder::Little, ByteOrder::Big] {
                assert_eq!(written(&elements, order).unwrap(), written(&array, order).unwrap(), "{name} {path}");
            }
        });
        assert!(count > 0, "{name}");
    }
}

#[test]
fn big_endian_storages_are_written_in_the_order_that_is_asked_for() {
    let reverse = |name: &str, bytes: &mut Vec<u8>| match name {
        "archive/byteorder" => *bytes = b"big".to_vec(),
        "archive/data/0" => bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse),
        _ => {}
    };
    let len = 100_003;
    assert!(numbers(archive(len, reverse)).unwrap().into_iter().eq(0..len as u32));
}

#[test]
fn a_storage_that_is_shorter_than_its_tensor_is_an_error() {
    let cut = |name: &str, bytes: &mut Vec<u8>| {
        if name == "archive/data/0" {
            bytes.pop();
        }
    };
    let error = numbers(archive(10, cut)).unwrap_err();
    assert_eq!(error.to_string(), r#"the storage "0" has 39 bytes, expected 40"#);
}

/// `torch.serialization.set_crc32_options(False)`.
#[test]
fn a_file_that_was_written_without_checksums_is_read() {
    let mut file = archive(10, |_, _| {});
    for (magic, at) in [(b"PK\x03\x04", 14), (b"PK\x01\x02", 16)] {
        let headers: Vec<usize> = (0..file.len() - 20).filter(|at| file[*at..].starts_with(magic)).collect();
        headers.iter().for_each(|header| file[header + at..header + at + 4].fill(0));
    }
    assert_eq!(numbers(file).unwrap(), (0..10).collect::<Vec<u32>>());
}

#[test]
fn a_damaged_storage_is_an_error_in_every_form_of_its_tensors() {
    let mut file = archive(5000, |_, _| {});
    let at = file.windows(4).position(|four| four == 1234u32.to_le_bytes()).unwrap();
    file[at] ^= 1;
    let error = numbers(file.clone()).unwrap_err();
    assert!(error.to_string().contains("its checksum is wrong"), "{error}");
    let loaded = loaded(&Opener::new().bytes(file));
    each(&loaded, |_, tensor| {
        let error = tensor.to_array(&*loaded.source).unwrap_err();
        assert!(error.to_string().contains("its checksum is wrong"), "{error}");
    });
}

/// A tar archive (POSIX ustar).
fn tar(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, data) in members {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(data);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// A storage of eight floats, one that is a part of it, and a tensor in each.
fn tar_checkpoint(len: u64) -> Vec<u8> {
    let floats: Vec<u8> = (1..=8u8).flat_map(|number| f32::from(number).to_le_bytes()).collect();
    let mut storages = b"\x80\x02K\x01.\x80\x02(K\x0aU\x03cpuctorch\nFloatStorage\nt.".to_vec();
    storages.extend_from_slice(&len.to_le_bytes());
    storages.extend_from_slice(&floats);
    storages.extend_from_slice(b"\x80\x02](K\x0bK\x0aK\x02K\x05ta.");
    let mut tensors = b"\x80\x02K\x02.".to_vec();
    for (about, numbers) in [
        (&b"\x80\x02(K\x14K\x0actorch\nFloatTensor\nt."[..], [2u64, 2, 4, 4, 1, 0]),
        (b"\x80\x02(K\x15K\x0bctorch\nFloatTensor\nt.", [2, 2, 2, 1, 2, 1]),
    ] {
        tensors.extend_from_slice(about);
        tensors.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }
    let pickle =
        b"\x80\x02}(X\x01\0\0\0aX\x02\0\0\x0020QX\x01\0\0\0bX\x02\0\0\x0021QX\x01\0\0\0cX\x02\0\0\x0020Qu.".to_vec();
    tar(&[("sys_info", b"\x80\x02}.".to_vec()), ("pickle", pickle), ("tensors", tensors), ("storages", storages)])
}

#[test]
fn files_of_before_pytorch_0_1_10_are_read() {
    let loaded = loaded(&Opener::new().bytes(tar_checkpoint(8)));
    let mut found = Vec::new();
    each(&loaded, |path, tensor| {
        let array = tensor.to_array(&*loaded.source).unwrap();
        found.push((path.to_owned(), array.shape().to_vec(), array.to_vec::<f32>().unwrap()));
    });
    let all: Vec<f32> = (1..=8u8).map(f32::from).collect();
    assert_eq!(found[0], ("a".to_owned(), vec![2, 4], all.clone()));
    assert_eq!(found[1], ("b".to_owned(), vec![2, 2], vec![4.0, 6.0, 5.0, 7.0]));
    assert_eq!(found[2], ("c".to_owned(), vec![2, 4], all));
    assert!(loaded.reader().find()[2].alias_of.is_some());
}

#[test]
fn a_file_of_before_pytorch_0_1_10_that_claims_more_than_it_has_is_an_error() {
    for len in [9, u64::MAX / 4 + 1, u64::MAX] {
        let (_, loaded) = graphs(&Opener::new().bytes(tar_checkpoint(len))).swap_remove(0);
        assert!(loaded.is_err(), "{len}");
    }
}

/// Remembers how much was written at most at once.
struct Most(usize);

impl Write for Most {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.max(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_large_storage_of_a_file_is_never_in_memory_as_a_whole() {
    let path = std::env::temp_dir().join(format!("picklevm-stored-{}.pt", std::process::id()));
    std::fs::write(&path, archive(1 << 20, |_, _| {})).unwrap();
    let loaded = loaded(&picklevm_files::open(&path).unwrap());
    let mut most = Most(0);
    each(&loaded, |_, tensor| tensor.elements(&*loaded.source).write(ByteOrder::Little, &mut most).unwrap());
    assert!((1..=1 << 20).contains(&most.0), "{} bytes at once", most.0);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn small_floats_are_widened_while_they_are_written() {
    let loaded = crate::load("np2.5-py3.12-bf16ml-p5.pkl");
    let array = NdArray::from_value(loaded.graph.root()).unwrap();
    let mut file = Vec::new();
    write_npy(&Widened::new(array).unwrap(), &mut file).unwrap();
    assert_eq!(read_npy(Bytes::from(file)).unwrap().to_vec::<f32>().unwrap(), [1.0, 2.5]);
}
