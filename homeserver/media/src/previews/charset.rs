//! Text of bytes.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// How far a page is searched for what it says of its own encoding, as browsers do it.
const SEARCHED: usize = 1024;

/// The text of a page: in the encoding that a byte order mark, the header or the page itself names; else in UTF-8, or what old pages are in.
pub(crate) fn decode(content_type: &str, body: &[u8]) -> String {
    let named = Encoding::for_bom(body)
        .map(|(encoding, _)| encoding)
        .or_else(|| labelled(content_type.as_bytes()))
        .or_else(|| labelled(&body[..body.len().min(SEARCHED)]));
    let encoding = named.unwrap_or_else(|| {
        match std::str::from_utf8(body) {
            // It was cut off, perhaps within a letter.
            Err(error) if error.error_len().is_some() => WINDOWS_1252,
            _ => UTF_8,
        }
    });
    encoding.decode(body).0.into_owned()
}

/// The encoding named after `charset=`.
fn labelled(text: &[u8]) -> Option<&'static Encoding> {
    const NAME: &[u8] = b"charset=";
    let at = text
        .windows(NAME.len())
        .position(|part| part.eq_ignore_ascii_case(NAME))?;
    let rest = &text[at + NAME.len()..];
    let rest = rest
        .strip_prefix(b"\"")
        .or(rest.strip_prefix(b"'"))
        .unwrap_or(rest);
    let ends = |byte: &u8| !(byte.is_ascii_alphanumeric() || b"-_:.+".contains(byte));
    let label = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
    let encoding = Encoding::for_label(label)?;
    // A page that says in ASCII that it is in UTF-16 is not.
    Some(if encoding.is_ascii_compatible() {
        encoding
    } else {
        UTF_8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_the_encoding_that_is_named() {
        for (content_type, body, text) in [
            ("text/html; charset=utf-8", "Grüße".as_bytes(), "Grüße"),
            ("text/html; charset=\"iso-8859-1\"", b"Gr\xfc\xdfe", "Grüße"),
            ("text/html", b"Gr\xfc\xdfe", "Grüße"),
            ("", "Grüße".as_bytes(), "Grüße"),
            ("text/html; charset=shift_jis", b"\x93\xfa\x96{", "日本"),
            ("text/html; charset=klingon", b"plain", "plain"),
            ("text/html", b"\xef\xbb\xbfmark", "mark"),
            ("text/html; charset=latin1", b"\xff\xfeh\0i\0", "hi"),
        ] {
            assert_eq!(decode(content_type, body), text, "{content_type}");
        }
    }

    #[test]
    fn a_page_may_name_its_encoding_itself() {
        let page = b"<meta charset='windows-1251'>\xcf\xf0\xe8\xe2\xe5\xf2";
        assert!(decode("text/html", page).ends_with("Привет"));
        let page = b"<meta http-equiv=Content-Type content='text/html; charset=utf-16'>plain";
        assert!(decode("text/html", page).ends_with("plain"));
    }

    #[test]
    fn a_letter_cut_in_two_does_not_change_the_encoding() {
        let cut = &"Grüße".as_bytes()[..3];
        assert!(decode("", cut).starts_with("Gr"));
        assert_eq!(decode("", "Grü".as_bytes()), "Grü");
    }
}
