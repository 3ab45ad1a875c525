use picklevm::PickleClass;

#[derive(PickleClass)]
#[pickle(dict, state = "slots")]
struct WithAState {
    x: i64,
}

#[derive(PickleClass)]
#[pickle(dict)]
struct WithAnArgument {
    #[pickle(arg)]
    x: i64,
}

fn main() {}
