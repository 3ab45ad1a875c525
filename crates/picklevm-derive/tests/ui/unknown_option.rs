use picklevm::PickleClass;

#[derive(PickleClass)]
#[pickle(modul = "shop")]
struct Misspelt {
    x: i64,
}

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct OfAField {
    #[pickle(nmae = "y")]
    x: i64,
    #[pickle(state = "slots")]
    y: i64,
}

#[derive(PickleClass)]
#[pickle(module = "shop", rename = "Shop")]
struct OfAClass {}

fn main() {}
