//! Which thumbnails there are.

use crate::{Error, MediaFile, Result};

/// The sizes the specification names, and a larger one for large screens.
///
/// <https://spec.matrix.org/v1.19/client-server-api/#thumbnails>
const SCALED: [(u32, u32); 4] = [(320, 240), (640, 480), (800, 600), (1600, 1200)];

/// Longer sides of cropped thumbnails.
const CROPPED: [u32; 6] = [32, 96, 320, 640, 800, 1600];

/// Nothing larger is made than this, whatever is asked for; no picture that is decoded is larger either.
const LARGEST: u32 = 65_535;

/// How a picture is fitted into the size asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Method {
    /// Its middle is cut out in the proportions asked for.
    Crop,
    /// All of it is kept, in its own proportions.
    #[default]
    Scale,
}

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThumbnailRequest {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How to fit it.
    pub method: Method,
    /// Whether a moving picture should stay one.
    pub animated: bool,
}

impl ThumbnailRequest {
    /// A name for what this request gets of this file, fit for the header `ETag`, without its quotes.
    ///
    /// # Errors
    /// [`Error::NoDimensions`].
    pub fn etag(&self, file: &MediaFile) -> Result<String> {
        Ok(format!("{}-{}", file.etag(), self.variant()?.name()))
    }

    pub(super) fn variant(&self) -> Result<Variant> {
        if self.width == 0 || self.height == 0 {
            return Err(Error::NoDimensions);
        }
        let (width, height) = (self.width.min(LARGEST), self.height.min(LARGEST));
        let (width, height) = match self.method {
            Method::Scale => SCALED
                .into_iter()
                .find(|&(w, h)| width <= w && height <= h)
                .unwrap_or((width, height)),
            Method::Crop => {
                let longer = width.max(height);
                let side = CROPPED
                    .into_iter()
                    .find(|&side| longer <= side)
                    .unwrap_or(longer);
                let grown = |edge: u32| div_ceil(u64::from(edge) * u64::from(side), longer);
                (grown(width), grown(height))
            }
        };
        Ok(Variant {
            width,
            height,
            method: self.method,
            animated: self.animated,
        })
    }
}

fn div_ceil(dividend: u64, divisor: u32) -> u32 {
    u32::try_from(dividend.div_ceil(u64::from(divisor))).unwrap_or(LARGEST)
}

/// A thumbnail that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Variant {
    width: u32,
    height: u32,
    method: Method,
    pub(super) animated: bool,
}

/// What becomes of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Plan {
    /// It is small enough.
    Original,
    /// The part of it from `left` and `top` on is made this wide and high.
    Resize {
        left: f64,
        top: f64,
        part_width: f64,
        part_height: f64,
        width: u32,
        height: u32,
    },
}

impl Variant {
    /// Its name among a picture's thumbnails.
    pub(super) fn name(&self) -> String {
        let method = match self.method {
            Method::Crop => "crop",
            Method::Scale => "scale",
        };
        let animated = if self.animated { "-animated" } else { "" };
        format!("{method}-{}x{}{animated}", self.width, self.height)
    }

    /// Whether it is one of the few that every picture may have, not of the many that somebody may think of.
    pub(super) fn is_common(&self) -> bool {
        match self.method {
            Method::Scale => SCALED.contains(&(self.width, self.height)),
            Method::Crop => self.width == self.height && CROPPED.contains(&self.width),
        }
    }

    /// The one that stands in for it when a picture has enough odd ones: large enough, if any is.
    pub(super) fn common(&self) -> Self {
        let longer = self.width.max(self.height);
        let (width, height) = match self.method {
            Method::Scale => SCALED
                .into_iter()
                .find(|&(w, h)| self.width <= w && self.height <= h)
                .unwrap_or(SCALED[SCALED.len() - 1]),
            Method::Crop => {
                let side = CROPPED.into_iter().find(|&side| longer <= side);
                let side = side.unwrap_or(CROPPED[CROPPED.len() - 1]);
                (side, side)
            }
        };
        Self {
            width,
            height,
            ..*self
        }
    }

