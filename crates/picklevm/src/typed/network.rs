//! `ipaddress`: addresses, networks and interfaces.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Reduce;
use super::builtins::{octets_of, text};
use super::class::Class;
use super::instance::InstanceView;
use super::reduce_helpers::typed;
use super::signature::{Signature, index_or};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Id, Kind, Value};
use crate::protocol::Protocol;

/// Of which class an object of `ipaddress` is: what, and of IPv6 or of IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kin {
    pub(crate) what: What,
    pub(crate) is_v6: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Address,
    Network,
    Interface,
}

impl Kin {
    const ALL: [(&'static str, What, bool); 6] = [
        ("IPv4Address", What::Address, false),
        ("IPv6Address", What::Address, true),
        ("IPv4Network", What::Network, false),
        ("IPv6Network", What::Network, true),
        ("IPv4Interface", What::Interface, false),
        ("IPv6Interface", What::Interface, true),
    ];

    pub(super) fn of_name(name: &str) -> Option<Kin> {
        Kin::ALL.into_iter().find(|kin| kin.0 == name).map(|(_, what, is_v6)| Kin { what, is_v6 })
    }

    fn name(self) -> &'static str {
        Kin::ALL.into_iter().find(|kin| (kin.1, kin.2) == (self.what, self.is_v6)).map_or("", |kin| kin.0)
    }
}

/// An `ipaddress.IPv4Address` or `IPv6Address`.
///
/// ```
/// use picklevm::typed::IpAddress;
///
/// let graph = picklevm::Graph::from(IpAddress::from(std::net::Ipv4Addr::LOCALHOST));
/// assert_eq!(format!("{:?}", graph.root()), "ipaddress.IPv4Address('127.0.0.1')");
/// let address: IpAddress = graph.root().view()?;
/// assert_eq!(address.addr(), std::net::Ipv4Addr::LOCALHOST);
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpAddress<'g> {
    addr: IpAddr,
    scope: Option<&'g str>,
}

impl<'g> IpAddress<'g> {
    /// The same address of IPv6 in a scope: the part behind `%`.
    #[must_use]
    pub fn with_scope(self, scope: &'g str) -> IpAddress<'g> {
        IpAddress { scope: self.addr.is_ipv6().then_some(scope), ..self }
    }

    /// The address.
    pub fn addr(&self) -> IpAddr {
        self.addr
    }

    /// The scope of an IPv6 address, from Python 3.9 on: the part behind `%`.
    pub fn scope(&self) -> Option<&'g str> {
        self.scope
    }

    /// An integer, or as Pythons from 3.9 on have addresses of IPv6 its text.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<IpAddress<'g>> {
        const SIGNATURE: Signature<1> = Signature::new(["address"], 1).by_init();
        let kin = kin(instance, What::Address)?;
        let [address] = instance.bind(instance.known, &SIGNATURE)?;
        address_of(address?, kin)
    }
}

/// An address by its number, its bytes or its text.
fn address_of(address: Value<'_>, kin: Kin) -> Option<IpAddress<'_>> {
    let addr = match (address.kind(), kin.is_v6) {
        (Kind::Int(bits), false) => IpAddr::V4(Ipv4Addr::from_bits(bits.try_into().ok()?)),
        (Kind::Int(bits), true) => IpAddr::V6(Ipv6Addr::from_bits(bits.try_into().ok()?)),
        (Kind::Str(_) | Kind::ByteStr(_), _) => return parse(text(address)?, kin),
        (_, false) => IpAddr::V4(octets_of::<4>(address)?.into()),
        (_, true) => IpAddr::V6(octets_of::<16>(address)?.into()),
    };
    Some(IpAddress { addr, scope: None })
}

fn kin(instance: &InstanceView<'_>, what: What) -> Option<Kin> {
    match instance.known {
        Class::Network(kin) if kin.what == what => Some(kin),
        _ => None,
    }
}

fn parse(address: &str, kin: Kin) -> Option<IpAddress<'_>> {
    // Many objects may share a long text: it is not looked at.
    if address.len() > 1000 {
        return None;
    }
    let (addr, scope) = match address.split_once('%') {
        Some((addr, scope)) => (addr, Some(scope).filter(|scope| !scope.is_empty() && !scope.contains('%'))?.into()),
        None => (address, None),
    };
    let addr: IpAddr = addr.parse().ok()?;
    (addr.is_ipv6() == kin.is_v6 && (kin.is_v6 || scope.is_none())).then_some(IpAddress { addr, scope })
}

