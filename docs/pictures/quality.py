"""Make ``quality-*.jpg`` from the strips of the demo's presenters: ``python docs/pictures/quality.py STRIPS``.

STRIPS: the folder that ``benchmarks/quality.py FOOTAGE sheets`` writes to; template above, finished clip below.
"""

import sys
from pathlib import Path

SHOWN = {"grace-hopper": "grace-hopper.english.60.png", "astronaut": "astronaut.chinese.150.png"}
ROWS = 4
"""Of pictures: two of the template, two of the clip."""

WIDTH = 1080


def main(sheets: Path) -> None:
    """Cut off what is below ROWS, bring to WIDTH pixels, write beside this file."""
    import cv2

    for name, strip in SHOWN.items():
        picture = cv2.imread(str(sheets / strip))
        assert picture is not None, f"{strip} is not in {sheets.name}"
        picture = picture[: ROWS * picture.shape[1] // 6]
        size = WIDTH, round(WIDTH * picture.shape[0] / picture.shape[1])
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(Path(__file__).with_name(f"quality-{name}.jpg")), small, [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
