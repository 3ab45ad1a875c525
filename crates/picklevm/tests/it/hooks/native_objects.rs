//! Native objects.

use std::hash::Hasher;
use std::sync::Arc;

use picklevm::{
    Call, CallResult, Construct, Construction, Entries, Error, ErrorKind, Graph, HashMode, Items, Kind, NativeObject,
    Registry, Result, Unpickler, Value,
};

/// Records every operation on it.
#[derive(Clone, Debug, Default)]
struct Diary(Vec<String>);

impl NativeObject for Diary {
    fn class_name(&self) -> &str {
        "app.Diary"
    }

    fn call(&self, call: &mut Call<'_>) -> Result<CallResult> {
        Ok(Diary(vec![format!("called by {:?} with {:?}", call.construction(), call.args_tuple())]).into())
    }

    fn set_state(&mut self, state: Value<'_>) -> Result<()> {
        self.0.push(format!("state {state:?}"));
        Ok(())
    }

    fn append(&mut self, items: Items<'_>) -> Result<()> {
        self.0.extend(items.map(|item| format!("append {item:?}")));
        Ok(())
    }

    fn set_items(&mut self, pairs: Entries<'_>) -> Result<()> {
        self.0.extend(pairs.map(|(key, value)| format!("set {key:?} to {value:?}")));
        Ok(())
    }

    fn add(&mut self, items: Items<'_>) -> Result<()> {
        self.0.extend(items.map(|item| format!("add {item:?}")));
        Ok(())
    }

    fn clone_object(&self) -> Option<Arc<dyn NativeObject>> {
        Some(Arc::new(self.clone()))
    }
}

impl Construct for Diary {
    fn construct(call: &Call<'_>) -> Result<Self> {
        let mut diary = Diary(vec![format!("{:?} {:?}", call.construction(), call.args_tuple())]);
        if let Some(kwargs) = call.kwargs() {
            diary.0.extend(kwargs.entries().map(|(name, value)| format!("{name:?}={value:?}")));
        }
        Ok(diary)
    }
}

/// Compared by content; supports no changes.
#[derive(Debug)]
struct Money(i64);

impl NativeObject for Money {
    fn class_name(&self) -> &str {
        "app.Money"
    }

    fn equals(&self, other: &dyn NativeObject) -> bool {
        (other as &dyn std::any::Any).downcast_ref::<Money>().is_some_and(|other| other.0 == self.0)
    }

    fn hash(&self, hasher: &mut dyn Hasher) -> HashMode {
        hasher.write_i64(self.0);
        HashMode::ByContent
    }
}

impl Construct for Money {
    fn construct(call: &Call<'_>) -> Result<Self> {
        let [amount] = call.args_array()?;
        amount.as_i64().map(Money).ok_or_else(|| Error::other("an amount in cents is an integer"))
    }
}

/// An unhashable class.
#[derive(Debug)]
struct Bag;

impl NativeObject for Bag {
    fn hash(&self, _: &mut dyn Hasher) -> HashMode {
        HashMode::Unhashable
    }
}

impl Construct for Bag {
    fn construct(_: &Call<'_>) -> Result<Self> {
        Ok(Bag)
    }
}

fn unpickler() -> Unpickler {
    let mut registry = Registry::new();
    registry.class::<Diary>("app.Diary").class::<Money>("app.Money").class::<Bag>("app.Bag");
    registry.function("app.print", |_| Ok(Diary::default()));
    Unpickler::new().resolver(registry)
}

fn diary(pickle: &[u8]) -> Vec<String> {
    unpickler().loads(pickle).unwrap().root().downcast_ref::<Diary>().expect("a diary").0.clone()
}

#[test]
fn every_opcode_that_creates_objects_creates_native_objects() {
    assert_eq!(diary(b"\x80\x02capp\nDiary\nK\x01\x85R."), ["Reduce (1,)"]);
    assert_eq!(diary(b"\x80\x02capp\nDiary\nK\x01\x85\x81."), ["NewObj (1,)"]);
    assert_eq!(diary(b"(I1\niapp\nDiary\n."), ["Inst (1,)"]);
    assert_eq!(diary(b"(capp\nDiary\nK\x01o."), ["Obj (1,)"]);
    assert_eq!(diary(b"\x80\x04\x8c\x03app\x8c\x05Diary\x93)}\x8c\x01kK\x02s\x92."), ["NewObjEx ()", "'k'=2"]);
}

#[test]
fn changes_are_passed_to_a_native_object_in_order() {
    let pickle = b"\x80\x04capp\nDiary\n)\x81(K\x01K\x02eK\x03a(K\x04K\x05uK\x06K\x07s(K\x08\x90}b.";
    assert_eq!(
        diary(pickle),
        ["NewObj ()", "append 1", "append 2", "append 3", "set 4 to 5", "set 6 to 7", "add 8", "state {}"]
    );
}

#[test]
fn a_native_object_can_be_called() {
    assert_eq!(diary(b"\x80\x02capp\nprint\n)RK\x05\x85R."), ["called by Reduce with (5,)"]);
    assert_eq!(diary(b"\x80\x02capp\nprint\n)RK\x05\x85\x81."), ["called by NewObj with (5,)"]);
}

#[test]
fn an_unsupported_change_is_an_error_that_names_the_class() {
    let message = |end: &[u8]| {
        let pickle = [b"\x80\x04capp\nMoney\nK\x05\x85R", end, b"."].concat();
        unpickler().loads(pickle).unwrap_err().to_string()
    };
    assert_eq!(
        message(b"K\x01a"),
        "offset 19: APPEND: app.Money: expected an object that can be appended to, found one that cannot"
    );
    assert!(message(b"}b").contains("BUILD: app.Money: expected an object that can be given a state"));
    assert!(
        message(b"K\x01K\x02s").contains("SETITEM: app.Money: expected an object that can be given keys and values")
    );
    assert!(message(b"(K\x01\x90").contains("ADDITEMS: app.Money: expected an object that can be added to"));
    assert!(message(b")R").contains("REDUCE: app.Money: expected an object that can be called"));
}