impl<'g, T: Into<IpAddr>> From<T> for IpAddress<'g> {
    fn from(addr: T) -> IpAddress<'g> {
        IpAddress { addr: addr.into(), scope: None }
    }
}

/// As Python's `str`: `fe80::1%eth0`.
impl fmt::Display for IpAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scope {
            None => self.addr.fmt(f),
            Some(scope) => write!(f, "{}%{scope}", self.addr),
        }
    }
}

impl Reduce for IpAddress<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let kin = Kin { what: What::Address, is_v6: self.addr.is_ipv6() };
        let address = match self.addr {
            IpAddr::V4(addr) => arena.cell(addr.to_bits()),
            IpAddr::V6(_) => arena.cell(self.to_string()),
        };
        arena.known_call(["ipaddress", kin.name()], &[address])
    }
}

/// An `ipaddress.IPv4Network` or `IPv6Network`.
///
/// ```
/// use std::net::Ipv4Addr;
/// use picklevm::typed::IpNetwork;
///
/// let network = IpNetwork::new(Ipv4Addr::new(10, 0, 0, 0).into(), 8)?;
/// let graph = picklevm::Graph::from(network);
/// assert_eq!(graph.root().view::<IpNetwork>()?.to_string(), "10.0.0.0/8");
/// assert!(IpNetwork::new(Ipv4Addr::new(10, 0, 0, 1).into(), 8).is_err());
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpNetwork<'g>(IpInterface<'g>);

impl<'g> IpNetwork<'g> {
    /// A network: its first address, and how many bits of it are the same in all.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] if the address has fewer bits, or others are set.
    pub fn new(address: IpAddress<'g>, prefix: u8) -> Result<IpNetwork<'g>> {
        let network = IpInterface::new(address, prefix)?;
        let hosts = match address.addr {
            IpAddr::V4(addr) => addr.to_bits().checked_shl(prefix.into()).map_or(0, u128::from),
            IpAddr::V6(addr) => addr.to_bits().checked_shl(prefix.into()).unwrap_or(0),
        };
        match hosts {
            0 => Ok(IpNetwork(network)),
            _ => Err(Error::new(ErrorKind::OutOfRange, "the first address of a network", network.to_string())),
        }
    }

    /// The first address.
    pub fn address(&self) -> IpAddress<'g> {
        self.0.address
    }

    /// How many bits are the same in all addresses.
    pub fn prefix(&self) -> u8 {
        self.0.prefix
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<IpNetwork<'g>> {
        const SIGNATURE: Signature<2> = Signature::new(["address", "strict"], 1).by_init();
        let kin = kin(instance, What::Network)?;
        let [address, strict] = instance.bind(instance.known, &SIGNATURE)?;
        let IpInterface { address, prefix } = interface_of(address?, kin)?;
        let is_strict = index_or(strict, 1)? != 0;
        let host = |bits: u32| 1u128.checked_shl(bits - u32::from(prefix)).map_or(u128::MAX, |first| first - 1);
        let addr = match address.addr {
            addr if is_strict => addr,
            IpAddr::V4(addr) => IpAddr::V4(Ipv4Addr::from_bits(addr.to_bits() & !(host(32) as u32))),
            IpAddr::V6(addr) => IpAddr::V6(Ipv6Addr::from_bits(addr.to_bits() & !host(128))),
        };
        // Python takes away the scope with the host bits.
        let scope = address.scope.filter(|_| is_strict);
        IpNetwork::new(IpAddress { addr, scope }, prefix).ok()
    }
}

