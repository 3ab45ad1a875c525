use picklevm::PickleClass;

struct Connection;

#[derive(PickleClass)]
#[pickle(module = "shop")]
struct Cart {
    #[pickle(skip)]
    connection: Connection,
}

fn main() {}
