//! Reads a pickle directly into Rust structs, and writes Rust structs for Python.
//!
//!     cargo run --example typed_records
//!
//! The pickle was written by this Python program:
//!
//!     @dataclass
//!     class Line:
//!         sku: str; quantity: int; price: Decimal
//!
//!     @dataclass
//!     class Order:
//!         id: int; placed: datetime; lines: list[Line]; note: str | None
//!
//!     pickle.dumps([Order(7, datetime(2014, 3, 9, 12, 30), [Line("PX-104", 2, Decimal("14.50"))], None)])

use picklevm::serde::{Config, from_slice, to_graph};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, Debug)]
#[serde(rename = "shop.Order")]
struct Order<'a> {
    id: u64,
    placed: chrono::NaiveDateTime,
    #[serde(borrow)]
    lines: Vec<Line<'a>>,
    note: Option<&'a str>,
}

#[derive(Deserialize, Serialize, Debug)]
#[serde(rename = "shop.Line")]
struct Line<'a> {
    /// Borrowed from the pickle.
    sku: &'a str,
    quantity: u32,
    price: Decimal,
}

const PICKLE: &[u8] = include_bytes!("data/orders.pkl");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let orders: Vec<Order<'_>> = from_slice(PICKLE)?;
    for order in &orders {
        let total: Decimal = order.lines.iter().map(|line| line.price * Decimal::from(line.quantity)).sum();
        println!("order {} of {}: {total}", order.id, order.placed.date());
    }

    // Errors contain the path to the value.
    let error = from_slice::<Vec<(u64, String)>>(PICKLE).unwrap_err();
    println!("as pairs: {error}");

    // Convert to a graph: instances of the classes named by `rename`.
    println!("{:?}", to_graph(&orders)?.root());

    // Use limits for untrusted input.
    let careful = Config::new().unpickler(picklevm::Unpickler::new().limits(picklevm::Limits::untrusted()));
    println!("{} orders within the limits", careful.from_slice::<Vec<Order<'_>>>(PICKLE)?.len());
    Ok(())
}
