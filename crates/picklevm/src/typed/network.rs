//! Addresses, networks and interfaces of `ipaddress`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Reduce;
use super::builtins::{octets_of, text};
use super::reduce_helpers::typed;
use super::signature::{Signature, index_or};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::InstanceView;
use crate::graph::{Arena, Id, Kind, Value};
use crate::protocol::Protocol;
use crate::python::{Class, IpClass, IpKind};

/// View of an `ipaddress.IPv4Address` or `IPv6Address`.
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
    /// Returns the same IPv6 address with a scope ID, the part after `%`. IPv4 addresses have none.
    #[must_use]
    pub fn with_scope(self, scope: &'g str) -> IpAddress<'g> {
        IpAddress { scope: self.addr.is_ipv6().then_some(scope), ..self }
    }

    /// Returns the address.
    pub fn addr(&self) -> IpAddr {
        self.addr
    }

    /// Returns the scope ID of an IPv6 address, the part after `%` (Python 3.9 and later).
    pub fn scope(&self) -> Option<&'g str> {
        self.scope
    }

    /// Accepts an integer, bytes, or text (which Python 3.9 and later write for IPv6).
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<IpAddress<'g>> {
        const SIGNATURE: Signature<1> = Signature::new(["address"], 1).by_init();
        let class = class(instance, IpKind::Address)?;
        let [address] = instance.bind(instance.result_class(), &SIGNATURE)?;
        address_of(address?, class)
    }
}

/// Reads an address from an integer, bytes or text.
fn address_of(address: Value<'_>, class: IpClass) -> Option<IpAddress<'_>> {
    let addr = match (address.kind(), class.is_v6) {
        (Kind::Int(bits), false) => IpAddr::V4(Ipv4Addr::from_bits(bits.try_into().ok()?)),
        (Kind::Int(bits), true) => IpAddr::V6(Ipv6Addr::from_bits(bits.try_into().ok()?)),
        (Kind::Str(_) | Kind::ByteStr(_), _) => return parse(text(address)?, class),
        (Kind::Bool(bit), false) => IpAddr::V4(Ipv4Addr::from_bits(bit.into())),
        (Kind::Bool(bit), true) => IpAddr::V6(Ipv6Addr::from_bits(bit.into())),
        (_, false) => IpAddr::V4(octets_of::<4>(address)?.into()),
        (_, true) => IpAddr::V6(octets_of::<16>(address)?.into()),
    };
    Some(IpAddress { addr, scope: None })
}

fn class(instance: &InstanceView<'_>, kind: IpKind) -> Option<IpClass> {
    match instance.result_class() {
        Class::Ip(class) if class.kind == kind => Some(class),
        _ => None,
    }
}

fn parse(address: &str, class: IpClass) -> Option<IpAddress<'_>> {
    // Skip long texts, since many objects may share one.
    if address.len() > 1000 {
        return None;
    }
    let (addr, scope) = match address.split_once('%') {
        Some((addr, scope)) => (addr, Some(scope).filter(|scope| !scope.is_empty() && !scope.contains('%'))?.into()),
        None => (address, None),
    };
    let addr: IpAddr = addr.parse().ok()?;
    (addr.is_ipv6() == class.is_v6 && (class.is_v6 || scope.is_none())).then_some(IpAddress { addr, scope })
}

impl<'g, T: Into<IpAddr>> From<T> for IpAddress<'g> {
    fn from(addr: T) -> IpAddress<'g> {
        IpAddress { addr: addr.into(), scope: None }
    }
}

/// Formats like Python's `str`: `fe80::1%eth0`.
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
        let class = IpClass { kind: IpKind::Address, is_v6: self.addr.is_ipv6() };
        let address = match self.addr {
            IpAddr::V4(addr) => arena.cell(addr.to_bits()),
            IpAddr::V6(_) => arena.cell(self.to_string()),
        };
        arena.known_call(["ipaddress", class.name()], &[address])
    }
}

