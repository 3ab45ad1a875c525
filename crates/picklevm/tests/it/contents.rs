//! `same_contents`: Python's `==` on data, and instances by what they are made of.

use picklevm::{Graph, literal, loads, same_contents};

fn graph(text: &str) -> Graph {
    literal::parse(text).expect("the literal is valid")
}

fn equal(one: &str, other: &str) -> bool {
    let (one, other) = (graph(one), graph(other));
    let is_equal = same_contents(one.root(), other.root());
    assert_eq!(is_equal, same_contents(other.root(), one.root()), "it is symmetric");
    is_equal
}

#[test]
fn instances_made_of_the_same_are_equal() {
    assert!(equal("decimal.Decimal('9.99')", "decimal.Decimal('9.99')"));
    assert!(!equal("decimal.Decimal('9.99')", "decimal.Decimal('9.98')"));
    assert!(!equal("decimal.Decimal('1')", "fractions.Fraction('1')"));
    assert!(equal("[{'a': shop.Cart(1, 2)}]", "[{'a': shop.Cart(1.0, 2)}]"));
    assert!(!equal("shop.Cart(1)", "shop.Cart(1, 2)"));
}

#[test]
fn states_and_items_of_instances_count() {
    let made = |state: &[u8]| loads([b"cshop\nCart\n)\x81}", state, b"b."].concat()).expect("it loads");
    let one = made(b"(U\x01aK\x01U\x01bK\x02u");
    assert!(same_contents(one.root(), made(b"(U\x01bK\x02U\x01aK\x01u").root()), "states are dicts");
    assert!(!same_contents(one.root(), made(b"(U\x01aK\x01U\x01bK\x03u").root()));
    let appended = |items: &[u8]| loads([b"cshop\nCart\n)\x81(", items, b"e."].concat()).expect("it loads");
    assert!(same_contents(appended(b"K\x01K\x02").root(), appended(b"K\x01K\x02").root()));
    assert!(!same_contents(appended(b"K\x01K\x02").root(), appended(b"K\x02K\x01").root()));
    assert!(!same_contents(appended(b"K\x01K\x02").root(), appended(b"K\x01").root()));
}

#[test]
fn plain_data_is_compared_as_python_does() {
    assert!(equal("{'a': [1, 2.0], 'b': {3, 'x'}}", "{'b': {'x', 3}, 'a': [1.0, 2]}"));
    assert!(equal("[True, ()]", "[1, ()]"));
    assert!(!equal("[1]", "(1,)"));
    assert!(equal("{(1, 'a'): 1, (2, 'b'): 2}", "{(2, 'b'): 2, (1, 'a'): 1}"));
}

#[test]
fn keys_that_are_instances_are_compared_in_their_order() {
    let two = "{decimal.Decimal('1'): 'a', 5: 'five', (decimal.Decimal('2'), 1): 'b'}";
    assert!(equal(two, two));
    assert!(equal(two, "{5: 'five', decimal.Decimal('1'): 'a', (decimal.Decimal('2'), 1): 'b'}"));
    assert!(!equal(two, "{decimal.Decimal('3'): 'a', 5: 'five', (decimal.Decimal('2'), 1): 'b'}"));
}

#[test]
fn a_nan_equals_only_itself() {
    let list = graph("[nan]");
    assert!(same_contents(list.root(), list.root()));
    assert!(!equal("[nan]", "[nan]"));
}

#[test]
fn values_that_hold_themselves_are_compared() {
    // An instance whose state is a dict with itself in it; the other one is wound once more.
    let one = loads(b"cshop\nNode\n)\x81q\x00}U\x04nexth\x00sb.").expect("it loads");
    let two = loads(b"cshop\nNode\n)\x81q\x00}U\x04nextcshop\nNode\n)\x81}U\x04nexth\x00sbsb.").expect("it loads");
    let other = loads(b"cshop\nNode\n)\x81q\x00}U\x04nextNsb.").expect("it loads");
    assert!(same_contents(one.root(), one.clone().root()));
    assert!(same_contents(one.root(), two.root()));
    assert!(!same_contents(one.root(), other.root()));
}

#[test]
fn persistent_references_are_compared_by_their_ids() {
    let reference = |id: &str| loads(format!("P{id}\n.").as_bytes()).expect("it loads");
    assert!(same_contents(reference("7").root(), reference("7").root()));
    assert!(!same_contents(reference("7").root(), reference("8").root()));
}

#[test]
fn shared_instances_are_compared_once() {
    // Fifty levels, each of which has the one below twice: 2^50 paths.
    let mut pickle = b"cshop\nLeaf\n)\x81q\x00".to_vec();
    for level in 0..50u8 {
        pickle.extend([b'h', level, 0x86, b'q', level + 1]);
    }
    pickle.push(b'.');
    let (one, other) = (loads(&pickle).expect("it loads"), loads(&pickle).expect("it loads"));
    assert!(same_contents(one.root(), other.root()));
}
