//! Whether a GIF has more than one frame, without decoding any.

/// Walks over the blocks of a GIF to its second picture. What is malformed counts as one picture.
pub(super) fn gif_moves(gif: &[u8]) -> bool {
    frames(gif, 2).is_some()
}

/// `Some` when there are at least `wanted` pictures.
fn frames(gif: &[u8], wanted: usize) -> Option<()> {
    let mut rest = Walk(gif);
    rest.skip(10)?;
    let flags = rest.byte()?;
    rest.skip(2 + table(flags))?;
    let mut found = 0;
    loop {
        match rest.byte()? {
            // An extension: its label, then its blocks.
            0x21 => {
                rest.skip(1)?;
            }
            // A picture: place and size, its own colours, the code size, then its blocks.
            0x2c => {
                found += 1;
                if found == wanted {
                    return Some(());
                }
                rest.skip(8)?;
                let flags = rest.byte()?;
                rest.skip(table(flags) + 1)?;
            }
            _ => return None,
        }
        loop {
            match rest.byte()? {
                0 => break,
                length => rest.skip(usize::from(length))?,
            }
        }
    }
}

/// The length of the table of colours that these flags announce.
fn table(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

struct Walk<'a>(&'a [u8]);

impl Walk<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.get(bytes..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use image::{Frame, RgbaImage, codecs::gif::GifEncoder};
    use proptest::prelude::*;

    use super::*;

    fn gif(frames: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = GifEncoder::new(&mut out);
        encoder
            .encode_frames((0..frames).map(|_| Frame::new(RgbaImage::new(5, 7))))
            .unwrap();
        drop(encoder);
        out
    }

    #[test]
    fn one_frame_is_still_and_two_move() {
        assert!(!gif_moves(&gif(1)));
        assert!(gif_moves(&gif(2)));
        assert!(gif_moves(&gif(9)));
        assert!(!gif_moves(&gif(2)[..40]));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes: Vec<u8>, cut in 0usize..400) {
            gif_moves(&bytes);
            let whole = gif(3);
            gif_moves(&whole[..cut.min(whole.len())]);
        }
    }
}
