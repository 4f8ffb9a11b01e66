//! MD5 crypt, as FreeBSD (`$1$`) and Apache (`$apr1$`) have it.

/// Hashes a password; gives the whole text, magic and salt included.
pub(super) fn md5_crypt(password: &[u8], salt: &str, magic: &str) -> String {
    let salt_bytes = salt.as_bytes();
    let mut alternate = md5::Context::new();
    alternate.consume(password);
    alternate.consume(salt_bytes);
    alternate.consume(password);
    let alternate = alternate.finalize().0;

    let mut first = md5::Context::new();
    first.consume(password);
    first.consume(magic);
    first.consume(salt_bytes);
    let mut left = password.len();
    while left > 0 {
        first.consume(&alternate[..left.min(16)]);
        left -= left.min(16);
    }
    let mut bits = password.len();
    while bits > 0 {
        // An original quirk: a zero byte for ones, the password's first byte for zeros.
        first.consume(if bits & 1 == 1 { &[0][..] } else { &password[..1] });
        bits >>= 1;
    }
    let mut digest = first.finalize().0;

    for round in 0..1000 {
        let mut context = md5::Context::new();
        let is_odd = round % 2 == 1;
        context.consume(if is_odd { password } else { &digest });
        if round % 3 != 0 {
            context.consume(salt_bytes);
        }
        if round % 7 != 0 {
            context.consume(password);
        }
        context.consume(if is_odd { &digest[..] } else { password });
        digest = context.finalize().0;
    }

    let mut text = format!("{magic}{salt}$");
    for [high, middle, low] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        let group =
            u32::from(digest[high]) << 16 | u32::from(digest[middle]) << 8 | u32::from(digest[low]);
        push_digits(&mut text, group, 4);
    }
    push_digits(&mut text, u32::from(digest[11]), 2);
    text
}

fn push_digits(text: &mut String, mut group: u32, count: usize) {
    const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for _ in 0..count {
        text.push(char::from(DIGITS[(group & 63) as usize]));
        group >>= 6;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str, salt: &str, magic: &str, expected: &str) {
        assert_eq!(md5_crypt(password.as_bytes(), salt, magic), expected);
    }

    #[test]
    fn hashes_are_those_of_crypt_and_htpasswd() {
        check("test", "abcdefgh", "$1$", "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0");
        check("test", "H6uskkkW", "$apr1$", "$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/");
        let long = "a-password-longer-than-sixteen-bytes";
        check(long, "xyz", "$apr1$", "$apr1$xyz$bIbO5Plz8SNreisSzU5yi/");
        check("", "ab", "$apr1$", "$apr1$ab$S8K6Sgp3W8c9Jb6LxgywZ.");
    }
}
