//! Time zones in pickles: the examples of "Pickle serialization" in the documentation of Python's zoneinfo module.

use picklevm::typed::ZoneInfo;
use picklevm::{Graph, Pickler, Protocol, Result};

/// `pickle.dumps(ZoneInfo("Europe/Berlin"))` of Python 3.13.
const BERLIN: &[u8] = b"\x80\x04\x95V\0\0\0\0\0\0\0\x8c\x08builtins\x94\x8c\x07getattr\x94\x93\x94\x8c\x08zoneinfo\x94\
    \x8c\x08ZoneInfo\x94\x93\x94\x8c\t_unpickle\x94\x86\x94R\x94\x8c\rEurope/Berlin\x94K\x01\x86\x94R\x94.";
/// `pickle.dumps(ZoneInfo.no_cache("Europe/Berlin"))`: another number at the end.
const BERLIN_NC: &[u8] =
    b"\x80\x04\x95V\0\0\0\0\0\0\0\x8c\x08builtins\x94\x8c\x07getattr\x94\x93\x94\x8c\x08zoneinfo\x94\
    \x8c\x08ZoneInfo\x94\x93\x94\x8c\t_unpickle\x94\x86\x94R\x94\x8c\rEurope/Berlin\x94K\0\x86\x94R\x94.";

fn main() -> Result<()> {
    for (pickle, is_cached) in [(BERLIN, true), (BERLIN_NC, false)] {
        let graph = picklevm::loads(pickle)?;
        let zone: ZoneInfo<'_> = graph.root().view()?;
        // Python makes it by the cache, so that `a is b`, or another one. Either way the pickle has the key alone: the rules of
        // the zone are those of the machine that reads it.
        println!("{}, {}", zone.key(), if zone.is_cached() { "from the cache" } else { "not from the cache" });
        assert_eq!((zone.key(), zone.is_cached()), ("Europe/Berlin", is_cached));

        let mut graph = Graph::new();
        let zone = ZoneInfo::new("Europe/Berlin");
        graph.set_root(if is_cached { zone } else { zone.no_cache() });
        assert_eq!(Pickler::new().protocol(Protocol::V4).dumps(graph.root())?, pickle);
    }
    Ok(())
}
