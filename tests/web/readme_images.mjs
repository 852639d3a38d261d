// The README's pictures, into the folder that is given: scripts/web-images.

import {join} from 'node:path';
import {launch, openPage} from './support/browser.mjs';
import {startServer} from './support/server.mjs';

const folder = process.argv[2];
const server = await startServer();
const browser = await launch();

async function take(name, options, ready) {
  const page = await openPage(browser, server.url, {width: 1120, height: 700, ...options});
  await ready(page);
  await page.waitForLoadState('networkidle');
  await page.screenshot({path: join(folder, `${name}.png`), animations: 'disabled'});
  await page.context().close();
}

try {
  // The first question waits for the model.
  await fetch(`${server.url}/api/v1/pgvector/search`, {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({query: 'monitor'}),
  });
  await take('search', {language: 'es', path: '/#/search?q=notebook+gamer+hasta+1500'}, (page) => page.locator('.card').first().waitFor());
  await take('chat', {language: 'en', theme: 'dark', path: '/#/chat'}, async (page) => {
    await page.locator('#message').fill('Wireless headphones under 100');
    await page.locator('#message').press('Enter');
    await page.locator('.turn.ai[aria-busy="false"] .card').first().waitFor();
    await page.evaluate(() => scrollTo(0, 0));
  });
} finally {
  await browser.close();
  await server.stop();
}
