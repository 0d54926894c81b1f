//! The work on bytes: a picture in, a smaller one out.

use std::io::Cursor;

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError, Limits,
    codecs::{
        gif::GifDecoder,
        jpeg::{JpegDecoder, JpegEncoder},
        png::{PngDecoder, PngEncoder},
        webp::WebPDecoder,
    },
    metadata::Orientation,
};

use parking_lot::Mutex;

use super::{
    animation::gif_moves,
    variant::{Plan, Variant},
};
use crate::{Error, ThumbnailConfig};

/// Pictures of more pixels are decoded one at a time: each of them may take hundreds of megabytes, some of which decoders do
/// not count.
const LARGE_PIXELS: u64 = 16_000_000;

/// Colour profiles larger than this would outweigh the thumbnail.
const MAX_PROFILE_BYTES: usize = 4096;

/// Of 100; more is hardly seen in a small picture.
const JPEG_QUALITY: u8 = 82;

/// The formats that are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
}

impl Format {
    /// What these bytes are, whatever anybody declared.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::WebP),
            _ => None,
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
        }
    }
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Made {
    /// The original serves.
    Original(Format),
    /// A picture of this format.
    Picture(Format, Vec<u8>),
}

/// Makes a thumbnail of a picture.
pub(super) fn make(
    source: &[u8],
    variant: Variant,
    config: &ThumbnailConfig,
    large: &Mutex<()>,
) -> Result<Made, Error> {
    let format = Format::of(source).ok_or(Error::NoThumbnail(
        "it is no JPEG, PNG, GIF or WebP picture",
    ))?;
    let (mut decoder, moves) = open(source, format, config)?;
    let (width, height) = decoder.dimensions();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let turned = is_turned(orientation);
    let plan = if turned {
        variant.plan(height, width)
    } else {
        variant.plan(width, height)
    };
    let is_small = source.len() as u64 <= config.small_original_bytes;
    if variant.animated && moves && is_small {
        return Ok(Made::Original(format));
    }
    let plan = match plan {
        Plan::Original if !moves || variant.animated => return Ok(Made::Original(format)),
        // A still of the first frame, in full.
        Plan::Original => whole(width, height),
        Plan::Resize {
            left,
            top,
            part_width,
            part_height,
            width,
            height,
        } if turned => {
            let (left, top, part_width, part_height) = (top, left, part_height, part_width);
            Plan::Resize {
                left,
                top,
                part_width,
                part_height,
                width: height,
                height: width,
            }
        }
        plan => plan,
    };
    let pixels = u64::from(width) * u64::from(height);
    let _turn = (pixels > LARGE_PIXELS).then(|| large.lock());
    let profile = decoder.icc_profile().ok().flatten();
    let decoded = match DynamicImage::from_decoder(decoder) {
        Ok(decoded) => decoded,
        // A kind of JPEG that browsers may know better.
        Err(ImageError::Unsupported(_)) if is_small && !moves => return Ok(Made::Original(format)),
        Err(error) => return Err(refusal(&error)),
    };
    let mut small = resize(decoded, plan)?;
    small.apply_orientation(orientation);
    encode(small, profile)
}

fn is_turned(orientation: Orientation) -> bool {
    match orientation {
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => false,
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => true,
    }
}

fn whole(width: u32, height: u32) -> Plan {
    let (part_width, part_height) = (width.into(), height.into());
    Plan::Resize {
        left: 0.0,
        top: 0.0,
        part_width,
        part_height,
        width,
        height,
    }
}

/// A decoder that has read the header and nothing else, for a picture within the limits; and whether the picture moves.
fn open<'a>(
    source: &'a [u8],
    format: Format,
    config: &ThumbnailConfig,
) -> Result<(Box<dyn ImageDecoder + 'a>, bool), Error> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(config.max_memory_bytes);
    let bytes = Cursor::new(source);
    let refused = |error: ImageError| refusal(&error);
    let (mut decoder, moves): (Box<dyn ImageDecoder>, bool) = match format {
        Format::Jpeg => (Box::new(JpegDecoder::new(bytes).map_err(refused)?), false),
        Format::Gif => (
            Box::new(GifDecoder::new(bytes).map_err(refused)?),
            gif_moves(source),
        ),
        Format::Png => {
            let decoder = PngDecoder::with_limits(bytes, limits.clone()).map_err(refused)?;
            let moves = decoder.is_apng().map_err(refused)?;
            (Box::new(decoder), moves)
        }
        Format::WebP => {
            let decoder = WebPDecoder::new(bytes).map_err(refused)?;
            let moves = decoder.has_animation();
            (Box::new(decoder), moves)
        }
    };
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(Error::NoThumbnail("the picture is empty"));
    }
    if u64::from(width) * u64::from(height) > config.max_pixels
        || decoder.total_bytes() > config.max_memory_bytes
    {
        return Err(Error::TooLargeToThumbnail);
    }
    limits.reserve(decoder.total_bytes()).map_err(refused)?;
    decoder.set_limits(limits).map_err(refused)?;
    Ok((decoder, moves))
}

