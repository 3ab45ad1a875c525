//! Reads the pickle of a web session: the example of the README.

use picklevm::loads;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let graph = loads(std::fs::read("examples/data/session-python3.13.pkl")?)?;
    let session = graph.root();
    let user = session.at("user").at("name").as_str().ok_or("no name")?;
    for line in session.at("cart").items() {
        let price = line.at("price").as_object().ok_or("no price")?; // an instance: class, arguments, state
        let amount = price.args().next().and_then(|amount| amount.as_str()).ok_or("no amount")?;
        println!("{user}: {:?} x {:?} at {amount}", line.at("qty"), line.at("sku"));
    }
    Ok(())
}
