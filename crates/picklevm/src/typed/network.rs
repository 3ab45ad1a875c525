//! `ipaddress`: addresses, networks and interfaces.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Reduce;
use super::class::Class;
use super::instance::Instance;
use super::make::typed;
use super::plain::text;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Id, Kind};
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
    pub(crate) fn of(instance: &Instance<'g>) -> Option<IpAddress<'g>> {
        let kin = kin(instance, What::Address)?;
        let [address] = instance.only_args(instance.known)?.as_array()?;
        if let Kind::Int(bits) = address.kind() {
            let addr = match kin.is_v6 {
                false => IpAddr::V4(Ipv4Addr::from_bits(bits.try_into().ok()?)),
                true => IpAddr::V6(Ipv6Addr::from_bits(bits.try_into().ok()?)),
            };
            return Some(IpAddress { addr, scope: None });
        }
        parse(text(address)?, kin)
    }
}

fn kin(instance: &Instance<'_>, what: What) -> Option<Kin> {
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

    pub(crate) fn of(instance: &Instance<'g>) -> Option<IpNetwork<'g>> {
        let IpInterface { address, prefix } = with_prefix(instance, What::Network)?;
        IpNetwork::new(address, prefix).ok()
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

    pub(crate) fn of(instance: &Instance<'g>) -> Option<IpInterface<'g>> {
        with_prefix(instance, What::Interface)
    }

    fn reduce_as(self, what: What, arena: &mut Arena) -> Id {
        let kin = Kin { what, is_v6: self.address.addr.is_ipv6() };
        let written = arena.cell(self.to_string());
        arena.known_call(["ipaddress", kin.name()], &[written])
    }
}

/// The text of an address and the length of a prefix, as `__reduce__` writes it.
fn with_prefix<'g>(instance: &Instance<'g>, what: What) -> Option<IpInterface<'g>> {
    let kin = kin(instance, what)?;
    let [written] = instance.only_args(instance.known)?.as_array()?;
    let (address, prefix) = text(written)?.split_once('/')?;
    let digits = prefix.bytes().all(|digit| digit.is_ascii_digit());
    IpInterface::new(parse(address, kin)?, prefix.parse().ok().filter(|_| digits)?).ok()
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
