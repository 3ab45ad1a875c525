//! Benchmark workloads, generated without Python: typical data of programs, at sizes that take milliseconds.
//! `docs/performance.md` lists them.

#![allow(dead_code, reason = "each bench uses some of it")]

use picklevm::{Graph, Id, Pickler, Protocol};

/// A workload: its name, and a function from relative size to graph. Size 1 is that of `docs/performance.md`.
pub(crate) type Workload = (&'static str, fn(f64) -> Graph);

/// All workloads.
pub(crate) const WORKLOADS: &[Workload] = &[
    ("ints", |size| ints(scaled(1_000_000, size))),
    ("floats", |size| floats(scaled(1_000_000, size))),
    ("strings", |size| strings(scaled(300_000, size))),
    ("records", |size| records(scaled(100_000, size))),
    ("strdict", |size| strdict(scaled(300_000, size))),
    ("tree", |size| tree(scaled(300_000, size))),
    ("instances", |size| instances(scaled(100_000, size))),
    ("shared", |size| shared(scaled(700_000, size))),
    ("bigints", |size| bigints(scaled(100_000, size))),
    ("bigbytes", |size| bigbytes(scaled(32 << 20, size))),
    ("reduces", |size| reduces(scaled(30_000, size))),
    ("small_dict", |_| small_dict()),
    ("small_tuple", |_| small_tuple()),
    ("small_list", |_| small_list()),
    ("small_tiny", |_| small_tiny()),
];

fn scaled(count: usize, size: f64) -> usize {
    (count as f64 * size) as usize
}

/// Returns the pickle of a graph as CPython 3.13 writes it at a protocol.
pub(crate) fn pickle(graph: &Graph, protocol: Protocol) -> Vec<u8> {
    Pickler::new().protocol(protocol).dumps(graph.root()).expect("a graph of plain data")
}

/// SplitMix64: deterministic pseudorandom numbers.
struct Random(u64);

impl Random {
    fn bits(&mut self, bits: u32) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) >> (64 - bits)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.bits(32) as usize * end) >> 32
    }

    /// Returns a number from 0 to 1.
    fn unit(&mut self) -> f64 {
        self.bits(53) as f64 / (1u64 << 53) as f64
    }

    fn word(&mut self, least: usize, most: usize) -> String {
        const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789_";
        let len = least + self.below(most - least + 1);
        (0..len).map(|_| char::from(ALPHABET[self.below(ALPHABET.len())])).collect()
    }
}

/// Returns a graph whose root is a list of the results of `item`.
fn list_of(seed: u64, count: usize, mut item: impl FnMut(&mut Graph, &mut Random, usize) -> Id) -> Graph {
    let (mut graph, mut random) = (Graph::new(), Random(seed));
    let items: Vec<Id> = (0..count).map(|n| item(&mut graph, &mut random, n)).collect();
    let root = graph.list(items);
    graph.set_root(root);
    graph
}

/// Returns mixed integers of 8 to 56 bits.
fn ints(count: usize) -> Graph {
    list_of(1, count, |graph, random, _| match random.below(4) {
        0 => graph.add(random.bits(8)),
        1 => graph.add(random.bits(16)),
        2 => graph.add(random.bits(32) as i64 - (1 << 31)),
        _ => graph.add(random.bits(56) as i64 - (1 << 55)),
    })
}

fn floats(count: usize) -> Graph {
    list_of(2, count, |graph, random, _| graph.add(random.unit() * 1000.0))
}

/// Returns strings of 4 to 20 characters, few with non-ASCII characters.
fn strings(count: usize) -> Graph {
    list_of(3, count, |graph, random, n| {
        let end = if n % 50 == 0 { "é中" } else { "" };
        graph.add(random.word(4, 20) + end)
    })
}

/// Returns dicts with the same eight keys, like table rows.
fn records(count: usize) -> Graph {
    let mut keys = None;
    list_of(4, count, |graph, random, n| {
        let names = ["id", "score", "name", "parent", "active", "count", "ratio", "tags"];
        let keys = *keys.get_or_insert_with(|| names.map(|name| graph.add(name)));
        let tags = [10, 1000, 100].map(|end| random.below(end) as u64);
        let values = [
            graph.add(n as u64),
            graph.add(random.unit()),
            graph.add(random.word(4, 16)),
            graph.add(()),
            graph.add(random.below(2) == 0),
            graph.add(random.below(100_000) as u64),
            graph.add(random.unit()),
            graph.list(tags),
        ];
        graph.dict(keys.into_iter().zip(values)).expect("strings are hashable")
    })
}

/// Returns a dict of many strings.
fn strdict(count: usize) -> Graph {
    let (mut graph, mut random) = (Graph::new(), Random(5));
    let pairs: Vec<_> = (0..count).map(|n| (format!("{}{n}", random.word(4, 10)), random.bits(31))).collect();
    let root = graph.dict(pairs).expect("strings are hashable");
    graph.set_root(root);
    graph
}

