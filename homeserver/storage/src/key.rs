//! Keys: tuples whose bytes sort as the tuples do.
//!
//! Numbers are big-endian. Texts and bytes may hold anything: a zero byte becomes `00 FF`, and `00 01` ends the part, so that
//! `("a", "b")` and `("ab", "")` differ and a shorter text sorts first.

use crate::log::Position;

/// A part of a key, as it is declared: `u64`, [`Position`], `String`, `Vec<u8>`, …
pub trait Part: Sized {
    /// Takes this part off the front of `bytes`; `None` if they are malformed.
    fn decode(bytes: &mut &[u8]) -> Option<Self>;
}

/// What may stand for a declared part `P`: the part itself, or what it borrows as.
pub trait AsPart<P> {
    /// Appends the part's bytes.
    fn encode(&self, out: &mut Vec<u8>);
}

macro_rules! number {
    ($($t:ty),*) => {$(
        impl Part for $t {
            fn decode(bytes: &mut &[u8]) -> Option<Self> {
                let (head, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_be_bytes(*head))
            }
        }
        impl AsPart<$t> for $t {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
    )*};
}
number!(u8, u16, u32, u64, u128);

impl Part for Position {
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        u64::decode(bytes).map(Position)
    }
}

impl AsPart<Position> for Position {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_be_bytes());
    }
}

fn encode_bytes(part: &[u8], out: &mut Vec<u8>) {
    for &byte in part {
        out.push(byte);
        if byte == 0 {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 1]);
}

impl Part for Vec<u8> {
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let mut part = Vec::new();
        let mut at = 0;
        loop {
            match (*bytes.get(at)?, bytes.get(at + 1)) {
                (0, Some(0xff)) => {
                    part.push(0);
                    at += 2;
                }
                (0, Some(1)) => {
                    *bytes = &bytes[at + 2..];
                    return Some(part);
                }
                (0, _) => return None,
                (byte, _) => {
                    part.push(byte);
                    at += 1;
                }
            }
        }
    }
}

impl Part for String {
    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        Self::from_utf8(Vec::decode(bytes)?).ok()
    }
}

impl<T: AsRef<str>> AsPart<String> for T {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_bytes(self.as_ref().as_bytes(), out);
    }
}

impl AsPart<Vec<u8>> for &[u8] {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_bytes(self, out);
    }
}

impl AsPart<Vec<u8>> for Vec<u8> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_bytes(self, out);
    }
}

/// A key as a tree declares it: a tuple of parts.
pub trait Key: Sized {
    /// The key of these bytes; `None` if they are malformed.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

/// What may stand for a declared key `K`: a tuple of the same length whose parts stand for its parts.
pub trait AsKey<K> {
    /// The key's bytes are appended.
    fn encode(&self, out: &mut Vec<u8>);
}

/// What may stand for the first parts of a declared key `K`: a tuple no longer than it, `()` for every key.
pub trait AsPrefix<K> {
    /// The prefix's bytes are appended.
    fn encode(&self, out: &mut Vec<u8>);
}

macro_rules! tuples {
    ($(($($given:ident $part:ident $n:tt),*) prefix of ($($more:ident),*);)*) => {$(
        impl<$($given,)* $($part,)* $($more,)*> AsPrefix<($($part,)* $($more,)*)> for ($($given,)*)
        where $($given: AsPart<$part>,)*
        {
            #[allow(unused_variables)]
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$n.encode(out);)*
            }
        }
    )*};
}

macro_rules! keys {
    ($(($($given:ident $part:ident $n:tt),*);)*) => {$(
        impl<$($part: Part,)*> Key for ($($part,)*) {
            fn decode(mut bytes: &[u8]) -> Option<Self> {
                let key = ($($part::decode(&mut bytes)?,)*);
                bytes.is_empty().then_some(key)
            }
        }
        impl<$($given,)* $($part,)*> AsKey<($($part,)*)> for ($($given,)*)
        where $($given: AsPart<$part>,)*
        {
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$n.encode(out);)*
            }
        }
    )*};
}

keys! {
    (GA A 0);
    (GA A 0, GB B 1);
    (GA A 0, GB B 1, GC C 2);
    (GA A 0, GB B 1, GC C 2, GD D 3);
    (GA A 0, GB B 1, GC C 2, GD D 3, GE E 4);
}

tuples! {
    () prefix of (A);
    () prefix of (A, B);
    () prefix of (A, B, C);
    () prefix of (A, B, C, D);
    () prefix of (A, B, C, D, E);
    (GA A 0) prefix of ();
    (GA A 0) prefix of (B);
    (GA A 0) prefix of (B, C);
    (GA A 0) prefix of (B, C, D);
    (GA A 0) prefix of (B, C, D, E);
    (GA A 0, GB B 1) prefix of ();
    (GA A 0, GB B 1) prefix of (C);
    (GA A 0, GB B 1) prefix of (C, D);
    (GA A 0, GB B 1) prefix of (C, D, E);
    (GA A 0, GB B 1, GC C 2) prefix of ();
    (GA A 0, GB B 1, GC C 2) prefix of (D);
    (GA A 0, GB B 1, GC C 2) prefix of (D, E);
    (GA A 0, GB B 1, GC C 2, GD D 3) prefix of ();
    (GA A 0, GB B 1, GC C 2, GD D 3) prefix of (E);
    (GA A 0, GB B 1, GC C 2, GD D 3, GE E 4) prefix of ();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes<K>(key: &impl AsKey<K>) -> Vec<u8> {
        let mut out = Vec::new();
        key.encode(&mut out);
        out
    }

    proptest! {
        #[test]
        fn bytes_sort_as_keys_do(a: (u64, Vec<u8>, u8), b: (u64, Vec<u8>, u8)) {
            prop_assert_eq!(bytes::<(u64, Vec<u8>, u8)>(&a).cmp(&bytes::<(u64, Vec<u8>, u8)>(&b)), a.cmp(&b));
        }

        #[test]
        fn keys_come_back(key: (String, u64, Vec<u8>)) {
            let encoded = bytes::<(String, u64, Vec<u8>)>(&key);
            prop_assert_eq!(<(String, u64, Vec<u8>)>::decode(&encoded), Some(key));
        }

        #[test]
        fn malformed_keys_are_refused_without_panic(bytes: Vec<u8>) {
            let _ = <(String, u64, Vec<u8>)>::decode(&bytes);
        }
    }

    #[test]
    fn a_prefix_covers_just_its_keys() {
        let mut prefix = Vec::new();
        AsPrefix::<(String, u64)>::encode(&("ab",), &mut prefix);
        assert!(bytes::<(String, u64)>(&("ab", 7)).starts_with(&prefix));
        assert!(!bytes::<(String, u64)>(&("abc", 7)).starts_with(&prefix));
    }
}
