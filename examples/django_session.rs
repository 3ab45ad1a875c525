//! Reads a session that a Django site stores with `PickleSerializer`, changes it, and writes it back so that the site
//! accepts it.
//!
//!     cargo run --example django_session
//!     cargo run --example django_session SECRET_KEY SESSION     prints SESSION, changed and signed
//!
//! To copy it, take `support/signing.rs` and `data/django-session.txt` too; it needs the crates base64, flate2, hmac
//! and sha2.
//!
//! A session is a pickle, compressed, encoded as Base64, and signed with the `SECRET_KEY` of the site, as
//! `SessionBase.encode` returns it. Django's back ends store it in a database, a cache or a file. Loading runs no code,
//! and the signature is verified first, so a session that was tampered with is never unpickled.

use picklevm::typed::{DateTime, Decimal};
use picklevm::{Limits, Pickler, Protocol, Unpickler};

#[path = "support/signing.rs"]
mod signing;

/// `SessionBase.key_salt`: the salt of sessions, which is the class of the back end.
const SALT: &str = "django.contrib.sessions.SessionStore";

type Error = Box<dyn std::error::Error>;

/// Adds a line to the cart and marks the session. Everything else is preserved, including instances.
pub(crate) fn change(secret: &str, signed: &str) -> Result<String, Error> {
    let signer = signing::Signer::new(secret, SALT);
    let (pickle, time) = signer.loads(signed)?;
    let mut session = Unpickler::new().limits(Limits::untrusted()).loads(&pickle)?;

    let user = session.root().at("_auth_user_id").as_str().ok_or("no user is logged in")?;
    eprintln!("session of user {user}, signed at {time}: {:?}", session.root());

    let line = picklevm::value!(in session, {"sku": "B-7", "qty": 3, "price": Decimal::new("0.50")?});
    session.root_mut().at("cart")?.push(line)?;
    session.root_mut().set("checked_by", "picklevm")?;

    // PickleSerializer uses the highest protocol.
    let pickle = Pickler::new().protocol(Protocol::HIGHEST).dumps(session.root())?;
    signer.dumps(&pickle, time)
}

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    if let (Some(secret), Some(signed)) = (arguments.next(), arguments.next()) {
        println!("{}", change(&secret, &signed)?);
        return Ok(());
    }
    // Created by Django 4.2 with this key: data/make_django_session.py.
    let (secret, signed) = ("not a secret", include_str!("data/django-session.txt").trim_end());
    let changed = change(secret, signed)?;
    println!("{changed}");

    let (pickle, time) = signing::Signer::new(secret, SALT).loads(&changed)?;
    let session = picklevm::loads(pickle)?;
    let root = session.root();
    assert_eq!((time, root.at("checked_by").as_str()), (1_700_000_000, Some("picklevm")));
    let prices =
        root.at("cart").items().map(|line| line.at("price").view()).collect::<Result<Vec<Decimal<'_>>, _>>()?;
    assert_eq!(prices.iter().map(Decimal::as_str).collect::<Vec<_>>(), ["9.99", "0.50"]);
    // The rest is preserved, including the time zone.
    let last_seen: DateTime<'_> = root.at("last_seen").view()?;
    assert_eq!(last_seen.to_string(), "2023-11-14T22:13:20+00:00");

    // Another key, and one changed letter.
    for (secret, signed) in [("another key", signed.to_owned()), (secret, signed.replacen('e', "f", 1))] {
        let error = change(secret, &signed).expect_err("it was not signed with this key");
        eprintln!("refused: {error}");
        assert_eq!(error.to_string(), "invalid signature");
    }
    Ok(())
}
