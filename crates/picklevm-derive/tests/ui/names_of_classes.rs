use picklevm::PickleClass;

#[derive(PickleClass)]
#[pickle(module = "")]
struct Nowhere {}

#[derive(PickleClass)]
#[pickle(module = "shop:Cart")]
struct WithAColon {}

#[derive(PickleClass)]
#[pickle(module = "shop", name = "make.<locals>.Line")]
struct InAFunction {}

#[derive(PickleClass)]
#[pickle(module = "shop", alias = "Line")]
struct AliasWithoutModule {}

fn main() {}