fn refusal(error: &ImageError) -> Error {
    match error {
        ImageError::Limits(_) => Error::TooLargeToThumbnail,
        ImageError::Unsupported(_) => {
            Error::NoThumbnail("it is a kind of picture that is not supported")
        }
        _ => Error::NoThumbnail("the picture is damaged"),
    }
}

fn resize(decoded: DynamicImage, plan: Plan) -> Result<DynamicImage, Error> {
    let Plan::Resize {
        left,
        top,
        part_width,
        part_height,
        width,
        height,
    } = plan
    else {
        return Ok(decoded);
    };
    let (source_width, source_height) = (decoded.width(), decoded.height());
    let (pixels, kind) = match decoded {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageLuma16(_) => {
            (decoded.into_luma8().into_raw(), PixelType::U8)
        }
        image if image.color().has_alpha() => (image.into_rgba8().into_raw(), PixelType::U8x4),
        image => (image.into_rgb8().into_raw(), PixelType::U8x3),
    };
    let impossible = |_| Error::NoThumbnail("the picture is damaged");
    let source =
        Image::from_vec_u8(source_width, source_height, pixels, kind).map_err(impossible)?;
    let mut small = Image::new(width, height, kind);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
        .crop(left, top, part_width, part_height);
    Resizer::new()
        .resize(&source, &mut small, &options)
        .map_err(|_| Error::NoThumbnail("the picture cannot be made smaller"))?;
    let pixels = small.into_vec();
    let small = match kind {
        PixelType::U8 => image::GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelType::U8x4 => {
            image::RgbaImage::from_raw(width, height, pixels).map(DynamicImage::from)
        }
        _ => image::RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
    };
    Ok(small.expect("the resizer fills the dimensions it was given"))
}

/// As JPEG, or as PNG where one can see through it.
fn encode(small: DynamicImage, profile: Option<Vec<u8>>) -> Result<Made, Error> {
    let small = match small {
        DynamicImage::ImageRgba8(rgba) if rgba.pixels().all(|pixel| pixel.0[3] == u8::MAX) => {
            DynamicImage::from(DynamicImage::ImageRgba8(rgba).into_rgb8())
        }
        other => other,
    };
    let (width, height, colors) = (
        small.width(),
        small.height(),
        ExtendedColorType::from(small.color()),
    );
    // A profile describes colours of one kind; it is of no use where decoding has changed the kind.
    let kind: &[u8] = if colors == ExtendedColorType::L8 {
        b"GRAY"
    } else {
        b"RGB "
    };
    let profile = profile
        .filter(|profile| profile.len() <= MAX_PROFILE_BYTES && profile.get(16..20) == Some(kind));
    let mut out = Vec::with_capacity(16 * 1024);
    let (format, written) = if small.color().has_alpha() {
        let mut encoder = PngEncoder::new(&mut out);
        set_profile(&mut encoder, profile);
        (
            Format::Png,
            encoder.write_image(small.as_bytes(), width, height, colors),
        )
    } else {
        let mut encoder = JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY);
        set_profile(&mut encoder, profile);
        (
            Format::Jpeg,
            encoder.write_image(small.as_bytes(), width, height, colors),
        )
    };
    written.map_err(|_| Error::NoThumbnail("the picture cannot be encoded"))?;
    Ok(Made::Picture(format, out))
}

