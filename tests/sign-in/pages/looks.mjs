// Whether people can read a page: on a phone and on a desk, in light and in the dark; and photographs of it where a folder is given.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "./world.mjs";

const WIDTHS = [360, 1280];
const SCHEMES = ["light", "dark"];

export class Looks {
  #folder;

  constructor(folder) {
    this.#folder = folder;
    if (folder) mkdirSync(folder, { recursive: true });
  }

  async judge(page, name) {
    const before = page.viewportSize();
    for (const width of WIDTHS) {
      for (const colorScheme of SCHEMES) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        const flaws = await page.evaluate(flawsOfPage);
        if (this.#folder) await page.screenshot({ path: join(this.#folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
        expect(flaws.length === 0, `at ${width} px, ${colorScheme}: ${flaws.join("; ")}`);
      }
    }
    await page.setViewportSize(before);
  }
}

// Runs inside the page.
function flawsOfPage() {
  const flaws = [];
  const found = (flaw, isThere) => isThere && flaws.push(flaw);
  const root = document.documentElement;
  found("no language", !root.lang);
  found("no title", !document.title.trim());
  found("not one main heading", document.querySelectorAll("h1").length !== 1);
  found("no main part", !document.querySelector("main"));
  found(`${root.scrollWidth} px wide`, root.scrollWidth > window.innerWidth);
  for (const input of document.querySelectorAll("input:not([type=hidden])")) {
    found(`nothing says what ${input.name} is`, input.labels.length === 0 && !input.ariaLabel);
  }

  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const pixel = (...colors) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const color of colors) {
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
    }
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  // Relative luminance and contrast as WCAG 2.2 has them.
  const luminance = (rgb) => {
    const [red, green, blue] = [...rgb].map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    const colors = [];
    for (let at = element; at; at = at.parentElement) colors.unshift(getComputedStyle(at).backgroundColor);
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches && /dark/.test(getComputedStyle(root).colorScheme);
    return [isDark ? "rgb(18, 18, 18)" : "white", ...colors];
  };
  for (const element of document.body.querySelectorAll("*")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!hasText || !element.checkVisibility()) continue;
    const backgrounds = behind(element);
    const [text, ground] = [pixel(...backgrounds, getComputedStyle(element).color), pixel(...backgrounds)].map(luminance);
    const contrast = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    found(`"${element.textContent.trim().slice(0, 30)}" has a contrast of ${contrast.toFixed(1)}`, contrast < 4.5);
  }
  return flaws;
}