/// View of an `ipaddress.IPv4Network` or `IPv6Network`.
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
    /// Creates a network from its first address and prefix length.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] if the address has fewer bits than the prefix or host bits are set.
    pub fn new(address: IpAddress<'g>, prefix: u8) -> Result<IpNetwork<'g>> {
        let network = IpInterface::new(address, prefix)?;
        let hosts = match address.addr {
            IpAddr::V4(addr) => addr.to_bits().checked_shl(prefix.into()).map_or(0, u128::from),
            IpAddr::V6(addr) => addr.to_bits().checked_shl(prefix.into()).unwrap_or(0),
        };
        match hosts {
            0 => Ok(IpNetwork(network)),
            _ => Err(Error::new(ErrorKind::OutOfRange, "a network address without host bits", network.to_string())),
        }
    }

    /// Returns the network address, the first of the network.
    pub fn address(&self) -> IpAddress<'g> {
        self.0.address
    }

    /// Returns the prefix length in bits.
    pub fn prefix(&self) -> u8 {
        self.0.prefix
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<IpNetwork<'g>> {
        const SIGNATURE: Signature<2> = Signature::new(["address", "strict"], 1).by_init();
        let class = class(instance, IpKind::Network)?;
        let [address, strict] = instance.bind(instance.result_class(), &SIGNATURE)?;
        let IpInterface { address, prefix } = interface_of(address?, class)?;
        let is_strict = index_or(strict, 1)? != 0;
        let host = |bits: u32| 1u128.checked_shl(bits - u32::from(prefix)).map_or(u128::MAX, |first| first - 1);
        let addr = match address.addr {
            addr if is_strict => addr,
            IpAddr::V4(addr) => IpAddr::V4(Ipv4Addr::from_bits(addr.to_bits() & !(host(32) as u32))),
            IpAddr::V6(addr) => IpAddr::V6(Ipv6Addr::from_bits(addr.to_bits() & !host(128))),
        };
        // Python drops the scope ID together with the host bits.
        let scope = address.scope.filter(|_| is_strict);
        IpNetwork::new(IpAddress { addr, scope }, prefix).ok()
    }
}

/// Formats like Python's `str`: `10.0.0.0/8`.
impl fmt::Display for IpNetwork<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Reduce for IpNetwork<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        self.0.reduce_as(IpKind::Network, arena)
    }
}

/// View of an `ipaddress.IPv4Interface` or `IPv6Interface`: an address with a prefix length.
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
    /// Creates an interface from an address and the prefix length of its network.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] if the address has fewer bits than the prefix.
    pub fn new(address: IpAddress<'g>, prefix: u8) -> Result<IpInterface<'g>> {
        let max = if address.addr.is_ipv6() { 128 } else { 32 };
        if prefix <= max {
            return Ok(IpInterface { address, prefix });
        }
        Err(Error::new(ErrorKind::OutOfRange, format!("a prefix of at most {max} bits"), prefix.to_string()))
    }

    /// Returns the address.
    pub fn address(&self) -> IpAddress<'g> {
        self.address
    }

    /// Returns the prefix length of the network in bits.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<IpInterface<'g>> {
        const SIGNATURE: Signature<1> = Signature::new(["address"], 1).by_init();
        let class = class(instance, IpKind::Interface)?;
        let [address] = instance.bind(instance.result_class(), &SIGNATURE)?;
        interface_of(address?, class)
    }

    fn reduce_as(self, kind: IpKind, arena: &mut Arena) -> Id {
        let class = IpClass { kind, is_v6: self.address.addr.is_ipv6() };
        let written = arena.cell(self.to_string());
        arena.known_call(["ipaddress", class.name()], &[written])
    }
}

/// Reads an address with a prefix: text, a pair, or an address alone, whose prefix is its full length.
fn interface_of(value: Value<'_>, class: IpClass) -> Option<IpInterface<'_>> {
    let full = if class.is_v6 { 128 } else { 32 };
    let (address, prefix) = match value.kind() {
        Kind::Tuple(parts) => match parts.len() {
            1 => (address_of(parts.get(0)?, class)?, full),
            _ => {
                let [address, prefix] = parts.as_array()?;
                let prefix = match prefix.as_i64() {
                    Some(prefix) => u8::try_from(prefix).ok()?,
                    None => prefix_of(text(prefix)?, class)?,
                };
                (address_of(address, class)?, prefix)
            }
        },
        Kind::Str(_) | Kind::ByteStr(_) => {
            let written = text(value)?;
            match written.split_once('/') {
                Some((address, prefix)) => (parse(address, class)?, prefix_of(prefix, class)?),
                None => (parse(written, class)?, full),
            }
        }
        _ => (address_of(value, class)?, full),
    };
    IpInterface::new(address, prefix).ok()
}

/// Parses a prefix: its length or, for IPv4, a netmask or hostmask.
fn prefix_of(text: &str, class: IpClass) -> Option<u8> {
    if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) {
        return text.parse().ok();
    }
    let mask = text.parse::<Ipv4Addr>().ok().filter(|_| !class.is_v6)?.to_bits();
    let is_prefix = |mask: u32| mask.leading_ones() + mask.trailing_zeros() >= 32;
    match mask {
        _ if is_prefix(mask) => Some(mask.leading_ones() as u8),
        _ if is_prefix(!mask) => Some((!mask).leading_ones() as u8),
        _ => None,
    }
}

/// Formats like Python's `str`: `10.0.0.1/8`.
impl fmt::Display for IpInterface<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Reduce for IpInterface<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        self.reduce_as(IpKind::Interface, arena)
    }
}

typed! {
    IpAddress<'g>, "an ipaddress address";
    IpNetwork<'g>, "an ipaddress network";
    IpInterface<'g>, "an ipaddress interface";
}
