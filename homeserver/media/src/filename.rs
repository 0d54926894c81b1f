//! The names of files, as people give them and as browsers are told them.

use ruma::http_headers::{ContentDisposition, ContentDispositionType};

use crate::content_type;

/// The longest name that is kept, in bytes; file systems take no longer ones.
const MAX_BYTES: usize = 255;

/// The name as it is kept: without what could end a header, lead to another directory, or show the name in another order
/// than it has (`gpj.exe` as `exe.jpg`).
#[must_use]
pub fn clean(given: &str) -> Option<String> {
    let mut name: String = given
        .chars()
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}'))
        .map(|c| if c.is_control() || matches!(c, '/' | '\\' | '\u{2028}' | '\u{2029}') { '_' } else { c })
        .collect();
    while name.len() > MAX_BYTES {
        name.pop();
    }
    let name = name.trim();
    (!name.is_empty() && name != "." && name != "..").then(|| name.to_owned())
}

/// The value of the header `Content-Disposition` (RFC 6266, names beyond ASCII by RFC 8187) for a file of this type.
#[must_use]
pub fn disposition(content_type: Option<&str>, filename: Option<&str>) -> String {
    let kind = if content_type::is_inline(content_type) {
        ContentDispositionType::Inline
    } else {
        ContentDispositionType::Attachment
    };
    ContentDisposition::new(kind)
        .with_filename(filename.and_then(clean))
        .to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_quoted_or_encoded_as_needed() {
        let inline = |name| disposition(Some("image/png"), Some(name));
        assert_eq!(inline("a.png"), "inline; filename=a.png");
        assert_eq!(
            inline("War and Peace.pdf"),
            "inline; filename=\"War and Peace.pdf\""
        );
        assert_eq!(inline("a\"b;c.png"), "inline; filename=\"a\\\"b;c.png\"");
        assert_eq!(inline("ß.png"), "inline; filename*=utf-8''%C3%9F.png");
        assert_eq!(
            disposition(Some("text/html"), Some("a.html")),
            "attachment; filename=a.html"
        );
        assert_eq!(disposition(None, None), "attachment");
    }

    #[test]
    fn names_cannot_break_out() {
        assert_eq!(
            clean("a\r\nSet-Cookie: b=c").as_deref(),
            Some("a__Set-Cookie: b=c")
        );
        assert_eq!(
            clean("../../etc/passwd").as_deref(),
            Some(".._.._etc_passwd")
        );
        assert_eq!(clean("..\\..\\boot.ini").as_deref(), Some(".._.._boot.ini"));
        assert_eq!(
            clean("invoice\u{202e}fdp.exe").as_deref(),
            Some("invoicefdp.exe")
        );
        assert_eq!(clean("a\0b").as_deref(), Some("a_b"));
        for nothing in ["", "  ", ".", "..", "\u{202e}"] {
            assert_eq!(clean(nothing), None, "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn every_name_fits_in_a_header_and_comes_back_from_it(given: String) {
            let value = disposition(Some("image/png"), Some(&given));
            prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}", value);
            let parsed: ContentDisposition = value.parse().unwrap();
            prop_assert_eq!(parsed.filename, clean(&given));
        }

        #[test]
        fn cleaning_twice_changes_nothing(given: String) {
            if let Some(once) = clean(&given) {
                prop_assert!(once.len() <= MAX_BYTES);
                prop_assert_eq!(clean(&once), Some(once));
            }
        }
    }
}
