//! Signs values for Django, itsdangerous and programs that use `hmac`, and opens what those signed: what the documentation
//! of Python's pickle module advises for data that could be tampered with.
//!
//!     cargo run --example signed_pickles
//!     cargo run --example signed_pickles sign LAYOUT KEY SALT [DIGEST]            pickles each line of the input, a Python literal, and signs it
//!     cargo run --example signed_pickles sign-bytes LAYOUT KEY SALT [DIGEST]      signs each line as it is: JSON for Django
//!     cargo run --example signed_pickles open LAYOUT KEY SALT [DIGEST]            opens what was signed, a line each
//!
//! LAYOUT is `digest` (in hexadecimal), `django`, `itsdangerous` or `itsdangerous-timed`; DIGEST is `sha1`, `sha256`, `sha384` or
//! `sha512`.

use std::io::BufRead;

use picklevm::signed::{Digest, Error, Signer};
use picklevm::{Pickler, Protocol, literal, value};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn signer(layout: &str, key: &str, salt: &str, digest: Option<&str>) -> Result<Signer> {
    let signer = match layout {
        "digest" => Signer::digest(key),
        "django" => Signer::django(key, salt),
        "itsdangerous" => Signer::itsdangerous(key, salt),
        "itsdangerous-timed" => Signer::itsdangerous_timed(key, salt),
        other => return Err(format!("unknown layout {other}").into()),
    };
    // Protocol 2 is read by every Python.
    let signer = signer.pickler(Pickler::new().protocol(Protocol::V2));
    Ok(match digest {
        None => signer,
        Some("sha1") => signer.with_digest(Digest::Sha1),
        Some("sha256") => signer.with_digest(Digest::Sha256),
        Some("sha384") => signer.with_digest(Digest::Sha384),
        Some("sha512") => signer.with_digest(Digest::Sha512),
        Some(other) => return Err(format!("unknown digest {other}").into()),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Result<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?));
    digits.collect()
}

fn run(command: &str, layout: &str, signer: &Signer) -> Result<()> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let is_hex = layout == "digest";
        let signed = match command {
            "sign" => signer.dumps(literal::parse(&line)?.root())?,
            "sign-bytes" => signer.sign(line.as_bytes()),
            "open" => {
                let signed = if is_hex { unhex(&line)? } else { line.into_bytes() };
                println!("{}", signer.loads(signed)?.root());
                continue;
            }
            other => return Err(format!("unknown command {other}").into()),
        };
        println!("{}", if is_hex { hex(&signed) } else { String::from_utf8(signed)? });
    }
    Ok(())
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [command, layout, key, salt] => return run(command, layout, &signer(layout, key, salt, None)?),
        [command, layout, key, salt, digest] => return run(command, layout, &signer(layout, key, salt, Some(digest))?),
        [] => {}
        _ => return Err("usage: signed_pickles [sign|sign-bytes|open LAYOUT KEY SALT [DIGEST]]".into()),
    }

    let order = value!({"user": 42, "items": [("A-1", 2)]});
    for layout in ["digest", "django", "itsdangerous", "itsdangerous-timed"] {
        let signer = signer(layout, "a long random key", "orders", None)?;
        let signed = signer.dumps(order.root())?;
        println!("{layout}: {} bytes, for a pickle of {}", signed.len(), picklevm::dumps(order.root())?.len());
        assert_eq!(signer.loads(&signed)?, order);

        // One changed bit, wherever it is, and nothing is decoded.
        for at in 0..signed.len() * 8 {
            let mut changed = signed.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(matches!(signer.loads(&changed), Err(Error::Signature | Error::Layout(_))), "bit {at}");
        }
    }
    Ok(())
}
