#!/bin/sh
# Makes netroom-sans.ttf: the part of WenQuanYi Micro Hei that graphs for mail need, small enough to embed.
# Needs: Debian's fonts-wqy-microhei and fonttools (`pip install fonttools`, which brings pyftsubset).
# Usage: assets/fonts/make-subset.sh [FONT.ttc]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
font=${1:-/usr/share/fonts/truetype/wqy/wqy-microhei.ttc}
[ -r "$font" ] || { echo "$font is not there: apt-get install fonts-wqy-microhei, or name the font" >&2; exit 1; }
command -v pyftsubset >/dev/null || { echo "pyftsubset is not there: pip install fonttools" >&2; exit 1; }
list=$(mktemp)
trap 'rm -f "$list"' EXIT

# ASCII and Latin-1, GB 2312, Big5 level 1 (aliases in traditional characters), and the marks that our own texts use.
python3 - > "$list" <<'PYTHON'
points = set(range(0x20, 0x7F)) | set(range(0xA0, 0x100))
def take(codec, leads, trails):
    for lead in leads:
        for trail in trails:
            try:
                points.update(map(ord, bytes((lead, trail)).decode(codec)))
            except UnicodeDecodeError:
                pass
take("gb2312", range(0xA1, 0xF8), range(0xA1, 0xFF))
take("big5", range(0xA4, 0xC7), list(range(0x40, 0x7F)) + list(range(0xA1, 0xFF)))
points.update(map(ord, "\u2009\u202f\u2013\u2014\u2026\u2022\u25cf\u25b2\u25a0\u25c7\u2298\u25cc\u2191\u2193\u2264\u2265\u03bc\u20ac"))
print(",".join(f"U+{point:04X}" for point in sorted(points)))
PYTHON

# No hints (nothing here rasterises with them), no vertical forms; kerning stays.
pyftsubset "$font" --font-number=0 --unicodes-file="$list" --output-file="$here/netroom-sans.ttf" \
    --layout-features=kern --no-hinting --desubroutinize --notdef-outline --name-IDs=0,1,2,3,4,5,6,13,14 \
    --drop-tables+=vhea,vmtx,VORG,DSIG,gasp
ls -l "$here/netroom-sans.ttf"
