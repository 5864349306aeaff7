//! The same picture as an image for mail: our SVG through resvg with the embedded font, stored with a palette.

use std::collections::HashMap;
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
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.write_header()?.write_image_data(&indices)?;
    Ok(out)
}

/// The pixels by palette: exact when there are no more than 256 colours, else the most frequent ones, and the nearest of
/// them for the rest (which are shades on the edges of letters and curves).
fn quantise(pixels: &[PremultipliedColorU8]) -> (Vec<[u8; 3]>, Vec<u8>) {
    let mut counts: HashMap<u32, u32> = HashMap::new();
    let mut run: Option<(u32, u32)> = None;
    for pixel in pixels {
        let key = key(*pixel);
        match &mut run {
            Some((last, count)) if *last == key => *count += 1,
            _ => {
                if let Some((last, count)) = run.replace((key, 1)) {
                    *counts.entry(last).or_default() += count;
                }
            }
        }
    }
    if let Some((last, count)) = run {
        *counts.entry(last).or_default() += count;
    }
    let mut colours: Vec<(u32, u32)> = counts.into_iter().collect();
    colours.sort_unstable_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
    let palette: Vec<[u8; 3]> = colours.iter().take(COLOURS).map(|(key, _)| rgb(*key)).collect();
    let places: HashMap<u32, u8> = colours
        .iter()
        .enumerate()
        .map(|(index, (key, _))| (*key, u8::try_from(index).unwrap_or_else(|_| nearest(&palette, rgb(*key)))))
        .collect();
    let mut last = (u32::MAX, 0);
    let indices = pixels
        .iter()
        .map(|pixel| {
            let key = key(*pixel);
            if key != last.0 {
                last = (key, places.get(&key).copied().unwrap_or(0));
            }
            last.1
        })
        .collect();
    (palette, indices)
}

/// The colour as a number. Our pictures have an opaque ground, so alpha says nothing.
const fn key(pixel: PremultipliedColorU8) -> u32 {
    u32::from_be_bytes([0, pixel.red(), pixel.green(), pixel.blue()])
}

const fn rgb(key: u32) -> [u8; 3] {
    let [_, red, green, blue] = key.to_be_bytes();
    [red, green, blue]
}

fn nearest(palette: &[[u8; 3]], colour: [u8; 3]) -> u8 {
    let distance = |other: &[u8; 3]| -> u32 { other.iter().zip(colour).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum() };
    palette.iter().enumerate().min_by_key(|(_, other)| distance(other)).and_then(|(index, _)| u8::try_from(index).ok()).unwrap_or(0)
}