#[test]
fn native_objects_are_hashed_by_content_or_by_identity() {
    let graph = unpickler().loads(b"\x80\x04(capp\nMoney\nK\x05\x85Rcapp\nMoney\nK\x05\x85R\x91.").unwrap();
    assert_eq!(graph.root().len(), 1);
    let graph = unpickler().loads(b"\x80\x04(capp\nprint\n)Rcapp\nprint\n)R\x91.").unwrap();
    assert_eq!(graph.root().len(), 2);
    let error = unpickler().loads(b"\x80\x04(capp\nBag\n)R\x91.").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unhashable);
}

#[test]
fn many_equal_native_keys_are_merged() {
    let mut pickle = b"\x80\x04(".to_vec();
    for n in 0..100u8 {
        pickle.extend_from_slice(b"capp\nMoney\nK");
        pickle.extend_from_slice(&[n % 50, 0x85, b'R']);
    }
    pickle.extend_from_slice(b"\x91.");
    assert_eq!(unpickler().loads(pickle).unwrap().root().len(), 50);
}

#[test]
fn native_objects_of_two_graphs_are_compared_by_their_class() {
    let load = |pickle: &[u8]| unpickler().loads(pickle).unwrap();
    let five = b"\x80\x02capp\nMoney\nK\x05\x85R.";
    assert_eq!(load(five).root(), load(five).root());
    assert_ne!(load(five).root(), load(b"\x80\x02capp\nMoney\nK\x06\x85R.").root());
    assert_ne!(load(b"\x80\x02capp\nBag\n)R.").root(), load(b"\x80\x02capp\nBag\n)R.").root());
}

#[test]
fn a_native_object_is_shared_as_in_the_pickle() {
    let graph = unpickler().loads(b"\x80\x02]q\0(capp\nMoney\nK\x05\x85Rq\x01h\x01e.").unwrap();
    let [a, b] = graph.root().items().as_array().unwrap();
    assert!(a.is(b));
    assert!(std::ptr::addr_eq(a.as_native().unwrap(), b.as_native().unwrap()));
}

#[test]
fn a_state_may_refer_to_its_object() {
    let graph = unpickler().loads(b"\x80\x02capp\nDiary\n)\x81q\0}K\x01h\0sb.").unwrap();
    assert_eq!(graph.root().downcast_ref::<Diary>().unwrap().0, ["NewObj ()", "state {1: Changing}"]);
}

#[test]
fn a_native_object_is_printed_with_debug() {
    let graph = unpickler().loads(b"\x80\x02capp\nMoney\nK\x05\x85R.").unwrap();
    assert!(matches!(graph.root().kind(), Kind::NativeObject(live) if live.class_name() == "app.Money"));
    assert_eq!(format!("{:?}", graph.root()), "Money(5)");
    assert!(graph.root().downcast_ref::<Diary>().is_none());
}

#[test]
fn copies_of_a_graph_share_native_objects_until_one_is_changed_by_a_later_load() {
    let unpickler = unpickler().shared_memo(true);
    let mut stream = unpickler.stream(&b"\x80\x02capp\nDiary\n)\x81q\0.\x80\x02h\0K\x01a."[..]);
    let before: Graph = stream.load().unwrap();
    let after: Graph = stream.load().unwrap();
    assert_eq!(before.root().downcast_ref::<Diary>().unwrap().0, ["NewObj ()"]);
    assert_eq!(after.root().downcast_ref::<Diary>().unwrap().0, ["NewObj ()", "append 1"]);
}

#[test]
fn a_class_of_an_earlier_pickle_is_called_in_a_later_one() {
    let unpickler = unpickler().shared_memo(true);
    let mut stream = unpickler.stream(&b"\x80\x02capp\nMoney\nq\0.\x80\x02h\0K\x05\x85R."[..]);
    stream.load().unwrap();
    let graph = stream.load().unwrap();
    assert_eq!(graph.roots().last().unwrap().downcast_ref::<Money>().unwrap().0, 5);
}

#[test]
fn native_objects_in_cycles_do_not_leak() {
    #[derive(Debug)]
    struct Counted(#[expect(dead_code, reason = "counts by being held")] Arc<()>);
    impl NativeObject for Counted {
        fn set_state(&mut self, _: Value<'_>) -> Result<()> {
            Ok(())
        }
    }
    let count = Arc::new(());
    let mut registry = Registry::new();
    let held = count.clone();
    registry.function("app.Counted", move |_| Ok(Counted(held.clone())));
    let unpickler = Unpickler::new().resolver(registry);
    for _ in 0..1000 {
        unpickler.loads(b"\x80\x02]q\0capp\nCounted\n)\x81}K\x01h\0sba.").unwrap();
    }
    drop(unpickler);
    assert_eq!(Arc::strong_count(&count), 1);
}

#[test]
fn a_call_knows_its_opcode() {
    let mut registry = Registry::new();
    registry.function("app.How", |call| match call.construction() {
        Construction::Reduce => Ok(Some(call.args_tuple().id())),
        _ => Ok(None),
    });
    let unpickler = Unpickler::new().resolver(registry);
    assert!(unpickler.loads(b"\x80\x02capp\nHow\n)R.").unwrap().root().as_tuple().is_some());
    assert!(unpickler.loads(b"\x80\x02capp\nHow\n)\x81.").unwrap().root().as_object().is_some());
}
