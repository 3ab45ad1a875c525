//! Reads instances of Python classes into Rust types, and writes them like Python.
//!
//!     cargo run --example pickle_class
//!
//! The pickle was written by this Python 3.13 program, in a module `shop`:
//!
//!     @dataclass
//!     class Line:
//!         sku: str; quantity: int; price: Money
//!
//!     Money = namedtuple("Money", "amount unit")
//!
//!     class Cart(list):
//!         def __init__(self, owner): self.owner = owner
//!
//!     cart = Cart("ann")
//!     cart += [Line("PX-104", 2, Money(1450, "EUR")), Line("tea", 1, Money(320, "EUR"))]
//!     pickle.dumps(cart)

use picklevm::{PickleClass, Pickler, Protocol, class};

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct Line {
    sku: String,
    quantity: u32,
    price: Money,
}

#[derive(PickleClass)]
#[pickle(module = "shop", namedtuple)]
struct Money {
    amount: u64,
    unit: std::sync::Arc<str>,
}

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct Cart {
    #[pickle(base = "list")]
    lines: Vec<Line>,
    owner: String,
    /// Not pickled.
    #[pickle(skip)]
    changes: u32,
}

/// Written by data/make_cart.py.
const PICKLE: &[u8] = include_bytes!("data/cart.pkl");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut cart: Cart = class::from_slice(PICKLE)?;
    let total: u64 = cart.lines.iter().map(|line| line.price.amount * u64::from(line.quantity)).sum();
    println!("{} has {} lines for {total} cents", cart.owner, cart.lines.len());
    assert_eq!(total, 3220);

    // The output is identical. Both prices share the text of the currency through an `Arc`.
    assert_eq!(class::to_vec(&cart)?, PICKLE);

    // Change it and write it for Python 2.
    cart.lines.retain(|line| line.sku != "tea");
    cart.changes += 1;
    let graph = picklevm::loads(Pickler::new().protocol(Protocol::V2).to_vec(&cart)?)?;
    println!("after {} change: {:?}", cart.changes, graph.root());
    assert_eq!(graph.root().to::<Cart>()?.lines[0].price.unit, "EUR".into());

    // Errors name the expected class and the path.
    let error = class::from_slice::<Line>(PICKLE).err().ok_or("a cart is not a line")?;
    println!("{error}");
    assert_eq!(error.to_string(), "expected an instance of shop.Line, found an instance of shop.Cart");
    Ok(())
}
