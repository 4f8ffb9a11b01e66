//! Digests, passwords and ciphers.

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptionContext, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bcrypt::Version;

use crate::functions::{Arguments, Outcome, random, scrypt, table};

table! { pub(super) TABLE:
    "sha1sum", 1..=1 => |arguments| {
        Ok(digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, arguments.text(0)?).into())
    };
    "sha256sum", 1..=1 => |arguments| Ok(digest(&digest::SHA256, arguments.text(0)?).into());
    "adler32sum", 1..=1 => |arguments| Ok(adler32(arguments.text(0)?.as_bytes()).to_string().into());
    "bcrypt", 1..=1 => |arguments| {
        Ok(bcrypt_hash(arguments.text(0)?).unwrap_or_else(|message| message).into())
    };
    "htpasswd", 2..=2 => |arguments| {
        let (user, password) = (arguments.text(0)?, arguments.text(1)?);
        if user.contains(':') {
            return Ok(format!("invalid username: {user}").into());
        }
        let hash = bcrypt_hash(password).unwrap_or_else(|message| message);
        Ok(format!("{user}:{hash}").into())
    };
    "derivePassword", 5..=5 => derive_password;
    "encryptAES", 2..=2 => encrypt_aes;
    "decryptAES", 2..=2 => decrypt_aes;
}

fn digest(algorithm: &'static digest::Algorithm, text: &str) -> String {
    let digest = digest::digest(algorithm, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 1950 section 8.2.
fn adler32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1u32, 0u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65521;
        (low, (high + low) % 65521)
    });
    high << 16 | low
}

/// Go's default cost and prefix. The error is what sprig gives as the result.
fn bcrypt_hash(password: &str) -> Result<String, String> {
    const FAILED: &str = "failed to encrypt string with bcrypt";
    if password.len() > 72 {
        return Err(format!("{FAILED}: bcrypt: password length exceeds 72 bytes"));
    }
    bcrypt::hash_with_result(password, 10)
        .map(|parts| parts.format_for_version(Version::TwoA))
        .map_err(|error| format!("{FAILED}: {error}"))
}

/// The Master Password algorithm: what its letters stand for, by kind of password.
const PASSWORD_TEMPLATES: &[(&str, &[&str])] = &[
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];

fn password_symbols(class: char) -> &'static [u8] {
    match class {
        'V' => b"AEIOU",
        'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        'v' => b"aeiou",
        'c' => b"bcdfghjklmnpqrstvwxyz",
        'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        'n' => b"0123456789",
        'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

fn derive_password(arguments: &Arguments) -> Outcome {
    const SEED: &[u8] = b"com.lyndir.masterpassword";
    let counter = u32::try_from(arguments.integer(0)?)
        .map_err(|_| arguments.error("the counter must fit in 32 bits"))?;
    let kind = arguments.text(1)?;
    let [password, user, site] = [arguments.text(2)?, arguments.text(3)?, arguments.text(4)?];
    let Some((_, templates)) = PASSWORD_TEMPLATES.iter().find(|(name, _)| *name == kind) else {
        return Ok(format!("cannot find password template {kind}").into());
    };
    let salted = |text: &str| [SEED, &(text.len() as u32).to_be_bytes(), text.as_bytes()].concat();
    let key = scrypt::derive(password.as_bytes(), &salted(user), 15, 8, 2);
    let message = [salted(site).as_slice(), &counter.to_be_bytes()].concat();
    let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message);
    let seed = seed.as_ref();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let derived: String = template
        .chars()
        .zip(&seed[1..])
        .map(|(class, byte)| {
            let symbols = password_symbols(class);
            char::from(symbols[usize::from(*byte) % symbols.len()])
        })
        .collect();
    Ok(derived.into())
}

/// Bytes of an AES block.
const AES_BLOCK: usize = 16;

/// The password as a key: cut or filled with zeros to 32 bytes, as sprig does.
fn aes_key(password: &str) -> Result<UnboundCipherKey, aws_lc_rs::error::Unspecified> {
    let mut key = [0u8; 32];
    let length = password.len().min(key.len());
    key[..length].copy_from_slice(&password.as_bytes()[..length]);
    UnboundCipherKey::new(&AES_256, &key)
}

fn encrypt_aes(arguments: &Arguments) -> Outcome {
    let (password, plain) = (arguments.text(0)?, arguments.text(1)?);
    if plain.is_empty() {
        return Ok("".into());
    }
    let failed = |_| arguments.error("encryption failed");
    let vector: [u8; AES_BLOCK] = random::bytes(arguments, AES_BLOCK)?
        .try_into()
        .map_err(|_| arguments.error("encryption failed"))?;
    let context = EncryptionContext::Iv128(FixedLength::from(vector));
    let mut content = plain.as_bytes().to_vec();
    PaddedBlockEncryptingKey::cbc_pkcs7(aes_key(password).map_err(failed)?)
        .and_then(|key| key.less_safe_encrypt(&mut content, context))
        .map_err(failed)?;
    Ok(STANDARD.encode([vector.as_slice(), &content].concat()).into())
}

fn decrypt_aes(arguments: &Arguments) -> Outcome {
    let (password, encrypted) = (arguments.text(0)?, arguments.text(1)?);
    if encrypted.is_empty() {
        return Ok("".into());
    }
    let encrypted = STANDARD.decode(encrypted).map_err(|error| arguments.error(error))?;
    let Some((vector, content)) = encrypted.split_first_chunk::<AES_BLOCK>() else {
        return Err(arguments.error("the text is shorter than its initialization vector"));
    };
    if content.is_empty() || content.len() % AES_BLOCK != 0 {
        return Err(arguments.error("the text is not a whole number of blocks"));
    }
    let mut content = content.to_vec();
    let context = DecryptionContext::Iv128(FixedLength::from(*vector));
    // Sprig looks at no more than the length of the padding, so unpadding is not left to the key.
    let plain = aes_key(password)
        .and_then(DecryptingKey::cbc)
        .and_then(|key| key.decrypt(&mut content, context).map(|plain| plain.to_vec()))
        .map_err(|_| arguments.error("decryption failed"))?;
    let padding = usize::from(plain.last().copied().unwrap_or_default());
    match plain.len().checked_sub(padding) {
        Some(length) => arguments.utf8(&plain[..length]),
        None => Err(arguments.error("the padding is longer than the text")),
    }
}
