//! Changes the pickle of a web session and writes it back for Python.
//!
//! `cargo run --example edit_session [OUT]` writes to OUT, or prints the result without an argument.

use picklevm::{Pickler, Protocol, loads};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut graph = loads(std::fs::read("examples/data/session-python3.13.pkl")?)?;

    graph.root_mut().at("user")?.set("name", "Zoë Ångström")?;
    graph.root_mut().at("user")?.at("roles")?.push("owner")?;
    graph.root_mut().remove("_fresh")?;

    // Add a line to the cart, with an instance that Python creates by calling decimal.Decimal("0.50").
    let price = graph.call("decimal", "Decimal").arg("0.50").build()?;
    let line = picklevm::value!(in graph, {"sku": "B-7", "qty": 3, "price": price});
    graph.root_mut().at("cart")?.push(line)?;

    // Refer to the same list twice: Python loads one list.
    let roles = graph.root().at("user").at("roles").id();
    graph.root_mut().set("roles", roles)?;

    let pickle = Pickler::new().protocol(Protocol::HIGHEST).dumps(graph.root())?;
    match std::env::args().nth(1) {
        Some(out) => std::fs::write(out, pickle)?,
        None => println!("{} bytes: {:?}", pickle.len(), loads(pickle)?.root()),
    }
    Ok(())
}