/// Returns nested lists and tuples of two to six items with `leaves` leaves.
fn tree(leaves: usize) -> Graph {
    let (mut graph, mut random) = (Graph::new(), Random(6));
    let mut level: Vec<Id> = (0..leaves).map(|_| graph.add(random.below(1000) as u64)).collect();
    let mut tuples = true;
    while level.len() > 1 {
        let mut above = Vec::new();
        let mut rest = &level[..];
        while !rest.is_empty() {
            let (items, after) = rest.split_at((2 + random.below(5)).min(rest.len()));
            above.push(if tuples { graph.tuple(items.iter().copied()) } else { graph.list(items.iter().copied()) });
            rest = after;
        }
        (level, tuples) = (above, !tuples);
    }
    graph.set_root(level[0]);
    graph
}

/// Returns objects of one class with four attributes.
fn instances(count: usize) -> Graph {
    let mut names = None;
    list_of(7, count, |graph, random, n| {
        let (class, keys) = *names.get_or_insert_with(|| {
            (graph.global("workloads", "Point"), ["x", "y", "name", "tags"].map(|name| graph.add(name)))
        });
        let n = graph.add(n as u64);
        let none = graph.add(());
        let values = [
            graph.add(random.below(1000) as u64),
            graph.add(random.unit()),
            graph.add(random.word(4, 16)),
            graph.list([n, none]),
        ];
        let state = graph.dict(keys.into_iter().zip(values)).expect("strings are hashable");
        graph.instance_of(class).state(state).build().expect("an instance")
    })
}

/// Returns references to a thousand lists with cycles among them.
fn shared(count: usize) -> Graph {
    const LISTS: usize = 1000;
    let (mut graph, mut random) = (Graph::new(), Random(8));
    let lists: Vec<Id> = (0..LISTS)
        .map(|n| {
            let dict = graph.dict([("k", n as u64)]).expect("strings are hashable");
            let (number, word) = (graph.add(n as u64), graph.add(random.word(4, 16)));
            graph.list([number, word, dict])
        })
        .collect();
    for n in 0..LISTS {
        let more = [lists[(n * 7 + 1) % LISTS], lists[n]];
        graph.value_mut(lists[n]).extend(more).expect("a list");
    }
    let items: Vec<Id> = (0..count).map(|_| lists[random.below(LISTS)]).collect();
    let root = graph.list(items);
    graph.set_root(root);
    graph
}

/// Returns integers of 70 to 470 bits.
fn bigints(count: usize) -> Graph {
    list_of(9, count, |graph, random, _| {
        let bytes: Vec<u8> = (0..9 + random.below(50)).map(|_| random.bits(8) as u8).collect();
        graph.add(num_bigint::BigInt::from_signed_bytes_le(&bytes))
    })
}

/// Returns bytes and a bytearray.
fn bigbytes(len: usize) -> Graph {
    let block: Vec<u8> = (0..len).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    let mut graph = Graph::new();
    let (bytes, array) = (graph.bytes(&block), graph.bytearray(&block));
    let root = graph.list([bytes, array]);
    graph.set_root(root);
    graph
}

/// Returns standard library objects that are pickled as calls.
fn reduces(count: usize) -> Graph {
    list_of(11, count, |graph, random, n| {
        let made = match n % 4 {
            0 => {
                let date = [7, 208 + random.below(30) as u8, 1 + random.below(12) as u8, 1 + random.below(28) as u8];
                let date = graph.bytes([&date[..], &[0; 6]].concat());
                graph.call("datetime", "datetime").arg(date).build()
            }
            1 => graph.call("decimal", "Decimal").arg(format!("{}.{:03}", random.bits(20), random.below(1000))).build(),
            2 => graph.call("collections", "OrderedDict").pair("a", n as u64).pair("b", random.bits(10)).build(),
            _ => graph.call("datetime", "timedelta").arg(random.bits(10)).arg(random.bits(16)).arg(0).build(),
        };
        made.expect("a call")
    })
}

/// Returns an order, as in a queue or cache.
fn small_dict() -> Graph {
    picklevm::value!({
        "order": 918273, "status": "shipped",
        "customer": {"id": 77, "name": "M. Okafor", "vip": false},
        "lines": [{"sku": "PX-104", "qty": 2, "price": 14.5}, {"sku": "PX-220", "qty": 1, "price": 99.0}],
        "total": 128.0, "currency": "EUR", "tags": ["gift", "express", "eu"], "weight": 3.25, "attempts": 1
    })
}

/// Returns a metric with values of four bytes.
fn small_tuple() -> Graph {
    let mut random = Random(12);
    Graph::from(((0..20).map(|_| random.bits(28)).collect::<Vec<_>>(), 60))
}

/// Returns nested lists of one-byte numbers.
fn small_list() -> Graph {
    let row: Vec<u64> = (0..10).collect();
    Graph::from(vec![vec![row; 2]; 10])
}

fn small_tiny() -> Graph {
    picklevm::value!({"key": 1, "val": (1, 2.5, "x")})
}
