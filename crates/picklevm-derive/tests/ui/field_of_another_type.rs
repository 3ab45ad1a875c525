use picklevm::PickleClass;

struct Connection;

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct Cart {
    connection: Connection,
}

fn main() {}
