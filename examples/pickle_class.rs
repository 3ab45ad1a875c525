//! Reads instances of Python's classes into Rust types, and writes them as Python would have.
//!
//!     cargo run --example pickle_class
//!
//! The pickle is what this Python 3.13 writes, in a module `shop`:
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
    /// Counted here, and in no pickle.
    #[pickle(skip)]
    changes: u32,
}

/// What data/make_cart.py wrote.
const PICKLE: &[u8] = include_bytes!("data/cart.pkl");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut cart: Cart = class::from_slice(PICKLE)?;
    let total: u64 = cart.lines.iter().map(|line| line.price.amount * u64::from(line.quantity)).sum();
    println!("{} has {} lines for {total} cents", cart.owner, cart.lines.len());
    assert_eq!(total, 3220);

    // Written again, it is what Python wrote. The currency is one text in both prices, as an `Arc` keeps it.
    assert_eq!(class::to_vec(&cart)?, PICKLE);

    // Changed, and for a Python 2 that has these classes.
    cart.lines.retain(|line| line.sku != "tea");
    cart.changes += 1;
    let graph = picklevm::loads(Pickler::new().protocol(Protocol::V2).to_vec(&cart)?)?;
    println!("after {} change: {:?}", cart.changes, graph.root());
    assert_eq!(graph.root().to::<Cart>()?.lines[0].price.unit, "EUR".into());

    // What does not fit is told with its place.
    let error = class::from_slice::<Line>(PICKLE).err().ok_or("a cart is no line")?;
    println!("{error}");
    assert_eq!(error.to_string(), "expected an instance of shop.Line, found an instance of shop.Cart");
    Ok(())
}
