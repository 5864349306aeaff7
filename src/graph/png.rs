//! The same picture as an image for mail: our SVG through resvg with the embedded font, stored with a palette.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, PremultipliedColorU8, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use thiserror::Error;

/// WenQuanYi Micro Hei, cut to ASCII, Latin-1, GB 2312 and Big5 level 1 (assets/fonts/make-subset.sh).
static FONT: &[u8] = include_bytes!("../../assets/fonts/netroom-sans.ttf");

/// No image is larger than this in either direction.
const LARGEST: f32 = 8192.0;

/// The palette's size.
const COLOURS: usize = 256;

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_source(fontdb::Source::Binary(Arc::new(FONT)));
    Options { font_family: "WenQuanYi Micro Hei".to_owned(), fontdb: Arc::new(fonts), ..Options::default() }
});

/// Why there is no image.
#[derive(Debug, Error)]
pub enum PngError {
    /// The text is no SVG that we can draw.
    #[error("the picture cannot be drawn: {0}; only pictures of this program with a light or dark theme can")]
    Svg(#[from] resvg::usvg::Error),
    /// Too large, or without an area.
    #[error("the picture would be {width} x {height} pixels; choose a size from 1 to {LARGEST}")]
    Size {
        /// The width asked for.
        width: f32,
        /// The height asked for.
        height: f32,
    },
    /// The encoder failed.
    #[error("the image cannot be encoded: {0}")]
    Encode(#[from] png::EncodingError),
}

/// Draws an SVG of this room with [`Theme::Light`](super::Theme::Light) or [`Theme::Dark`](super::Theme::Dark) at
/// `scale` pixels a unit (1.0, or 2.0 for dense screens). Takes some milliseconds of CPU: not on a thread that serves.
///
/// # Errors
/// When the text is no drawable SVG, or the size is out of bounds.
pub fn render(svg: &str, scale: f32) -> Result<Vec<u8>, PngError> {
    let tree = Tree::from_str(svg, &OPTIONS)?;
    let (width, height) = ((tree.size().width() * scale).ceil(), (tree.size().height() * scale).ceil());
    let size = PngError::Size { width, height };
    if !(1.0..=LARGEST).contains(&width) || !(1.0..=LARGEST).contains(&height) {
        return Err(size);
    }
    let Some(mut pixmap) = Pixmap::new(width as u32, height as u32) else { return Err(size) };
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    encode(&pixmap)
}

fn encode(pixmap: &Pixmap) -> Result<Vec<u8>, PngError> {
    let (palette, indices) = quantise(pixmap.pixels());
    let mut out = Vec::with_capacity(32 * 1024);
    let mut encoder = png::Encoder::new(&mut out, pixmap.width(), pixmap.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.as_flattened());
    // Level 4 looks at 16 earlier places for a match where the usual 6 looks at 128: on curves of noise that search was a
    // quarter of the whole picture's cost, for a file hardly smaller.
    encoder.set_deflate_compression(png::DeflateCompression::Level(4));
    encoder.set_filter(png::Filter::NoFilter);
    encoder.write_header()?.write_image_data(&indices)?;
    Ok(out)
}

/// The pixels by palette. Colours that differ only in the lowest three bits of a channel count as one (shown as the first
/// of them that was met); of those the 256 most frequent are kept, and the nearest of them stands for the rest, which are
/// shades on the edges of letters and curves.
fn quantise(pixels: &[PremultipliedColorU8]) -> (Vec<[u8; 3]>, Vec<u8>) {
    let mut met: Vec<(u32, [u8; 3])> = vec![(0, [0; 3]); 1 << 15];
    for pixel in pixels {
        if let Some((count, colour)) = met.get_mut(cell(*pixel)) {
            if *count == 0 {
                *colour = [pixel.red(), pixel.green(), pixel.blue()];
            }
            *count += 1;
        }
    }
    let mut colours: Vec<(usize, u32, [u8; 3])> =
        met.iter().enumerate().filter(|(_, (count, _))| *count > 0).map(|(cell, (count, colour))| (cell, *count, *colour)).collect();
    colours.sort_unstable_by_key(|(cell, count, _)| (std::cmp::Reverse(*count), *cell));
    let palette: Vec<[u8; 3]> = colours.iter().take(COLOURS).map(|(_, _, colour)| *colour).collect();
    let mut places = vec![0_u8; 1 << 15];
    for (index, (cell, _, colour)) in colours.iter().enumerate() {
        if let Some(place) = places.get_mut(*cell) {
            *place = u8::try_from(index).unwrap_or_else(|_| nearest(&palette, *colour));
        }
    }
    let indices = pixels.iter().map(|pixel| places.get(cell(*pixel)).copied().unwrap_or(0)).collect();
    (palette, indices)
}

/// The place of a colour among 2^15. Our pictures have an opaque ground, so alpha says nothing.
const fn cell(pixel: PremultipliedColorU8) -> usize {
    (pixel.red() as usize >> 3) << 10 | (pixel.green() as usize >> 3) << 5 | pixel.blue() as usize >> 3
}

fn nearest(palette: &[[u8; 3]], colour: [u8; 3]) -> u8 {
    let distance = |other: &[u8; 3]| -> u32 { other.iter().zip(colour).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum() };
    palette.iter().enumerate().min_by_key(|(_, other)| distance(other)).and_then(|(index, _)| u8::try_from(index).ok()).unwrap_or(0)
}
