use picklevm::PickleClass;

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct Line<'a> {
    sku: &'a str,
}

fn main() {}
