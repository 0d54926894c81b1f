//! What a file says it is, and whether a browser may show it in place.

/// What a file of unknown type is served as.
pub const UNKNOWN: &str = "application/octet-stream";

/// Types that run no scripts however they are opened, and so may be shown in place.
///
/// <https://spec.matrix.org/v1.19/client-server-api/#serving-inline-content>
const INLINE: [&str; 26] = [
    "text/css",
    "text/plain",
    "text/csv",
    "application/json",
    "application/ld+json",
    "image/jpeg",
    "image/gif",
    "image/png",
    "image/apng",
    "image/webp",
    "image/avif",
    "video/mp4",
    "video/webm",
    "video/ogg",
    "video/quicktime",
    "audio/mp4",
    "audio/webm",
    "audio/aac",
    "audio/mpeg",
    "audio/ogg",
    "audio/wave",
    "audio/wav",
    "audio/x-wav",
    "audio/x-pn-wav",
    "audio/flac",
    "audio/x-flac",
];

/// The declared type if it is well-formed, without space around it; nothing else is worth keeping.
#[must_use]
pub fn accept(declared: &str) -> Option<&str> {
    let declared = declared.trim_matches([' ', '\t']);
    (declared.len() <= 255 && essence(declared).is_some()).then_some(declared)
}

/// The value of the header `Content-Type` for media kept with this type: the same, or with the charset that text without one
/// nearly always has.
#[must_use]
pub fn header(kept: Option<&str>) -> String {
    let Some((kept, essence)) = kept.and_then(|kept| Some((kept, essence(kept)?))) else {
        return UNKNOWN.to_owned();
    };
    let has_charset = kept.to_ascii_lowercase().contains("charset");
    if essence.starts_with("text/") && !has_charset {
        format!("{kept}; charset=utf-8")
    } else {
        kept.to_owned()
    }
}

/// Whether media kept with this type may be shown in place; everything else is offered as a download.
#[must_use]
pub fn is_inline(kept: Option<&str>) -> bool {
    kept.and_then(essence)
        .is_some_and(|essence| INLINE.contains(&essence.as_str()))
}

/// Type and subtype in small letters, if the whole is well-formed: `type/subtype` and then parameters, each
/// `; name=token` or `; name="text"`.
fn essence(declared: &str) -> Option<String> {
    let (essence, mut rest) = declared.split_at(declared.find(';').unwrap_or(declared.len()));
    let essence = essence.trim_end_matches([' ', '\t']);
    let (kind, subtype) = essence.split_once('/')?;
    if !is_token(kind) || !is_token(subtype) {
        return None;
    }
    while let Some(parameter) = rest.strip_prefix(';') {
        let parameter = parameter.trim_start_matches([' ', '\t']);
        if parameter.is_empty() || parameter.starts_with(';') {
            rest = parameter;
            continue;
        }
        let (name, value) = parameter.split_once('=')?;
        let length = if value.starts_with('"') {
            quoted(value)?
        } else {
            let length = value.find([';', ' ', '\t']).unwrap_or(value.len());
            is_token(&value[..length]).then_some(length)?
        };
        if !is_token(name) {
            return None;
        }
        rest = value[length..].trim_start_matches([' ', '\t']);
    }
    rest.is_empty().then(|| essence.to_ascii_lowercase())
}

/// The length of the quoted string that this starts with.
fn quoted(value: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in value.bytes().enumerate().skip(1) {
        match byte {
            _ if byte != b'\t' && !(b' '..=b'~').contains(&byte) => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn is_token(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !part.is_empty() && part.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_types_of_the_list_are_inline_however_they_are_written() {
        for inline in [
            "image/png",
            "IMAGE/PNG",
            "Image/Png ; x=y",
            "text/plain;charset=utf-8",
            "audio/ogg; codecs=\"opus\"",
        ] {
            assert!(is_inline(Some(inline)), "{inline}");
        }
        for not in [
            "text/html",
            "TEXT/HTML",
            "image/svg+xml",
            "Image/SVG+xml",
            "application/xhtml+xml",
            "text/xml",
            "application/pdf",
            "image/png, text/html",
            "image/png text/html",
            "image/png/",
            "image/png\r\nX: y",
            "image/png;\u{a0}x",
            "image/pngx",
            " ",
            "",
            "image",
            "/png",
            "image/",
            "image/png; a",
            "image/png; a=\"",
            "image/png; a=\"b\" text/html",
        ] {
            assert!(!is_inline(Some(not)), "{not}");
        }
        assert!(!is_inline(None));
    }

    #[test]
    fn malformed_types_are_not_kept() {
        assert_eq!(accept(" image/png "), Some("image/png"));
        assert_eq!(
            accept("audio/ogg; codecs=opus"),
            Some("audio/ogg; codecs=opus")
        );
        for malformed in [
            "",
            "x",
            "image/png\nSet-Cookie: a=b",
            "ä/ö",
            "a/b; c",
            &format!("a/{}", "b".repeat(300)),
        ] {
            assert_eq!(accept(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn text_without_a_charset_gets_one() {
        assert_eq!(header(Some("text/plain")), "text/plain; charset=utf-8");
        assert_eq!(
            header(Some("text/plain; charset=latin1")),
            "text/plain; charset=latin1"
        );
        assert_eq!(header(Some("Image/PNG")), "Image/PNG");
        assert_eq!(header(Some("nonsense")), UNKNOWN);
        assert_eq!(header(None), UNKNOWN);
    }

    proptest! {
        #[test]
        fn what_is_kept_always_fits_in_a_header(declared: String) {
            if let Some(kept) = accept(&declared) {
                prop_assert!(header(Some(kept)).bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)));
            }
        }

        #[test]
        fn case_makes_no_difference(declared in "[a-zA-Z]{1,8}/[a-zA-Z+.-]{1,8}(; ?[a-z]{1,4}=[a-z]{1,4})?") {
            prop_assert_eq!(is_inline(Some(&declared)), is_inline(Some(&declared.to_uppercase())));
            prop_assert_eq!(is_inline(Some(&declared)), is_inline(Some(&declared.to_lowercase())));
        }
    }
}
