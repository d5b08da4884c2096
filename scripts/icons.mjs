/** Draws the icons of the installed page, public/icons/*.png, from the sign of Kinora. Run after a change of it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser } from './browser.mjs';

const FOLDER = join(import.meta.dirname, '..', 'public', 'icons');
const [GROUND, SIGN] = ['#0d0e11', '#f0a75b'];

/** `share`: of the width that the sign takes. A maskable icon may lose everything outside the inner 80 %. */
const icon = (side, share, radius) => `
  <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="${side}" height="${side}">
    <rect width="24" height="24" rx="${radius}" fill="${GROUND}"/>
    <g transform="translate(12 12) scale(${(share * 24) / 20.2}) translate(-12 -12)"
       fill="none" stroke="${SIGN}" stroke-width="1.8">
      <circle cx="12" cy="12" r="9.2"/><circle cx="12" cy="12" r="2.6" fill="${SIGN}" stroke="none"/>
      <path d="M12 2.8v4M12 17.2v4M2.8 12h4M17.2 12h4"/>
    </g>
  </svg>`;

const ICONS = {
  '192.png': [192, 0.68, 5],
  '512.png': [512, 0.68, 5],
  'maskable.png': [512, 0.52, 0],
};

const browser = await launchBrowser();
try {
  const page = await browser.newPage();
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, [side, share, radius]] of Object.entries(ICONS)) {
    await page.setViewportSize({ width: side, height: side });
    await page.setContent(`<body style="margin:0">${icon(side, share, radius)}</body>`);
    writeFileSync(join(FOLDER, name), await page.screenshot({ omitBackground: true }));
  }
} finally {
  await browser.close();
}