    /// What becomes of a picture of these dimensions. It is never made larger.
    pub(super) fn plan(&self, source_width: u32, source_height: u32) -> Plan {
        if source_width <= self.width && source_height <= self.height {
            return Plan::Original;
        }
        let (sw, sh) = (f64::from(source_width), f64::from(source_height));
        let across = f64::from(self.width) / sw;
        let down = f64::from(self.height) / sh;
        match self.method {
            Method::Scale => {
                let factor = across.min(down);
                let (width, height) = (
                    rounded(sw * factor, source_width),
                    rounded(sh * factor, source_height),
                );
                Plan::Resize {
                    left: 0.0,
                    top: 0.0,
                    part_width: sw,
                    part_height: sh,
                    width,
                    height,
                }
            }
            Method::Crop => {
                // The largest part of the proportions asked for, at most made smaller to the size asked for.
                let factor = across.max(down);
                let part_width = (f64::from(self.width) / factor).clamp(1.0, sw);
                let part_height = (f64::from(self.height) / factor).clamp(1.0, sh);
                let shrink = factor.min(1.0);
                let width = rounded(part_width * shrink, source_width);
                let height = rounded(part_height * shrink, source_height);
                let (left, top) = ((sw - part_width) / 2.0, (sh - part_height) / 2.0);
                Plan::Resize {
                    left,
                    top,
                    part_width,
                    part_height,
                    width,
                    height,
                }
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is between 1 and a u32"
)]
fn rounded(size: f64, at_most: u32) -> u32 {
    size.round().clamp(1.0, f64::from(at_most)) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(width: u32, height: u32, method: Method) -> ThumbnailRequest {
        ThumbnailRequest {
            width,
            height,
            method,
            animated: false,
        }
    }

    fn size(request: ThumbnailRequest, source: (u32, u32)) -> (u32, u32) {
        match request.variant().unwrap().plan(source.0, source.1) {
            Plan::Original => source,
            Plan::Resize { width, height, .. } => (width, height),
        }
    }

    #[test]
    fn the_sizes_of_the_specification_are_made_as_they_are() {
        for (width, height, method) in [
            (32, 32, Method::Crop),
            (96, 96, Method::Crop),
            (320, 240, Method::Scale),
            (640, 480, Method::Scale),
            (800, 600, Method::Scale),
        ] {
            assert_eq!(
                size(request(width, height, method), (4000, 3000)),
                (width, height)
            );
        }
    }

    #[test]
    fn other_sizes_become_the_next_larger() {
        assert_eq!(size(request(33, 33, Method::Crop), (4000, 3000)), (96, 96));
        assert_eq!(
            size(request(100, 50, Method::Crop), (4000, 3000)),
            (320, 160)
        );
        assert_eq!(size(request(1, 1, Method::Scale), (4000, 3000)), (320, 240));
        assert_eq!(
            size(request(800, 601, Method::Scale), (4000, 3000)),
            (1600, 1200)
        );
        assert_eq!(
            size(request(2000, 2000, Method::Scale), (4000, 3000)),
            (2000, 1500)
        );
        assert_eq!(
            size(request(2000, 1000, Method::Crop), (4000, 3000)),
            (2000, 1000)
        );
    }

    #[test]
    fn a_side_that_is_too_short_is_cut_to_not_stretched() {
        assert_eq!(size(request(96, 96, Method::Crop), (50, 1000)), (50, 50));
        assert_eq!(size(request(96, 96, Method::Crop), (90, 70)), (90, 70));
        assert_eq!(size(request(96, 96, Method::Crop), (1, 100_000)), (1, 1));
        assert_eq!(
            size(request(640, 480, Method::Scale), (100_000, 1)),
            (640, 1)
        );
    }

    #[test]
    fn nothing_is_no_size() {
        assert!(matches!(
            request(0, 5, Method::Crop).variant(),
            Err(Error::NoDimensions)
        ));
        assert!(matches!(
            request(5, 0, Method::Scale).variant(),
            Err(Error::NoDimensions)
        ));
    }

    proptest! {
        #[test]
        fn nothing_is_ever_made_larger_and_every_part_is_within(
            width in 1u32..3000, height in 1u32..3000, crop: bool, source_width in 1u32..9000, source_height in 1u32..9000,
        ) {
            let method = if crop { Method::Crop } else { Method::Scale };
            let plan = request(width, height, method).variant().unwrap().plan(source_width, source_height);
            if let Plan::Resize { left, top, part_width, part_height, width, height } = plan {
                let (sw, sh) = (f64::from(source_width), f64::from(source_height));
                prop_assert!(left >= 0.0 && top >= 0.0 && left + part_width <= sw + 1e-6 && top + part_height <= sh + 1e-6);
                // Half a pixel of rounding aside.
                prop_assert!(f64::from(width) <= part_width + 0.5 && f64::from(height) <= part_height + 0.5);
                prop_assert!(width >= 1 && height >= 1 && width <= source_width && height <= source_height);
            }
        }

        #[test]
        fn a_cropped_thumbnail_is_as_large_as_asked_for_if_the_picture_is(
            width in 1u32..2000, height in 1u32..2000, source_width in 1u32..9000, source_height in 1u32..9000,
        ) {
            let got = size(request(width, height, Method::Crop), (source_width, source_height));
            if source_width >= width && source_height >= height {
                prop_assert!(got.0 >= width && got.1 >= height, "{:?}", got);
            }
        }

        #[test]
        fn a_scaled_thumbnail_keeps_proportions_and_reaches_one_side(
            width in 1u32..2000, height in 1u32..2000, source_width in 1u32..9000, source_height in 1u32..9000,
        ) {
            let got = size(request(width, height, Method::Scale), (source_width, source_height));
            prop_assert!(got.0 >= width.min(source_width) || got.1 >= height.min(source_height), "{:?}", got);
            let expected = f64::from(got.0) * f64::from(source_height) / f64::from(source_width);
            let coarse = f64::from(source_height) / f64::from(source_width) * 0.5 + 0.5 + 1e-6;
            prop_assert!((expected - f64::from(got.1)).abs() <= coarse || got.0 == 1 || got.1 == 1, "{:?}", got);
        }

        #[test]
        fn few_variants_are_common_and_a_variant_asks_for_itself(width in 1u32..1600, height in 1u32..1200, crop: bool) {
            let method = if crop { Method::Crop } else { Method::Scale };
            let variant = request(width, height, method).variant().unwrap();
            prop_assert_eq!(request(variant.width, variant.height, method).variant().unwrap(), variant);
            prop_assert!(crop || variant.is_common());
            prop_assert!(variant.common().is_common());
        }
    }
}
