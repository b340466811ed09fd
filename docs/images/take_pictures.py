"""
Take the pictures of the documents anew: `python docs/images/take_pictures.py`. Needs Chromium, as the browser tests do.

Starts a Handsel, tells a short story with a drawn hand, and photographs the three faces side by side.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from handsel.wiring.demo import Demo, free_ports, set_up, start
from handsel.wiring.serve import private_files_only

CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 420, "height": 900}
GAP = 28
PAPER = (238, 236, 231)
PICTURE = Path(__file__).with_name("story.png")


def main() -> None:
    """
    Take the picture of the README: wallet, till and receipt.
    """
    private_files_only()
    with tempfile.TemporaryDirectory() as directory:
        ports = free_ports()
        demo = set_up(Path(directory), ports)
        supervisor = start(demo, ports, print)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
                context = browser.new_context(viewport=SIZE, device_scale_factor=1.5)
                wallet, shop, till = (context.new_page() for _ in range(3))
                shots = _tell(demo, wallet, shop, till)
                browser.close()
        finally:
            supervisor.stop()
    _side_by_side(shots).save(PICTURE, optimize=True)
    PICTURE.chmod(0o644)


def _tell(demo: Demo, wallet: Page, shop: Page, till: Page) -> list[Image.Image]:
    wallet.goto(demo.wallet_url)
    wallet.get_by_role("button", name="Open a wallet").click()
    wallet.get_by_role("button", name="I have written it down").click()
    wallet.get_by_role("button", name="Add €20.00 demo money").click()
    wallet.get_by_role("link", name="Pay with your palm").click()
    wallet.get_by_role("link", name="Read and decide").click()
    wallet.get_by_role("checkbox").check()
    wallet.get_by_role("button", name="Agree and get a code").click()
    code = wallet.get_by_label("Enrolment code").inner_text().replace(" ", "")

    till.goto(demo.till_url)
    till.get_by_label("Camera", exact=True).select_option("drawn")
    till.get_by_role("button", name="Connect my palm to my wallet").click()
    for digit in code:
        till.get_by_role("button", name=digit, exact=True).click()
    till.get_by_role("button", name="OK").click()
    till.get_by_role("button", name="Ada").click()
    till.get_by_text("Connected", exact=True).wait_for()
    till.get_by_role("button", name="Done").click()

    shop.goto(f"{demo.merchant_url}#key={demo.merchant_key.reveal()}")
    shop.wait_for_url("**/charge")
    shop.get_by_label("Amount in euro").fill("4.50")
    shop.get_by_label("What for").fill("Flat white")
    shop.get_by_role("button", name="Charge").click()
    till.get_by_text("€4.50").first.wait_for()
    till.get_by_role("button", name="Ada").click()
    till.locator("[data-drawn]:visible").first.wait_for()
    asking = _shot(till)
    till.get_by_text("PAID", exact=True).wait_for()
    paid = _shot(till)
    wallet.goto(demo.wallet_url)
    return [asking, paid, _shot(wallet)]


def _shot(page: Page) -> Image.Image:
    page.evaluate("window.scrollTo(0, 0)")
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def _side_by_side(shots: list[Image.Image]) -> Image.Image:
    width = sum(shot.width for shot in shots) + GAP * (len(shots) + 1)
    sheet = Image.new("RGB", (width, shots[0].height + 2 * GAP), PAPER)
    left = GAP
    for shot in shots:
        sheet.paste(shot, (left, GAP))
        left += shot.width + GAP
    return sheet.resize((sheet.width // 2 * 2 * 2 // 3, sheet.height * 2 // 3), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