fn set_profile(encoder: &mut impl ImageEncoder, profile: Option<Vec<u8>>) {
    if let Some(profile) = profile {
        // Where a format has no place for it, colours are a little off.
        let _ = encoder.set_icc_profile(profile);
    }
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
    use proptest::prelude::*;

    use super::*;
    use crate::{Method, ThumbnailRequest};

    fn variant(width: u32, height: u32, method: Method, animated: bool) -> Variant {
        ThumbnailRequest {
            width,
            height,
            method,
            animated,
        }
        .variant()
        .unwrap()
    }

    fn crop(side: u32) -> Variant {
        variant(side, side, Method::Crop, false)
    }

    fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    fn picture(width: u32, height: u32) -> DynamicImage {
        DynamicImage::from(RgbImage::from_fn(width, height, |x, y| {
            Rgb([x as u8, y as u8, (x + y) as u8])
        }))
    }

    fn make_default(source: &[u8], variant: Variant) -> Result<Made, Error> {
        make(
            source,
            variant,
            &ThumbnailConfig::default(),
            &Mutex::default(),
        )
    }

    fn made(source: &[u8], variant: Variant) -> (Format, DynamicImage) {
        match make_default(source, variant).unwrap() {
            Made::Picture(format, bytes) => (format, image::load_from_memory(&bytes).unwrap()),
            Made::Original(format) => panic!("the original {format:?}"),
        }
    }

    /// An EXIF segment that says how a JPEG is to be turned, put behind its first marker.
    fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        let mut out = jpeg[..2].to_vec();
        out.extend([0xff, 0xe1]);
        out.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
        out.extend(exif);
        out.extend(&jpeg[2..]);
        out
    }

    #[test]
    fn every_format_is_made_smaller() {
        for format in [
            ImageFormat::Jpeg,
            ImageFormat::Png,
            ImageFormat::Gif,
            ImageFormat::WebP,
        ] {
            let source = encoded(&picture(400, 300), format);
            let (_, small) = made(&source, crop(96));
            assert_eq!((small.width(), small.height()), (96, 96), "{format:?}");
            let (_, small) = made(&source, variant(320, 240, Method::Scale, false));
            assert_eq!((small.width(), small.height()), (320, 240), "{format:?}");
        }
    }

    #[test]
    fn a_picture_that_is_small_enough_stays_as_it_is() {
        let source = encoded(&picture(30, 20), ImageFormat::Png);
        assert_eq!(
            make_default(&source, crop(32)).unwrap(),
            Made::Original(Format::Png)
        );
    }

    #[test]
    fn what_one_can_see_through_stays_so_and_only_that_is_png() {
        let glass = RgbaImage::from_fn(200, 200, |x, _| {
            Rgba([255, 0, 0, if x < 100 { 0 } else { 255 }])
        });
        let (format, small) = made(&encoded(&glass.into(), ImageFormat::Png), crop(32));
        assert_eq!(
            (
                format,
                small.to_rgba8()[(2, 16)].0[3],
                small.to_rgba8()[(30, 16)].0[3]
            ),
            (Format::Png, 0, 255)
        );
        let opaque = RgbaImage::from_pixel(200, 200, Rgba([255, 0, 0, 255]));
        assert_eq!(
            made(&encoded(&opaque.into(), ImageFormat::Png), crop(32)).0,
            Format::Jpeg
        );
        let gray = DynamicImage::ImageLuma16(image::ImageBuffer::from_pixel(
            200,
            200,
            image::Luma([40_000]),
        ));
        let (format, small) = made(&encoded(&gray, ImageFormat::Png), crop(32));
        assert_eq!(
            (format, small.color()),
            (Format::Jpeg, image::ColorType::L8)
        );
    }

    #[test]
    fn a_photograph_taken_upright_comes_out_upright() {
        // Red on the left, blue on the right; turned a quarter clockwise, red is on top.
        let lying = RgbImage::from_fn(400, 200, |x, _| {
            if x < 200 {
                Rgb([255, 0, 0])
            } else {
                Rgb([0, 0, 255])
            }
        });
        let jpeg = encoded(&lying.into(), ImageFormat::Jpeg);
        let (_, small) = made(
            &with_orientation(&jpeg, 6),
            variant(320, 240, Method::Scale, false),
        );
        assert_eq!((small.width(), small.height()), (120, 240));
        let (top, bottom) = (small.to_rgb8()[(60, 20)], small.to_rgb8()[(60, 220)]);
        assert!(
            top.0[0] > 200 && top.0[2] < 60 && bottom.0[0] < 60 && bottom.0[2] > 200,
            "{top:?} {bottom:?}"
        );
        let (_, small) = made(
            &with_orientation(&jpeg, 3),
            variant(320, 240, Method::Scale, false),
        );
        assert_eq!((small.width(), small.height()), (320, 160));
        assert!(small.to_rgb8()[(20, 60)].0[2] > 200);
        let (_, small) = made(
            &with_orientation(&jpeg, 6),
            variant(30, 90, Method::Crop, false),
        );
        assert_eq!((small.width(), small.height()), (32, 96));
    }

    #[test]
    fn a_moving_picture_moves_only_if_that_was_asked_for() {
        let mut gif = Vec::new();
        let frames = (0..3)
            .map(|n| image::Frame::new(RgbaImage::from_pixel(20, 20, Rgba([n * 80, 0, 0, 255]))));
        image::codecs::gif::GifEncoder::new(&mut gif)
            .encode_frames(frames)
            .unwrap();
        assert_eq!(
            make_default(&gif, variant(96, 96, Method::Crop, true)).unwrap(),
            Made::Original(Format::Gif)
        );
        assert_eq!(
            make_default(&gif, variant(5, 5, Method::Crop, true)).unwrap(),
            Made::Original(Format::Gif)
        );
        let (format, still) = made(&gif, crop(96));
        assert_eq!(
            (format, still.width(), still.height()),
            (Format::Jpeg, 20, 20)
        );
        let large = ThumbnailConfig {
            small_original_bytes: 10,
            ..ThumbnailConfig::default()
        };
        let still = make(
            &gif,
            variant(10, 20, Method::Crop, true),
            &large,
            &Mutex::default(),
        )
        .unwrap();
        assert!(matches!(still, Made::Picture(Format::Jpeg, _)));
    }

    #[test]
    fn what_is_no_picture_is_refused_whatever_it_looks_like() {
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
        let html = b"<html><script>alert(1)</script></html>";
        let sources: [&[u8]; 10] = [
            b"",
            b"x",
            svg,
            html,
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"GIF89a",
            b"RIFF\0\0\0\0WEBP",
            b"%PDF-1.4",
            b"\0\0\0\x1cftypavif",
        ];
        for source in sources {
            assert!(
                matches!(make_default(source, crop(32)), Err(Error::NoThumbnail(_))),
                "{source:?}"
            );
        }
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        // One colour deflates to nothing: 20,000 × 20,000 pixels in 50 KB.
        let bomb = png_header(20_000, 20_000);
        assert!(matches!(
            make_default(&bomb, crop(32)),
            Err(Error::TooLargeToThumbnail)
        ));
        let bomb = png_header(u32::MAX >> 1, u32::MAX >> 1);
        assert!(make_default(&bomb, crop(32)).is_err());
        let mut gif = b"GIF89a\xff\xff\xff\xff\0\0\0".to_vec();
        gif.extend(b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\0\x3b");
        assert!(matches!(
            make_default(&gif, crop(32)),
            Err(Error::TooLargeToThumbnail)
        ));
        let mut jpeg = encoded(&picture(16, 16), ImageFormat::Jpeg);
        let frame = jpeg
            .windows(2)
            .position(|marker| marker == [0xff, 0xc0])
            .unwrap();
        jpeg[frame + 5..frame + 9].fill(0xff);
        assert!(matches!(
            make_default(&jpeg, crop(32)),
            Err(Error::TooLargeToThumbnail)
        ));
        let small = ThumbnailConfig {
            max_memory_bytes: 100_000,
            ..ThumbnailConfig::default()
        };
        let source = encoded(&picture(400, 300), ImageFormat::Png);
        assert!(matches!(
            make(&source, crop(32), &small, &Mutex::default()),
            Err(Error::TooLargeToThumbnail)
        ));
    }

    /// A PNG that says it is this large, with hardly anything in it.
    fn png_header(width: u32, height: u32) -> Vec<u8> {
        let mut png = encoded(&picture(16, 16), ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&crc.to_be_bytes());
        png
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                if crc & 1 == 1 {
                    (crc >> 1) ^ 0xedb8_8320
                } else {
                    crc >> 1
                }
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn damage_is_an_error_or_a_picture_and_never_a_panic(
            format in prop_oneof![
                Just(ImageFormat::Jpeg), Just(ImageFormat::Png), Just(ImageFormat::Gif), Just(ImageFormat::WebP),
            ],
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
            keep in any::<prop::sample::Index>(),
        ) {
            let mut source = encoded(&picture(70, 50), format);
            for (at, byte) in flips {
                let at = at.index(source.len());
                source[at] = byte;
            }
            source.truncate(keep.index(source.len() * 2).max(1));
            let _ = make_default(&source, crop(32));
        }
    }
}