/// As Python's `str`: `10.0.0.0/8`.
impl fmt::Display for IpNetwork<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Reduce for IpNetwork<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        self.0.reduce_as(What::Network, arena)
    }
}

/// An `ipaddress.IPv4Interface` or `IPv6Interface`: an address in a network.
///
/// ```
/// use std::net::Ipv4Addr;
/// use picklevm::typed::IpInterface;
///
/// let interface = IpInterface::new(Ipv4Addr::new(10, 0, 0, 1).into(), 8)?;
/// let graph = picklevm::Graph::from(interface);
/// assert_eq!(graph.root().view::<IpInterface>()?.to_string(), "10.0.0.1/8");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpInterface<'g> {
    address: IpAddress<'g>,
    prefix: u8,
}

impl<'g> IpInterface<'g> {
    /// An address, and how many of its bits are the same in all the network.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] if the address has fewer bits.
    pub fn new(address: IpAddress<'g>, prefix: u8) -> Result<IpInterface<'g>> {
        let most = if address.addr.is_ipv6() { 128 } else { 32 };
        if prefix <= most {
            return Ok(IpInterface { address, prefix });
        }
        Err(Error::new(ErrorKind::OutOfRange, format!("a prefix of {most} bits at most"), prefix.to_string()))
    }

    /// The address.
    pub fn address(&self) -> IpAddress<'g> {
        self.address
    }

    /// How many bits are the same in all addresses of the network.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<IpInterface<'g>> {
        const SIGNATURE: Signature<1> = Signature::new(["address"], 1).by_init();
        let kin = kin(instance, What::Interface)?;
        let [address] = instance.bind(instance.known, &SIGNATURE)?;
        interface_of(address?, kin)
    }

    fn reduce_as(self, what: What, arena: &mut Arena) -> Id {
        let kin = Kin { what, is_v6: self.address.addr.is_ipv6() };
        let written = arena.cell(self.to_string());
        arena.known_call(["ipaddress", kin.name()], &[written])
    }
}

/// An address with a prefix: the text of both, a pair of both, or an address alone, which is a network of its own.
fn interface_of(value: Value<'_>, kin: Kin) -> Option<IpInterface<'_>> {
    let whole = if kin.is_v6 { 128 } else { 32 };
    let (address, prefix) = match value.kind() {
        Kind::Tuple(parts) => match parts.len() {
            1 => (address_of(parts.get(0)?, kin)?, whole),
            _ => {
                let [address, prefix] = parts.as_array()?;
                let prefix = match prefix.as_i64() {
                    Some(prefix) => u8::try_from(prefix).ok()?,
                    None => prefix_of(text(prefix)?, kin)?,
                };
                (address_of(address, kin)?, prefix)
            }
        },
        Kind::Str(_) | Kind::ByteStr(_) => {
            let written = text(value)?;
            match written.split_once('/') {
                Some((address, prefix)) => (parse(address, kin)?, prefix_of(prefix, kin)?),
                None => (parse(written, kin)?, whole),
            }
        }
        _ => (address_of(value, kin)?, whole),
    };
    IpInterface::new(address, prefix).ok()
}

/// A prefix by its length; of IPv4 also by the mask of the network, or of the hosts in it.
fn prefix_of(text: &str, kin: Kin) -> Option<u8> {
    if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) {
        return text.parse().ok();
    }
    let mask = text.parse::<Ipv4Addr>().ok().filter(|_| !kin.is_v6)?.to_bits();
    let is_prefix = |mask: u32| mask.leading_ones() + mask.trailing_zeros() >= 32;
    match mask {
        _ if is_prefix(mask) => Some(mask.leading_ones() as u8),
        _ if is_prefix(!mask) => Some((!mask).leading_ones() as u8),
        _ => None,
    }
}

/// As Python's `str`: `10.0.0.1/8`.
impl fmt::Display for IpInterface<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Reduce for IpInterface<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        self.reduce_as(What::Interface, arena)
    }
}

typed! {
    IpAddress<'g>, "an address of ipaddress";
    IpNetwork<'g>, "a network of ipaddress";
    IpInterface<'g>, "an interface of ipaddress";
}
