"""
Tell whether the texts of a page can be read: their colours, and the contrast of these.
"""

from __future__ import annotations

import re

from playwright.sync_api import Page

TEXT_CONTRAST_MIN = 4.5  # WCAG 2.2, 1.4.3.

# Return the colour of each text that can be seen, and of what is behind it, in a light if one is named.
TEXTS = """(light) => {
  if (light) document.documentElement.dataset.light = light;
  const style = (element) => getComputedStyle(element);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      if (style(each).backgroundColor !== "rgba(0, 0, 0, 0)") return style(each).backgroundColor;
    }
    return "none";
  };
  const isText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const texts = [...document.querySelectorAll("body *")].filter((each) => each.checkVisibility() && isText(each));
  return texts.map((each) => [each.textContent.trim(), style(each).color, behind(each)]);
}"""


def texts_seen(page: Page, *, light: str = "") -> list[tuple[str, str, str]]:
    """
    Return each text that can be seen, its colour, and that of what is behind it; in one `light` of the screen if one is
    named, which the page cannot change before all are read.
    """
    return [(text, ink, behind) for text, ink, behind in page.evaluate(TEXTS, light)]


def by_day_and_night(page: Page) -> list[tuple[str, str, str]]:
    """
    Return the same for who likes it light and for who likes it dark.
    """
    seen = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        seen += texts_seen(page)
    return seen


def illegible(seen: list[tuple[str, str, str]]) -> dict[str, tuple[str, str]]:
    """
    Return the texts whose contrast is too small, with their colours.
    """
    return {text: (ink, behind) for text, ink, behind in seen if contrast(ink, behind) < TEXT_CONTRAST_MIN}


def luminance(colour: str) -> float:
    """
    Return the relative luminance of a computed colour, as WCAG 2.2 defines it.
    """
    shares = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """
    Return the contrast of two computed colours, as WCAG 2.2 defines it.
    """
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)
