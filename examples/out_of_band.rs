//! Transfers large data out of band, without copies: `ZeroCopyByteArray`, the example of "Out-of-band Buffers" (PEP
//! 574) in the documentation of Python's pickle module.

use std::sync::mpsc;

use picklevm::{
    Bytes, Call, CallResult, Construction, Graph, Id, Kind, NativeObject, Pickler, Protocol, ReduceContext, Registry,
    Resolver, Result, Standard, Unpickler, Value,
};

/// Bytes that are passed without a copy. `Bytes` is reference-counted: a clone is the same memory.
#[derive(Clone, Debug)]
struct ZeroCopyByteArray(Bytes);

impl NativeObject for ZeroCopyByteArray {
    /// Returns `type(self)._reconstruct, (PickleBuffer(self),)`, with a bytearray below protocol 5.
    fn reduce(&self, value: &mut ReduceContext<'_>) -> Result<Id> {
        let class = value.global("__main__", "ZeroCopyByteArray");
        let reconstruct = value.call("builtins", "getattr").arg(class).arg("_reconstruct").build()?;
        let data = match value.protocol() >= Protocol::V5 {
            true => value.buffer(self.0.clone()),
            false => value.bytearray(&self.0),
        };
        value.instance_of(reconstruct).construction(Construction::Reduce).arg(data).build()
    }
}

/// The class method `ZeroCopyByteArray._reconstruct`.
#[derive(Debug)]
struct Reconstruct;

impl NativeObject for Reconstruct {
    fn call(&self, call: &mut Call<'_>) -> Result<CallResult> {
        let [data] = call.args_array()?;
        let bytes = match data.kind() {
            Kind::Buffer(buffer) => buffer.data().cloned().unwrap_or_default(),
            _ => data.try_into()?,
        };
        Ok(ZeroCopyByteArray(bytes).into())
    }
}

fn unpickler() -> Unpickler {
    let mut registry = Registry::new();
    registry.function("builtins.getattr", |call| {
        let [of, name] = call.args_array()?;
        let is_ours = of.as_global().is_some_and(|class| class.name() == "ZeroCopyByteArray");
        Ok((is_ours && name.as_str() == Some("_reconstruct")).then_some(Reconstruct))
    });
    Unpickler::new().resolver(registry.or(Standard))
}

fn loaded(graph: &Graph) -> &Bytes {
    let root: Value<'_> = graph.root();
    &root.downcast_ref::<ZeroCopyByteArray>().expect("the array").0
}

/// `ZeroCopyByteArray(b"abc")` pickled by CPython 3.13 at protocol 5, with and without a `buffer_callback`.
const OUT_OF_BAND: &[u8] = b"\x80\x05\x95Q\0\0\0\0\0\0\0\x8c\x08builtins\x94\x8c\x07getattr\x94\x93\x94\
    \x8c\x08__main__\x94\x8c\x11ZeroCopyByteArray\x94\x93\x94\x8c\x0c_reconstruct\x94\x86\x94R\x94\x97\x85\x94R\x94.";
const IN_BAND: &[u8] = b"\x80\x05\x95]\0\0\0\0\0\0\0\x8c\x08builtins\x94\x8c\x07getattr\x94\x93\x94\
    \x8c\x08__main__\x94\x8c\x11ZeroCopyByteArray\x94\x93\x94\x8c\x0c_reconstruct\x94\x86\x94R\x94\x96\x03\0\0\0\0\0\0\0abc\
    \x94\x85\x94R\x94.";

fn main() -> Result<()> {
    let b = Bytes::from(b"abc".to_vec());
    let mut graph = Graph::new();
    let array = graph.native_object(ZeroCopyByteArray(b.clone()));
    graph.set_root(array);

    // In band: an equal copy.
    let data = Pickler::new().protocol(Protocol::V5).dumps(graph.root())?;
    assert_eq!(data, IN_BAND);
    let new = unpickler().loads(&data)?;
    println!("in band: {} bytes of pickle; equal: {}, same memory: {}", data.len(), loaded(&new) == &b, same(&new, &b));
    assert!(loaded(&new) == &b && !same(&new, &b));

    // Out of band: the same memory.
    let (sender, buffers) = mpsc::channel();
    let pickler = Pickler::new().protocol(Protocol::V5).buffer_callback(move |buffer| {
        let data = buffer.data().cloned();
        data.is_some_and(|data| sender.send(data).is_ok())
    });
    let data = pickler.dumps(graph.root())?;
    drop(pickler);
    let buffers: Vec<Bytes> = buffers.iter().collect();
    assert_eq!((&data[..], buffers.len()), (OUT_OF_BAND, 1));
    let new = unpickler().buffers(buffers).loads(&data)?;
    println!("out of band: {} bytes; equal: {}, same memory: {}", data.len(), loaded(&new) == &b, same(&new, &b));
    assert!(loaded(&new) == &b && same(&new, &b));

    // Below protocol 5 there are no buffers.
    let old = Pickler::new().protocol(Protocol::V4).dumps(graph.root())?;
    assert_eq!(loaded(&unpickler().loads(old)?), &b);
    Ok(())
}

fn same(graph: &Graph, bytes: &Bytes) -> bool {
    loaded(graph).as_ptr() == bytes.as_ptr()
}
